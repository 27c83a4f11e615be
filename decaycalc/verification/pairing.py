"""Pairing: two conventions with their numbers, ready to be trained against each other."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from decaycalc.conventions.record import ANY, FIT, Buffer, Convention, Coupling, Equivalence
from decaycalc.conventions.run import Loss
from decaycalc.conversion.plan import Plan
from decaycalc.conversion.shrinks import evaluated
from decaycalc.conversion.side import Side
from decaycalc.record import Record
from decaycalc.verification.rules.optimizers import Array
from decaycalc.verification.rules.rule import UpdateRule, parse_rule
from decaycalc.verification.train import Learner, Model, make_model

ALIGNED = {
    "beta1": 0.9, "beta2": 0.999, "rho": 0.99, "eps": 1e-30, "eps_root": 0.0,
    "initial_accumulator": 0.0,
}  # fmt: skip
"""Frameworks differ in what they preset; a conversion is about the decay beside equal settings."""
_ADADELTA_EPS = 1e-6
"""Adadelta's epsilon is no guard against a division by zero: its root is the size of the steps."""
# One that an update writes out beside the root that it guards.
_WRITTEN_EPSILON = re.compile(r"(?<=\+ )1e-8(?=\))")
_CALM = 0.1
"""The largest lr beside a mean loss that is trained with: larger ones scale the loss down."""


Solver = Callable[[Learner, Model, Array], Array]
"""From a side, a model and weights to start from (flat) to the weights it ends at (flat)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """What a framework does in the place of a convention's update rule.

    `rule` takes the steps, `solve` goes to the optimum; a fit has no steps, an objective is
    solved as ours are. `tolerance` is what the library's precision allows, `models` what it
    can train, all when empty; `factor_error` is how far rounding puts its factor 1 - shrink off.
    """

    tolerance: float
    rule: UpdateRule | None = None
    solve: Solver | None = None
    models: tuple[str, ...] = ()
    factor_error: float = 0.0


class Pairing(Record):
    """Two sides ready to train, with their numbers and the plan that claims something of them.

    `stand_ins` holds what a framework does in the place of a convention, by its key.
    """

    way: Plan
    source: Side
    target: Side
    values: tuple[float, float]
    stand_ins: Mapping[str, StandIn] = {}

    @property
    def sides(self) -> tuple[tuple[Side, float], tuple[Side, float]]:
        """Each side with its number."""
        return (self.source, self.values[0]), (self.target, self.values[1])

    @property
    def claim(self) -> Equivalence:
        """What is claimed of these two runs: where a condition holds here, all that it gives."""
        return Equivalence.IDENTICAL if self.way.condition else self.way.equivalence

    def learners(self) -> tuple[Learner, Learner]:
        """Return the two learners."""
        (one, first), (other, second) = self.sides
        return (
            _learner(one, first, self.rule_of(one), (other, self._borrowed(one, other))),
            _learner(other, second, self.rule_of(other), (one, self._borrowed(other, one))),
        )

    def _borrowed(self, side: Side, partner: Side) -> UpdateRule | None:
        """Return what trains a side that has no optimizer of its own.

        Where the claim is of a decay, that is of plain descent on the objective.
        """
        if self.claim == Equivalence.SAME_DECAY:
            return None
        return _borrowed(side, partner)

    @property
    def replaced(self) -> tuple[StandIn | None, ...]:
        """What takes each side's place, None where nothing does."""
        return tuple(self.stand_ins.get(side.convention.key) for side, _ in self.sides)

    def rule_of(self, side: Side) -> UpdateRule:
        """Return a side's rule: the framework's, else the convention's own."""
        stand_in = self.stand_ins.get(side.convention.key)
        if stand_in is not None and stand_in.rule is not None:
            return stand_in.rule
        rule = _rule_of(side.convention)
        # Of two penalties neither says which momentum trains them.
        alike = self.source.convention.is_penalty and self.target.convention.is_penalty
        inside = side.convention.buffer is Buffer.INSIDE and not alike
        return replace(rule, inside=True) if inside else rule


