"""trlX's files: torch's or bitsandbytes' optimizers by name, a cosine that may not fall."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
train:
  total_steps: 5000
  batch_size: 24
  pipeline: "PromptPipeline"
tokenizer:
  tokenizer_path: "a"
optimizer:
  name: "adamw"
  kwargs:
    lr: 1.0e-4
    betas: [0.9, 0.95]
    weight_decay: 0.01
scheduler:
  name: "cosine_annealing"
  kwargs:
    T_max: 8000
    eta_min: 1.0e-5
"""


def test_a_file_is_read(tmp_path):
    found = read(tmp_path, "a.yml", FILE)
    assert (found.kind, found.convention, found.value) == ("trlx", "pytorch-adamw", "0.01")
    assert (found.run.examples_per_step, found.run.steps) == (24, 5000)
    assert found.schedule == "cosine:length=8000,final=0.1"
    assert shrink(found) == pytest.approx(1e-6)


@pytest.mark.parametrize(
    ("old", "new", "convention", "value"),
    [
        ("adamw", "adamw_8bit_bnb", "bitsandbytes-adamw", "0.01"),
        ("    weight_decay: 0.01\n", "", "pytorch-adamw", "0.01"),
        ('"adamw"\n  kwargs:\n    lr: 1.0e-4\n    betas: [0.9, 0.95]\n    weight_decay: 0.01',
         '"mine"\n  kwargs:\n    lr: 1.0e-4', None, None),
    ],
)  # fmt: skip
def test_optimizers(tmp_path, old, new, convention, value):
    found = read(tmp_path, "a.yml", FILE.replace(old, new))
    assert (found.convention, found.value) == (convention, value)


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("eta_min: 1.0e-5", "eta_min: 1.0e-4", "constant"),
        ("T_max: 8000", "T_max: 5000", "cosine:final=0.1"),
        ("    T_max: 8000\n", "", None),
        ("cosine_annealing", "linear", None),
    ],
)
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yml", FILE.replace(old, new)).schedule == schedule


def test_an_unknown_optimizer_has_no_default_decay(tmp_path):
    text = FILE.replace('"adamw"', '"mine"').replace("    weight_decay: 0.01\n", "")
    found = read(tmp_path, "a.yml", text)
    assert (found.value, any("whichever comes first" in note for note in found.notes)) == (
        None,
        True,
    )


def test_a_file_without_a_scheduler_has_no_schedule(tmp_path):
    assert (
        read(
            tmp_path,
            "a.yml",
            FILE[: FILE.index("scheduler:")] + "model: {num_layers_unfrozen: 2}\n",
        ).schedule
        is None
    )
