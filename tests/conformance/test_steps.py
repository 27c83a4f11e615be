"""Each framework's own steps against the record's rule and against the record's monomial."""

import numpy as np
import pytest
from cases import (
    LR,
    SHAPE,
    START,
    STEPS,
    case_of,
    deviation,
    executed,
    is_directed,
    run_of,
    simulated,
)
from registry import STEPPERS

from decaycalc.algebra.quantity import exact
from decaycalc.conventions.catalogue import conventions
from decaycalc.conventions.record import Coupling, Follows
from decaycalc.conversion.decay import decay_of

CONSTANT = np.ones(STEPS)
COSINE = (1 + np.cos(np.pi * np.arange(STEPS) / STEPS)) / 2
NOISE = np.random.default_rng(3).normal(size=(STEPS, *SHAPE))
NOTHING = np.zeros((STEPS, *SHAPE))

RECORDS = {record.key: record for record in conventions() if record.key in STEPPERS}
DIRECTED = [key for key in RECORDS if is_directed(key)]


def compare(key, record, gradients, multipliers, **settings):
    """Hold the framework's steps against the rule's."""
    stepper, case = STEPPERS[key], case_of(RECORDS[key], run_of(**settings))
    path = executed(stepper, case, gradients, multipliers)
    difference = deviation(simulated(case, gradients, multipliers), path)
    record(stepper.package, difference)
    assert difference <= tolerance_of(stepper, gradients)


def tolerance_of(stepper, gradients):
    """Return what the library's precision allows, with or without a gradient."""
    driven = stepper.driven_tolerance if np.any(gradients) else None
    return driven or stepper.tolerance


def test_every_stepper_has_a_record():
    assert set(STEPPERS) - set(RECORDS) == set()


@pytest.mark.parametrize("key", RECORDS)
def test_the_rule_takes_the_frameworks_steps_without_a_gradient(key, record):
    compare(key, record, NOTHING, CONSTANT)


@pytest.mark.parametrize("key", [key for key in RECORDS if STEPPERS[key].scheduled])
def test_the_rule_takes_the_frameworks_steps_under_a_schedule(key, record):
    compare(key, record, NOTHING, COSINE)


@pytest.mark.parametrize("key", DIRECTED)
def test_the_rule_takes_the_frameworks_steps_along_a_gradient(key, record):
    compare(key, record, NOISE, COSINE if STEPPERS[key].scheduled else CONSTANT)


@pytest.mark.parametrize("key", [key for key in RECORDS if STEPPERS[key].momentum])
@pytest.mark.parametrize("gradients", [NOTHING, NOISE], ids=["free", "driven"])
def test_the_rule_takes_the_frameworks_steps_with_momentum(key, gradients, record):
    gradients = gradients if is_directed(key) else NOTHING
    compare(key, record, gradients, COSINE, momentum=0.9)


@pytest.mark.parametrize("key", [key for key in RECORDS if STEPPERS[key].dampening])
@pytest.mark.parametrize("gradients", [NOTHING, NOISE], ids=["free", "driven"])
def test_the_rule_takes_the_frameworks_steps_with_dampening(key, gradients, record):
    compare(key, record, gradients, COSINE, momentum=0.85, dampening=0.5)


@pytest.mark.parametrize("key", [key for key in RECORDS if STEPPERS[key].nesterov])
@pytest.mark.parametrize("gradients", [NOTHING, NOISE], ids=["free", "driven"])
def test_the_rule_takes_the_frameworks_steps_with_nesterov(key, gradients, record):
    compare(key, record, gradients, COSINE, momentum=0.9, nesterov=True)


def factors_of(key, path):
    """Return what each step leaves of the weights, without a first step that only fills states."""
    factors = path / np.concatenate([[START], path[:-1]])
    return factors[1:] if "t > 1" in RECORDS[key].update else factors


SHRINKING = [
    key
    for key, found in RECORDS.items()
    if found.has_shrink and found.form is None and STEPPERS[key].scheduled
]


@pytest.mark.parametrize("key", SHRINKING)
def test_a_weight_decays_by_the_factor_that_the_record_states(key, record):
    stepper, case = STEPPERS[key], case_of(RECORDS[key])
    decay = decay_of(case.side, exact(case.value))
    assert decay is not None
    factors = factors_of(key, executed(stepper, case, NOTHING, CONSTANT))
    difference = abs(factors / decay.per_step_factor - 1).max()
    record(stepper.package, difference)
    assert difference <= stepper.tolerance * 10


@pytest.mark.parametrize("key", SHRINKING)
def test_a_decay_follows_the_schedule_as_the_record_states(key, record):
    found, stepper = RECORDS[key], STEPPERS[key]
    case = case_of(found)
    decay = decay_of(case.side, exact(case.value))
    assert decay is not None
    shape = {
        Follows.LR: COSINE,
        Follows.MULTIPLIER: COSINE,
        Follows.CONSTANT: CONSTANT,
        Follows.LR_SQUARED: COSINE**2,
    }[found.follows]
    shrinks = decay.first_order_shrink * shape
    factors = 1 / (1 + shrinks) if found.proximal else 1 - shrinks
    found = factors_of(key, executed(stepper, case, NOTHING, COSINE))
    difference = abs(found / factors[-len(found) :, None, None] - 1).max()
    record(stepper.package, difference)
    assert difference <= stepper.tolerance * 10


LONG_RUN = {
    "heavy-ball": {"momentum": 0.9},
    "dampened": {"momentum": 0.85, "dampening": 0.5},
    "nesterov": {"momentum": 0.9, "nesterov": True},
}
SETTLING = [
    (key, name)
    for key in SHRINKING
    for name, settings in LONG_RUN.items()
    if STEPPERS[key].tolerance < 1e-9 and all(getattr(STEPPERS[key], each) for each in settings)
]


@pytest.mark.parametrize(("key", "name"), SETTLING)
def test_momentum_decays_in_the_long_run_at_the_exact_root(key, name, record):
    stepper, settings = STEPPERS[key], LONG_RUN[name]
    case = case_of(RECORDS[key], run_of(lr=LR, **settings))
    decay = decay_of(case.side, exact(case.value))
    assert decay is not None
    assert not decay.oscillating
    n_steps = 700
    path = executed(stepper, case, np.zeros((n_steps, *SHAPE)), np.ones(n_steps))
    coupled = RECORDS[key].coupling == Coupling.COUPLED
    assert (abs(path[0] / START - decay.per_step_factor).max() > 1e-6) == coupled
    difference = abs(path[-1] / path[-2] - decay.per_step_factor).max()
    record(stepper.package, difference)
    assert difference <= 1e-11
