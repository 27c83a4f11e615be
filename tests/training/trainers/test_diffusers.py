"""diffusers' example scripts, whose defaults differ."""

import pytest

from decaycalc.errors import DecaycalcError
from tests.training.trainers.reading import quantity, read, shrink

LAUNCH = "accelerate launch --num_processes 2 {script}.py --pretrained_model_name_or_path acme/x "
FLAGS = "--max_train_steps=15000 --lr_warmup_steps=0 --train_batch_size=1 --lr_scheduler constant "


def run(flags="", script="train_text_to_image"):
    return LAUNCH.format(script=script) + FLAGS + flags


def test_the_scripts_own_defaults_hold(tmp_path):
    made = read(tmp_path, "run.sh", run("--learning_rate=1e-05 --gradient_accumulation_steps=4"))
    assert (made.kind, made.convention, made.value) == ("diffusers", "pytorch-adamw", "1e-2")
    assert (made.run.examples_per_step, made.run.steps) == (8, 15000)
    assert made.schedule == "constant"
    assert shrink(made) == pytest.approx(1e-7)
    other = read(tmp_path, "run.sh", run(script="train_dreambooth_lora_sdxl"))
    assert (other.value, float(other.run.lr)) == ("1e-4", 1e-4)
    plain = read(tmp_path, "run.sh", run(script="train_dreambooth"))
    assert (plain.value, float(plain.run.lr)) == ("1e-2", 5e-6)


def test_an_unknown_scripts_default_is_missing(tmp_path):
    made = read(tmp_path, "run.sh", run(script="train_mine"))
    assert made.value is None
    assert "train_mine not known" in quantity(made, "weight_decay").note


@pytest.mark.parametrize(
    ("flags", "convention"),
    [
        ("--use_8bit_adam", "bitsandbytes-adamw"),
        ("--optimizer prodigy", "prodigy"),
        ("--optimizer magic", None),
    ],
)
def test_optimizers_have_their_conventions(tmp_path, flags, convention):
    assert read(tmp_path, "run.sh", run(flags)).convention == convention


@pytest.mark.parametrize(
    ("flags", "schedule"),
    [
        ("linear", "linear:warmup=500"),
        ("constant_with_warmup", "constant:warmup=500"),
        ("polynomial", "polynomial:power=1,warmup=500"),
        ("cosine_with_restarts", "cosine-restarts:cycles=1,warmup=500"),
        ("piecewise", None),
    ],
)
def test_schedulers_become_schedules(tmp_path, flags, schedule):
    text = run().replace("--lr_warmup_steps=0", "--scale_lr").replace("constant", flags)
    made = read(tmp_path, "run.sh", text + " --checkpointing_steps 500")
    assert made.schedule == schedule
    assert float(made.run.lr) == pytest.approx(2e-4)
    assert any("once a device" in note for note in made.notes) == (schedule is not None)


def test_an_lr_that_cannot_be_scaled_is_as_it_stands(tmp_path):
    text = run("--scale_lr", script="train_mine")
    assert read(tmp_path, "run.sh", text).run.lr is None
    assert read(tmp_path, "run.sh", text, lr="1").run.lr == 1


def test_the_devices_may_stand_in_accelerates_own_file(tmp_path):
    text = run().replace("--num_processes 2", "--config_file acc.yaml")
    assert read(tmp_path, "run.sh", text).run.examples_per_step == 1
    (tmp_path / "acc.yaml").write_text("num_processes: 4\nnum_machines: 1\n")
    made = read(tmp_path, "run.sh", text)
    assert made.run.examples_per_step == 4
    assert quantity(made, "world_size").where == "acc.yaml: num_processes"
    (tmp_path / "acc.yaml").write_text("num_processes: many\n")
    assert read(tmp_path, "run.sh", text).run.examples_per_step == 1


def test_two_flags_that_others_have_too_are_no_example_script(tmp_path):
    flags = "python train.py --lr_warmup_steps 5 --max_train_steps 9"
    with pytest.raises(DecaycalcError):
        read(tmp_path, "run.sh", flags)
    assert read(tmp_path, "run.sh", f"{flags} --train_batch_size 2").kind == "diffusers"
