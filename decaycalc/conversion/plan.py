"""Plan: the way from one side's number to another's, made once for any number of values."""

from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from decaycalc.algebra.number import rounds_to
from decaycalc.algebra.quantity import QUANTITIES, Monomial, Number, base_name, finite
from decaycalc.conventions.record import SGD, Convention, Coupling, Equivalence, Invariant
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import target_over
from decaycalc.conversion.decay import why_none_shared
from decaycalc.conversion.equivalence import is_itself, judge, notes, reservations, shared_invariant
from decaycalc.conversion.inverse import endless, solved, value_for_shrink, value_for_strength
from decaycalc.conversion.shrinks import shrink_of, strength_of
from decaycalc.conversion.side import Side
from decaycalc.errors import (
    InvalidValueError,
    MissingQuantityError,
    NoEquivalentError,
)
from decaycalc.record import Record, replace

_ITSELF = Monomial.of(value=1)
_TO_LR = Monomial.of(to_lr=1)
_DAMPENING = ("dampening", "one_minus_dampening")


class Match(StrEnum):
    """What a conversion holds equal where optimum and decay part."""

    OPTIMUM = "optimum"
    DECAY = "decay"

    @classmethod
    def _missing_(cls, value: object) -> None:
        raise InvalidValueError("match", value, f"must be one of {', '.join(cls)}")


