"""Predicted equilibria: worked numbers, and the random walk that they describe."""

import math

import numpy as np
import pytest

from decaycalc.conversion.momentum import half_life_steps
from decaycalc.errors import InvalidValueError
from decaycalc.survival.equilibrium import (
    adamw_equilibrium,
    lion_equilibrium,
    sgd_equilibrium,
)

# lr, decay, then RMS, rotation and half-life as printed.
WORKED = [
    (6e-4, 0.1, ".0547723", "2.51312e-3", "11552.45"),
    (4e-3, 0.05, ".2", "4.58831e-3", "3465.7"),
    (1e-3, 0.05, ".1", "2.29416e-3", "13862.9"),
    (2.4e-3, 0.05, ".154919", "3.55409e-3", "5776.2"),
    (3e-4, 0.1, ".0387298", "1.77705e-3", "23104.9"),
]


@pytest.mark.parametrize(("lr", "decay", "rms", "rotation", "half_life"), WORKED)
def test_adamw_reproduces_the_worked_numbers(
    lr: float, decay: float, rms: str, rotation: str, half_life: str
) -> None:
    # The table's rotations are for beta1 = 0.9, LLaMA's and nanoGPT's too.
    found = adamw_equilibrium(lr, decay)
    assert found.rms == pytest.approx(float(rms), rel=1e-5)
    assert found.rotation == pytest.approx(float(rotation), rel=5e-6)
    # The table's half-lives are to first order, ln 2/(lr*decay). The exact one is
    # -ln 2/log(1 - lr*decay), which is ln(2)/2 = 0.35 steps shorter.
    digits = len(half_life.partition(".")[2])
    assert f"{math.log(2) / (lr * decay):.{digits}f}" == half_life
    exact = half_life_steps(lr * decay)
    assert exact == pytest.approx(math.log(2) / (lr * decay) - math.log(2) / 2, rel=1e-8)


def test_momentum_sgd_reproduces_the_worked_numbers() -> None:
    resnet = sgd_equilibrium(0.1, 1e-4, momentum=0.9)
    assert f"{resnet.rotation:.5e}" == "3.24443e-03"
    assert resnet.relaxation_steps == pytest.approx(2500)
    assert resnet.norm is None
    wide = sgd_equilibrium(0.1, 5e-4, momentum=0.9)
    assert f"{wide.rotation:.5e}" == "7.25476e-03"
    assert wide.relaxation_steps == pytest.approx(500)
    assert f"{sgd_equilibrium(0.1, 0.01, momentum=0.9).rotation:.6f}" == "0.032444"


def test_lion_reproduces_the_worked_numbers() -> None:
    # Lion(0.9, 0.99): norm 91.1 simulated, 95.1 predicted.
    lion = lion_equilibrium(0.01, 0.1, n_weights=4000)
    assert f"{lion.norm:.1f}" == "95.1"
    assert lion.rms is not None
    assert lion_equilibrium(0.01, 0.1).norm is None
    assert "prediction for normalised layers" in lion.label


def test_norms_are_rms_times_root_of_the_weights() -> None:
    found = adamw_equilibrium(1e-3, 0.05, n_weights=400)
    assert found.norm == pytest.approx(0.1 * 20)
    assert found.relaxation_steps == pytest.approx(10_000)


def test_plain_sgd_at_right_angles_settles_at_the_predicted_turn() -> None:
    lr, decay = 0.1, 0.05
    norm = 3.0
    for _ in range(2000):  # the gradient 1/norm stands at right angles to the weights
        turn = math.atan2(lr / norm, norm * (1 - lr * decay))
        norm = math.hypot(norm * (1 - lr * decay), lr / norm)
    assert turn == pytest.approx(sgd_equilibrium(lr, decay).rotation, rel=1e-3)


def test_adamw_with_independent_gradients_settles_near_the_predicted_size() -> None:
    random = np.random.default_rng(0)
    lr, decay, beta1, beta2 = 0.01, 0.1, 0.9, 0.99
    weights, mean, square = np.zeros((3, 2000))
    for step in range(1, 3001):
        gradient = random.standard_normal(2000)
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        update = (mean / (1 - beta1**step)) / (np.sqrt(square / (1 - beta2**step)) + 1e-8)
        weights = weights * (1 - lr * decay) - lr * update
    predicted = adamw_equilibrium(lr, decay).rms
    assert np.sqrt(np.mean(weights**2)) == pytest.approx(predicted, rel=0.05)


def test_sizes_at_the_ends_of_float64_are_no_infinities() -> None:
    assert adamw_equilibrium(1e154, 1e-159).rms == pytest.approx(math.sqrt(5) * 1e156)
    assert lion_equilibrium(1e300, 1e-320, n_weights=1e9).rms is None
    assert lion_equilibrium(1e300, 1e-320, n_weights=1e9).norm is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: adamw_equilibrium(0, 0.1), "lr 0 must be positive"),
        (lambda: adamw_equilibrium(0.1, math.inf), "decay inf must be positive"),
        (lambda: adamw_equilibrium(0.1, 0.1, beta1=1), "beta1 1 must be at least 0 and below 1"),
        (lambda: sgd_equilibrium(0.1, 0.1, momentum=1), "momentum 1 must be at least 0 and below"),
    ],
)
def test_values_out_of_range_are_refused_by_name(call, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        call()
