"""Bout: two conventions with their numbers, ready to be trained against each other."""

from decaycalc.bridge import Side
from decaycalc.convention import ANY, FIT, Coupling
from decaycalc.plan import Plan
from decaycalc.record import Record
from decaycalc.simulate.rule import Rule, parse_rule
from decaycalc.simulate.train import Model, Trainer, make_model

_ALIGNED = {
    "beta1": 0.9, "beta2": 0.999, "rho": 0.99, "eps": 1e-30, "eps_root": 0.0,
    "initial_accumulator": 0.0,
}  # fmt: skip
"""Frameworks differ in what they preset; a conversion is about the decay beside equal settings."""
_CALM = 0.1
"""The largest lr beside a mean loss that is trained with: larger ones scale the loss down."""


class Bout(Record):
    """Two sides ready to train, with their numbers and the plan that claims something of them."""

    way: Plan
    source: Side
    target: Side
    values: tuple[float, float]

    @property
    def sides(self) -> tuple[tuple[Side, float], tuple[Side, float]]:
        """Each side with its number."""
        return (self.source, self.values[0]), (self.target, self.values[1])

    def trainers(self) -> tuple[Trainer, Trainer]:
        """Return the two trainers."""
        (one, first), (other, second) = self.sides
        return _trainer(one, first, other), _trainer(other, second, one)


def _trainer(side: Side, value: float, partner: Side) -> Trainer:
    """Return one side's trainer; an objective is trained by its partner's optimizer."""
    carrier = _carrier(side, partner)
    units = (side.convention.loss_unit, partner.convention.loss_unit)
    return Trainer(
        rule=parse_rule(side.convention.update),
        names=rule_names(side, value),
        reduction=side.loss.value,
        carrier=carrier,
        carrier_names=None if carrier is None else rule_names(partner, 0.0),
        unit=2.0 if units == ("squared-error", "half-squared-error") else 1.0,
        settings=_ALIGNED,
    )


def _carrier(side: Side, partner: Side) -> Rule | None:
    """Return the optimizer that trains an objective, None for a side that has its own."""
    bare = side.convention.optimizer == ANY and partner.convention.optimizer not in {ANY, FIT}
    if not bare or partner.convention.coupling == Coupling.MEASURE:
        return None
    return parse_rule(partner.convention.update)


def rule_names(side: Side, value: float) -> dict[str, float]:
    """Return what the names of a record's update rule stand for, the number among them.

    Quantities that a run may give and the rule does not know (decay_mult, l1_ratio) multiply the
    number, lr_mult multiplies the lr.
    """
    rule = parse_rule(side.convention.update)
    wanted = {*rule.quantities, "lr", "momentum", "dampening", "batch_size", "dataset_size"}
    known = {name: side.get(name) for name in wanted - {side.convention.parameter}}
    names = {name: float(number) for name, number in known.items() if number is not None}
    names["nesterov"] = float(bool(side.run.nesterov))
    for name, by in side.refined:
        factor = float(by.evaluate({each: side.get(each) for each in by.names}))
        value *= 1.0 if name in rule.quantities else factor
    factors = side.lr_factor
    names["lr"] *= float(factors.evaluate({each: side.get(each) for each in factors.names}))
    return {**names, side.convention.parameter: value}


def model_of(bout: Bout, name: str) -> Model:
    """Return a model whose loss is scaled down where a side's lr would make it diverge."""
    size = float(bout.source.get("dataset_size") or 1)
    model = make_model(name, n_examples=round(min(size, 1e9)))
    if any(side.convention.is_adaptive for side, _ in bout.sides):
        return model
    return model.scaled(min(1.0, _CALM / max(_mean_lr(side) for side, _ in bout.sides)))


def _mean_lr(side: Side) -> float:
    """Return the lr that the side's would be beside a mean loss."""
    scale = 1.0 if side.loss.scale is None else float(side.get(side.loss.scale) or 1)
    return float(side.get("lr") or 0) * scale
