"""What the suite does with a record and its stepper: runs, values, and both sides' steps."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from steppers import Stepper

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Loss, Run
from decaycalc.conversion.convert import convert
from decaycalc.conversion.side import Side
from decaycalc.verification.rules.rule import State, parse_rule

SHAPE = (6, 3)
LR, BATCH, SIZE, STEPS = 0.04, 8, 37, 24
START = np.random.default_rng(7).normal(size=SHAPE)
MOMENTUM_SETTINGS = ("momentum", "dampening", "nesterov")


def run_of(*, loss=Loss.MEAN, lr=LR, size=START.size, **settings):
    """Return the suite's run: batches of 8 out of 37, `size` weights, its momentum settings."""
    return Run(
        lr=lr,
        batch_size=BATCH,
        dataset_size=SIZE,
        epochs=20,
        loss=loss,
        n_weights=size,
        n_layers=1,
        extras=(("layer_weights", size),),
        **{"momentum": 0, **settings},  # some frameworks have one unasked, the steppers have not
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """One record in one run: its number, and what the rule and the stepper read."""

    record: Convention
    run: Run
    value: float

    @property
    def side(self):
        """The record in its run."""
        return Side(convention=self.record, run=self.run)

    @property
    def names(self):
        """What the rule's names stand for."""
        rule = parse_rule(self.record.update)
        # Without momentum of the run's own, an optimizer that always has one keeps its preset.
        settings = MOMENTUM_SETTINGS if self.run.momentum else ()
        wanted = {*rule.quantities, *settings, "lr", "batch_size", "dataset_size"}
        values = {name: self.side.get(name) for name in wanted}
        if settings:
            values["nesterov"] = Fraction(bool(self.run.nesterov))
        known = {name: float(value) for name, value in values.items() if value is not None}
        return {**known, self.record.parameter: self.value}

    @property
    def loss_scale(self):
        """What the run's loss is of the mean loss."""
        scale = self.side.loss.scale
        return 1.0 if scale is None else float(self.side.get(scale))


def is_directed(key):
    """Return whether the rule simulates the direction too, so that data gradients can be given.

    Else it says what becomes of the weights beside whatever direction the framework takes.
    """
    return "unmodelled" not in find(key).update


def case_of(record, run=None):
    """Return a record with the number that means strength .02, else a decay of .002 a step."""
    run = run or run_of()
    if record.refusal is not None:
        return Case(record=record, run=run, value=0.03)
    anchor, value = ("mean-half-l2", 0.02) if record.has_strength else ("per-step-shrink", 0.002)
    found = convert(value, source=anchor, target=record, run=run)
    lr = run.lr if found.lr is None else found.lr
    own = {name: getattr(run, name) for name in MOMENTUM_SETTINGS}
    return Case(
        record=record,
        run=run_of(loss=run.loss, lr=lr, size=int(run.n_weights), **own),
        value=found.value,
    )


def simulated(case, gradients, multipliers):
    """Return the weights after each step by the record's own rule, (n_steps, *SHAPE)."""
    rule, state, names = parse_rule(case.record.update), State(), case.names
    weights, path, peak = START, [], names["lr"]
    for gradient, multiplier in zip(gradients, multipliers, strict=True):
        names |= {"lr": peak * multiplier, "lr_peak": peak, "loss_scale": case.loss_scale}
        weights = rule.step(state, weights, gradient, names=names)
        path.append(weights)
    return np.array(path)


def executed(stepper: Stepper, case, gradients, multipliers):
    """Return the weights after each step by the framework, (n_steps, *SHAPE)."""
    names = {**case.names, "value": case.value}
    step = stepper.make(case.value, names, START, float(case.names["lr"]) * np.array(multipliers))
    return np.array([step(gradient) for gradient in gradients])


def deviation(path, other):
    """Return the largest difference relative to the largest weight of each step, where one is."""
    axes = tuple(range(1, path.ndim))
    scales = np.abs(other).max(axis=axes)
    return float(np.max(np.abs(path - other).max(axis=axes) / np.where(scales, scales, 1.0)))
