"""From a question to its answerer: which terms answer it, and within which bounds they are sure.

The bounds are where the single command certainly raises nothing: everything else goes its way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from decaycalc.algebra.quantity import QUANTITIES, Monomial, exact, finite
from decaycalc.answers import Question
from decaycalc.bulk.structure import Answerer, Bounds, Term, answerer
from decaycalc.conventions.catalogue import conventions
from decaycalc.conventions.record import Convention, Invariant
from decaycalc.conversion.convert import Conversion, apply
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.plan import Plan, plan, target_side
from decaycalc.conversion.side import Side, shrink_of
from decaycalc.errors import MissingQuantityError, NoEquivalentError

# The quantities that may differ from row to row at next to no cost.
FREE = ("lr", "batch_size", "dataset_size")
# Those that follow from what a row gives, but not from a free quantity.
_FIXED = frozenset({
    "momentum", "dampening", "grad_accum", "world_size", "one_minus_momentum",
    "one_minus_dampening", "one_minus_l1_ratio", "n_weights", "n_layers", "gradient_scale",
    *FREE, *(quantity.name for quantity in QUANTITIES.values() if quantity.extra),
})  # fmt: skip
# A coefficient's size in bits that value and free quantities cannot take beyond float64's range.
_MOST_BITS = 300
_LINEAR_LIMIT, _OTHER_LIMIT = 0.999, 0.9

# From conversions without numbers to the text around the numbers.
Render = Callable[[Sequence[Conversion]], tuple[str, ...]]


class NotFreeError(Exception):
    """A quantity enters in a way that has to be worked out anew for each of its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """A question's plans and the quantities that are free to differ."""

    question: Question
    source: Side
    plans: tuple[Plan, ...]
    free: tuple[str, ...]

    @property
    def per_batch(self) -> int:
        """Examples of a step over the batch size: micro-batches times workers."""
        run = self.question.run
        return int(exact(run.grad_accum or 1) * exact(run.world_size or 1))


def is_listed(question: Question) -> bool:
    """Return whether the question asks for several conversions, not for the one of a target."""
    return len(question.targets) != 1


def ways_of(question: Question, free: tuple[str, ...]) -> Ways:
    """Return the ways of a question.

    Raises:
        NoEquivalentError: no single number is equivalent to a target asked for by name.
    """
    source = Side(convention=question.source, run=question.run)
    if question.targets:
        plans = [_plan(question, source, target) for target in question.targets]
    else:
        plans = _listed(question, source)
    return Ways(question=question, source=source, plans=tuple(plans), free=free)


def _plan(question: Question, source: Side, target: Convention) -> Plan:
    return plan(source, target_side(source, target, question.target_run), match=question.match)


def _listed(question: Question, source: Side) -> list[Plan]:
    """Return the plans to the conventions in reach, where none is asked for by name."""
    plans = []
    for target in conventions():
        if (target.common or question.everything) and target.key != question.source.key:
            try:
                way = _plan(question, source, target)
            except NoEquivalentError:
                continue
            plans += [] if way.missing() else [way]
    return plans


def answerer_of(ways: Ways, render: Render) -> Answerer:
    """Return the answerer whose texts `render` makes of the conversions.

    Raises:
        NotFreeError: a free quantity, or one that follows from it, enters otherwise than as a
            factor; where nothing is free, the single command's way has to be gone.
        DecaycalcError: the question has no answer.
    """
    conversions = [_known(way) for way in ways.plans]
    terms: list[Term] = []
    for way, conversion in zip(ways.plans, conversions, strict=True):
        terms.append(_value_term(ways, way))
        if conversion.lr is not None and way.lr is not None:
            terms.append(_term(ways, way.lr, way))
    shrink, guard = _guard(ways)
    return answerer(render(conversions), tuple(terms), bounds=_bounds(ways, shrink), guard=guard)


def _known(way: Plan) -> Conversion:
    """Return the conversion without its number.

    Raises:
        MissingQuantityError: a quantity that it needs is unknown.
        NotFreeError: it has one number a layer.
    """
    if "layer_weights" in way.needs:
        raise NotFreeError
    if missing := way.missing():
        what = f"{way.source.convention.key} to {way.target.convention.key}"
        raise MissingQuantityError(what, missing)
    return apply(way, None)


