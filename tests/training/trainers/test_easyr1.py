"""EasyR1's YAML and commands, whose scheduler takes one step for several of the optimizer."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """\
data: {rollout_batch_size: 512}
algorithm: {adv_estimator: grpo}
worker:
  actor:
    global_batch_size: 128
    model: {model_path: a/b}
    optim: {lr: 1.0e-6, weight_decay: 1.0e-2, strategy: adamw, lr_warmup_ratio: 0.0}
  rollout: {n: 5}
trainer: {total_epochs: 15, max_steps: null}
"""
COMMAND = "python3 -m verl.trainer.main config=examples/config.yaml"


def test_the_batch_counts_the_prompts_of_all_devices(tmp_path):
    found = read(tmp_path, "config.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("easyr1", "pytorch-adamw", "1.0e-2")
    assert (found.run.examples_per_step, found.unit) == (128, "prompts of 5 completions")
    assert (found.run.epochs, found.schedule) == (15, "constant")
    assert shrink(found) == pytest.approx(1e-8)
    assert origins(found)["beta2"] == "default"


def test_a_command_lies_over_its_file(tmp_path):
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "config.yaml").write_text(FILE, encoding="utf-8")
    over = "worker.actor.optim.weight_decay=0.1 worker.actor.optim.strategy=adamw_bf16"
    found = read(tmp_path, "examples/run.sh", f"{COMMAND} {over} trainer.n_gpus_per_node=8\n")
    assert (found.kind, found.value, float(found.run.lr)) == ("easyr1", "0.1", 1e-6)


@pytest.mark.parametrize(
    ("old", "new", "schedule", "steps"),
    [
        ("max_steps: null", "max_steps: 100", "constant", 400),
        ("lr_warmup_ratio: 0.0", "lr_warmup_ratio: 0.05", "constant:warmup=5%,per=4", None),
        ("lr_warmup_ratio: 0.0", "lr_warmup_steps: 10", "constant:warmup=40,per=4", None),
        ("lr_warmup_ratio: 0.0", "lr_scheduler_type: cosine", "cosine:per=4", None),
        ("lr_warmup_ratio: 0.0", "lr_scheduler_type: linear", None, None),
    ],
)
def test_lengths_are_in_training_steps_of_several_updates(tmp_path, old, new, schedule, steps):
    found = read(tmp_path, "config.yaml", FILE.replace(old, new))
    assert (found.schedule, found.run.steps) == (schedule, steps)


def test_another_optimizer_has_no_convention(tmp_path):
    found = read(tmp_path, "config.yaml", FILE.replace("strategy: adamw", "strategy: muon"))
    assert found.refusal == "worker.actor.optim.strategy 'muon' has no convention here"
