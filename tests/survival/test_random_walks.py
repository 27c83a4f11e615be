"""What is estimated rests on simulated random walks: cautious decay, and steps of constant norm."""

from functools import cache

import numpy as np
import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.survival.equilibrium import muon_equilibrium

LR, BETA1, BETA2 = 1e-2, 0.9, 0.999


def hyperball_lr(lr, decay):
    """Return the lr of a norm-constrained step that turns like AdamW at rest."""
    return np.sqrt(2 * lr * decay * (1 - BETA1) / (1 + BETA1))


class Adam:
    """Adam's direction after its second moment has settled, from noise of variance 1."""

    def __init__(self, size):
        self.mean, self.square = np.zeros(size), np.ones(size)

    def __call__(self, gradient):
        self.mean = BETA1 * self.mean + (1 - BETA1) * gradient
        self.square = BETA2 * self.square + (1 - BETA2) * gradient**2
        return self.mean / np.sqrt(self.square)


def mean_square(weight_decay, *, cautious, size=1200):
    """Return the mean square that AdamW in pure noise keeps its weights at, after 5 timescales."""
    steps = round(10 / (LR * weight_decay))
    noise, direction, w, kept = np.random.default_rng(1), Adam(size), np.zeros(size), []
    for step in range(steps):
        update = direction(noise.normal(size=size))
        decayed = (update * w >= 0) if cautious else True
        w = w - LR * weight_decay * w * decayed - LR * update
        if step > steps // 2:
            kept.append(np.mean(w * w))
    return np.mean(kept)


@pytest.mark.parametrize(("weight_decay", "share"), [(0.1, 0.44), (0.5, 0.36)])
def test_cautious_decay_acts_like_a_smaller_one(weight_decay, share):
    plain, cautious = (mean_square(weight_decay, cautious=each) for each in (False, True))
    assert plain / cautious == pytest.approx(share, abs=0.02)


def polar(matrix):
    """Return the orthogonal factor of a matrix."""
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    return left @ right


@cache
def muon_mean_square(weight_decay, *, cautious, nesterov):
    """Return the mean square that Muon (momentum 0.95) in pure noise keeps its weights at."""
    steps, shape = 2400, (28, 28)
    noise, buffer, w, kept = np.random.default_rng(2), np.zeros(shape), np.zeros(shape), []
    for step in range(steps):
        gradient = noise.normal(size=shape)
        buffer = 0.95 * buffer + 0.05 * gradient
        update = polar(0.95 * buffer + 0.05 * gradient if nesterov else buffer)
        decayed = (update * w >= 0) if cautious else True
        w = w - 0.02 * weight_decay * w * decayed - 0.02 * update
        if step > steps // 3:
            kept.append(np.mean(w * w))
    return np.mean(kept)


def test_cautious_decay_under_muon_acts_like_0_37_of_it_at_lr_decay_3e_3():
    plain, cautious = (
        muon_mean_square(0.15, cautious=each, nesterov=False) for each in (False, True)
    )
    assert plain / cautious == pytest.approx(0.37, abs=0.03)


@pytest.mark.parametrize(
    ("weight_decay", "nesterov", "least"),
    [(0.15, False, 0.78), (0.5, False, 0.78), (0.15, True, 0.73), (0.5, True, 0.73)],
)
def test_muon_settles_within_the_stated_range_of_its_predicted_rms(weight_decay, nesterov, least):
    measured = np.sqrt(muon_mean_square(weight_decay, cautious=False, nesterov=nesterov))
    predicted = muon_equilibrium(0.02, weight_decay, update_rms=28**-0.5).rms
    assert least <= measured / predicted <= 1.0


def turn(step, *, w, warmup, steps=200, seed=3):
    """Return 1 - cos of the angle that `step(w, gradient)` turns a vector by, after a warm-up."""
    noise, start = np.random.default_rng(seed), w
    for t in range(warmup + steps):
        start = w if t == warmup else start
        gradient = noise.normal(size=w.size)
        w = step(w, gradient - w * (gradient @ w) / (w @ w))  # a normalised layer's gradient
    return 1 - (w @ start) / np.sqrt((w @ w) * (start @ start))


def test_a_norm_constrained_step_of_that_lr_turns_like_adamw():
    size, weight_decay = 10_000, 0.1
    start = np.random.default_rng(5).normal(size=size)
    adam, ball = Adam(size), Adam(size)

    def decayed(w, gradient):
        return w * (1 - LR * weight_decay) - LR * adam(gradient)

    def constrained(w, gradient):
        update = ball(gradient)
        norm = np.linalg.norm(w)
        after = w - hyperball_lr(LR, weight_decay) * update * norm / np.linalg.norm(update)
        return after * norm / np.linalg.norm(after)

    rms = np.sqrt(LR / (2 * weight_decay))
    measured = turn(decayed, w=start * rms, warmup=1500)
    assert turn(constrained, w=start, warmup=300) == pytest.approx(measured, rel=0.03)
    assert measured == pytest.approx(0.1736, rel=0.03)


@pytest.mark.parametrize("key", ["hyperball-lr", "levanter-adamh"])
def test_the_record_is_that_lr(key):
    answer = convert("0.1", source="pytorch-adamw", target=key, run=Run(lr="0.01"))
    assert answer.value == pytest.approx(hyperball_lr(1e-2, 0.1))
    assert answer.equivalence == "estimate"
    assert find(key).estimate in answer.note