def _rule_of(record: Convention) -> UpdateRule:
    """Return a record's rule, with the epsilon that it writes out as small as others' are."""
    return parse_rule(_WRITTEN_EPSILON.sub(repr(ALIGNED["eps"]), record.update))


def _learner(
    side: Side, value: float, rule: UpdateRule, partnered: tuple[Side, UpdateRule | None]
) -> Learner:
    """Return one side's learner; an objective is trained by its partner's optimizer, if any."""
    partner, borrowed = partnered
    units = (side.convention.loss_unit, partner.convention.loss_unit)
    return Learner(
        rule=rule,
        names=rule_names(side, value),
        reduction=side.loss.value if isinstance(side.loss, Loss) else float(side.loss),
        borrowed=borrowed,
        borrowed_names=None if borrowed is None else rule_names(partner, 0.0),
        unit=2.0 if units == ("squared-error", "half-squared-error") else 1.0,
        settings=aligned(side, partner),
    )


def aligned(*sides: Side) -> dict[str, float]:
    """Return the settings that both sides train with, whatever their frameworks preset."""
    names = {side.convention.optimizer for side in sides}
    by_steps = any(name.startswith("adadelta") for name in names)
    return {**ALIGNED, "eps": _ADADELTA_EPS} if by_steps else ALIGNED


def _borrowed(side: Side, partner: Side) -> UpdateRule | None:
    """Return the optimizer that trains an objective, None for a side that has its own."""
    record = partner.convention
    bare = side.convention.optimizer == ANY and record.optimizer not in {ANY, FIT}
    if not bare or record.coupling == Coupling.MEASURE:
        return None
    return _rule_of(record)


_ALWAYS = ("lr", "momentum", "dampening", "batch_size", "dataset_size", "n_weights")


def rule_names(side: Side, value: float) -> dict[str, float]:
    """Return what the names of a record's update rule stand for, the number among them.

    Quantities that a run may give and the rule does not know (decay_mult, l1_ratio) multiply the
    number, lr_mult multiplies the lr.
    """
    rule = parse_rule(side.convention.update)
    wanted = {*rule.quantities, *_ALWAYS}
    known = {name: side.get(name) for name in wanted - {side.convention.parameter}}
    names = {name: float(number) for name, number in known.items() if number is not None}
    own = side.convention.is_adaptive and "momentum" not in rule.quantities
    if own and side.run.given("momentum") is None:
        del names["momentum"]  # Muon and its like preset one, which the run's default leaves alone
    names["nesterov"] = float(side.nesterov)
    for name, by in side.refined:
        factor = float(evaluated(side, by))
        value *= 1.0 if name in rule.quantities else factor
    names["lr"] *= float(evaluated(side, side.lr_factor))
    return {**names, side.convention.parameter: value}


def model_of(pairing: Pairing, name: str) -> Model:
    """Return a model whose loss is scaled down where a side's lr would make it diverge."""
    size = float(pairing.source.get("dataset_size") or 1)
    model = make_model(name, n_examples=round(min(size, 1e9)))
    (one, _), (other, _) = pairing.sides
    pairs = ((one, other), (other, one))
    carried = pairing.claim != Equivalence.SAME_DECAY
    plain = [side for side, mate in pairs if not _is_rescaled(side, mate, carried=carried)]
    return model.scaled(min([1.0, *(_CALM / _mean_lr(side) for side in plain)]))


def _is_rescaled(side: Side, partner: Side, *, carried: bool) -> bool:
    """Return whether the steps are adaptive, by the side's own optimizer or its borrowed one's."""
    by_partner = partner.convention.is_adaptive and _borrowed(side, partner) is not None
    return side.convention.is_adaptive or (carried and by_partner)


def _mean_lr(side: Side) -> float:
    """Return the lr that the side's would be beside a mean loss."""
    return float(side.get("lr") or 0) * float(evaluated(side, side.loss_scale))
