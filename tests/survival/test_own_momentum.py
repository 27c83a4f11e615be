"""A penalty follows the momentum of its framework's own SGD, as its source has the steps."""

from math import cos, pi

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.survival.scheduled import follow_decay

N_STEPS, LR, MOMENTUM, WARMUP = 100, 0.1, 0.9, 5


def multiplier(step):
    if step < WARMUP:
        return step / WARMUP
    return 0.5 * (1 + cos(pi * (step - WARMUP) / (N_STEPS - WARMUP)))


def left(coefficient, *, inside):
    """Return what is left of a weight of 1, by the loop of a framework."""
    weight, velocity = 1.0, 0.0
    for step in range(N_STEPS):
        lr, gradient = LR * multiplier(step), coefficient * weight
        velocity = MOMENTUM * velocity + (lr if inside else 1.0) * gradient
        weight -= velocity if inside else lr * velocity
    return weight


@pytest.mark.parametrize(
    ("key", "coefficient", "inside"),
    [
        ("keras-l2", 0.02, True), ("lasagne-l2", 0.02, True), ("chainer-weight-decay", 0.01, True),
        ("pylearn2-weight-decay", 0.02, True), ("flux-weight-decay", 0.01, True),
        ("dl4j-l2", 0.01, True), ("tfjs-l2", 0.02, False), ("mean-half-l2", 0.01, False),
        ("pytorch-sgd", 0.01, False), ("caffe", 0.01, True),
    ],
)  # fmt: skip
def test_a_schedule_is_followed_as_the_framework_follows_it(key, coefficient, inside):
    run = Run(lr="0.1", momentum="0.9", steps=N_STEPS)
    found = follow_decay("0.01", source=find(key), run=run, schedule=f"cosine:warmup={WARMUP}")
    assert found.decay.survival == pytest.approx(left(coefficient, inside=inside), rel=1e-12)


def test_two_penalties_are_one_objective_whatever_momentum_trains_them():
    run = Run(lr="0.1", momentum="0.9")
    assert convert("1e-4", source="keras-l2", target="mean-l2", run=run).equivalence == "identical"
