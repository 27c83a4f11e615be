"""convert: a weight decay in one convention to the number of another, with formula and caveats."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Generic, TypedDict

from decaycalc.algebra.quantity import Number, exact, finite
from decaycalc.conventions.catalogue import convention_of
from decaycalc.conventions.record import Convention, Equivalence
from decaycalc.conventions.run import Run
from decaycalc.conversion.assumptions import Assumption, AssumptionJson, assumed
from decaycalc.conversion.entering import require_taken
from decaycalc.conversion.kept_plans import kept_plan
from decaycalc.conversion.plan import Match, Plan
from decaycalc.conversion.shrinks import check_domain
from decaycalc.record import Record

if TYPE_CHECKING:
    # Type checkers know PEP 696's default everywhere, Python from 3.13 on.
    from typing_extensions import TypeVar

    Value_co = TypeVar("Value_co", bound=float | None, covariant=True, default=float | None)
else:
    from typing import TypeVar

    Value_co = TypeVar("Value_co", covariant=True)


class LayerJson(TypedDict):
    """One layer's number."""

    name: str
    value: float


class ConversionJson(TypedDict):
    """One converted number, how far its equivalence goes and what it takes for granted."""

    convention: str
    parameter: str
    value: float | None
    lr: float | None
    equivalence: str
    formula: str
    condition: str
    note: str
    assumptions: list[AssumptionJson]
    assumed: dict[str, float]
    missing: list[str]
    layers: list[LayerJson]


class Conversion(Record, Generic[Value_co]):
    """One converted number.

    `value` is None when no number was given to convert, or when the target's own lr is `missing`:
    then `formula` says it, and `per_lr` is what to divide by that lr. `lr` is the target's lr where
    it must differ from the source's. `equivalence` holds whatever the unsaid quantities are, and
    `condition` says where it goes further. `assumptions` are the unsaid quantities that entered the
    number; `assumed` are those among them that hold by a framework's own default.
    `layers` has name and value for each layer where one number does not do.
    """

    convention: Convention
    value: Value_co
    lr: float | None
    equivalence: Equivalence
    formula: str
    note: str
    condition: str = ""
    assumptions: tuple[Assumption, ...] = ()
    assumed: tuple[tuple[str, float], ...] = ()
    missing: tuple[str, ...] = ()
    per_lr: float | None = None
    layers: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        words = f"{self.convention.key} {self.formula}"
        if self.value is not None:
            words = f"{self.convention.key} {self.convention.parameter} = {self.value!r}"
        lr = "" if self.lr is None else f" at lr {self.lr!r}"
        formula = "" if self.value is None else f"; {self.formula}"
        return f"{words}{lr} ({self.equivalence.words}{formula})"

    def to_dict(self) -> ConversionJson:
        """Return the conversion as JSON's `conversions` holds it."""
        return {
            "convention": self.convention.key,
            "parameter": self.convention.parameter,
            "value": self.value,
            "lr": self.lr,
            "equivalence": self.equivalence.value,
            "formula": self.formula,
            "condition": self.condition,
            "note": self.note,
            "assumptions": [entry.to_dict() for entry in self.assumptions],
            "assumed": dict(self.assumed),
            "missing": list(self.missing),
            "layers": [{"name": name, "value": value} for name, value in self.layers],
        }


def convert(
    value: Number,
    *,
    source: Convention | str,
    target: Convention | str,
    run: Run | None = None,
    target_run: Run | None = None,
    match: Match = Match.OPTIMUM,
) -> Conversion[Any]:
    """Return a weight decay in another convention.

    `target_run` holds what differs in the target's run; what it leaves open is the source's (lr
    after rescaling by the loss scales).

    >>> convert("5e-4", source="caffe", target="keras-l2").value
    0.00025

    Raises:
        UnknownNameError: no convention of that name.
        MissingQuantityError: a quantity that does not cancel is unknown.
        NoEquivalentError: no single number is equivalent.
        InvalidValueError: a value out of its domain.
    """
    one, other = convention_of(source), convention_of(target)
    way = kept_plan(one, other, run=run or Run(), target_run=target_run, match=match)
    require_taken(way.source, (other,), target_run)
    return apply(way, check_value(value, one))


def check_value(value: Number, convention: Convention) -> Fraction:
    """Return the number as typed, exact, if the convention can have it.

    Raises:
        InvalidValueError: not a finite number, negative, or zero where zero means nothing.
    """
    return check_domain(exact(value, name=convention.parameter), convention)


def apply(
    way: Plan, value: Fraction | None, *, layers: tuple[tuple[str, int], ...] = ()
) -> Conversion:
    """Return the conversion of one number along a plan.

    `layers` are names and numbers of weights, for conventions that have one number a layer.

    Raises:
        MissingQuantityError: a quantity that does not cancel is unknown, or the layers are.
        InvalidValueError: the result is no number.
    """
    parameter = way.target.convention.parameter
    by_layer = "layer_weights" in way.needs
    numbers = way.by_layer(value, layers) if by_layer and value is not None else ()
    single = None if value is None or by_layer else way.value(value)
    return _conversion(
        way,
        value=None if single is None else finite(single, parameter),
        layers=tuple((name, finite(number, parameter)) for name, number in numbers),
    )


def apply_as_far(
    way: Plan, value: Fraction | None, *, layers: tuple[tuple[str, int], ...] = ()
) -> Conversion:
    """Return the conversion, without a number where nothing but the target's own lr is missing.

    Raises:
        MissingQuantityError: something else is missing, or the layers are.
        InvalidValueError: the result is no number.
    """
    if value is None or way.missing() != ("to_lr",):
        return apply(way, value, layers=layers)
    return _conversion(way, missing=("to_lr",), per_lr=_per_lr(way, value))


def _per_lr(way: Plan, value: Fraction) -> float | None:
    """Return the number times the target's lr, None where the lr does not divide it."""
    if way.factor is None or way.factor.power_of("to_lr") != -1:
        return None
    return finite(way.value(value, to_lr=Fraction(1)), way.target.convention.parameter)


def _conversion(
    way: Plan,
    *,
    value: float | None = None,
    layers: tuple[tuple[str, float], ...] = (),
    missing: tuple[str, ...] = (),
    per_lr: float | None = None,
) -> Conversion:
    """Return the conversion of a plan with what is known of its number."""
    defaults = {**dict(way.source.assumed()), **dict(way.target.assumed())}
    return Conversion(
        convention=way.target.convention,
        value=value,
        lr=way.target_lr(),
        equivalence=way.equivalence,
        formula=way.formula(),
        note=way.note,
        condition=way.condition,
        assumptions=assumed(way),
        assumed=tuple((name, float(given)) for name, given in defaults.items()),
        missing=missing,
        per_lr=per_lr,
        layers=layers,
    )
