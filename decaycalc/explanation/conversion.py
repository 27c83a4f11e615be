"""Explanation: a conversion derived step by step from its two records.

Every step is made from the plan's monomials and forms, never by pair: what the source's number
means, the bridge where it is crossed, what is held equal, what the target's number means, and the
target's number solved for, with the quantities that cancel.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from decaycalc.algebra.formula import number_text
from decaycalc.algebra.quantity import Monomial, symbol_of
from decaycalc.conventions.record import Invariant
from decaycalc.conventions.run import Loss
from decaycalc.conversion.inverse import solved
from decaycalc.conversion.momentum import IN_PLACE, fresh_and_kept
from decaycalc.conversion.plan import Plan, held_text
from decaycalc.conversion.shrinks import shrink_of, strength_of
from decaycalc.conversion.side import Side
from decaycalc.errors import DecaycalcError
from decaycalc.explanation.claim import claim
from decaycalc.explanation.step import Explanation, Step, make_step, quantity_of

BRIDGE_SOURCE = (
    "Loshchilov and Hutter, arXiv 1711.05101, proposition 1: shrink = lr·strength; a momentum "
    "buffer repeats each gradient to a sum of 1/(1 - momentum)"
)
ESTIMATE_SOURCE = "Kingma and Ba, arXiv 1412.6980, algorithm 1: the step is lr·m/(sqrt(v) + eps)"
ROOT_SOURCE = "the recursion of torch/optim/sgd.py with a zero data gradient: its dominant root"
ALGEBRA = "algebra"

_HELD = {
    Invariant.STRENGTH: (
        "the objective is mean loss + (strength/2)·Σw² on both sides: it fixes the optimum"
    ),
    Invariant.SHRINK: (
        "with a zero data gradient a step takes w to (1 - shrink)·w on both sides: "
        "it fixes the decay"
    ),
}


def explain(
    way: Plan, value: Fraction | None = None, *, layers: tuple[tuple[str, float], ...] = ()
) -> Explanation:
    """Return the derivation of a plan, with the numbers put in where `value` is given.

    `layers` are the results by layer of a conversion that has one number a layer.
    """
    return Explanation(
        source=way.source.convention.key,
        target=way.target.convention.key,
        steps=tuple(_Derivation(way, value).steps(layers)),
        claim=claim(way),
    )


class _Derivation:
    """The steps of one plan; `first` is the held invariant of the source, before any exact root."""

    def __init__(self, way: Plan, value: Fraction | None) -> None:
        self.way, self.value = way, value
        self.held = way.held
        self.parameter = _parameter(way)
        self.first = None if value is None else first_number(way.source, self.held, value)

    def steps(self, layers: tuple[tuple[str, float], ...]) -> Iterator[Step]:
        """Yield the steps from the source's number to the target's."""
        way = self.way
        yield from self.side(way.source, "source")
        yield self.equality()
        yield from self.learning_rate()
        yield from self.side(way.target, "target")
        yield self.solution(layers) if way.factor is not None else self.inverse()

    def step(
        self,
        title: str,
        formula: str,
        *,
        text: str,
        source: str,
        result: Fraction | None = None,
        more: Mapping[str, Fraction] | None = None,
    ) -> Step:
        """Return a step with the numbers put in that are known."""
        return make_step(
            title,
            formula,
            text=text,
            source=source,
            result=result,
            number=lambda name: self.number(name, more or {}),
        )

    def number(self, name: str, more: Mapping[str, Fraction]) -> Fraction | None:
        """Return the number behind a name of a formula, None where it is not known."""
        if name in more:
            return more[name]
        if name == self.parameter and self.value is not None:
            return self.value
        quantity = quantity_of(name)
        return None if quantity is None else self.way.quantity(quantity)

    def side(self, side: Side, role: str) -> Iterator[Step]:
        """Yield what a side's number means, and its bridge where that is not what is held."""
        is_source = role == "source"
        own = side.convention.invariant
        assert own is not None  # noqa: S101  (a plan has no refusals)
        yield self.meaning(side, own, counts=is_source)
        if own != self.held:
            yield self.bridge(side, own, counts=is_source)
        if self.way.exactly and is_source and not side.is_linear:
            yield self.exact(side)

    def meaning(self, side: Side, own: Invariant, *, counts: bool) -> Step:
        """Return the step that says what a side's number means; the source's `counts` it."""
        record = side.convention
        name = self.parameter if counts else record.parameter
        name = f"{name}({record.key})" if name in {"strength", "shrink"} else name
        more = {} if self.value is None or not counts else {name: self.value}
        return self.step(
            f"what {record.parameter} means in {record.key}",
            f"{own} = {held_text(side, own, name)}",
            text=rule_of(side),
            source=record.source,
            result=self.of_source(own) if counts else None,
            more=more,
        )

    def bridge(self, side: Side, own: Invariant, *, counts: bool) -> Step:
        """Return the step from one invariant to the other, by the side's dynamics."""
        other = self.held
        right = bridge_formula(side, own)
        before = self.of_source(own) if counts else None
        return self.step(
            f"from {own} to {other} in {side.convention.key}",
            right,
            text=bridge_text(side),
            source=ESTIMATE_SOURCE if side.is_estimate else BRIDGE_SOURCE,
            result=self.of_source(other) if counts else None,
            more={} if before is None else {own.value: before},
        )

    def exact(self, side: Side) -> Step:
        """Return the step from the source's first-order shrink to its exact one."""
        first_order = self.of_source(Invariant.SHRINK)
        return self.step(
            f"the exact decay of {side.convention.key}",
            _exact_formula(side),
            text=_exact_text(side),
            source=ROOT_SOURCE,
            result=None if first_order is None else side.exact_shrink(first_order),
            more={} if first_order is None else {"shrink": first_order},
        )

    def equality(self) -> Step:
        """Return the step that equates the two sides, in units of their own losses."""
        way = self.way
        one, other = way.source.convention.key, way.target.convention.key
        ratio = _loss_ratio(way)
        left = f"{self.held}({other})"
        right = Monomial.of(ratio, value=1).format({"value": f"{self.held}({one})"})
        text = _HELD[self.held]
        if ratio != 1:
            text += "; one side's loss is the squared error, the other's half of it"
        number_held = self.held_number()
        return self.step(
            "what is held equal",
            f"{left} = {right}",
            text=text,
            source=ALGEBRA,
            result=None if number_held is None else number_held * ratio,
            more={} if number_held is None else {f"{self.held}({one})": number_held},
        )

    def learning_rate(self) -> Iterator[Step]:
        """Yield the target's lr where it is not the source's."""
        way = self.way
        if way.lr is None:
            return
        lr = way.target_lr()
        yield self.step(
            "the target's lr",
            f"lr({way.target.convention.key}) = {way.lr.format()}",
            text=(
                "given as the target's own"
                if "lr" in way.target.own
                else "so that the data's part of a step stays the same"
            ),
            source=ALGEBRA,
            result=None if lr is None else Fraction(lr),
        )

    def solution(self, layers: tuple[tuple[str, float], ...]) -> Step:
        """Return the last step where one monomial makes the whole conversion."""
        way = self.way
        by_layer = "layer_weights" in way.needs
        text = _cancelled(way)
        if layers:
            text += "; one number a layer: "
            text += ", ".join(f"{name} {number_text(number)}" for name, number in layers)
        return self.step(
            f"solved for {way.target.convention.parameter}",
            way.formula(),
            text=text,
            source=ALGEBRA,
            result=None if by_layer else self.converted(),
        )

    def inverse(self) -> Step:
        """Return the last step where a form or an exact root stands between."""
        way, side = self.way, self.way.target
        form = side.convention.form
        if self.held == Invariant.STRENGTH:
            return self.from_strength(side)
        shrink = self.held_number()
        text = "the held shrink put in"
        if way.exactly and not side.is_linear:
            text = f"with the first-order shrink whose exact decay in {side.convention.key} is it"
            shrink = None if shrink is None else side.first_order_shrink(shrink)
        right = solved(side, Invariant.SHRINK).format() if form is None else form.inverse
        return self.step(
            f"solved for {side.convention.parameter}",
            f"{side.convention.parameter} = {right}",
            text=text,
            source=ALGEBRA,
            result=self.converted(),
            more={} if shrink is None else {"shrink": shrink},
        )

    def from_strength(self, side: Side) -> Step:
        """Return the last step where the optimum is held and a form stands on one of the sides."""
        strength, form, way = self.held_number(), side.convention.form, self.way
        right = solved(side, Invariant.STRENGTH).format() if form is None else form.inverse
        more = {} if strength is None else {"strength": strength}
        if form is not None and strength is not None:
            names = {name: way.quantity(name) for name in side.bridge.names}
            more["shrink"] = strength * side.bridge.evaluate(names)
        return self.step(
            f"solved for {side.convention.parameter}",
            f"{side.convention.parameter} = {right}",
            text="the held strength put in",
            source=ALGEBRA,
            result=self.converted(),
            more=more,
        )

    def converted(self) -> Fraction | None:
        """Return the target's number, None where something that it needs is not known."""
        return None if self.value is None or self.way.missing() else self.way.value(self.value)

    def of_source(self, which: Invariant) -> Fraction | None:
        """Return the source's invariant as a number, None where it is not known."""
        if which == self.held:
            return self.first
        return None if self.value is None else first_number(self.way.source, which, self.value)

    def held_number(self) -> Fraction | None:
        """Return the number that is held equal, None where it is not known."""
        if self.first is None or not self.way.exactly:
            return self.first
        return self.way.source.exact_shrink(self.first)


