"""SkyRL's overrides."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """\
uv run -m skyrl.train.entrypoints.main_base \\
  trainer.policy.model.path="Qwen/Qwen2.5-1.5B-Instruct" \\
  trainer.epochs=20 \\
  trainer.update_epochs_per_batch=2 \\
  trainer.train_batch_size=512 \\
  trainer.policy_mini_batch_size=128 \\
  trainer.policy.optimizer_config.lr=2.0e-6 \\
  trainer.policy.optimizer_config.num_warmup_steps=10 \\
  generator.n_samples_per_prompt=8
"""


def test_a_mini_batch_counts_prompts(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("skyrl", "pytorch-adamw", "0.01")
    assert origins(found)["weight_decay"] == "default"
    assert (found.run.examples_per_step, found.run.epochs) == (128, 40)
    assert (found.schedule, found.unit) == ("constant:warmup=10", "prompts of 8 completions")
    assert (shrink(found), found.exempt.mask) == (pytest.approx(2e-8), "all")


@pytest.mark.parametrize(
    ("more", "convention", "schedule", "mask"),
    [
        ("trainer.strategy=megatron", "megatron-adam", "constant:warmup=10", "no-1d"),
        ("trainer.strategy=megatron trainer.policy.optimizer_config.scheduler=cosine",
         "megatron-adam", None, "no-1d"),
        ("trainer.policy.optimizer_config.scheduler=cosine", "pytorch-adamw", "cosine:warmup=10",
         "all"),
        ("trainer.policy.optimizer_config.scheduler=constant", "pytorch-adamw", "constant", "all"),
        ("trainer.strategy=jax", None, "constant:warmup=10", "all"),
    ],
)  # fmt: skip
def test_the_strategy_decides(tmp_path, more, convention, schedule, mask):
    found = read(tmp_path, "run.sh", f"{FILE[:-1]} {more}\n")
    assert (found.convention, found.schedule, found.exempt.mask) == (convention, schedule, mask)


def test_a_length_in_batches_is_several_steps(tmp_path):
    found = read(tmp_path, "run.sh", f"{FILE[:-1]} trainer.max_training_steps=10\n")
    assert found.run.steps == 80
