"""The Hugging Face Trainer's files, against transformers' own sources."""

import json

import pytest

from tests.training.trainers.reading import origins, quantity, read, shrink

SHELL = """\
#!/bin/bash
# python old_run.py --learning_rate 9e-9 --weight_decay 0.9
LR=2e-5
ACC=4
deepspeed --num_gpus 4 train.py \\
    --deepspeed ds.json \\
    --num_train_epochs 2 \\
    --per_device_train_batch_size 2 \\
    --gradient_accumulation_steps $ACC \\
    --learning_rate ${LR} \\
    --weight_decay 0.05 \\
    --warmup_steps 100 \\
    --lr_scheduler_type "linear"
"""


def arguments(**changes):
    settings = {
        "per_device_train_batch_size": 4,
        "learning_rate": 1e-4,
        "weight_decay": 0.1,
        "num_train_epochs": 2,
    }
    return json.dumps({**settings, **changes})


def test_a_shell_script_gives_flags_variables_and_devices(tmp_path):
    made = read(tmp_path, "run.sh", SHELL)
    assert (made.kind, made.convention, made.value) == ("hf-trainer", "hf-trainer", "0.05")
    assert made.run.examples_per_step == 32
    assert made.schedule == "linear:warmup=100"
    assert shrink(made) == pytest.approx(1e-6)
    assert quantity(made, "world_size").where == "the launcher"
    assert origins(made)["optimizer"] == "default"
    assert any("ds.json" in note for note in made.notes)


def test_a_given_world_size_multiplies_the_batch(tmp_path):
    made = read(tmp_path, "a.json", arguments(), world_size="8")
    assert made.run.examples_per_step == 32


@pytest.mark.parametrize("optim", ["galore_adamw", "apollo_adamw_layerwise", "lomo", "adalomo"])
def test_a_number_that_the_trainer_does_not_pass_on_is_no_decay(tmp_path, optim):
    made = read(tmp_path, "a.json", arguments(optim=optim))
    assert (made.convention, made.value, shrink(made)) == (None, None, None)
    assert "does not pass weight_decay" in made.refusal


def test_optim_args_reach_the_optimizer(tmp_path):
    made = read(tmp_path, "a.json", arguments(optim="sgd", optim_args="momentum=0.9"))
    assert shrink(made) == pytest.approx(1e-4)


def test_constant_has_no_warmup(tmp_path):
    text = arguments(lr_scheduler_type="constant", warmup_steps=100)
    assert read(tmp_path, "a.json", text).schedule == "constant"