def first_number(side: Side, which: Invariant, value: Fraction) -> Fraction | None:
    """Return an invariant of a side, the shrink to first order, None where it is not known."""
    try:
        return strength_of(side, value) if which == Invariant.STRENGTH else shrink_of(side, value)
    except DecaycalcError:
        return None


def _parameter(way: Plan) -> str:
    """Return the source's parameter as the plan's formula writes it."""
    one, other = way.source.convention, way.target.convention
    clashes = one.parameter == other.parameter and one.key != other.key
    return f"{one.parameter}({one.key})" if clashes else one.parameter


def rule_of(side: Side) -> str:
    """Return the side's update rule, and what its loss is of the mean loss."""
    record = side.convention
    if record.monomial is None or "loss_scale" not in record.monomial.names:
        return record.update
    return record.update + _loss_text(side.loss)


def _loss_text(loss: Loss | Fraction) -> str:
    """Return what the loss is of the mean loss, in brackets; empty for the mean itself."""
    if not isinstance(loss, Loss):
        return f" (the loss is {number_text(loss)} times the mean loss)"
    if loss.scale is None:
        return ""
    over = "the minibatch, B" if loss.scale == "batch_size" else "the data set, N"
    return f" (the loss is summed over {over} times the mean loss)"


def bridge_formula(side: Side, own: Invariant) -> str:
    """Return the formula that leads from a side's own invariant to the other."""
    to_shrink = own == Invariant.STRENGTH
    ratio = side.bridge if to_shrink else side.bridge**-1
    other = Invariant.SHRINK if to_shrink else Invariant.STRENGTH
    return f"{other} = {(Monomial.of(**{own.value: 1}) * ratio).format()}"


