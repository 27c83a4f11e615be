"""Megatron-Bridge's YAML: the scheduler's λ, and what is the recipe's own."""

import pytest

from tests.training.trainers.reading import quantity, read, shrink

WHOLE = """\
model:
  seq_length: 4096
  tensor_model_parallel_size: 2
train:
  train_iters: 1000
  global_batch_size: 64
  micro_batch_size: 2
optimizer:
  lr: 0.0003
  min_lr: 0.00003
  weight_decay: 0.1
  adam_beta1: 0.9
  adam_beta2: 0.95
scheduler:
  start_weight_decay: 0.033
  end_weight_decay: 0.033
  weight_decay_incr_style: constant
  lr_decay_style: cosine
  lr_decay_iters: null
  lr_warmup_fraction: null
  lr_warmup_iters: 100
"""


def test_the_schedulers_decay_reaches_the_weights(tmp_path):
    made = read(tmp_path, "run_config.yaml", WHOLE)
    assert (made.kind, made.convention, made.value) == ("megatron-bridge", "megatron-adam", "0.033")
    assert (made.run.examples_per_step, made.run.steps) == (64, 1000)
    assert (made.schedule, made.betas) == ("cosine:warmup=100,final=0.1", ("0.9", "0.95"))
    assert made.unit == "sequences of 4096 tokens"
    assert shrink(made) == pytest.approx(9.9e-6)
    assert made.missing == ()


def test_a_decay_that_grows_has_a_schedule(tmp_path):
    text = WHOLE.replace("end_weight_decay: 0.033", "end_weight_decay: 0.33")
    made = read(tmp_path, "a.yaml", text.replace("incr_style: constant", "incr_style: linear"))
    assert (made.value, made.decay_schedule) == ("0.33", "linear:initial=0.1,final=1")


def test_a_command_lays_its_own_over_a_recipe(tmp_path):
    text = (
        "torchrun --nproc_per_node=8 pretrain.py --recipe x train.train_iters=100 optimizer.lr=1e-4"
        " scheduler.lr_warmup_iters=10 scheduler.end_weight_decay=0.1 train.global_batch_size=64"
    )
    made = read(tmp_path, "run.sh", text)
    assert (made.kind, made.value, made.run.examples_per_step) == ("megatron-bridge", "0.1", 64)


OVER_A_RECIPE = """\
train:
  train_iters: 1000
  global_batch_size: 64
optimizer:
  weight_decay: 0.1
  min_lr: 0
"""


def test_what_the_recipe_sets_is_missing(tmp_path):
    made = read(tmp_path, "a.yaml", OVER_A_RECIPE)
    assert (made.value, made.run.lr, made.betas, made.schedule) == (None, None, None, None)
    assert {"weight_decay", "lr", "scheduler", "lr_warmup_iters"} <= set(made.missing)
    assert "recipe's own" in quantity(made, "weight_decay").note


def test_a_warmup_may_be_a_share(tmp_path):
    text = WHOLE.replace("warmup_fraction: null\n  lr_warmup_iters: 100", "warmup_fraction: 0.05")
    assert read(tmp_path, "a.yaml", text).schedule == "cosine:warmup=50,final=0.1"


def test_samples_make_the_steps(tmp_path):
    text = WHOLE.replace("train_iters: 1000", "train_samples: 6400")
    text = text.replace("lr_warmup_iters: 100", "lr_warmup_samples: 640")
    made = read(tmp_path, "a.yaml", text)
    assert (made.run.steps, made.schedule) == (100, "cosine:warmup=10,final=0.1")
