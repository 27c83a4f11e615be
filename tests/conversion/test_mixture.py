"""Steps that mix gradient and momentum buffer (QHM, PID): exact decays against their loops."""

import math
from fractions import Fraction

import numpy as np
import pytest

import decaycalc
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.plan import Match, plan, target_side
from decaycalc.conversion.side import Side
from decaycalc.errors import NoEquivalentError
from decaycalc.explanation.conversion import explain
from decaycalc.survival.scheduled import follow_decay

LR, DECAY = 0.1, 2e-3
BEYOND = r"momentum 0\.4 the gradient's change outweighs"
NU = {"pytorch-optimizer-qhm": 1.0, "torch-optimizer-qhm": 0.7}
PID = ("pytorch-optimizer-pid", "torch-optimizer-pid")


def qhm(nu, momentum, lrs):
    """Yield the weight after each step without data gradient, as torch_optimizer/qhm.py steps."""
    weight, buffer = 1.0, 0.0
    for lr in lrs:
        grad = DECAY * weight
        buffer = momentum * buffer + (1 - momentum) * grad
        weight -= lr * nu * buffer + lr * (1 - nu) * grad
        yield weight


def pid(momentum, dampening, lrs):
    """Yield the weight after each step without data gradient, as torch_optimizer/pid.py steps."""
    weight, integral, change, before = 1.0, None, 0.0, 0.0
    for step, lr in enumerate(lrs):
        grad = DECAY * weight
        integral = grad if integral is None else momentum * integral + (1 - dampening) * grad
        change = momentum * change + (1 - momentum) * (grad - before) if step else 0.0
        before = grad if step else 0.0
        weight -= lr * (grad + 5 * integral + 10 * change)
        yield weight


def last_factor(path):
    """Return by what the last step multiplied the weight."""
    path = list(path)
    return path[-1] / path[-2]


def factor_of(key, **settings):
    """Return the exact factor per step that the converter knows."""
    side = Side(convention=find(key), run=Run(lr=LR, **settings))
    return decay_of(side, Fraction(DECAY)).per_step_factor


@pytest.mark.parametrize("momentum", [0.3, 0.9, 0.95])
@pytest.mark.parametrize("key", NU)
def test_quasi_hyperbolic_momentum_decays_as_its_loop(key, momentum):
    expected = last_factor(qhm(NU[key], momentum, [LR] * 3000))
    assert factor_of(key, momentum=momentum) == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize(("momentum", "dampening"), [(0.6, 0), (0.9, 0), (0.9, 0.5)])
@pytest.mark.parametrize("key", PID)
def test_proportional_integral_steps_decay_as_their_loop(key, momentum, dampening):
    expected = last_factor(pid(momentum, dampening, [LR] * 1500))
    found = factor_of(key, momentum=momentum, dampening=dampening)
    assert found == pytest.approx(expected, abs=1e-13)


@pytest.mark.parametrize("key", NU)
def test_quasi_hyperbolic_momentum_survives_a_schedule_as_its_loop(key):
    run = Run(lr=LR, momentum=0.9, steps=500)
    lrs = [LR * (1 + math.cos(math.pi * step / 500)) / 2 for step in range(500)]
    found = follow_decay(DECAY, source=find(key), run=run, schedule="cosine")
    assert found.decay.survival == pytest.approx(list(qhm(NU[key], 0.9, lrs))[-1], rel=1e-13)
    whole = follow_decay(DECAY, source=find(key), run=run)
    assert whole.decay.survival == pytest.approx(list(qhm(NU[key], 0.9, [LR] * 500))[-1], rel=1e-13)


@pytest.mark.parametrize("key", [*NU, *PID])
def test_an_exact_decay_is_held_there_and_back(key):
    run = Run(lr=LR, momentum="0.9")
    there = convert(DECAY, source=key, target="pytorch-sgd", run=run, match=Match.DECAY).value
    back = convert(there, source="pytorch-sgd", target=key, run=run, match=Match.DECAY).value
    assert back == pytest.approx(DECAY, rel=1e-9)
    assert factor_of(key, momentum="0.9") == pytest.approx(
        convert(
            there, source="pytorch-sgd", target="per-step-factor", run=run, match=Match.DECAY
        ).value,
        abs=1e-13,
    )


def test_arrays_of_numbers_are_answered_as_one_is():
    values = np.array([1e-4, 1e-3])
    named = {"target": "per-step-shrink", "lr": LR, "momentum": 0.9, "match": "decay"}
    found = decaycalc.convert(values, source="torch-optimizer-qhm", **named)
    one = decaycalc.convert(1e-3, source="torch-optimizer-qhm", **named)
    assert found.value[1] == pytest.approx(one.value, rel=1e-13)


def test_where_a_step_takes_more_from_the_change_the_decay_is_refused():
    run = Run(lr=LR, momentum="0.4")
    with pytest.raises(NoEquivalentError, match=BEYOND):
        convert(DECAY, source=PID[0], target="per-step-shrink", run=run)
    with pytest.raises(NoEquivalentError, match=BEYOND):
        follow_decay(DECAY, source=find(PID[0]), run=Run(lr=LR, momentum="0.4", steps=9))
    assert convert(DECAY, source=PID[0], target="pytorch-sgd", run=run).value == DECAY


def test_a_first_step_that_differs_has_no_schedule():
    with pytest.raises(NoEquivalentError, match="its first step is another"):
        follow_decay(DECAY, source=find(PID[0]), run=Run(lr=LR, momentum="0.9", steps=9))
    plain = follow_decay(DECAY, source=find(PID[0]), run=Run(lr=LR, steps=9))
    assert plain.decay.survival == pytest.approx((1 - LR * DECAY) ** 9, rel=1e-13)


def test_the_equation_of_a_mixture_is_explained():
    side = Side(convention=find("torch-optimizer-qhm"), run=Run(lr=LR, momentum="0.9"))
    way = plan(side, target_side(side, find("pytorch-sgd")), match=Match.DECAY)
    shown = " ".join(f"{step.formula} {step.text}" for step in explain(way, Fraction(DECAY)).steps)
    assert "z^2 - (1 + momentum - 3.7·q)·z + momentum - 2.7·q = 0" in shown
    assert "its steps mix gradient and momentum" in shown
