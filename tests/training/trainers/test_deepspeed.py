"""DeepSpeed's ds_config.json, against its engine and lr_schedules."""

import json

import pytest

from decaycalc.errors import ContradictionError, UnreadableFileError
from tests.training.trainers.reading import origins, quantity, read, shrink


def config(*, optimizer="Adam", params=None, scheduler=None, **others):
    given = {"lr": "3e-4", "betas": [0.9, 0.95], "weight_decay": 0.1} if params is None else params
    whole = {"zero_optimization": {"stage": 2}, **others}
    if optimizer:
        whole["optimizer"] = {"type": optimizer, "params": given}
    if scheduler:
        name, arguments = scheduler
        whole["scheduler"] = {"type": name, "params": arguments}
    return json.dumps(whole)


SIZES = {
    "train_batch_size": 256,
    "train_micro_batch_size_per_gpu": 8,
    "gradient_accumulation_steps": 4,
}
WARMUP = {"warmup_max_lr": 3e-4, "warmup_num_steps": 500, "total_num_steps": 10000}


def test_adam_is_adamw_and_the_devices_follow(tmp_path):
    scheduler = ("WarmupDecayLR", {**WARMUP, "warmup_type": "linear"})
    made = read(tmp_path, "ds.json", config(scheduler=scheduler, **SIZES))
    assert (made.kind, made.convention, made.value) == ("deepspeed", "deepspeed-adam", "0.1")
    assert (made.run.examples_per_step, made.run.steps) == (256, 10000)
    assert made.schedule == "linear:warmup=500,delay=1"
    assert made.betas == ("0.9", "0.95")
    assert shrink(made) == pytest.approx(3e-5)
    assert quantity(made, "world_size").value == "8"
    assert any("AdamW" in note for note in made.notes)


@pytest.mark.parametrize(
    ("optimizer", "params", "convention", "value"),
    [
        ("AdamW", {"lr": 1e-3}, "deepspeed-adam", "0"),
        ("Adam", {"lr": 1e-3, "adam_w_mode": False}, "pytorch-adam", "0"),
        ("Adam", {"lr": 1e-3, "torch_adam": True}, "pytorch-adamw", "0.01"),
        ("Adam", {"lr": 1e-3, "torch_adam": True, "adam_w_mode": False}, "pytorch-adam", "0"),
        ("Lion", {"lr": 1e-3, "weight_decay": 0.1}, "deepspeed-lion", "0.1"),
        ("SGD", {"lr": 1e-3, "momentum": 0.9}, "pytorch-sgd", "0"),
        ("Muon", {"muon_lr": 1e-3, "weight_decay": 0.1}, "muon-keller", "0.1"),
    ],
)
def test_the_type_decides_convention_and_default(tmp_path, optimizer, params, convention, value):
    made = read(tmp_path, "ds.json", config(optimizer=optimizer, params=params))
    assert (made.convention, made.value) == (convention, value)
    assert made.run.lr * 1000 == 1


@pytest.mark.parametrize("optimizer", ["OneBitAdam", "MuAdam", "Sorcery"])
def test_an_optimizer_without_a_scalar_has_no_number(tmp_path, optimizer):
    made = read(tmp_path, "ds.json", config(optimizer=optimizer))
    assert made.value is None
    assert made.refusal


def test_without_an_optimizer_section_the_trainer_outside_sets_it(tmp_path):
    made = read(tmp_path, "ds.json", config(optimizer=""))
    assert (made.value, made.run.lr) == (None, None)
    assert "the trainer that loads this file" in made.refusal


def test_auto_is_missing_and_says_what_fills_it(tmp_path):
    text = config(
        params={"lr": "auto", "weight_decay": "auto"},
        train_micro_batch_size_per_gpu="auto",
        gradient_accumulation_steps="auto",
    )
    made = read(tmp_path, "ds.json", text)
    assert (made.convention, made.value, made.run.lr) == ("deepspeed-adam", None, None)
    assert {"weight_decay", "lr", "batch_size", "grad_accum"} <= set(made.missing)
    assert "learning_rate fills it" in quantity(made, "lr").note


