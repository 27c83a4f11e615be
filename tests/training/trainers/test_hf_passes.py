"""Passes over the same prompts, which make a run longer than its epochs."""

import json

import pytest

from tests.training.trainers.reading import quantity, read

BASE = {
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "learning_rate": 1e-5,
    "weight_decay": 0.1,
    "num_train_epochs": 2,
    "lr_scheduler_type": "constant",
}
FACTORY = {"stage": "ppo", "finetuning_type": "lora"}


@pytest.mark.parametrize(
    ("changes", "steps", "epochs"),
    [
        ({"num_generations": 8, "num_iterations": 4}, None, 8),
        ({"num_generations": 8, "num_iterations": 1}, None, 2),
        ({"num_generations": 8, "num_iterations": 4, "max_steps": 50}, 50, None),
        ({"num_iterations": 4}, None, 2),
        ({"num_ppo_epochs": 3}, None, 6),
        ({"missing_eos_penalty": 1.0}, None, 8),
        ({"missing_eos_penalty": 1.0, "total_episodes": 1001}, 504, None),
        ({"num_ppo_epochs": 1, "total_episodes": 1000}, 125, None),
        ({"num_ppo_epochs": 1, "total_episodes": None}, None, 2),
        ({"total_episodes": 1000}, None, 2),
        ({**FACTORY}, None, 8),
        ({**FACTORY, "ppo_epochs": 1}, None, 2),
        ({**FACTORY, "ppo_epochs": 2, "ppo_buffer_size": 3, "max_steps": 10}, 60, None),
        ({**FACTORY, "max_steps": -1}, None, 8),
        ({**FACTORY, "stage": "sft"}, None, 2),
    ],
)
def test_each_pass_is_an_epoch_more(tmp_path, changes, steps, epochs):
    run = read(tmp_path, "a.json", json.dumps(BASE | changes)).run
    assert (run.steps, run.epochs) == (steps, epochs)


def test_a_length_that_only_a_run_tells_stays_open(tmp_path):
    flags = " ".join(f"--{key} {value}" for key, value in BASE.items())
    text = f"python ppo.py {flags} --num_ppo_epochs 2 --total_episodes $N\n"
    assert read(tmp_path, "a.sh", text).run.steps is None
    text = text.replace("$N", "80").replace("accumulation_steps 2", "accumulation_steps $N")
    assert read(tmp_path, "a.sh", text).run.steps is None


@pytest.mark.parametrize(
    ("program", "changes", "batch", "unit"),
    [
        ("a.py", {"num_generations": 8}, 1, "prompts of 8 completions"),
        ("src/open_r1/grpo.py", {}, 1, "prompts of 8 completions"),
        ("examples/rloo.py", {}, 4, "prompts of 2 completions"),
        ("sft.py", {}, 8, "examples"),
    ],
)
def test_a_batch_of_completions_is_counted_in_prompts(tmp_path, program, changes, batch, unit):
    flags = " ".join(f"--{key} {value}" for key, value in (BASE | changes).items())
    made = read(tmp_path, "a.sh", f"python {program} {flags}\n", dataset_size="100")
    assert (made.run.examples_per_step, made.unit) == (batch, unit)
    assert made.run.total_steps == 2 * -(-100 // batch)
    assert quantity(made, "examples_per_step").value == str(batch)
    assert any("in 0.14 it was prompts" in note for note in made.notes) == bool(changes)


def test_a_batch_that_is_given_counts_prompts(tmp_path):
    made = read(tmp_path, "a.json", json.dumps(BASE | {"num_generations": 8}), batch_size="5")
    assert made.run.examples_per_step == 10


def test_axolotl_s_and_megatron_s_batches_count_prompts_too(tmp_path):
    text = "base_model: a\nmicro_batch_size: 4\nrl: grpo\ntrl:\n  num_generations: 2\n"
    made = read(tmp_path, "a.yml", f"{text}learning_rate: 1e-5\ndatasets: []\n")
    assert (made.run.examples_per_step, made.unit) == (2, "prompts of 2 completions")
    flags = "--rlhf_type grpo --micro_batch_size 1 --global_batch_size 16 --lr 1e-5 --model a"
    swift = read(tmp_path, "a.sh", f"megatron rlhf {flags}\n")
    assert (swift.run.examples_per_step, swift.unit) == (2, "prompts of 8 completions")
