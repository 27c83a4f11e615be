"""RLinf's YAML."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """\
runner:
  task_type: embodied
  max_epochs: 1000
algorithm:
  loss_type: actor_critic
actor:
  training_backend: fsdp
  global_batch_size: 2048
  optim:
    lr: 5.0e-6
    value_lr: 1.0e-4
    adam_beta1: 0.9
    adam_beta2: 0.95
"""
REASONING = """\
runner: {task_type: reasoning}
algorithm: {group_size: 8, n_minibatches: 4}
data: {rollout_batch_size: 512}
actor:
  training_backend: fsdp
  global_batch_size: 8
  optim: {lr: 2e-05, adam_beta1: 0.9, adam_beta2: 0.95, weight_decay: 0.05}
"""


def _tuned(*optim, steps=30000):
    """Return a fine-tuning's file with more settings of its optimizer."""
    return (
        f"runner: {{task_type: sft, max_epochs: -1, max_steps: {steps}}}\n"
        "actor:\n  training_backend: fsdp\n  global_batch_size: 64\n  optim:\n"
        "    lr: 2.5e-5\n    adam_beta1: 0.9\n    adam_beta2: 0.95\n"
        + "".join(f"    {line}\n" for line in optim)
    )


def test_an_embodied_run_decays_all_tensors_by_default_and_its_value_head_has_an_lr_of_its_own(
    tmp_path,
):
    found = read(tmp_path, "run.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("rlinf", "pytorch-adamw", "0.01")
    assert (found.run.examples_per_step, found.run.epochs) == (2048, None)
    assert (found.schedule, found.exempt.mask, shrink(found)) == (
        "constant", "all", pytest.approx(5e-8),
    )  # fmt: skip
    assert [(group.selector, group.lr) for group in found.groups][1:] == [("value_head", "1.0e-4")]
    assert origins(found)["weight_decay"] == "default"


def test_a_loss_without_a_critic_has_no_group_for_it(tmp_path):
    found = read(tmp_path, "run.yaml", FILE.replace("actor_critic", "actor"))
    assert [group.name for group in found.groups] == ["all"]


@pytest.mark.parametrize("loss", ["embodied_sac", "rlt_ac", "offline_iql"])
def test_a_loss_that_makes_optimizers_without_the_decay_is_given_no_number(tmp_path, loss):
    found = read(tmp_path, "run.yaml", FILE.replace("actor_critic", loss))
    assert (found.convention, found.refusal) == (
        None, "this loss trains by optimizers of its own, which take no weight_decay",
    )  # fmt: skip


def test_a_mini_batch_of_reasoning_is_a_share_of_the_completions_whatever_the_file_says(tmp_path):
    found = read(tmp_path, "run.yaml", REASONING)
    assert found.run.examples_per_step == 512 * 8 / 4
    open_ = read(tmp_path, "run.yaml", REASONING.replace("group_size: 8, ", ""))
    assert open_.run.examples_per_step is None


@pytest.mark.parametrize(
    ("backend", "convention", "mask"),
    [("megatron", "megatron-adam", "no-1d"), ("other", None, "all")],
)
def test_megatron_leaves_out_1d_tensors_and_its_schedule_is_open(
    tmp_path, backend, convention, mask
):
    text = REASONING.replace("training_backend: fsdp", f"training_backend: {backend}")
    found = read(tmp_path, "run.yaml", text)
    assert (found.convention, found.exempt.mask, found.schedule) == (convention, mask, None)


def test_a_warm_up_that_rollouts_move_is_left_open(tmp_path):
    found = read(tmp_path, "run.yaml", FILE + "    lr_warmup_steps: 10\n")
    assert found.schedule is None


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ((), "constant"),
        (("lr_scheduler: torch_constant", "lr_warmup_steps: 9"), "constant"),
        (("lr_warmup_steps: 1000",), "constant:warmup=1000"),
        (("lr_warmup_steps_ratio: 0.05", "total_training_steps: 30000"), "constant:warmup=1500"),
        (("lr_scheduler: cosine",), None),
        (("lr_scheduler: cosine", "total_training_steps: 30000", "min_lr: 2.5e-6"),
         "cosine:length=30000,final=0.1"),
        (("lr_scheduler: cosine", "total_training_steps: 30000", "min_lr_rate: 0.2"),
         "cosine:length=30000,final=0.2"),
        (("lr_scheduler: cosine", "total_training_steps: 30000", "num_cycles: 1"), None),
        (("lr_scheduler: cosine", "total_training_steps: 20000"), None),
        (("lr_scheduler: openpi_cosine", "total_training_steps: 30000", "lr_warmup_steps: 999"),
         "cosine:length=30000,warmup=999,start=0.001"),
        (("lr_scheduler: openpi_cosine", "total_training_steps: 30000"), "cosine:length=30000"),
        (("lr_scheduler: torch_cosine", "total_training_steps: 30000"), None),
    ],
)  # fmt: skip
def test_a_fine_tuning_moves_its_schedule_at_each_step(tmp_path, lines, schedule):
    found = read(tmp_path, "run.yaml", _tuned(*lines))
    assert (found.schedule, found.run.steps, found.run.epochs) == (schedule, 30000, None)


def test_a_fine_tuning_of_no_given_steps_has_a_cosine_of_its_own_length(tmp_path):
    found = read(
        tmp_path, "run.yaml", _tuned("lr_scheduler: cosine", "total_training_steps: 99", steps=-1)
    )
    assert (found.schedule, found.run.steps) == ("cosine:length=99", None)