class Plan(Record):
    """How one side's number becomes the other's.

    `held` is the invariant that both share. `factor` is the whole conversion as a monomial of the
    source's `value`, None where a form is involved or the exact decay is held (`exactly`);
    `first_order` says that a decay is held, and no more of it than its first order.
    `source_names` are the quantities that the source's formulas hold. `equivalence` holds whatever
    the unsaid quantities are; `condition` says where it goes further, "exact at momentum 0".
    """

    source: Side
    target: Side
    source_names: frozenset[str]
    held: Invariant
    exactly: bool
    first_order: bool
    factor: Monomial | None
    equivalence: Equivalence
    condition: str
    note: str

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """The quantities that do not cancel, without the value itself."""
        if self.factor is not None:
            names = self.factor.names
        else:
            names = (*_needs_of(self.source, self.held), *_needs_of(self.target, self.held))
        return tuple(name for name in dict.fromkeys(names) if name != "value")

    def quantity(self, name: str) -> Fraction | None:
        """Return the value behind a name of the plan's monomials."""
        if name.startswith("to_"):
            return self.target.get(name)
        if name in self.target.own:
            return self.source.get(name)
        first, second = self.source, self.target
        if name not in self.source_names:
            first, second = second, first
        known = first.get(name)
        return second.get(name) if known is None else known

    def by_layer(
        self, value: Fraction, layers: tuple[tuple[str, int], ...]
    ) -> tuple[tuple[str, Fraction], ...]:
        """Return name and number for each layer, given the layers' names and sizes.

        Raises:
            MissingQuantityError: the layers or a quantity that does not cancel are unknown.
        """
        if not layers:
            self._require(("layer_weights",))
        return tuple((name, self._in_layer(Fraction(size)).value(value)) for name, size in layers)

    def _in_layer(self, size: Fraction) -> "Plan":
        """Return the plan for one layer of that many weights."""
        source, target = replace(self.source, layer=size), replace(self.target, layer=size)
        return replace(self, source=source, target=target)

    def _require(self, names: tuple[str, ...]) -> None:
        """Refuse to go on where one of the quantities is unknown."""
        missing = dict.fromkeys(base_name(n) for n in names if self.quantity(n) is None)
        if missing:
            what = f"{self.source.convention.key} to {self.target.convention.key}"
            raise MissingQuantityError(what, tuple(missing))

    def missing(self) -> tuple[str, ...]:
        """Return the needed quantities that the runs lack, by the name to give."""
        lacking = (base_name(name) for name in self.needs if self.quantity(name) is None)
        return tuple(dict.fromkeys(lacking))

    def value(self, value: Fraction, **instead: Fraction) -> Fraction:
        """Return the target's number; `instead` are quantities by the names of the factor.

        Raises:
            MissingQuantityError: a quantity that does not cancel is unknown.
            NoEquivalentError: the target has no number for this decay, or for none at all.
        """
        self._require(tuple(name for name in self.needs if name not in instead))
        if self.factor is None:
            strength = strength_of(self.source, value) if self.held == Invariant.STRENGTH else None
            if strength is not None:
                return value_for_strength(self.target, strength, quantity=self.quantity)
            return value_for_shrink(self.target, self._shrink(value), quantity=self.quantity)
        if not value and self.factor.power_of("value") < 0:
            raise self._no_equivalent(endless(self.target.convention))
        names = {name: self.quantity(name) for name in self.factor.names}
        return self.factor.evaluate({**names, **instead, "value": value})

    def shrinks(self, value: Fraction) -> tuple[float, float] | None:
        """Return the exact long-run shrinks (1/step) of both sides, None where they are held equal.

        So it is where they need what cancels in the number, as lr may, and that is unknown.
        """
        if not self.first_order:
            return None
        try:
            shrink = shrink_of(self.source, value)
        except MissingQuantityError:
            return None
        return float(self.source.exact_shrink(shrink)), float(self.target.exact_shrink(shrink))

    def _shrink(self, value: Fraction) -> Fraction:
        """Return the first-order shrink that the target must have (1/step)."""
        shrink = shrink_of(self.source, value)
        if not self.exactly:
            return shrink
        try:
            return self.target.first_order_shrink(self.source.exact_shrink(shrink))
        except InvalidValueError as error:
            raise self._no_equivalent(str(error)) from None

    def _no_equivalent(self, reason: str) -> NoEquivalentError:
        return NoEquivalentError(self.source.convention.key, self.target.convention.key, reason)

    @property
    def lr(self) -> Monomial | None:
        """The target's lr where it differs from the source's, None where it does not or is none."""
        alike = self.target.lr == self.source.lr or not self.target.convention.has_lr
        return None if alike else self.target.lr

    def target_lr(self) -> float | None:
        """Return the target's lr where it differs from the source's and is known."""
        if self.lr is None:
            return None
        names = {name: self.quantity(name) for name in self.lr.names}
        return None if None in names.values() else finite(self.lr.evaluate(names), "lr")

    def formula(self) -> str:
        """Return the conversion as a formula, `C = 1/(2·N·l2)`."""
        one, other = self.source.convention, self.target.convention
        name = one.parameter
        if name == other.parameter and one.key != other.key:
            name = f"{name}({one.key})"
        if self.factor is not None:
            return f"{other.parameter} = {self.factor.format({'value': name})}"
        return f"{other.parameter} = {_formula_through(self, name)}"


def _needs_of(side: Side, held: Invariant) -> tuple[str, ...]:
    """Return what a side needs to go between its number and the held invariant."""
    if side.convention.form is not None:
        return side.convention.form.needs
    monomial = side.invariant(held)
    return () if monomial is None else monomial.names


def _formula_through(way: Plan, name: str) -> str:
    """Return the right-hand side where a named form or an exact root stands between."""
    held = held_text(way.source, way.held, name)
    if way.exactly:
        held = f"exact shrink of {held}"
    form = way.target.convention.form
    if form is None:
        return solved(way.target, way.held).format({way.held.value: f"({held})"})
    if way.held == Invariant.STRENGTH:
        held = (Monomial.of(strength=1) * way.target.bridge).format({"strength": f"({held})"})
    return form.inverse.replace("shrink", f"({held})")


def held_text(side: Side, held: Invariant, name: str) -> str:
    """Return a side's held invariant as a formula of its parameter."""
    form, monomial = side.convention.form, side.invariant(held)
    if form is None:
        return "" if monomial is None else monomial.format({"value": name})
    shrink = form.text.replace("value", name)
    if held == Invariant.SHRINK:
        return shrink
    return (Monomial.of(shrink=1) / side.bridge).format({"shrink": f"({shrink})"})


