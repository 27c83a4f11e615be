"""diffusers' example scripts, whose defaults differ."""

import pytest

from decaycalc.errors import DecaycalcError, UnreadableFileError
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
        ("polynomial", "polynomial:power=1,final=0.0005,warmup=500"),
        ("cosine_with_restarts", "cosine-restarts:cycles=1,warmup=500"),
        ("piecewise", None),
    ],
)
def test_schedulers_become_schedules(tmp_path, flags, schedule):
    text = run().replace("--lr_warmup_steps=0", "--scale_lr").replace("constant", flags)
    made = read(tmp_path, "run.sh", text + " --checkpointing_steps 500")
    assert made.schedule == schedule
    assert float(made.run.lr) == pytest.approx(2e-4)
    assert not any("once a device" in note for note in made.notes)


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


def test_what_another_s_script_does_with_the_devices_is_open(tmp_path):
    text = run("--learning_rate 1e-4", script="train_mine").replace("constant", "cosine")
    made = read(tmp_path, "run.sh", text.replace("lr_warmup_steps=0", "lr_warmup_steps=9"))
    assert any("once a device" in note for note in made.notes)


@pytest.mark.parametrize(
    ("flags", "scheduler", "schedule"),
    [
        ("", "cosine", None),
        ("--gradient_accumulation_steps 2", "cosine", "cosine:warmup=50"),
        ("--gradient_accumulation_steps 8", "cosine", "cosine:length=60000,warmup=200"),
        ("--gradient_accumulation_steps 8", "linear", "linear:length=60000,warmup=200"),
        ("--gradient_accumulation_steps 8", "constant_with_warmup", "constant:warmup=200"),
        ("--gradient_accumulation_steps 8 --max_train_steps $N", "cosine", None),
    ],
)
def test_a_scheduler_may_be_longer_than_the_run(tmp_path, flags, scheduler, schedule):
    text = run(flags, script="train_text_to_image_lora_sdxl").replace("constant", scheduler)
    made = read(tmp_path, "run.sh", text.replace("lr_warmup_steps=0", "lr_warmup_steps=50"))
    assert made.schedule == schedule


@pytest.mark.parametrize(("devices", "schedule"), [("1", "cosine:warmup=9"), ("2", None)])
def test_the_unconditional_script_has_defaults_of_its_own(tmp_path, devices, schedule):
    text = run(script="train_unconditional").replace("--lr_scheduler constant", "")
    text = text.replace("processes 2", f"processes {devices}")
    made = read(tmp_path, "run.sh", text.replace("lr_warmup_steps=0", "lr_warmup_steps=9"))
    assert (made.value, made.betas, made.schedule) == ("1e-6", ("0.95", "0.999"), schedule)


def test_a_trained_text_encoder_has_its_own_decay(tmp_path):
    flags = "--train_text_encoder --adam_weight_decay 1e-2"
    made = read(tmp_path, "run.sh", run(flags, script="train_dreambooth_lora_sdxl"))
    own = made.groups[-1]
    assert (own.name, own.lr, own.weight_decay) == ("text encoder", "5e-6", "1e-3")
    plain = read(tmp_path, "run.sh", run(flags, script="train_dreambooth_lora"))
    assert len(plain.groups) == 1


@pytest.mark.parametrize("key", ["train_sp_batch_size: 1", "data_config: {train_batch_size: 1}"])
def test_batches_of_other_programs_are_not_diffusers(tmp_path, key):
    text = f"max_train_steps: 10\nadam_weight_decay: 0.01\ncheckpointing_steps: 5\n{key}\n"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "a.yaml", text)
