"""LitGPT's YAML configurations."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """\
model_name: pythia-160m
train:
  global_batch_size: 256
  micro_batch_size: 8
  lr_warmup_steps: 500
  max_tokens: 1048576000
  max_seq_length: 2048
  min_lr: 4.0e-05
optimizer:
  class_path: torch.optim.AdamW
  init_args:
    lr: 4e-4
    weight_decay: 0.1
    betas:
      - 0.9
      - 0.95
devices: 4
"""
TUNE = """\
checkpoint_dir: checkpoints/a
train:
  micro_batch_size: 1
  max_seq_length: 512
optimizer: AdamW
"""


def test_pretraining_counts_tokens_and_its_budget_gives_the_steps(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("litgpt", "pytorch-adamw", "0.1")
    assert (found.run.examples_per_step, found.unit) == (524_288, "tokens")
    assert (found.run.total_steps, found.schedule) == (2000, "cosine:warmup=500,final=0.1")
    assert found.betas == ("0.9", "0.95")
    assert shrink(found) == pytest.approx(4e-5)


def test_pretraining_heeds_no_max_steps(tmp_path):
    text = FILE.replace("max_seq_length: 2048", "max_seq_length: 2048\n  max_steps: 100")
    assert read(tmp_path, "a.yaml", text).run.total_steps == 2000


@pytest.mark.parametrize(
    ("more", "warmup"), [("", ""), ("\n  lr_warmup_fraction: 0.05", "warmup=0.05epochs,")]
)
def test_a_warmup_may_be_a_share_of_an_epoch_or_none(tmp_path, more, warmup):
    text = FILE.replace("lr_warmup_steps: 500", f"lr_warmup_steps: null{more}")
    assert read(tmp_path, "a.yaml", text).schedule == f"cosine:{warmup}final=0.1"


def test_finetuning_has_defaults_of_its_own_and_goes_to_zero(tmp_path):
    found = read(tmp_path, "a.yaml", TUNE)
    assert (found.run.examples_per_step, found.unit) == (16, "sequences")
    assert (float(found.run.epochs), found.schedule) == (5, "cosine:warmup=100")
    assert (found.value, float(found.run.lr)) == ("0.01", 1e-3)
    assert origins(found)["weight_decay"] == "default"


def test_a_budget_without_a_length_leaves_the_steps_open(tmp_path):
    found = read(tmp_path, "a.yaml", FILE.replace("  max_seq_length: 2048\n", ""))
    assert found.run.total_steps is None
    assert found.unit == "sequences"


def test_a_class_path_beside_data_is_not_lightning_s(tmp_path):
    found = read(tmp_path, "a.yaml", FILE + "data:\n  class_path: litgpt.data.Alpaca\nseed: 1\n")
    assert found.kind == "litgpt"