def target_side(source: Side, target: Convention, target_run: Run | None = None) -> Side:
    """Return the target's side: its run is the source's but for what is given.

    An lr that is not given follows from the source's by the loss scales; between families of
    optimizers it does not follow, and is unknown.
    """
    run = target_over(target_run, source.run)
    there = Side(convention=target, run=run, is_target=True)
    names = source.quantities
    # Of one run, only what the formulas hold can differ: by a framework's own default.
    suspects = (names & QUANTITIES.keys() if target_run is None else QUANTITIES.keys()) - {"lr"}
    own = frozenset(name for name in suspects if _differs(name, source, there, names))
    if target.lacks != source.convention.lacks:
        own |= {name for name in _DAMPENING if source.get(name) != there.get(name)}
    there = replace(there, own=own)
    lr = source.lr * _lr_ratio(source, there)
    given = None if target_run is None else target_run.lr
    if is_foreign(source, there):
        return replace(there, run=replace(run, lr=given), own=own | {"lr"}, lr=_TO_LR)
    if given is not None and not _is(given, lr, source):
        return replace(there, own=own | {"lr"}, lr=_TO_LR)
    return replace(there, lr=lr)


def is_foreign(source: Side, target: Side) -> bool:
    """Return whether the source's lr says nothing of the target's."""
    families = {source.lr_family, target.lr_family} - {None}
    return target.convention.has_lr and len(families) > 1


def _differs(name: str, source: Side, target: Side, names: frozenset[str]) -> bool:
    """Return whether a quantity of the target's run needs a symbol of its own.

    Where only a framework's default differs, it does if the source's formulas hold it too.
    """
    if target.run.get(name) not in {None, source.run.get(name)}:
        return True
    return name in names and target.get(name) not in {None, source.get(name)}


def _is(value: Number, monomial: Monomial, source: Side) -> bool:
    """Return whether a monomial of the source's quantities is known and has that value.

    An lr that was rounded to a float64 and typed back is still the same.
    """
    names = {name: source.get(name) for name in monomial.names}
    return None not in names.values() and rounds_to(monomial.evaluate(names), value)


def _lr_ratio(source: Side, target: Side) -> Monomial:
    """Return target lr over source lr: the quotient of loss scales (but for Adam) and lr_mults.

    A measure and a solver have no lr: beside one of them the lr is the other's as it was given.
    """
    stepped = source.convention.has_lr and target.convention.has_lr
    scaled = (feels_scale(source, target), feels_scale(target, source))
    one, other = (
        side.loss_scale if feels and stepped else Monomial.of(1)
        for side, feels in zip((source, target), scaled, strict=True)
    )
    return one * source.lr_factor / (other * target.lr_factor)


def feels_scale(side: Side, partner: Side) -> bool:
    """Return whether the side's steps grow with its loss, an objective's as its partner's do.

    They do but where Adam-like scaling divides the loss's scale out of the step.
    """
    carried = side.is_undecided and partner.convention.coupling == Coupling.COUPLED
    steppers = (side, partner) if carried else (side,)
    return not any(each.is_adaptive and each.lr_family != SGD for each in steppers)