def bridge_text(side: Side) -> str:
    """Return why strength and shrink are tied."""
    if side.is_estimate:
        return "Adam divides the penalty's gradient by about the gradient's root mean square"
    text = "a step subtracts lr times the gradient of the penalty, strength·w"
    if side.loss != Loss.MEAN:
        text += ", as many times as the loss is the mean loss"
    if side.has_momentum and side.convention.mixture is not None:
        return f"{text}; its steps mix gradient and momentum"
    return f"{text}; momentum adds it up" if side.has_momentum else text


def _exact_formula(side: Side) -> str:
    """Return the exact long-run shrink of a side as a formula of its first-order one."""
    record = side.convention
    if record.proximal:
        return "exact_shrink = shrink/(1 + shrink)"
    if record.compounds:
        count = symbol_of(record.compounds)
        return f"exact_shrink = 1 - (1 - shrink/{count})^{count}"
    m = "to_momentum" if "momentum" in side.own else "momentum"
    if record.mixture is not None:
        return f"exact_shrink = 1 - z, {_mixed_equation(side, m)}, q = (1 - {m})·shrink"
    equation = {
        0: f"z^2 - (1 + {m} - q)·z + {m} = 0",
        1: f"z^2 - (1 + {m})·(1 - q)·z + {m}·(1 - q) = 0",
        IN_PLACE: f"z^2 - (1 + {m} - (1 + {m} + {m}^2)·q)·z + {m}·(1 - (1 + {m})·q) = 0",
    }[int(side.lookahead)]
    return f"exact_shrink = 1 - z, {equation}, q = (1 - {m})·shrink"


def _mixed_equation(side: Side, m: str) -> str:
    """Return the recursion's equation where a step mixes gradient and buffer."""
    ahead = sum(fresh_and_kept(side.recursion["momentum"], side.lookahead))
    return f"z^2 - (1 + {m} - {ahead:.6g}·q)·z + {m} - {ahead - 1:.6g}·q = 0"


def _exact_text(side: Side) -> str:
    """Return what the exact decay is, in words."""
    if side.convention.proximal:
        return "the weight is divided by 1 + shrink"
    if side.convention.compounds:
        return "the decay acts several times in one step"
    return "z is the root of largest modulus: the weight's factor per step in the long run"


def _loss_ratio(way: Plan) -> Fraction:
    """Return the target's strength over the source's, 1 but where the losses' units differ."""
    one, other = way.source.invariant(way.held), way.target.invariant(way.held)
    if way.factor is None or one is None or other is None:
        return Fraction(1)
    plain = solved(way.target, way.held).substitute({way.held.value: one})
    return ((way.factor / plain) ** other.power_of("value")).coefficient


def _cancelled(way: Plan) -> str:
    """Return which quantities of the steps above do not enter, `lr and N cancel`."""
    names: dict[str, None] = {}
    for side in (way.source, way.target):
        own = side.convention.invariant
        monomial = None if own is None else side.invariant(own)
        names |= dict.fromkeys(() if monomial is None else monomial.names)
        names |= dict.fromkeys(() if own == way.held else side.bridge.names)
    kept = () if way.factor is None else way.factor.names
    gone = [symbol_of(name) for name in names if name not in kept and name != "value"]
    if not gone:
        return "nothing cancels" if len(names) > 1 else "no other quantity enters"
    return f"{' and '.join(gone)} {'cancels' if len(gone) == 1 else 'cancel'}"
