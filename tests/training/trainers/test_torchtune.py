"""torchtune's recipe configurations."""

import pytest

from tests.training.trainers.reading import origins, quantity, read, shrink

FILE = """\
model:
  _component_: torchtune.models.llama3_2.llama3_2_1b
optimizer:
  _component_: torch.optim.AdamW
  lr: 3e-4
  fused: True
lr_scheduler:
  _component_: torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup
  num_warmup_steps: 100
epochs: 2
batch_size: 4
gradient_accumulation_steps: 8
max_steps_per_epoch: 500
"""


def test_the_class_s_own_weight_decay_is_what_is_not_set(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("torchtune", "pytorch-adamw", "0.01")
    assert origins(found)["weight_decay"] == "default"
    assert found.schedule == "cosine:warmup=100"
    assert (found.run.examples_per_step, found.run.total_steps) == (32, 1000)
    assert shrink(found) == pytest.approx(3e-6)
    assert quantity(found, "steps").note.startswith("at most")
    assert found.exempt.rule == "nothing"


def test_devices_multiply_the_batch(tmp_path):
    assert read(tmp_path, "a.yaml", FILE, world_size="2").run.examples_per_step == 64


def test_without_a_scheduler_lr_is_constant_and_another_one_has_no_text(tmp_path):
    head, _, tail = FILE.partition("lr_scheduler:")
    plain = head + tail[tail.index("epochs") :]
    assert read(tmp_path, "a.yaml", plain).schedule == "constant"
    assert read(tmp_path, "b.yaml", FILE.replace("get_cosine", "get_other")).schedule is None


def test_packs_are_what_a_batch_counts(tmp_path):
    found = read(tmp_path, "a.yaml", FILE + "dataset:\n  packed: True\n")
    assert found.unit == "packs"
    assert read(tmp_path, "b.yaml", FILE.replace("500", "null")).run.total_steps is None


def test_an_unknown_optimizer_gives_no_number(tmp_path):
    found = read(tmp_path, "a.yaml", FILE.replace("torch.optim.AdamW", "my.Own"))
    assert found.value is None
    assert "'my.Own' has no convention" in found.refusal
    silent = FILE.replace("torch.optim.AdamW", "my.Own").replace("  lr: 3e-4\n", "")
    assert "lr" in read(tmp_path, "b.yaml", silent).missing


def test_a_flag_of_the_class_makes_its_decay_decoupled(tmp_path):
    text = FILE.replace("torch.optim.AdamW", "torch.optim.NAdam")
    assert read(tmp_path, "a.yaml", text).convention == "pytorch-nadam"
    flagged = text.replace("  fused: True", "  decoupled_weight_decay: true")
    assert read(tmp_path, "b.yaml", flagged).convention == "pytorch-nadam-decoupled"


ROLLOUTS = """
model: {_component_: torchtune.models.llama3.llama3_8b}
optimizer: {_component_: torch.optim.AdamW, lr: 1e-5, weight_decay: 0.1}
lr_scheduler:
  _component_: torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup
  num_warmup_steps: 10
"""


def test_ppo_s_steps_are_of_parts_of_its_rollouts(tmp_path):
    text = f"{ROLLOUTS}batch_size: 64\nppo_batch_size: 16\nppo_epochs: 2\nnum_steps: 6400\n"
    found = read(tmp_path, "a.yaml", f"{text}gradient_accumulation_steps: 4\n")
    assert (found.run.examples_per_step, found.run.steps) == (16, 800)
    assert found.schedule == "cosine:warmup=10"
    assert read(tmp_path, "b.yaml", text.replace("num_steps: 6400\n", "")).run.steps is None
    assert read(tmp_path, "c.yaml", text.replace("e: 64", "e: ${n}", 1)).run.steps is None


def test_grpo_s_batch_counts_prompts(tmp_path):
    text = f"{ROLLOUTS}batch_size: 2\ngrpo_samples: 16\nnum_steps: 200\nepochs: 3\nppo_epochs: 1\n"
    found = read(tmp_path, "a.yaml", text, world_size="4")
    assert (found.run.examples_per_step, found.run.steps) == (8, 200)
    assert (found.unit, found.schedule) == (
        "prompts of 16 completions", "cosine:warmup=10,length=3epochs",
    )  # fmt: skip
    twice = read(tmp_path, "b.yaml", text.replace("ppo_epochs: 1", "ppo_epochs: 2"))
    assert (twice.run.steps, twice.schedule) == (400, None)
    whole = text.replace("num_steps: 200\n", "").replace("ppo_epochs: 1", "ppo_epochs: 2")
    assert read(tmp_path, "c.yaml", whole).run.epochs == 6
