"""Conversions by execution: two frameworks, the converted number, one training."""

import re
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from cases import BATCH, LR, SIZE, START, case_of, deviation, is_directed, run_of
from registry import STEPPERS

from decaycalc.conventions.catalogue import conventions
from decaycalc.conventions.record import ANY, SGD, Equivalence
from decaycalc.conventions.run import Loss
from decaycalc.conversion.convert import convert
from decaycalc.errors import DecaycalcError
from decaycalc.verification.rules.optimizers import BLOCKS
from decaycalc.verification.rules.rule import parse_rule
from decaycalc.verification.train import Batches, Learner, make_model, optimum

RECORDS = {
    record.key: record
    for record in conventions()
    if record.key in STEPPERS and record.refusal is None
}
SETTINGS = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "dampened": {"momentum": 0.85, "dampening": 0.5},
    "nesterov": {"momentum": 0.9, "nesterov": True},
}
ADAPTIVE = {record.optimizer for record in RECORDS.values() if record.is_adaptive}
N_STEPS = 60
NEGLIGIBLE = 1e-25
BETAS = {"beta1", "beta2", "beta3", "rho"}
MODEL = make_model("softmax", n_examples=SIZE)


def runs_with(key, setting):
    """Return whether a record's framework has the momentum of that setting."""
    return all(getattr(STEPPERS[key], name) for name in SETTINGS[setting])


def equal_settings(key):
    """Return the settings that both frameworks of a pair are given, as the claim presumes.

    Frameworks preset betas differently and add epsilons in different places, which therefore are
    negligible; Adadelta's is not, its first steps are of its size.
    """
    called = set(re.findall(r"\w+(?=\()", RECORDS[key].update))
    blocks = [block for name, block in BLOCKS.items() if name in called]
    found = {name: block.defaults[name] for block in blocks for name in BETAS & block.names}
    own = BLOCKS["adadelta"].defaults["eps"] if "adadelta" in called else NEGLIGIBLE
    return {**found, "eps": own}


@cache
def trained(key, setting, borrowed, *, drop_last):
    """Return the weights after each of the minibatch steps, trained by the framework itself.

    The data gradients come from the weights of the step before, reduced as the record's loss is:
    batches of 8 out of 37, the last one short (or dropped), the lr along a cosine.
    """
    import torch

    case = case_for(key, setting)
    multipliers = (1 + np.cos(np.pi * np.arange(N_STEPS) / N_STEPS)) / 2
    owner = borrowed or key
    maker = STEPPERS[borrowed].make if borrowed else None
    names = {**case.names, "borrowed": maker, **equal_settings(owner)}
    adaptive = borrowed and RECORDS[borrowed].is_adaptive
    lr = LR if adaptive else float(case.names["lr"])
    lrs = lr * (multipliers if STEPPERS[owner].scheduled else np.ones(N_STEPS))
    step = STEPPERS[key].make(case.value, names, START, lrs)
    weights, path = START, []
    batches = Batches(batch_size=BATCH, dataset_size=SIZE, drop_last=drop_last)
    for place, (rows, size) in enumerate(batches.draw(SIZE, N_STEPS)):
        torch.manual_seed(place)  # some optimizers draw probes
        scales = {Loss.MEAN: 1.0, Loss.BATCH_SUM: size, Loss.DATASET_SUM: SIZE}
        (gradient,) = MODEL.mean_gradient((weights,), rows)
        weights = step(scales[case.side.loss] * gradient)
        path.append(weights)
    return np.array(path)


@cache
def case_for(key, setting):
    """Return a record's case under one of the momentum settings."""
    return case_of(RECORDS[key], run_of(**SETTINGS[setting]))


def converted(one, other, setting):
    """Return the first record's case and the conversion of its number to the second's."""
    case = case_for(one, setting)
    return case, convert(case.value, source=RECORDS[one], target=RECORDS[other], run=case.run)