def _value_term(ways: Ways, way: Plan) -> Term:
    """Return the conversion itself as a term."""
    factor = way.factor
    if factor is None or factor.root != 1 or abs(factor.power_of("value")) != 1:
        if ways.free:
            raise NotFreeError
        return Term(1, 1, 0, (), partial(_exactly, way))
    return _term(ways, factor, way)


def _exactly(way: Plan, value: Fraction) -> float:
    return finite(way.value(value), way.target.convention.parameter)


def _term(ways: Ways, monomial: Monomial, way: Plan | None = None) -> Term:
    """Return a rootless monomial as a term: fixed quantities in the coefficient, free ones named.

    Raises:
        NotFreeError: a quantity follows from a free one, or numbers may leave float64's range.
    """
    coefficient, free = monomial.coefficient, []
    for name, exponent in monomial.exponents:
        if name in ways.free:
            free.append((ways.free.index(name), exponent))
            coefficient *= Fraction(ways.per_batch if name == "batch_size" else 1) ** exponent
        elif name != "value":
            coefficient *= _fixed(ways, name, way) ** exponent
    power = int(monomial.power_of("value"))
    size = coefficient.numerator.bit_length() - coefficient.denominator.bit_length()
    if abs(size) > _MOST_BITS:
        raise NotFreeError
    return Term(coefficient.numerator, coefficient.denominator, power, tuple(free))


def _fixed(ways: Ways, name: str, way: Plan | None) -> Fraction:
    """Return a quantity that follows from no free one.

    Raises:
        NotFreeError: it does, or it is zero where the single command has more to say.
    """
    value = ways.source.get(name) if way is None else way.quantity(name)
    if not value or (ways.free and not _is_fixed(ways, name.removeprefix("to_"))):
        raise NotFreeError
    return value


def _is_fixed(ways: Ways, name: str) -> bool:
    """Return whether a quantity follows from no free one, be it by a framework's default."""
    records = (ways.source.convention, *(way.target.convention for way in ways.plans))
    fallbacks = {dict(record.defaults).get(name, "") for record in records}
    return name in _FIXED and fallbacks.isdisjoint(QUANTITIES)


def _guard(ways: Ways) -> tuple[Term | None, Callable[[Fraction], object] | None]:
    """Return the source's shrink as a term, or a check of each value where it is none."""
    source = ways.source
    if not source.has_shrink:
        return None, None
    monomial = source.invariant(Invariant.SHRINK)
    if monomial is not None:
        if any(source.get(name) is None for name in monomial.names if name != "value"):
            return None, None
        if monomial.root == 1 and abs(monomial.power_of("value")) == 1:
            return _term(ways, monomial), None
    if ways.free:
        raise NotFreeError
    return None, partial(_examine, source)


def _examine(source: Side, value: Fraction) -> None:
    """Raise what the single command would about a decay."""
    shrink_of(source, value)
    decay_of(source, value)


def _bounds(ways: Ways, shrink: Term | None) -> Bounds:
    """Return the bounds within which nothing is refused.

    Raises:
        NotFreeError: numbers may leave float64's range.
    """
    run = ways.question.run
    if ways.per_batch.bit_length() > _MOST_BITS:
        raise NotFreeError
    constants: list[float] = []
    places: dict[str, int | None] = {}
    for name in ("batch_size", "dataset_size"):
        given = run.given(name)
        places[name] = ways.free.index(name) if name in ways.free else None
        if places[name] is None and given is not None:
            places[name] = len(ways.free) + len(constants)
            constants.append(float(given))
    return Bounds(
        shrink=None if shrink is None else (shrink.top / shrink.bottom, shrink.power, shrink.free),
        limit=_limit(ways.source),
        batch=places["batch_size"],
        size=places["dataset_size"],
        per_batch=float(ways.per_batch),
        constants=tuple(constants),
    )


def _limit(side: Side) -> float:
    """Return the first-order shrink below which nothing is refused."""
    if side.is_linear:
        return _LINEAR_LIMIT
    if side.convention.proximal or side.convention.compounds:
        return _OTHER_LIMIT
    gain = (1 - (side.get("dampening") or 0)) / (1 - (side.get("momentum") or 0))
    return _OTHER_LIMIT * float(gain)
