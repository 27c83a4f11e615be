"""Decays that are lost when weights are stored with few significant bits."""

from enum import StrEnum

from decaycalc.errors import ContradictionError, UnknownNameError
from decaycalc.record import Record

SIGNIFICANT_BITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}
DTYPE_ALIASES = {
    "double": "float64",
    "fp64": "float64",
    "float": "float32",
    "fp32": "float32",
    "half": "float16",
    "fp16": "float16",
    "bf16": "bfloat16",
}


class RoundingEffect(StrEnum):
    """What storing the weights with few bits does to a decay."""

    NONE_MOVE = "no weight moves"
    SOME_STAY = "some weights stay in place"


class Rounding(StrEnum):
    """How an update is rounded into the stored weights.

    NEAREST: to the nearest number that the type has. STOCHASTIC: up or down by chance, so that the
    mean is right. MASTER: the weights that are updated are a float32 copy.
    """

    NEAREST = "nearest"
    STOCHASTIC = "stochastic"
    MASTER = "master"


class RoundingLoss(Record):
    """A decay lost wholly or in part when the weights are stored as `dtype`.

    A weight with p significant bits moves when `shrink*w` is at least half its spacing, which is
    between `2^-p*w` and `2^(1-p)*w`: below `2^-(p+1)` none moves, below `2^-p` some do not.
    """

    dtype: str
    significant_bits: int
    shrink: float
    effect: RoundingEffect

    @property
    def smallest_shrink(self) -> float:
        """The shrink from which on every weight moves, `2^-significant_bits` (1/step)."""
        return 2.0**-self.significant_bits

    @property
    def text(self) -> str:
        """One line for a warning."""
        return (
            f"a decay of {self.shrink:.4g} per step is lost in {self.dtype} rounding:"
            f" {self.effect}; it takes {self.smallest_shrink:.4g} to move every weight"
        )


def find_dtype(name: str) -> str:
    """Return the canonical name of a storage type.

    Raises:
        UnknownNameError: A name that is none of the types or their aliases.
    """
    key = DTYPE_ALIASES.get(name.lower(), name.lower())
    if key not in SIGNIFICANT_BITS:
        known, hint = (*SIGNIFICANT_BITS, *DTYPE_ALIASES), f"({', '.join(SIGNIFICANT_BITS)})"
        raise UnknownNameError("dtype", name, known, hint=hint)
    return key


def precision_warning(shrink: float, dtype: str) -> RoundingLoss | None:
    """Return how much of a decay is lost when weights are stored as `dtype`; None if nothing is.

    Raises:
        UnknownNameError: An unknown dtype.
    """
    key = find_dtype(dtype)
    bits = SIGNIFICANT_BITS[key]
    if not 0 < shrink < 2.0**-bits:
        return None
    lost = shrink < 2.0 ** -(bits + 1)
    effect = RoundingEffect.NONE_MOVE if lost else RoundingEffect.SOME_STAY
    return RoundingLoss(dtype=key, significant_bits=bits, shrink=shrink, effect=effect)


class Storage(Record):
    """How weights are stored between steps; None is what nobody said: float32, to nearest."""

    dtype: str | None
    rounding: Rounding

    @classmethod
    def of(cls, dtype: str | None, rounding: str | None) -> "Storage":
        """Return the storage of these names.

        Raises:
            UnknownNameError: no such type or rounding.
            ContradictionError: a rounding of no type.
        """
        if rounding is not None and rounding not in list(Rounding):
            raise UnknownNameError("rounding", rounding, Rounding, hint=f"({', '.join(Rounding)})")
        if rounding is not None and dtype is None:
            raise ContradictionError("rounding says how a dtype is rounded: give the dtype too")
        key = None if dtype is None else find_dtype(dtype)
        return cls(dtype=key, rounding=Rounding(rounding or Rounding.NEAREST))

    def warnings(self, shrink: float) -> list[str]:
        """Return what rounding does to a decay per step, nothing where it does nothing.

        Weights of which nobody said the type are judged as float32: most are no finer.
        """
        stored = self.dtype or "float32"
        loss = precision_warning(shrink, "float32" if self.rounding == "master" else stored)
        if loss is None:
            return []
        if self.rounding == Rounding.STOCHASTIC:
            what = f"a decay of {shrink:.4g} per step is below {stored}'s spacing"
            return [f"{what}: rounded by chance it holds on average, with noise in each weight"]
        return [loss.text]
