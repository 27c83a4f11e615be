"""Hydra's composed configurations."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import quantity, read, shrink

FILE = """\
model:
  optimizer:
    _target_: torch.optim.Adam
    _partial_: true
    lr: 0.002
    weight_decay: 0.0001
data:
  batch_size: 64
trainer:
  max_epochs: 10
"""


def test_what_stands_under_usual_names_is_found_and_unsure(tmp_path):
    found = read(tmp_path, "config.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("hydra", "pytorch-adam", "0.0001")
    assert (found.run.examples_per_step, float(found.run.epochs)) == (64, 10)
    assert "unsure" in quantity(found, "batch_size").note
    assert shrink(found) is None
    assert found.schedule == "constant"


@pytest.mark.parametrize(
    ("target", "flag", "convention"),
    [
        ("torch.optim.Adam", "decoupled_weight_decay: true", "pytorch-adam-decoupled"),
        ("optimi.AdamW", "decouple_lr: true", "optimi-decoupled"),
        ("optimi.Adam", "decouple_wd: true", "optimi-adamw"),
        ("optimi.SGD", "decouple_wd: true", None),
        ("prodigyopt.Prodigy", "decouple: false", None),
        ("apex.optimizers.FusedAdam", "adam_w_mode: false", None),
        ("torch.optim.Adam", "decoupled_weight_decay: ${x}", None),
        ("torch.optim.AdamW", "decoupled_weight_decay: ${x}", "pytorch-adamw"),
    ],
)
def test_flags_of_the_class_decide_what_its_number_is(tmp_path, target, flag, convention):
    text = FILE.replace("torch.optim.Adam\n", f"{target}\n    {flag}\n")
    found = read(tmp_path, "config.yaml", text)
    assert found.convention == convention
    assert (flag.partition(":")[0] in found.refusal) == (convention is None)


@pytest.mark.parametrize(
    ("arguments", "schedule"),
    [
        ("{_target_: torch.optim.lr_scheduler.StepLR, _partial_: true, step_size: 4}",
         "step:every=4epochs,gamma=0.1"),
        ("{_target_: torch.optim.lr_scheduler.ReduceLROnPlateau, patience: 10}", None),
        ("{_target_: src.schedulers.Own}", None),
        ("null", "constant"),
    ],
)  # fmt: skip
def test_a_scheduler_of_torch_is_taken_to_step_once_an_epoch(tmp_path, arguments, schedule):
    # The scheduler's class lies in torch.optim too, and stands before the optimizer.
    text = FILE.replace("model:\n", f"model:\n  scheduler: {arguments}\n", 1)
    made = read(tmp_path, "config.yaml", text)
    assert (made.convention, made.schedule) == ("pytorch-adam", schedule)
    assert any("how often" in note for note in made.notes) == ("StepLR" in arguments)


def test_an_interval_of_steps_counts_steps(tmp_path):
    target = "{_target_: torch.optim.lr_scheduler.StepLR, interval: step, step_size: 400}"
    assert read(tmp_path, "a.yaml", f"{FILE}scheduler: {target}\n").schedule == (
        "step:every=400,gamma=0.1"
    )


def test_lightnings_devices_multiply_the_batch(tmp_path):
    text = FILE.replace("  max_epochs: 10", "  max_epochs: 10\n  devices: 4\n  num_nodes: 2")
    assert read(tmp_path, "config.yaml", text).run.examples_per_step == 512


def test_a_loaders_batch_and_the_loops_passes_are_found(tmp_path):
    text = FILE.replace("data:\n", "dataloader:\n")
    text += "training: {gradient_accumulate_every: 3}\n"
    found = read(tmp_path, "config.yaml", text)
    assert found.run.examples_per_step == 192
    assert "unsure" in quantity(found, "grad_accum").note


def test_several_optimizers_are_told(tmp_path):
    second = "  optimizer_d: {_target_: torch.optim.SGD, lr: 1}\n"
    found = read(tmp_path, "config.yaml", FILE.replace("data:\n", f"{second}data:\n"))
    assert found.convention == "pytorch-adam"
    assert any("several optimizers" in note for note in found.notes)
    one = read(tmp_path, "one.yaml", FILE)
    assert not any("several optimizers" in note for note in one.notes)


def test_other_files_are_named_as_not_read(tmp_path):
    found = read(tmp_path, "config.yaml", FILE + "defaults:\n  - model: a\n")
    assert any("`defaults:`" in note for note in found.notes)


def test_the_optimizer_may_lie_deep_or_not_be_there(tmp_path):
    deep = "a:\n  b:\n    c:\n      optim:\n        _target_: torch.optim.SGD\n        lr: 1\n"
    found = read(tmp_path, "a.yaml", deep, kind="hydra")
    assert found.convention == "pytorch-sgd"
    none = read(tmp_path, "b.yaml", "a: 1\nb:\n  _target_: x.Y\n  c: {d: {}}\n", kind="hydra")
    assert none.value is None
    endless = "".join(f"{'  ' * depth}k:\n" for depth in range(9)) + "  " * 9 + "x: 1\n"
    assert read(tmp_path, "c.yaml", endless, kind="hydra").value is None


def test_a_schedule_under_another_name_is_not_passed_over(tmp_path):
    text = FILE.replace("    lr: 0.002\n", "    lr: 0.002\n    sched: {name: Noam}\n")
    found = read(tmp_path, "config.yaml", text.replace("max_epochs: 10", "max_epochs: -1"))
    assert (found.schedule, found.run.epochs) == (None, None)


@pytest.mark.parametrize(("devices", "batch"), [("4", None), ("1", 64)])
def test_a_batch_that_the_template_divides_is_open_beside_several_devices(tmp_path, devices, batch):
    text = FILE.replace("data:\n", "task_name: train\ndata:\n  _target_: src.data.Own\n")
    text = text.replace("trainer:\n", f"trainer:\n  devices: {devices}\n")
    found = read(tmp_path, "config.yaml", text)
    assert found.run.examples_per_step == batch
    assert ("of all 4 devices" in quantity(found, "world_size").note) == (batch is None)
    assert read(tmp_path, "a.yaml", text, world_size="1").run.examples_per_step == 64


def test_schedulers_in_lists_beside_the_optimizer_are_another_program_s(tmp_path):
    text = "optimizer: {_target_: torch.optim.AdamW}\noptions: {lr: [{scheduler: {value: 0.1}}]}\n"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "a.yaml", text)
