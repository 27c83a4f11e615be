"""convert: a weight decay in one convention to the number of another, with formula and caveats."""

from fractions import Fraction

from decaycalc.algebra.quantity import Number, exact, finite
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.record import Convention, Equivalence
from decaycalc.conventions.run import Run
from decaycalc.conversion.kept import kept_plan
from decaycalc.conversion.plan import Match, Plan
from decaycalc.conversion.side import check_domain
from decaycalc.record import Record


class Conversion(Record):
    """One converted number.

    `value` is None when no number was given to convert. `lr` is the target's lr where it must
    differ from the source's. `assumed` are quantities that hold by a framework's own default.
    `layers` has name and value for each layer where one number does not do.
    """

    convention: Convention
    value: float | None
    lr: float | None
    equivalence: Equivalence
    formula: str
    note: str
    assumed: tuple[tuple[str, float], ...] = ()
    layers: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        number = "by layer" if self.value is None else repr(self.value)
        words = f"{self.convention.key} {self.convention.parameter} = {number}"
        lr = "" if self.lr is None else f" at lr {self.lr!r}"
        return f"{words}{lr} ({self.equivalence.words}; {self.formula})"

    def to_dict(self) -> dict[str, object]:
        """Return the conversion as JSON's `conversions` holds it."""
        return {
            "convention": self.convention.key,
            "parameter": self.convention.parameter,
            "value": self.value,
            "lr": self.lr,
            "equivalence": self.equivalence.value,
            "formula": self.formula,
            "note": self.note,
            "assumed": dict(self.assumed),
            "layers": [{"name": name, "value": value} for name, value in self.layers],
        }


def convert(
    value: Number | None,
    *,
    source: Convention | str,
    target: Convention | str,
    run: Run | None = None,
    target_run: Run | None = None,
    match: Match = Match.OPTIMUM,
) -> Conversion:
    """Return a weight decay in another convention.

    With `value` None the formula alone is returned. `target_run` holds what differs in the
    target's run; what it leaves open is the source's (lr after rescaling by the loss scales).

    >>> convert("5e-4", source="caffe", target="keras-l2").value
    0.00025

    Raises:
        UnknownNameError: no convention of that name.
        MissingQuantityError: a quantity that does not cancel is unknown.
        NoEquivalentError: no single number is equivalent.
        InvalidValueError: a value out of its domain.
    """
    one = _record(source)
    way = kept_plan(one, _record(target), run=run or Run(), target_run=target_run, match=match)
    return apply(way, None if value is None else check_value(value, one))


def _record(name: Convention | str) -> Convention:
    return find(name) if isinstance(name, str) else name


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
    assumed = {**dict(way.source.assumed()), **dict(way.target.assumed())}
    return Conversion(
        convention=way.target.convention,
        value=None if single is None else finite(single, parameter),
        lr=way.target_lr(),
        equivalence=way.equivalence,
        formula=way.formula(),
        note=way.note,
        assumed=tuple((name, float(given)) for name, given in assumed.items()),
        layers=tuple((name, finite(number, parameter)) for name, number in numbers),
    )
