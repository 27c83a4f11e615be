"""Lightning CLI's config.yaml."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

FILE = """\
seed_everything: 1
trainer:
  max_epochs: 20
  accumulate_grad_batches: 2
  devices: 4
  num_nodes: 1
model:
  class_path: demo.Net
data:
  class_path: demo.Data
  init_args:
    batch_size: 32
optimizer:
  class_path: torch.optim.AdamW
  init_args:
    lr: 0.001
    weight_decay: 0.05
lr_scheduler:
  class_path: torch.optim.lr_scheduler.CosineAnnealingLR
  init_args:
    T_max: 20
"""


def scheduler(name, arguments, *, interval=""):
    head = FILE[: FILE.index("lr_scheduler:")]
    rest = f"lr_scheduler:\n  class_path: torch.optim.lr_scheduler.{name}\n"
    return f"{head}{rest}{interval}  init_args:\n    {arguments}\n"


def test_a_scheduler_is_stepped_once_an_epoch(tmp_path):
    found = read(tmp_path, "config.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("lightning", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, float(found.run.epochs)) == (256, 20)
    assert found.schedule == "cosine:per=1epochs"
    assert shrink(found) == pytest.approx(5e-5)


# Each Σ lr agrees with torch 2.13's own scheduler over 300 steps of 30 epochs.
@pytest.mark.parametrize(
    ("name", "arguments", "schedule"),
    [
        ("CosineAnnealingLR", "{T_max: 10, eta_min: 0.0001}",
         "cosine:length=10epochs,final=0.1,after=mirror,per=1epochs"),
        ("CosineAnnealingLR", "{T_max: 50}", "cosine:length=50epochs,per=1epochs"),
        ("CosineAnnealingWarmRestarts", "{T_0: 4, T_mult: 2, eta_min: 0.0001}",
         "cosine-restarts:period=4epochs,growth=2,final=0.1,per=1epochs"),
        ("CosineAnnealingWarmRestarts", "{T_0: 7}", "cosine-restarts:period=7epochs,per=1epochs"),
        ("CosineAnnealingWarmRestarts", "{T_mult: 2}", None),
        ("StepLR", "{gamma: 0.5}", None),
        ("ConstantLR", "{}", "constant:value=1/3,until=5epochs + constant"),
        ("ConstantLR", "{factor: 0.5, total_iters: 8}",
         "constant:value=0.5,until=8epochs + constant"),
        ("LinearLR", "{}", "linear:initial=1/3,final=1,length=5epochs,per=1epochs"),
        ("LinearLR", "{start_factor: 1.0, end_factor: 0.1, total_iters: 20}",
         "linear:initial=1,final=0.1,per=1epochs"),
        ("PolynomialLR", "{total_iters: 10, power: 2}",
         "polynomial:power=2,length=10epochs,per=1epochs"),
        ("OneCycleLR", "{max_lr: 0.01, total_steps: 20}", None),
        ("CosineAnnealingLR", "{eta_min: 0.1}", None),
        ("StepLR", "{step_size: 5, gamma: 0.5}", "step:every=5epochs,gamma=0.5"),
        ("MultiStepLR", "{milestones: [5, 8]}", "step:at=5/8epochs,gamma=0.1"),
        ("MultiStepLR", "{gamma: 0.2}", None),
        ("ExponentialLR", "{gamma: 0.9}", "exponential:gamma=0.9,every=1epochs,per=1epochs"),
        ("ReduceLROnPlateau", "{factor: 0.1}", None),
    ],
)  # fmt: skip
def test_torch_s_schedulers(tmp_path, name, arguments, schedule):
    text = scheduler(name, "x: 1").replace("init_args:\n    x: 1", f"init_args: {arguments}")
    assert read(tmp_path, "config.yaml", text).schedule == schedule


def test_an_interval_of_steps_counts_steps(tmp_path):
    text = scheduler("CosineAnnealingLR", "T_max: 500", interval="  interval: step\n")
    limited = text.replace("  max_epochs: 20", "  max_steps: 1000")
    assert read(tmp_path, "a.yaml", limited).schedule == "cosine:length=500,after=mirror"
    every = scheduler("StepLR", "step_size: 100", interval="  interval: step\n")
    assert read(tmp_path, "b.yaml", every).schedule == "step:every=100,gamma=0.1"
    at = scheduler("MultiStepLR", "milestones: [10]", interval="  interval: step\n")
    assert read(tmp_path, "c.yaml", at).schedule == "step:at=10,gamma=0.1"
    assert read(tmp_path, "d.yaml", text).schedule == "cosine:length=500,after=mirror"


@pytest.mark.parametrize(
    ("arguments", "schedule"),
    [
        ("{max_lr: 0.01, total_steps: 1000, pct_start: 0.2}",
         "one-cycle:rise=0.2,div=25,final_div=10000"),
        ("{max_lr: 0.01, epochs: 4, steps_per_epoch: 100, three_phase: 1, anneal_strategy: linear}",
         "one-cycle:length=400,rise=0.3,div=25,final_div=10000,phases=3,shape=linear"),
        ("{max_lr: 0.01, epochs: 4, steps_per_epoch: -1}", None),
        ("{max_lr: 0.01}", None),
    ],
)  # fmt: skip
def test_one_cycles_peak_takes_the_place_of_lr(tmp_path, arguments, schedule):
    text = scheduler("OneCycleLR", "x: 1", interval="  interval: step\n")
    text = text.replace("  max_epochs: 20", "  max_steps: 1000")
    made = read(tmp_path, "a.yaml", text.replace("init_args:\n    x: 1", f"init_args: {arguments}"))
    assert (float(made.run.lr), made.schedule) == (0.01, schedule)
    assert shrink(made) == pytest.approx(5e-4)


def test_one_cycle_without_a_peak_leaves_lr(tmp_path):
    assert float(read(tmp_path, "a.yaml", scheduler("OneCycleLR", "pct_start: 0.2")).run.lr) == 1e-3


def test_an_optimizer_among_the_model_s_arguments_is_found(tmp_path):
    inner = "\n".join(f"    {line}" for line in FILE[FILE.index("optimizer:") :].splitlines())
    head = FILE[: FILE.index("optimizer:")]
    text = head.replace(
        "  class_path: demo.Net\n", f"  class_path: demo.Net\n  init_args:\n{inner}\n"
    )
    found = read(tmp_path, "config.yaml", text)
    assert (found.kind, found.value, found.schedule) == ("lightning", "0.05", "cosine:per=1epochs")


@pytest.mark.parametrize(
    ("devices", "batch"),
    [("devices: [0, 1, 2]", 192), ("devices: [3]", 64), ('devices: "0,1"', 128), ("gpus: 2", 128)],
)
def test_devices_may_be_named_one_by_one(tmp_path, devices, batch):
    found = read(tmp_path, "config.yaml", FILE.replace("devices: 4", devices))
    assert found.run.examples_per_step == batch


@pytest.mark.parametrize(("limit", "is_told"), [("100", True), ("0.5", True), ("1.0", False)])
def test_epochs_that_end_before_their_data_are_told(tmp_path, limit, is_told):
    text = FILE.replace("  max_epochs", f"  limit_train_batches: {limit}\n  max_epochs")
    notes = read(tmp_path, "config.yaml", text).notes
    assert any("limit_train_batches" in note for note in notes) == is_told


def test_devices_that_the_machine_decides_are_one_and_said(tmp_path):
    found = read(tmp_path, "config.yaml", FILE.replace("devices: 4", "devices: auto"))
    assert found.run.examples_per_step == 64
    assert any("number of devices" in note for note in found.whole_notes)
    assert read(tmp_path, "b.yaml", FILE[: FILE.index("lr_scheduler:")]).schedule == "constant"


def test_a_loop_of_a_program_s_own_is_not_lightning_s(tmp_path):
    text = (
        "data: {class_path: my.Data, batch_size: 8}\ntrain: {max_train_steps: 100}\n"
        "optimizer: {class_path: torch.optim.AdamW, init_args: {lr: 1e-4}}\n"
    )
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "a.yaml", text)
