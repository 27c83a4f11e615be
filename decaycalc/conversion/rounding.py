"""Decays that are lost when weights are stored with few significant bits."""

from enum import StrEnum

from decaycalc.errors import UnknownNameError
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
            f"a shrink of {self.shrink:.4g} per step is lost in {self.dtype} rounding:"
            f" {self.effect}; it takes {self.smallest_shrink:.4g} to move every weight"
        )


def find_dtype(name: str) -> str:
    """Return the canonical name of a storage type.

    Raises:
        UnknownNameError: A name that is none of the types or their aliases.
    """
    key = DTYPE_ALIASES.get(name.lower(), name.lower())
    if key not in SIGNIFICANT_BITS:
        raise UnknownNameError("dtype", name, (*SIGNIFICANT_BITS, *DTYPE_ALIASES))
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
