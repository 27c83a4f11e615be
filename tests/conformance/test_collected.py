"""The optimizer collections' own steps against the records' rules, as test_steps.py does it."""

import numpy as np
import pytest
from cases import SHAPE, STEPS, case_of, deviation, executed, is_directed, run_of, simulated
from collected import COLLECTED

from decaycalc.conventions.catalogue import conventions

RECORDS = {record.key: record for record in conventions() if record.key in COLLECTED}
COSINE = (1 + np.cos(np.pi * np.arange(STEPS) / STEPS)) / 2
NOISE = np.random.default_rng(3).normal(size=(STEPS, *SHAPE))


def compare(key, record, gradients, **settings):
    """Hold the framework's steps under a cosine schedule against the rule's."""
    stepper, case = COLLECTED[key], case_of(RECORDS[key], run_of(**settings))
    path = executed(stepper, case, gradients, COSINE)
    difference = deviation(simulated(case, gradients, COSINE), path)
    record(stepper.package, difference)
    assert difference <= stepper.tolerance


def test_every_collected_stepper_has_a_record():
    assert set(COLLECTED) == set(RECORDS)


@pytest.mark.parametrize("key", COLLECTED)
def test_the_rule_takes_the_frameworks_steps_without_a_gradient(key, record):
    compare(key, record, 0 * NOISE)


@pytest.mark.parametrize("key", [key for key in COLLECTED if is_directed(key)])
def test_the_rule_takes_the_frameworks_steps_along_a_gradient(key, record):
    compare(key, record, NOISE)


@pytest.mark.parametrize("key", [key for key in COLLECTED if COLLECTED[key].momentum])
def test_the_rule_takes_the_frameworks_steps_with_momentum(key, record):
    compare(key, record, NOISE if is_directed(key) else 0 * NOISE, momentum=0.9)