@pytest.mark.parametrize(
    ("name", "arguments", "schedule"),
    [
        (
            "WarmupLR",
            {"warmup_num_steps": 10, "warmup_min_lr": 3e-5},
            "constant:warmup=10,start=0.1,ramp=log,delay=1",
        ),
        (
            "WarmupLR",
            {"warmup_num_steps": 1, "warmup_type": "linear"},
            "constant:warmup=2,delay=1",
        ),
        (
            "WarmupDecayLR",
            {**WARMUP, "warmup_min_lr": 3e-5, "warmup_type": "linear"},
            "linear:final=0.1,warmup=500,start=0.1,delay=1",
        ),
        (
            "WarmupCosineLR",
            {"total_num_steps": 100, "warmup_num_steps": 10, "cos_min_ratio": 0.1},
            "cosine:final=0.1,warmup=10,ramp=log,counts=one,toward=peak,delay=1",
        ),
        (
            "WarmupCosineLR",
            {"total_num_steps": 100, "warmup_num_steps": 10, "warmup_min_ratio": 0.01},
            (
                "constant:value=0,until=1 + cosine:final=0.0001,warmup=10,start=0.01,ramp=log,"
                "counts=one,toward=peak,length=100"
            ),
        ),
        ("OneCycle", {}, None),
    ],
)
def test_schedulers_become_schedules(tmp_path, name, arguments, schedule):
    made = read(tmp_path, "ds.json", config(scheduler=(name, arguments)))
    assert made.schedule == schedule


def test_the_decaying_scheduler_has_a_peak_of_its_own(tmp_path):
    made = read(tmp_path, "ds.json", config(params={}, scheduler=("WarmupDecayLR", {})))
    assert (made.run.lr * 1000, origins(made)["lr"]) == (1, "default")
    given = read(tmp_path, "ds.json", config(params={}, scheduler=("WarmupDecayLR", {})), lr="0.01")
    assert given.run.lr * 100 == 1


@pytest.mark.parametrize(
    ("sizes", "given", "batch"),
    [
        ({"train_micro_batch_size_per_gpu": 8}, {"world_size": "4"}, 32),
        ({"train_batch_size": 256}, {}, 256),
        ({"train_batch_size": 256, "train_micro_batch_size_per_gpu": 8}, {}, 256),
        (SIZES, {"world_size": "8"}, 256),
        (SIZES, {"batch_size": "2"}, 64),
    ],
)
def test_the_batch_is_the_whole_or_the_product(tmp_path, sizes, given, batch):
    made = read(tmp_path, "ds.json", config(**sizes), **given)
    assert made.run.examples_per_step == batch


@pytest.mark.parametrize(
    ("sizes", "given"),
    [
        ({**SIZES, "train_batch_size": 100}, {}),
        (SIZES, {"world_size": "4"}),
        ({"train_batch_size": 100, "train_micro_batch_size_per_gpu": 8}, {}),
    ],
)
def test_sizes_that_contradict_each_other_are_an_error_of_the_file(tmp_path, sizes, given):
    with pytest.raises(UnreadableFileError, match=r"train_batch_size \d+ is not"):
        read(tmp_path, "ds.json", config(**sizes), **given)


def test_a_world_size_that_changes_nothing_is_refused(tmp_path):
    with pytest.raises(ContradictionError, match="counts all devices"):
        read(tmp_path, "ds.json", config(train_batch_size=256), world_size="4")


def test_a_peak_that_the_trainer_fills_is_missing(tmp_path):
    arguments = {**WARMUP, "warmup_max_lr": "auto"}
    made = read(tmp_path, "ds.json", config(scheduler=("WarmupDecayLR", arguments)))
    assert (made.run.lr, made.schedule) == (None, "linear:warmup=500,ramp=log,delay=1")
    assert "learning_rate fills it" in quantity(made, "lr").note
    arguments |= {"warmup_min_lr": 1e-5}  # of a peak that is not known
    made = read(tmp_path, "ds.json", config(scheduler=("WarmupDecayLR", arguments)))
    assert made.schedule is None


@pytest.mark.parametrize(
    ("scheduler", "lr", "groups"),
    [
        (None, 0.02, [("AdamW", "0.001")]),
        ({"type": "WarmupLR", "params": {"warmup_max_lr": 0.01}}, 0.01, []),
    ],
)
def test_muon_s_own_lr_stands_before_that_of_both_halves(tmp_path, scheduler, lr, groups):
    parameters = {"lr": 0.1, "muon_lr": 0.02, "adam_lr": 0.001, "weight_decay": 0.1}
    settings = {"train_batch_size": 8, "optimizer": {"type": "Muon", "params": parameters}}
    settings |= {} if scheduler is None else {"scheduler": scheduler}
    found = read(tmp_path, "ds.json", json.dumps(settings))
    assert float(found.run.lr) == lr
    assert [(group.name, group.lr) for group in found.groups[1:]] == groups


def test_another_program_s_python_is_not_deepspeed_s(tmp_path):
    text = "train_batch_size = 32\noptimizer = dict(type='AdamW', lr=1e-4)\nnum_epochs = 5\n"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "a.py", text)
