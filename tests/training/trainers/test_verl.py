"""verl's overrides, whose scheduler takes one step for several of the optimizer."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

FILE = """\
python3 -m verl.trainer.main_ppo \\
    algorithm.adv_estimator=grpo \\
    data.train_batch_size=512 \\
    actor_rollout_ref.model.path=a/b \\
    actor_rollout_ref.actor.optim.lr=2e-6 \\
    actor_rollout_ref.actor.optim.weight_decay=0.1 \\
    actor_rollout_ref.actor.ppo_mini_batch_size=128 \\
    actor_rollout_ref.rollout.n=8 \\
    trainer.total_epochs=15 $@
"""
KEY = "    actor_rollout_ref.actor.optim."


def with_lines(*lines):
    return FILE.replace(
        "    trainer", "".join(f"{KEY}{line} \\\n" for line in lines) + "    trainer"
    )


def test_the_mini_batch_is_a_step_of_all_devices(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("verl", "pytorch-adamw", "0.1")
    assert (found.run.examples_per_step, found.unit) == (128, "prompts of 8 completions")
    assert (found.run.epochs, found.schedule) == (15, "constant")
    assert shrink(found) == pytest.approx(2e-7)
    bare = read(tmp_path, "b.sh", FILE.replace(f"{KEY}weight_decay=0.1 \\\n", ""))
    assert bare.value == "0.01"


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        (["lr_warmup_steps=10"], "constant:warmup=40,per=4"),
        (["lr_warmup_steps_ratio=0.1"], "constant:warmup=10%,per=4"),
        (["lr_warmup_steps=0", "lr_warmup_steps_ratio=0.1"], "constant"),
        (["lr_scheduler_type=cosine", "min_lr_ratio=0.1"], "cosine:final=0.1,per=4"),
        (["warmup_style=cosine", "num_cycles=2"], None),
        (["lr_scheduler_type=other"], None),
        (["lr_scheduler_type=constant", "warmup_style=cosine"], "cosine:per=4"),
    ],
)
def test_schedules(tmp_path, lines, schedule):
    assert read(tmp_path, "run.sh", with_lines(*lines)).schedule == schedule


def test_a_length_in_training_steps_is_one_in_the_optimizer_s(tmp_path):
    text = FILE.replace("trainer.total_epochs=15", "trainer.total_training_steps=100")
    assert read(tmp_path, "run.sh", text).run.steps == 400
    opened = text.replace("mini_batch_size=128", "mini_batch_size=$MINI")
    assert read(tmp_path, "b.sh", opened).run.steps is None
    warm = opened.replace("    trainer", f"{KEY}lr_warmup_steps=5 \\\n    trainer")
    assert read(tmp_path, "c.sh", warm).schedule is None
    unknown = FILE.replace("total_epochs=15", "total_epochs=$E")
    assert read(tmp_path, "d.sh", unknown).run.epochs is None


@pytest.mark.parametrize(
    ("line", "convention"),
    [
        ("optimizer=AdamW8bit \\\n" + KEY + "optimizer_impl=bitsandbytes.optim",
         "bitsandbytes-adamw"),
        ("optimizer=Mine", None),
        ("x=1 \\\n    actor_rollout_ref.actor.strategy=megatron", "megatron-adam"),
    ],
)  # fmt: skip
def test_optimizers(tmp_path, line, convention):
    found = read(tmp_path, "run.sh", with_lines(line))
    assert found.convention == convention
    assert (found.exempt.rule == "nothing") == (convention != "megatron-adam")


def test_megatron_may_be_told_by_the_configuration_s_name(tmp_path):
    text = FILE.replace("main_ppo", "main_ppo --config-name=ppo_megatron_trainer.yaml")
    assert read(tmp_path, "run.sh", text).convention == "megatron-adam"


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        (["lr_decay_style=cosine", "min_lr=2e-7"], "cosine:final=0.1,per=4"),
        (["lr_decay_style=linear", "lr_decay_steps=100"], "linear:length=400,per=4"),
        (["lr_warmup_steps=0", "lr_warmup_steps_ratio=0.1"], "constant:warmup=10%,per=4"),
        (["lr_warmup_steps=10"], "constant:warmup=40,per=4"),
        (["lr_decay_style=WSD"], None),
    ],
)
def test_megatron_has_its_own_styles(tmp_path, lines, schedule):
    text = with_lines(*lines).replace(KEY, f"    --config-name=ppo_megatron_trainer \\\n{KEY}", 1)
    found = read(tmp_path, "run.sh", text)
    assert (found.convention, found.schedule) == ("megatron-adam", schedule)


def test_what_overrides_the_optimizer_s_arguments_counts(tmp_path):
    lines = ("override_optimizer_config.weight_decay=0.3", "optimizer_impl=torchao.optim",
             "optimizer=_AdamW")  # fmt: skip
    found = read(tmp_path, "run.sh", with_lines(*lines))
    assert (found.convention, found.value) == ("pytorch-adamw", "0.3")


def test_an_override_with_null_is_not_set(tmp_path):
    found = read(tmp_path, "run.sh", with_lines("lr_warmup_steps=null"))
    assert found.schedule == "constant"


def test_a_fork_whose_mini_batch_counts_completions_is_no_verl(tmp_path):
    text = FILE.replace("data.train_batch_size", "data.n_samples=4 data.train_batch_size")
    with pytest.raises(UnreadableFileError) as caught:
        read(tmp_path, "run.sh", text)
    assert "nearest is verl:" not in str(caught.value)


def test_a_fork_with_agents_counts_their_completions_one_by_one(tmp_path):
    text = FILE.replace("rollout.n=8", "rollout.n_agent=4").replace(
        "total_epochs=15", "total_training_steps=100"
    )
    found = read(tmp_path, "run.sh", text)
    assert (found.run.examples_per_step, found.unit) == (128, "completions, 4 of each prompt")
    assert found.run.steps == 100 * 512 * 4 / 128
    one = read(tmp_path, "b.sh", FILE.replace("rollout.n=8", "rollout.n_agent=1"))
    assert one.unit == "prompts of 1 completions"
