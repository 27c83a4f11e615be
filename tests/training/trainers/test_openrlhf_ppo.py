"""OpenRLHF's reinforcement learning, new flags and old."""

import pytest

from tests.training.trainers.reading import read, shrink

NEW = """\
python3 -m openrlhf.cli.train_ppo_ray \\
   --train.batch_size 128 --rollout.batch_size 1024 --rollout.n_samples_per_prompt 8 \\
   --train.num_episodes 20 --train.max_epochs 2 --actor.adam.lr 5e-7 --critic.adam.lr 9e-6 \\
   --actor.adam.weight_decay 0.1 --actor.adam.betas 0.9 0.99 --actor.lr_warmup_ratio 0.05
"""
OLD = """\
ray job submit -- python3 -m openrlhf.cli.train_ppo_ray --train_batch_size 64 --l2 0.01 \\
   --actor_learning_rate 1e-6 --critic_learning_rate 9e-6 --max_epochs 1 --num_episodes 2
"""


def test_the_actor_s_settings_are_read(tmp_path):
    made = read(tmp_path, "run.sh", NEW)
    assert (made.kind, made.convention, made.value) == ("openrlhf-ppo", "deepspeed-adam", "0.1")
    assert (made.run.examples_per_step, made.unit) == (16, "prompts of 8 completions")
    assert (made.run.epochs, made.betas) == (40, ("0.9", "0.99"))
    assert made.schedule == "cosine:warmup=5%,final=0.1"
    assert shrink(made) == pytest.approx(5e-8)
    assert made.not_used == ()
    assert read(tmp_path, "run.sh", NEW, dataset_size="1000").run.total_steps == 40 * 62


def test_older_flags_are_read_too(tmp_path):
    made = read(tmp_path, "run.sh", OLD)
    assert (made.value, float(made.run.lr), made.run.examples_per_step) == ("0.01", 1e-6, 64)
    assert (made.run.epochs, made.schedule) == (2, "cosine:warmup=3%,final=0.1")


@pytest.mark.parametrize(
    ("old", "new"), [("per_prompt 8", "per_prompt 7"), ("per_prompt 8", "per_prompt $N")]
)
def test_a_batch_that_is_no_whole_number_of_prompts_is_missing(tmp_path, old, new):
    made = read(tmp_path, "run.sh", NEW.replace(old, new))
    assert made.run.examples_per_step is None
    assert "batch_size" in made.missing
    assert read(tmp_path, "run.sh", NEW, batch_size="4").run.examples_per_step == 4


def test_without_a_number_of_episodes_the_length_is_missing(tmp_path):
    made = read(tmp_path, "run.sh", NEW.replace("num_episodes 20", "num_episodes $N"))
    assert made.run.epochs is None
