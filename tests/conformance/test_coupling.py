"""Penalties that join the gradient of optimizers whose direction is not simulated.

The framework with its number λ must step as the framework without it does along g + λ·w: then the
number is an L2 penalty of strength λ, whatever the optimizer makes of the gradient.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from cases import SHAPE, START, STEPS, case_of
from collected import COUPLED

from decaycalc.conventions.catalogue import conventions

NOISE = np.random.default_rng(3).normal(size=(STEPS, *SHAPE))
MEASURED = set(json.loads((Path(__file__).parent / "measured.json").read_text(encoding="utf-8")))
RECORDS = {record.key: record for record in conventions() if record.key in COUPLED}


def walk(stepper, case, value, penalty):
    """Return the weights after each step along noise plus `penalty` times the weights."""
    lrs = float(case.names["lr"]) * np.ones(STEPS)
    step = stepper.make(value, {**case.names, "value": value}, START, lrs)
    weights, path = START, []
    for noise in NOISE:
        weights = step(noise + penalty * weights)
        path.append(weights.copy())
    return np.array(path)


def test_every_coupled_stepper_has_a_record():
    assert set(COUPLED) == set(RECORDS)


@pytest.mark.parametrize("key", COUPLED)
def test_the_number_is_a_penalty_in_the_gradient(key, record):
    stepper, case = COUPLED[key], case_of(RECORDS[key])
    assert RECORDS[key].strength is not None
    theirs = walk(stepper, case, case.value, 0.0)
    by_hand = walk(stepper, case, 0.0, case.value)
    difference = np.abs(theirs - by_hand).max() / np.abs(by_hand).max()
    record(stepper.package, difference)
    assert difference <= stepper.tolerance
    assert not np.array_equal(theirs, walk(stepper, case, 0.0, 0.0))


def test_every_coupled_record_without_a_direction_is_stepped():
    hidden = {
        each.key
        for each in conventions()
        if each.is_adaptive
        and each.update.startswith("minimise ")
        and each.verification.startswith("executed")
    }
    elsewhere = MEASURED | {"dadaptation"}  # in environments of their own, by measure.py
    assert hidden - elsewhere == set(COUPLED) - elsewhere


def test_a_clip_by_norm_takes_a_penalty_in_the_loss_along():
    """What the note beside "exact" says: both steps are one, but under a clip they are not."""
    torch = pytest.importorskip("torch")

    def stepped(*, in_loss, clip):
        weight = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([weight], lr=0.1, weight_decay=0.0 if in_loss else 0.5)
        loss = 3 * weight + (0.25 * weight**2 if in_loss else 0)
        loss.sum().backward()
        if clip:
            torch.nn.utils.clip_grad_norm_([weight], 1.0)
        optimizer.step()
        return weight.item()

    assert stepped(in_loss=True, clip=False) == pytest.approx(stepped(in_loss=False, clip=False))
    assert stepped(in_loss=True, clip=True) == pytest.approx(1.9, rel=1e-5)
    assert stepped(in_loss=False, clip=True) == pytest.approx(1.8, rel=1e-5)
