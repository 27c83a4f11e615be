"""Decays with a schedule of their own: published runs, and the loops of their programs."""

import math
from fractions import Fraction

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.errors import ContradictionError, UnreadableFileError
from decaycalc.survival.scheduled import follow_decay

# DINOv2's ssl_default_config.yaml for ViT-L at batch size 2048: 100 epochs of 1250 steps.
DINO_PEAK = 4e-3 * math.sqrt(2)
DINO_RUN = Run(lr=repr(DINO_PEAK), steps=125_000)
DINO_LR = f"cosine:warmup=12500,final={1e-6 / DINO_PEAK!r}"


@pytest.mark.parametrize(
    ("value", "decay_schedule", "total"),
    [("0.04", "cosine:final=10", "51.1655"), ("0.04", None, "14.144"), ("0.4", None, "141.44")],
)
def test_dinov2s_decay_rises_tenfold(value, decay_schedule, total):
    found = follow_decay(
        value, source=find("pytorch-adamw"), run=DINO_RUN, schedule=DINO_LR,
        decay_schedule=decay_schedule, n_points=2,
    )  # fmt: skip
    digits = len(total.partition(".")[2])
    assert f"{found.decay.sum_shrink:.{digits}f}" == total


def half_cosine(share):
    return 0.5 * (1 + math.cos(math.pi * share))


def megatron(style, start, end):
    """Megatron-LM's OptimizerParamScheduler.get_wd, its ratio of the run's steps at hand."""

    def decay(share):
        coefficient = share if style == "linear" else 0.5 * (math.cos(math.pi * (1 - share)) + 1.0)
        return start + coefficient * (end - start)

    return decay


PROGRAMS = [
    ("0.01", "linear:final=10", megatron("linear", 0.01, 0.1)),
    ("0.01", "cosine:final=10", megatron("cosine", 0.01, 0.1)),
    ("0.1", "linear:initial=0,final=1", megatron("linear", 0.0, 0.1)),
    ("0.2", "cosine", lambda share: 0.2 * half_cosine(share)),  # nanochat's get_weight_decay
    ("0.2", "linear", lambda share: 0.2 * (1 - share)),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text", "decay"), PROGRAMS)
def test_what_is_left_is_the_product_of_all_steps(value, text, decay):
    n, lr = 5000, 3e-3
    found = follow_decay(
        value, source=find("pytorch-adamw"), run=Run(lr=lr, steps=n),
        schedule="linear:final=0.1", decay_schedule=text,
    )  # fmt: skip
    shrinks = [lr * (1 - 0.9 * step / n) * decay(step / n) for step in range(n)]
    assert found.decay.sum_shrink == pytest.approx(math.fsum(shrinks), rel=1e-12)
    left = Fraction(1)
    for shrink in shrinks:
        left = Fraction(float(left * (1 - Fraction(shrink))))
    assert found.decay.survival == pytest.approx(float(left), rel=1e-12)


def test_the_document_and_the_notes_tell_of_the_decays_schedule():
    found = follow_decay(
        "0.1", source=find("pytorch-adamw"), run=Run(lr=1e-3, steps=100),
        decay_schedule="linear:length=50",
    )  # fmt: skip
    document = found.to_dict()
    assert (document["schedule"], document["decay_schedule"]) == ("constant", "linear:length=50")
    assert document["equilibrium"] is None
    assert "decay schedule: linear: it ends at step 50, before step 100" in found.warnings
    assert found.decay.curve[-1].survival == found.decay.survival


def test_a_file_of_decays_is_taken_over_the_value(tmp_path):
    path = tmp_path / "wd.csv"
    path.write_text("step,weight_decay\n0,0.04\n100,0.4\n")
    found = follow_decay(
        "0.04", source=find("pytorch-adamw"), run=Run(lr=1e-3, steps=100),
        decay_schedule=f"file:{path}",
    )  # fmt: skip
    expected = math.fsum(1e-3 * (0.04 + 0.36 * step / 100) for step in range(100))
    assert found.decay.sum_shrink == pytest.approx(expected)
    path.write_text("step,lr\n0,1\n")
    with pytest.raises(UnreadableFileError, match="no column of weight_decay, decay_multiplier"):
        follow_decay(
            "0.04", source=find("pytorch-adamw"), run=Run(lr=1e-3, steps=100),
            decay_schedule=f"file:{path}",
        )  # fmt: skip


@pytest.mark.parametrize("key", ["half-life-steps", "ema-timescale-steps", "per-step-factor"])
def test_a_number_that_does_not_multiply_the_decay_has_no_schedule(key):
    value = {"per-step-factor": "0.99"}.get(key, "100")
    with pytest.raises(ContradictionError, match=f"that of {key} is not proportional"):
        follow_decay(value, source=find(key), run=Run(lr=1e-3, steps=100), decay_schedule="cosine")


def test_a_decay_that_oscillates_at_its_own_peak_alone_is_warned_of():
    run = Run(lr="0.1", momentum="0.9", steps=100)
    steady, rising = (
        follow_decay("0.01", source=find("pytorch-sgd"), run=run, decay_schedule=text)
        for text in (None, "linear:final=10")
    )
    assert not any("oscillates" in text for text in steady.warnings)
    assert any("oscillates" in text for text in rising.warnings)
