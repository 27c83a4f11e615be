"""Decays with a schedule of their own: what optax leaves of a weight, and the products by hand.

optax counts steps in 32-bit integers and so follows its schedules in single precision; the ones
here turn the count into a double before they use it, so that the products can be held to 1e-12.
"""

import math

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.survival.scheduled import follow_decay

STEPS, WARM, PEAK, DECAY = 400, 40, 1e-2, 0.1


def half(share, start, end, cos=math.cos):
    """Return half a cosine from start to end."""
    return end + (start - end) * (1 + cos(math.pi * share)) / 2


def lr_of(t, lib=math):
    warm, after = PEAK * t / WARM, half((t - WARM) / (STEPS - WARM), PEAK, 1e-3, lib.cos)
    return (warm if t < WARM else after) if lib is math else lib.where(t < WARM, warm, after)


CASES = {
    "cosine": lambda t, cos: half(t / STEPS, DECAY, 0.0, cos),  # nanochat
    "cosine:final=10": lambda t, cos: half(t / STEPS, DECAY, 10 * DECAY, cos),  # DINOv2, Megatron
    "linear:final=10": lambda t, _: DECAY * (1 + 9 * t / STEPS),  # Megatron
    "polynomial:final=0.2,power=2": lambda t, _: DECAY * (0.2 + 0.8 * (1 - t / STEPS) ** 2),
    "step:at=100/300,gamma=0.5": lambda t, _: DECAY * 0.5 ** ((t >= 100) * 1.0 + (t >= 300) * 1.0),
}


def ours(text):
    run = Run(lr=str(PEAK), steps=STEPS)
    found = follow_decay(
        str(DECAY), source=find("optax-adamw"), run=run, schedule="cosine:warmup=40,final=0.1",
        decay_schedule=text, n_points=2,
    )  # fmt: skip
    return found.decay.survival


@pytest.mark.parametrize("text", CASES)
def test_the_product_by_hand_is_what_is_left(text):
    steps = range(STEPS)
    left = math.prod(1 - lr_of(t) * CASES[text](t, math.cos) for t in steps)
    assert ours(text) == pytest.approx(left, rel=1e-12)


@pytest.mark.parametrize("text", CASES)
def test_optax_leaves_as_much(text, record):
    jax = pytest.importorskip("jax")
    optax = pytest.importorskip("optax")
    jax.config.update("jax_enable_x64", val=True)
    jnp = jax.numpy

    def double(function):
        return lambda count: function(jnp.asarray(count, jnp.float64))

    made = optax.adamw(
        double(lambda t: lr_of(t, jnp)),
        weight_decay=double(lambda t: CASES[text](t, jnp.cos)),
    )
    weights = jnp.ones(1, jnp.float64)
    state = made.init(weights)
    step = jax.jit(made.update)
    for _ in range(STEPS):
        updates, state = step(jnp.zeros_like(weights), state, weights)
        weights = optax.apply_updates(weights, updates)
    left = float(weights[0])
    record("optax", abs(ours(text) / left - 1))
    assert ours(text) == pytest.approx(left, rel=1e-12)
