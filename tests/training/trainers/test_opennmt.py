"""OpenNMT-py's YAML, and Eole's, which has its names in a section."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """
save_checkpoint_steps: 10000
valid_steps: 10000
train_steps: 200000
warmup_steps: 8000
hidden_size: 512
accum_count: 2
optim: adam
adam_beta2: 0.998
decay_method: noam
learning_rate: 2.0
batch_size: 4096
batch_type: tokens
world_size: 4
gpu_ranks: [0, 1, 2, 3]
"""
EOLE = """
model: {hidden_size: 512}
training:
  train_steps: 1000
  valid_steps: 100
  gpu_ranks: [0]
  optim: adamw
  learning_rate: 1.0e-4
  weight_decay: 0.05
  batch_size: 32
  accum_count: [8]
  warmup_steps: 100
  decay_method: cosine
"""


def test_nothing_decays_under_adam(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("opennmt", "pytorch-adam", "0")
    assert origins(found)["weight_decay"] == "default"
    assert (found.run.examples_per_step, found.unit) == (32768, "tokens")
    assert (found.run.steps, found.betas) == (200000, ("0.9", "0.998"))
    assert float(found.run.lr) == pytest.approx(2 / (512 * 8000) ** 0.5)
    assert found.schedule == "inverse-sqrt:warmup=8000,ramp=one"


def test_bitsandbytes_classes_are_given_a_decay(tmp_path):
    found = read(tmp_path, "a.yaml", FILE.replace("optim: adam\n", "optim: adamw8bit\n"))
    assert (found.convention, found.value) == ("bitsandbytes-adamw", "0.01")


def test_eole_has_a_weight_decay(tmp_path):
    found = read(tmp_path, "a.yaml", EOLE)
    assert (found.kind, found.convention, found.value) == ("opennmt", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, found.unit) == (256, "sentences")
    assert found.schedule == "cosine:warmup=100,ramp=one,counts=one"
    assert (shrink(found), found.exempt.mask) == (pytest.approx(5e-6), "all")
    assert read(tmp_path, "b.yaml", EOLE.replace("  weight_decay: 0.05\n", "")).value == "0"


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("decay_method: noam\n", "start_decay_steps: 150000\ndecay_steps: 20000\n",
         "step:at=149999/169999/189999,gamma=0.5"),
        ("decay_method: noam\n", "start_decay_steps: 300000\n", "constant"),
        ("noam", "noamwd", None),
        ("noam", "rsqrt", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yaml", FILE.replace(old, new)).schedule == schedule


def test_what_is_open_is_none(tmp_path):
    text = FILE.replace("hidden_size: 512\n", "").replace("accum_count: 2", "accum_count: [4, 2]")
    found = read(tmp_path, "a.yaml", text)
    assert (found.run.lr, found.run.grad_accum) == (None, None)
    assert any("changes over the run" in note for note in found.notes)
