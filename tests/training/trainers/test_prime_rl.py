"""prime-rl's TOML: a step of completions, or of packs."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

RL = """
max_steps = 100
seq_len = 2048
[orchestrator]
batch_size = 256
group_size = 16
[trainer.optim]
lr = 2e-6
weight_decay = 0.1
[trainer.scheduler]
type = "linear"
warmup_steps = 10
decay_steps = 21
min_lr = 2e-7
"""
SFT = """
max_steps = 1000
[model]
name = "a"
[data]
name = "b"
seq_len = 4096
batch_size = 64
[optim]
lr = 2e-5
[scheduler]
type = "cosine"
"""


def test_a_step_counts_completions(tmp_path):
    found = read(tmp_path, "rl.toml", RL)
    assert (found.kind, found.convention, found.value) == ("prime-rl", "pytorch-adamw", "0.1")
    assert (found.run.examples_per_step, found.run.steps) == (256, 100)
    assert found.unit == "completions"
    assert found.schedule == "constant:warmup=10,start=0.1,until=79+linear:length=20,final=0.1"
    assert shrink(found) == pytest.approx(2e-7)
    assert found.exempt.mask == "all"


def test_training_by_examples_counts_packs(tmp_path):
    found = read(tmp_path, "sft.toml", SFT)
    assert (found.value, origins(found)["weight_decay"]) == ("0.01", "default")
    assert (found.run.examples_per_step, found.unit) == (64, "packs of 4096 tokens")
    assert found.schedule == "cosine:warmup=10,start=1e-08"


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("decay_steps = 21", "decay_steps = 0", "constant:warmup=10,start=0.1"),
        ("decay_steps = 21", "decay_steps = 1", None),
        ("decay_steps = 21", "decay_steps = 95", None),
        ("warmup_steps = 10\ndecay_steps = 21", "warmup_steps = 0\ndecay_steps = 100",
         "linear:length=99,final=0.1"),
        ("max_steps = 100\n", "", None),
        ('"linear"', '"constant"', "constant"),
        ('"linear"', '"cosine"', "cosine:warmup=10,start=0.1,final=0.1"),
        ('"linear"', '"other"', None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "rl.toml", RL.replace(old, new)).schedule == schedule


def test_a_batch_may_count_tokens(tmp_path):
    text = RL.replace("batch_size = 256", "token_batch_size = 65536")
    found = read(tmp_path, "rl.toml", text)
    assert (found.run.examples_per_step, found.unit) == (65536, "tokens")


@pytest.mark.parametrize(
    ("name", "convention"), [("sgd", "pytorch-sgd"), ("muon", "dion-muon"), ("sign_sgd", None)]
)
def test_optimizers(tmp_path, name, convention):
    found = read(tmp_path, "rl.toml", RL.replace("lr = 2e-6", f'lr = 2e-6\ntype = "{name}"'))
    assert found.convention == convention
    if name == "sgd":
        assert (found.run.momentum, found.run.nesterov) == (pytest.approx(0.9), True)