def plan(source: Side, target: Side, *, match: Match = Match.OPTIMUM) -> Plan:
    """Return the way from one side's number to the other's.

    Raises:
        NoEquivalentError: the two share no invariant or no data loss, or one of them is no scalar.
        MissingQuantityError: nobody said what optimizer trains a penalty, and it matters.
    """
    keys = source.convention.key, target.convention.key
    for record in (source.convention, target.convention):
        if record.refusal is not None:
            raise NoEquivalentError(*keys, record.refusal)
    _require_undampened(source, target)
    held = shared_invariant(source, target, match_decay=match == Match.DECAY)
    if held is None:
        raise NoEquivalentError(*keys, *why_none_shared(source, target))
    _require_optimizer(source, target, held)
    _require_one_loss(source, target, held)
    same_lr = "lr" not in target.own
    in_step = held == Invariant.STRENGTH or _alike(source, target)
    exactly = match == Match.DECAY and not in_step
    itself = is_itself(source, target)
    verdict, condition = judge(source, target, held=held, same_lr=same_lr)
    exact = exactly or in_step
    texts = notes(source, target, held=held, same_lr=same_lr, exact=exact)
    if verdict == Equivalence.IDENTICAL or condition:
        texts += reservations(source, target)
    return Plan(
        source=source,
        target=target,
        source_names=source.quantities,
        held=held,
        exactly=exactly,
        first_order=not exact,
        factor=_ITSELF if itself else None if exactly else _factor(source, target, held),
        equivalence=verdict,
        condition=condition,
        note="; ".join(texts),
    )


def _require_undampened(source: Side, target: Side) -> None:
    """Refuse Nesterov's step beside a dampening, a framework's own among them.

    Raises:
        NoEquivalentError: a side has both: no formula here holds, and most frameworks refuse it.
    """
    keys = source.convention.key, target.convention.key
    for side in (source, target):
        ahead = side.has_momentum and side.convention.mixture is None and side.lookahead
        dampening = side.get("dampening") if ahead else None
        if dampening:
            own = f"{side.convention.key} dampens by {float(dampening):g}"
            raise NoEquivalentError(*keys, f"{own} beside Nesterov's step: give dampening 0")


def _require_optimizer(source: Side, target: Side, held: Invariant) -> None:
    """Refuse a penalty's decay beside an adaptive optimizer's where nobody said what trains it.

    Raises:
        MissingQuantityError: nobody did.
    """
    undecided = source.is_undecided or target.is_undecided
    preconditioned = any(s.is_adaptive and s.lr_family != SGD for s in (source, target))
    if held == Invariant.SHRINK and undecided and preconditioned:
        what = f"{source.convention.key} to {target.convention.key}"
        raise MissingQuantityError(what, ("optimizer",))


def _require_one_loss(source: Side, target: Side, held: Invariant) -> None:
    """Refuse an optimum shared between estimators whose data losses are never the same.

    Raises:
        NoEquivalentError: they are not.
    """
    one, other = source.convention.data_losses, target.convention.data_losses
    if held == Invariant.STRENGTH and one and other and not one & other:
        losses = " and ".join(" or ".join(sorted(kinds)) for kinds in (one, other))
        reason = f"their data losses differ ({losses}), so no number gives the same minimum"
        raise NoEquivalentError(source.convention.key, target.convention.key, reason)


def _alike(source: Side, target: Side) -> bool:
    """Return whether both turn a first-order shrink into the same exact one."""
    if source.is_linear and target.is_linear:
        return True

    def settings(side: Side) -> tuple[object, ...]:
        record = side.convention
        return (
            record.proximal, record.compounds, side.is_linear, side.get("momentum"),
            side.get("dampening"), side.lookahead,
        )  # fmt: skip

    return settings(source) == settings(target)


def _factor(source: Side, target: Side, held: Invariant) -> Monomial | None:
    """Return the conversion as one monomial of `value`, None where a form is involved."""
    monomial = source.invariant(held)
    if monomial is None or target.invariant(held) is None:
        return None
    factor = solved(target, held).substitute({held.value: monomial})
    return factor * _loss_unit_ratio(source, target, held)


def _loss_unit_ratio(source: Side, target: Side, held: Invariant) -> Monomial:
    """Return 2, 1/2 or 1: a penalty beside half the squared error is half as large."""
    one, other = source.convention.loss_unit, target.convention.loss_unit
    if held != Invariant.STRENGTH or None in {one, other} or one == other:
        return Monomial.of(1)
    ratio = Fraction(1, 2) if other == "half-squared-error" else Fraction(2)
    power = target.convention.monomial
    assert power is not None  # noqa: S101  (held is a strength, so there is one)
    return Monomial.of(ratio) ** (1 / power.power_of("value"))
