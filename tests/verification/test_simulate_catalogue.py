"""Every record's update rule, executed, against its monomial: two texts that must say the same."""

import re
from functools import cache

import numpy as np
import pytest

from decaycalc.algebra.quantity import QUANTITIES, Monomial, exact
from decaycalc.conventions.catalogue import conventions
from decaycalc.conventions.record import ANY, FIT, MEASURE, SGD, Coupling
from decaycalc.conventions.run import Loss, Run
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.equivalence import SCALE_BLIND
from decaycalc.conversion.shrinks import strength_of
from decaycalc.conversion.side import Side
from decaycalc.errors import MissingQuantityError
from decaycalc.record import replace
from decaycalc.verification.rules.optimizers import BLOCKS
from decaycalc.verification.rules.rule import State, parse_rule
from tests.every_record import of_each

W = np.array([[1.0, -2.5, 0.375], [0.5, 7.0, -1.0]])
EXTRAS = {
    "layer_weights": 6, "lr_initial": 0.03, "lr_max": 0.013, "target_std": 1.7, "l1_ratio": 0.3,
    "n_leaf": 11, "nbs": 64, "keep_probability": 0.8, "length_scale": 0.7, "wd_ratio": 0.1,
    "eta": 0.9, "lambd": 1e-4, "lr_mult": 1, "decay_mult": 1,
}  # fmt: skip
GRADIENTS = np.random.default_rng(2).normal(size=(6, *W.shape)) / 500
RECORDS = {record.key: record for record in conventions()}


@cache
def rule_of(record):
    """Return a record's parsed rule."""
    return parse_rule(record.update)


def run_for(record, **changes):
    """Return a run of odd numbers, with just those extra quantities that the record reads."""
    names = set(rule_of(record).quantities) | {name for name, _ in record.defaults}
    names |= set(record.monomial.names) if record.monomial else set()
    extras = tuple((name, EXTRAS[name]) for name in sorted(names & set(EXTRAS)))
    size = {"n_weights": W.size, "n_layers": 5}
    run = {"lr": 0.013, "batch_size": 7, "dataset_size": 91, "epochs": 3, **size, **changes}
    return Run(extras=extras, **{"momentum": 0, **run})


def names_for(record, value, run):
    """Return what the names of a record's rule stand for."""
    side = Side(convention=record, run=run)
    wanted = {*rule_of(record).quantities, "lr", "momentum", "dampening"} - {record.parameter}
    known = {name: side.get(name) for name in wanted}
    names = {name: float(number) for name, number in known.items() if number is not None}
    names.setdefault("layer_weights", W.size)
    scale = 1.0 if side.loss.scale is None else float(side.get(side.loss.scale))
    return {**names, "nesterov": bool(run.nesterov), "loss_scale": scale, record.parameter: value}


def value_of(record):
    """Return a number that decays a little in the record's own sense."""
    if record.parameter == "factor":
        return 0.97
    power = record.monomial.power_of("value") if record.monomial else 1
    return 37.0 if power < 0 or record.parameter in {"half_life", "timescale"} else 0.0021


def stepped(record, run, n_steps=None):
    """Return what is left of the weights after the last step without data gradient."""
    rule, state, w = rule_of(record), State(), W
    waits = re.search(r"t > (\d+)", record.update)  # some decay only after their first steps
    n_steps = n_steps or (int(waits[1]) + 1 if waits else 1)
    names = names_for(record, value_of(record), run)
    for _ in range(n_steps):
        w, before = rule.step(state, w, 0 * W, names=names), w
    return w / before


@of_each(RECORDS)
def test_every_rule_is_sound_and_reads_known_quantities_only(key):
    record = RECORDS[key]
    settings = {name for block in BLOCKS.values() for name in block.names}
    reads = rule_of(record).quantities
    assert reads <= {record.parameter, *QUANTITIES} | settings
    assert record.parameter in reads or record.refusal is not None


@of_each(RECORDS)
def test_every_rule_takes_a_step(key):
    run = run_for(RECORDS[key])
    assert np.all(np.isfinite(stepped(RECORDS[key], run)))


SLOPED = {"mxnet-dcasgd"}
"""Rules that square the data gradient alone."""
STEPPING = [
    key
    for key, record in RECORDS.items()
    if record.has_shrink
    and not record.estimate
    and record.optimizer != FIT
    and "n_leaf" not in str(record.monomial)
]


@of_each(STEPPING)
def test_a_step_removes_the_share_that_the_record_states(key):
    record = RECORDS[key]
    for loss in Loss:
        run = run_for(record, loss=loss)
        stated = decay_of(Side(convention=record, run=run), exact(value_of(record)))
        if stated is None:
            pytest.skip("no decay of the whole, only of a layer")
        assert stepped(record, run) == pytest.approx(stated.per_step_factor, rel=1e-12)


PENALTIES = [
    key
    for key, record in RECORDS.items()
    if record.strength is not None and record.coupling == Coupling.COUPLED
]


def slopes(record, run):
    """Return the penalty's slope over the weight, and the data term's over the mean gradient."""
    rule, names = rule_of(record), names_for(record, value_of(record), run)
    penalty = rule.descent(W, 0 * W, names=names)
    data = rule.descent(W, np.full_like(W, names["loss_scale"]), names=names) - penalty
    return penalty / W, data


