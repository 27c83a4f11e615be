"""AReaL's YAML: prompts of all devices, minibatches of them, and an engine that says the rest."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

RL = """
trial_name: t
total_train_epochs: 10
actor:
  backend: "fsdp:d4p1t1"
  ppo_n_minibatches: 4
  optimizer: {type: adam, lr: 2.0e-5, weight_decay: 0.01, lr_scheduler_type: cosine,
              min_lr_ratio: 0.1, warmup_steps_proportion: 0.02}
gconfig: {n_samples: 8}
train_dataset: {batch_size: 256}
"""
SFT = """
trial_name: t
total_train_epochs: 2
allocation_mode: "d8p1t1"
actor:
  optimizer: {lr: 2.0e-5, lr_scheduler_type: linear}
train_dataset: {batch_size: 128, type: sft}
"""


def test_a_training_step_of_prompts_is_several_of_the_optimizer(tmp_path):
    found = read(tmp_path, "a.yaml", RL)
    assert (found.kind, found.convention, found.value) == ("areal", "pytorch-adamw", "0.01")
    assert (found.run.examples_per_step, found.run.epochs) == (64, 10)
    assert found.unit == "prompts of 8 completions"
    assert found.schedule == "cosine:warmup=2%,final=0.1,per=4"
    assert shrink(found) == pytest.approx(2e-7)
    assert found.exempt.mask == "all"


def test_training_by_examples_has_one_step_for_each_batch(tmp_path):
    found = read(tmp_path, "a.yaml", SFT)
    assert (found.value, origins(found)["weight_decay"]) == ("0.01", "default")
    assert (found.run.examples_per_step, found.unit) == (128, "examples")
    assert found.schedule == "linear:warmup=0.1%"


@pytest.mark.parametrize(
    ("backend", "kind", "convention", "mask"),
    [
        ("megatron:d4p2t1", "adam", "megatron-adam", "no-1d"),
        ("archon:d8", "adam", "pytorch-adamw", "all"),
        ("fsdp:d4", "sgd", "pytorch-sgd", "all"),
        ("archon:d8", "sgd", None, "all"),
        ("d4p2t1", "adam", None, "all"),
        ("${a}", "adam", None, "all"),
    ],
)
def test_the_engine_decides(tmp_path, backend, kind, convention, mask):
    text = RL.replace("fsdp:d4p1t1", backend).replace("type: adam", f"type: {kind}")
    found = read(tmp_path, "a.yaml", text)
    assert (found.convention, found.exempt.mask) == (convention, mask)


def test_megatron_s_linear_schedule_has_a_last_lr(tmp_path):
    text = RL.replace("fsdp", "megatron").replace("cosine", "linear")
    assert read(tmp_path, "a.yaml", text).schedule == "linear:warmup=2%,final=0.1,per=4"
    plain = text.replace("0.02", "0").replace("linear", "constant")
    assert read(tmp_path, "b.yaml", plain).schedule == "constant"


def test_a_run_cut_short_keeps_the_schedule_of_its_epochs(tmp_path):
    found = read(tmp_path, "a.yaml", "total_train_steps: 100\n" + RL)
    assert (found.run.steps, found.schedule) == (400, None)
    one = read(tmp_path, "b.yaml", "total_train_steps: 100\n" + SFT)
    assert one.run.steps == 100


def test_minibatches_that_do_not_divide_the_batch_leave_it_open(tmp_path):
    found = read(tmp_path, "a.yaml", RL.replace("256", "255"))
    assert found.run.batch_size is None
    assert any("no multiple" in note for note in found.notes)
    text = RL.replace("ppo_n_minibatches: 4", "ppo_n_minibatches: ${n}")
    assert read(tmp_path, "b.yaml", "total_train_steps: 9\n" + text).run.batch_size is None
