"""verl's supervised fine-tuning on its engines, by overrides and by the composed file."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = (
    "torchrun --nproc_per_node=8 \\\n -m verl.trainer.sft_trainer data.train_batch_size=128"
    " model.path=a optim.lr=1e-5 trainer.total_epochs=2"
)
MEGATRON = (
    f"{FILE} optim=megatron engine=megatron optim.weight_decay=0.1 optim.lr_decay_style=cosine"
    " optim.min_lr=1e-6"
)
COMPOSED = """\
data: {train_batch_size: 64, max_token_len_per_gpu: 8192}
model: {path: a}
optim:
  _target_: verl.workers.config.McoreOptimizerConfig
  lr: 1e-5
  weight_decay: 0.1
  lr_warmup_steps: 5
  lr_decay_style: linear
  betas: [0.9, 0.95]
trainer: {total_training_steps: 50}
"""


def test_its_own_defaults_hold(tmp_path):
    found = read(tmp_path, "a.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("verl-engine", "pytorch-adamw", "0.01")
    assert (found.run.examples_per_step, found.run.epochs) == (128, 2)
    assert (found.schedule, found.betas) == ("constant", ("0.9", "0.999"))
    assert shrink(found) == pytest.approx(1e-7)
    assert found.exempt.mask == "all"


@pytest.mark.parametrize(
    ("overrides", "schedule"),
    [
        ("optim.lr_warmup_steps_ratio=0.1", "constant:warmup=10%"),
        ("optim.lr_scheduler_type=cosine optim.lr_warmup_steps=7", "cosine:warmup=7"),
        ("optim.lr_scheduler_type=cosine optim.min_lr_ratio=0.1", "cosine:final=0.1"),
        ("optim.warmup_style=cosine", "cosine"),
        ("optim.lr_scheduler_type=cosine optim.num_cycles=1", None),
        ("optim.lr_scheduler_type=linear", None),
    ],
)
def test_torch_s_schedules(tmp_path, overrides, schedule):
    assert read(tmp_path, "a.sh", f"{FILE} {overrides}").schedule == schedule


@pytest.mark.parametrize(
    ("overrides", "schedule"),
    [
        ("", "cosine:final=0.1"),
        ("optim.lr_warmup_steps_ratio=0.2", "cosine:warmup=20%,final=0.1"),
        ("optim.lr_warmup_steps=5 optim.lr_decay_steps=40", "cosine:warmup=5,length=40,final=0.1"),
        ("optim.lr_warmup_steps_ratio=0.2 optim.lr_decay_steps=40", None),
        ("optim.lr_decay_style=WSD", None),
    ],
)
def test_megatron_s_schedules(tmp_path, overrides, schedule):
    found = read(tmp_path, "a.sh", f"{MEGATRON} {overrides}")
    assert (found.convention, found.value, found.exempt.mask) == ("megatron-adam", "0.1", "no-1d")
    assert found.schedule == schedule


@pytest.mark.parametrize(
    ("line", "convention"),
    [
        (f"{FILE} optim.optimizer=AdamW8bit optim.optimizer_impl=bitsandbytes.optim",
         "bitsandbytes-adamw"),
        (f"{FILE} optim.optimizer=Own", None),
        (f"{FILE} optim=veomni", None),
        (f"{MEGATRON} optim.optimizer=sgd", None),
    ],
)  # fmt: skip
def test_optimizers(tmp_path, line, convention):
    assert read(tmp_path, "a.sh", line).convention == convention


def test_the_composed_file_is_read(tmp_path):
    found = read(tmp_path, "config.yaml", COMPOSED)
    assert (found.kind, found.convention, found.run.steps) == ("verl-engine", "megatron-adam", 50)
    assert (found.schedule, found.betas) == ("linear:warmup=5", ("0.9", "0.95"))