def borrowed_for(one, other):
    """Return the partner whose optimizer trains an objective, None for one that has its own."""
    has_own = RECORDS[other].optimizer != ANY
    return other if RECORDS[one].optimizer == ANY and has_own else None


def is_identical(pair, setting):
    """Return whether the converter calls a pair identical; what it refuses is not.

    It refuses what has no equivalent, a penalty whose optimizer nobody said, and a momentum that a
    side does not take.
    """
    try:
        return converted(*pair, setting)[1].equivalence == Equivalence.IDENTICAL
    except DecaycalcError:
        return False


IDENTICAL = [
    (*pair, setting)
    for setting in SETTINGS
    for pair in combinations([key for key in RECORDS if runs_with(key, setting)], 2)
    if is_identical(pair, setting)
]


def summed_losses_differ(one, other):
    """Return whether two records reduce a short last batch differently."""
    losses = {RECORDS[key].loss or Loss.MEAN for key in (one, other)}
    return len(losses) > 1 and Loss.BATCH_SUM in losses


@pytest.mark.parametrize(("one", "other", "setting"), IDENTICAL)
def test_identical_conversions_train_two_frameworks_in_step(one, other, setting, record):
    case, found = converted(one, other, setting)
    target = case_for(other, setting)
    assert found.value == pytest.approx(target.value, rel=1e-13)
    if not {RECORDS[one].optimizer, RECORDS[other].optimizer} & ADAPTIVE:
        assert (found.lr or case.names["lr"]) == pytest.approx(target.names["lr"], rel=1e-13)
    else:
        assert found.lr in {None, LR}
    # A short last batch weighs less in a sum than in a mean.
    whole = summed_losses_differ(one, other)
    first = trained(one, setting, borrowed_for(one, other), drop_last=whole)
    second = trained(other, setting, borrowed_for(other, one), drop_last=whole)
    difference = deviation(first, second)
    record(STEPPERS[one].package, difference)
    assert difference <= STEPPERS[one].tolerance + STEPPERS[other].tolerance


def test_more_than_a_thousand_pairs_are_identical():
    assert len(IDENTICAL) > 1000


OPTIMISING = [
    key
    for key, found in RECORDS.items()
    if found.has_strength and is_directed(key) and STEPPERS[key].scheduled
    and STEPPERS[key].tolerance < 1e-5
    and found.optimizer in {ANY, SGD, "adam", "nadam", "rmsprop"}
]  # fmt: skip


@cache
def expected_optimum():
    """Return the optimum of strength .02 by Newton's method, as (6, 1) weights."""
    rule = parse_rule("minimise mean(loss) + lam/2*sum(w**2)")
    model = make_model("least-squares", n_examples=SIZE)
    return model, optimum(Learner(rule=rule, names={"lr": LR, "lam": 0.02}), model)


@pytest.mark.parametrize("loss", list(Loss))
@pytest.mark.parametrize("key", OPTIMISING)
def test_training_ends_at_the_optimum_that_the_number_stands_for(key, loss, record):
    found, stepper = RECORDS[key], STEPPERS[key]
    settings = {"momentum": 0.8} if stepper.momentum else {}
    model, target = expected_optimum()
    lr = 0.02 if found.is_adaptive else 0.1
    case = case_of(found, run_of(loss=loss, lr=lr, size=6, **settings))
    n_steps = 6000 if found.is_adaptive else 1500
    slope = 0.997 if found.is_adaptive else 1.0
    lrs = float(case.names["lr"]) * slope ** np.arange(n_steps)
    weights = np.zeros(6)
    step = stepper.make(case.value, case.names, weights, lrs)
    for _ in range(n_steps):
        weights = step(case.loss_scale * model.mean_gradient((weights,))[0])
    difference = float(np.abs(weights - target).max() / np.abs(target).max())
    record(stepper.package, difference)
    assert difference <= (2e-4 if found.is_adaptive or stepper.tolerance > 1e-9 else 1e-9)
