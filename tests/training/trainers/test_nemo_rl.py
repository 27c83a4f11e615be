"""NeMo-RL's YAML: two backends, rollouts of several steps, and files that stand on others."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

TORCH = """
grpo: {num_prompts_per_step: 32, num_generations_per_prompt: 16, max_num_epochs: 2,
       max_num_steps: 1000000}
policy:
  train_global_batch_size: 256
  megatron_cfg: {enabled: false, optimizer: {lr: 1.0}}
  optimizer:
    name: "torch.optim.AdamW"
    kwargs: {lr: 5.0e-6, weight_decay: 0.01, betas: [0.9, 0.95]}
  scheduler:
    - {name: torch.optim.lr_scheduler.LinearLR,
       kwargs: {start_factor: 0.1, end_factor: 1.0, total_iters: 50}}
    - {name: torch.optim.lr_scheduler.ConstantLR, kwargs: {factor: 1.0, total_iters: 10000}}
    - milestones: [50]
"""
CONSTANT = "{name: torch.optim.lr_scheduler.ConstantLR, kwargs: {factor: 1.0, total_iters: 10000}}"
FALL = "{name: a.LinearLR, kwargs: {start_factor: 1.0, end_factor: 0.0, total_iters: 450}}"
MEGATRON = """
sft: {max_num_epochs: 1, max_num_steps: 60}
policy:
  train_global_batch_size: 32
  megatron_cfg:
    enabled: true
    optimizer: {optimizer: adam, lr: 4.0e-6, min_lr: 4.0e-7, weight_decay: 0.1, adam_beta2: 0.98}
    scheduler:
      start_weight_decay: ${policy.megatron_cfg.optimizer.weight_decay}
      end_weight_decay: ${policy.megatron_cfg.optimizer.weight_decay}
      weight_decay_incr_style: constant
      lr_decay_style: cosine
      lr_decay_iters: 60
      lr_warmup_iters: 5
      lr_warmup_init: 4.0e-7
"""


def test_a_rollout_is_several_steps_of_torch_s_optimizer(tmp_path):
    found = read(tmp_path, "a.yaml", TORCH)
    assert (found.kind, found.convention, found.value) == ("nemo-rl", "pytorch-adamw", "0.01")
    assert (found.run.examples_per_step, found.run.epochs) == (16, 2)
    assert found.unit == "prompts of 16 completions"
    assert found.schedule == "constant:warmup=100,start=0.1,per=2"
    assert (shrink(found), found.exempt.mask) == (pytest.approx(5e-8), "all")
    steps = read(tmp_path, "b.yaml", TORCH.replace("1000000", "100"))
    assert steps.run.steps == 200
    assert any("ends before" in note for note in steps.notes)


def test_megatron_s_optimizer_where_it_is_enabled(tmp_path):
    found = read(tmp_path, "a.yaml", MEGATRON)
    assert (found.convention, found.value, found.unit) == ("megatron-adam", "0.1", "examples")
    assert (found.run.examples_per_step, found.run.steps) == (32, 60)
    assert found.schedule == "cosine:warmup=5,start=0.1,length=60,final=0.1"
    assert (found.betas, found.exempt.mask) == (("0.9", "0.98"), "no-1d")
    grown = read(tmp_path, "b.yaml", MEGATRON.replace("style: constant", "style: linear"))
    assert grown.value is None
    bare = MEGATRON.replace("weight_decay: 0.1, ", "").replace("end_weight_decay", "other")
    assert read(tmp_path, "c.yaml", bare).value is None


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        (CONSTANT, "{name: a.CosineAnnealingLR, kwargs: {T_max: 450, eta_min: 5.0e-7}}",
         "cosine:warmup=100,start=0.1,per=2,length=1000,final=0.1,after=mirror"),
        (CONSTANT, "{name: a.CosineAnnealingLR, kwargs: {}}", None),
        (CONSTANT, FALL, "linear:warmup=100,start=0.1,per=2,length=1000"),
        (CONSTANT, FALL.replace("start_factor: 1.0", "start_factor: 0.5"), None),
        ("factor: 1.0, total_iters: 10000", "factor: 0.5", None),
        ("milestones: [50]", "milestones: [40]", None),
        ("    - milestones: [50]\n", "", None),
        ("256", "300", None),
    ],
)  # fmt: skip
def test_torch_s_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yaml", TORCH.replace(old, new)).schedule == schedule


def test_without_a_scheduler_lr_stays(tmp_path):
    assert read(tmp_path, "a.yaml", TORCH[: TORCH.index("  scheduler")]).schedule == "constant"


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("cosine", "constant", "constant:warmup=5,start=0.1"),
        ("lr_warmup_iters: 5", "lr_warmup_iters: 0", "cosine:length=60,final=0.1"),
        ("cosine\n      lr_decay_iters: 60", "linear", "linear:warmup=5,start=0.1,final=0.1"),
        ("cosine", "WSD", None),
    ],
)
def test_megatron_s_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yaml", MEGATRON.replace(old, new)).schedule == schedule


def test_a_batch_that_splits_prompts_is_open(tmp_path):
    found = read(tmp_path, "a.yaml", TORCH.replace("256", "250"))
    assert (found.run.batch_size, found.schedule) == (None, None)
    rollouts = "grpo: {num_prompts_per_step: 32, num_generations_per_prompt: 16,"
    pairs = TORCH.replace(rollouts, "dpo: {")
    assert read(tmp_path, "b.yaml", pairs).unit == "preference pairs"
    bare = TORCH.replace("train_global_batch_size: 256", "train_micro_batch_size: 4")
    assert read(tmp_path, "c.yaml", bare.replace("1000000", "9")).run.batch_size is None


def test_a_file_stands_on_its_defaults(tmp_path):
    (tmp_path / "base.yaml").write_text(TORCH, encoding="utf-8")
    text = "defaults: base.yaml\npolicy: {model_name: a, optimizer: {kwargs: {lr: 1.0e-6}}}\n"
    text += "cluster: {num_nodes: 2}\n"
    found = read(tmp_path, "a.yaml", text + "checkpointing: {checkpoint_dir: c}\n")
    assert (found.value, float(found.run.lr)) == ("0.01", 1e-6)
    with pytest.raises(UnreadableFileError, match=r"'gone.yaml', which is not here"):
        read(tmp_path, "b.yaml", text.replace("base", "gone"), kind="nemo-rl")
    with pytest.raises(UnreadableFileError, match="PPO"):
        read(tmp_path, "c.yaml", TORCH + "ppo: {ppo_epochs: 4}\n")