def trained(record, run, value, penalty=0.0):
    """Return the weights after steps along gradients, with an L2 penalty added to the loss."""
    rule, state, w, names = rule_of(record), State(), W, names_for(record, value, run)
    for gradient in GRADIENTS:
        w = rule.step(state, w, names["loss_scale"] * (gradient + penalty * w), names=names)
    return w


def executed_over_stated(record, run, strength):
    """Return the strength that the rule executes over the stated one, about 1 when they agree.

    A rule with its number off and the stated penalty in its data gradient must move as the rule
    with its number on. Objectives and directions that are not simulated are compared by slopes.
    """
    if (
        record.key in SLOPED
        or record.update.startswith("minimise")
        or "unmodelled" in record.update
    ):
        penalty, data = slopes(record, run)
        return penalty / data / strength
    on = trained(record, run, value_of(record))
    by_hand = trained(record, run, 0.0, strength)
    off = trained(record, run, 0.0)
    gap = np.linalg.norm(on - by_hand)
    return 1 + (gap and gap / np.linalg.norm(by_hand - off))


@of_each(PENALTIES)
def test_a_penalty_weighs_what_the_record_states(key):
    record = RECORDS[key]
    for loss in Loss:
        run = run_for(record, loss=loss)
        stated = strength_of(Side(convention=record, run=run), exact(value_of(record)))
        if stated is None:
            pytest.skip("one strength a layer")
        assert executed_over_stated(record, run, float(stated)) == pytest.approx(1, abs=1e-6)


BUFFERED = [
    key
    for key in STEPPING
    if RECORDS[key].optimizer in {ANY, SGD}
    and RECORDS[key].has_momentum
    and RECORDS[key].form is None
    and RECORDS[key].compounds is None
    and not RECORDS[key].variant
]
SETTINGS = {
    "heavy-ball": {"momentum": 0.9},
    "dampened": {"momentum": 0.8, "dampening": 0.5},
    "nesterov": {"momentum": 0.9, "nesterov": True},
}


def settings_of(record):
    """Return the momenta that a record can have: a velocity has no dampening, and what is dampened
    by default excludes Nesterov's."""
    lacking = {"dampening": "dampened", "nesterov": "nesterov"}
    without = {lacking[name] for name in record.lacks}
    without |= {"dampened"} if "velocity" in record.update else set()
    without |= {"nesterov"} if "dampening" in dict(record.defaults) else set()
    return [SETTINGS[name] for name in SETTINGS if name not in without]


@of_each(BUFFERED)
def test_momentum_settles_at_the_exact_factor(key):
    record = RECORDS[key]
    for setting in settings_of(record):
        run = run_for(record, **setting)
        stated = decay_of(Side(convention=record, run=run), exact(value_of(record)))
        # Others have no decay of the whole, or a momentum of their own.
        if stated is not None and "nesterov=" not in record.update and not stated.oscillating:
            assert stepped(record, run, 300) == pytest.approx(stated.per_step_factor, rel=1e-10)


@of_each(RECORDS)
def test_a_wrong_constant_in_a_record_is_caught(key):
    record = RECORDS[key]
    if record.monomial is None or record.optimizer == MEASURE:
        pytest.skip("a definition, or no monomial")
    field = "strength" if record.strength is not None else "shrink"
    wrong = replace(record, **{field: record.monomial * Monomial.of(2)})
    run = run_for(record)
    side = Side(convention=wrong, run=run)
    value = exact(value_of(record))
    if record.key in PENALTIES:
        stated = strength_of(side, value)
        if stated is None:
            pytest.skip("one strength a layer")
        ratio = executed_over_stated(record, run, float(stated))
    else:
        ratio = (1 - stepped(record, run)) / decay_of(side, value).per_step_shrink
    assert np.max(np.abs(ratio - 1)) > 0.1


def test_a_rule_without_its_quantity_says_which():
    with pytest.raises(MissingQuantityError, match="weight_decay"):
        rule_of(RECORDS["pytorch-sgd"]).step(State(), W, W, names={"lr": 0.1})


def parting(record):
    """Return how far two trainings part, one on a loss a thousand times the other's."""
    ends = []
    for scale in (1.0, 1000.0):
        names = {**names_for(record, 0.0, run_for(record)), "eps": 1e-30}
        state, w = State(), W
        for gradient in GRADIENTS * 500:
            w = rule_of(record).step(state, w, scale * gradient, names=names)
        ends.append(w)
    return np.abs(ends[0] - ends[1]).max()


def test_the_optimizers_that_are_blind_to_the_losss_scale_are_those_that_say_so():
    partings = {}
    for record in RECORDS.values():
        if record.is_adaptive and not record.refusal and "unmodelled" not in record.update:
            partings.setdefault(record.optimizer, []).append(parting(record))
    blind = {name for name, found in partings.items() if max(found) < 5e-5}
    # Epsilon, negligible above, is Adadelta's step size; AdaBelief adds up a thousand of its own.
    by_epsilon = {"adadelta", "adadelta-mxnet", "adabelief-torch-optimizer"}
    assert blind - by_epsilon == SCALE_BLIND
