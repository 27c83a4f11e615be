"""VeOmni's YAML, which has LitGPT's names of a batch and the Trainer's of a length."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """
model: {model_path: a}
data: {train_path: b, train_size: 1_000_000, max_seq_len: 1000}
train:
  global_batch_size: 10
  micro_batch_size: 1
  num_train_epochs: 2
  optimizer: {lr: 1.0e-4, weight_decay: 0.1, lr_decay_style: cosine, lr_warmup_ratio: 0.1,
              lr_min: 1.0e-5}
"""
OLDER = """
model: {model_path: a}
data: {train_path: b}
train:
  micro_batch_size: 2
  ulysses_parallel_size: 2
  optimizer: adamw
  lr: 3.0e-4
  lr_warmup_ratio: 0.007
  lr_decay_style: constant
  weight_decay: 0.01
"""


def test_a_packed_run_is_as_long_as_its_tokens(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("veomni", "pytorch-adamw", "0.1")
    assert (found.run.examples_per_step, found.run.steps) == (10, 200)
    assert (found.unit, found.betas) == ("packs of 1000 tokens", ("0.9", "0.95"))
    assert found.schedule == "cosine:warmup=10%,final=0.1"
    assert shrink(found) == pytest.approx(1e-5)
    assert found.exempt.mask == "all"


def test_the_older_keys(tmp_path):
    found = read(tmp_path, "a.yaml", OLDER, world_size="4")
    assert (found.kind, found.convention, found.value) == ("veomni", "pytorch-adamw", "0.01")
    assert (found.run.examples_per_step, found.run.epochs) == (8, 1)
    assert found.schedule == "constant:warmup=0.7%"
    most = read(tmp_path, "b.yaml", OLDER + "  max_steps: 100\n")
    assert (most.run.steps, most.schedule) == (100, "constant")
    assert any("max_steps is the most of an epoch" in note for note in most.notes)


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("cosine", "cosine, lr_decay_ratio: 0.5, lr_start: 1.0e-6",
         "cosine:warmup=10%,start=0.01,length=50%,final=0.1"),
        ("cosine", "linear", "linear:warmup=10%"),
        ("cosine, lr_warmup_ratio: 0.1", "linear, lr_warmup_ratio: 0.013", "linear:warmup=2"),
        ("cosine", "other", None),
        ("1_000_000", "1_000_000, data_type: diffusion", "cosine:warmup=10%,final=0.1"),
    ],
)  # fmt: skip
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yaml", FILE.replace(old, new)).schedule == schedule


def test_an_open_length_of_the_decay_is_a_share(tmp_path):
    text = OLDER.replace("constant", "cosine\n  lr_decay_ratio: 0.5\n  lr_min: 0")
    assert read(tmp_path, "a.yaml", text).schedule == "cosine:warmup=0.7%,length=50%"
    assert read(tmp_path, "b.yaml", FILE.replace("1_000_000", "'${SIZE}'")).run.steps is None


def test_what_a_file_says_beside_is_told(tmp_path):
    text = FILE.replace("  optimizer:", "  vit_lr: 1.0e-6\n  bsz_warmup_ratio: 0.02\n  optimizer:")
    found = read(tmp_path, "a.yaml", text.replace("lr_min", "no_decay_params: [bias], lr_min"))
    assert found.exempt.rule == "names that match bias"
    assert found.run.steps == 202
    assert any("vit_lr" in note for note in found.notes)
    assert any("B is smaller at the start" in note for note in found.notes)


def test_muon_has_two_numbers(tmp_path):
    found = read(tmp_path, "a.yaml", FILE.replace("{lr:", "{type: muon, lr:"))
    assert (found.value, "two numbers" in found.refusal) == (None, True)
