"""Settings of a momentum buffer that a framework does not have are not taken over from a run."""

import pytest

from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import Equivalence
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.conversion.plan import Match
from decaycalc.conversion.side import Side
from decaycalc.errors import ContradictionError

LACKING = [record.key for record in conventions() if record.lacks]
SIZES = {"batch_size": 64, "dataset_size": 6400}
DAMPENED = Run(lr="0.1", momentum="0.9", dampening="0.5", **SIZES)
NESTEROV = Run(lr="0.1", momentum="0.9", nesterov=True, **SIZES)


def heavy_ball(decay, *, dampening, n_steps):
    """Return a weight without data gradient after each step of torch's loop, lr 0.1."""
    weight, buffer, path = 1.0, None, []
    for _ in range(n_steps):
        grad = decay * weight
        buffer = grad if buffer is None else 0.9 * buffer + (1 - dampening) * grad
        weight -= 0.1 * buffer
        path.append(weight)
    return path


def test_a_decay_is_held_against_a_buffer_that_does_not_dampen():
    found = convert(
        "1e-4", source="pytorch-sgd", target="optax-sgd", run=DAMPENED, match=Match.DECAY
    )
    dampened = heavy_ball(1e-4, dampening=0.5, n_steps=4000)
    plain = heavy_ball(found.value, dampening=0.0, n_steps=4000)
    assert dampened[-1] / dampened[-2] == pytest.approx(plain[-1] / plain[-2], rel=1e-12)
    assert found.value == pytest.approx(5e-5, rel=1e-2)


def test_the_way_back_leads_back():
    there = convert(
        "1e-4", source="caffe", target="pytorch-sgd", run=DAMPENED, match=Match.DECAY
    ).value
    back = convert(there, source="pytorch-sgd", target="caffe", run=DAMPENED, match=Match.DECAY)
    assert there == pytest.approx(2e-4, rel=1e-2)
    assert back.value == pytest.approx(1e-4, rel=1e-12)


@pytest.mark.parametrize(
    ("key", "name"), [(key, name) for key in LACKING for name in find(key).lacks]
)
def test_no_framework_is_taken_for_one_that_has_more(key, name):
    run = {"dampening": DAMPENED, "nesterov": NESTEROV}[name]
    found = convert("1e-4", source="pytorch-sgd", target=key, run=run)
    assert found.equivalence != Equivalence.IDENTICAL
    assert f"{key} has no {name}" in found.note
    with pytest.raises(ContradictionError, match=f"{key} takes no {name}"):
        convert("1e-4", source=key, target="per-step-shrink", run=run)


@pytest.mark.parametrize("key", LACKING)
def test_the_buffer_of_a_framework_has_no_more_than_it_has(key):
    sides = [Side(convention=find(key), run=run) for run in (DAMPENED, NESTEROV)]
    assert all(not side.get(name) for side in sides for name in side.convention.lacks)
    assert "nesterov" not in find(key).lacks or not sides[1].nesterov


def test_buffers_of_two_momenta_are_not_said_to_agree_at_a_constant_lr():
    run, other = Run(lr="0.1", momentum="0.9"), Run(momentum="0.5")
    found = convert("1e-4", source="caffe", target="pytorch-sgd", run=run, target_run=other)
    assert "constant lr" not in found.note
