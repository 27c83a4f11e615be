"""PaddleClas' YAML configurations."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
Global:
  epochs: 90
Arch:
  name: ResNet50
Optimizer:
  name: Momentum
  momentum: 0.9
  lr:
    name: Cosine
    learning_rate: 0.4
    warmup_epoch: 5
  regularizer:
    name: 'L2'
    coeff: 0.00004
DataLoader:
  Train:
    sampler:
      batch_size: 128
      drop_last: False
"""


def test_the_regularizer_s_coefficient_is_the_number(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention) == ("paddleclas", "paddle-momentum")
    assert float(found.value) == 4e-5
    assert (found.run.examples_per_step, float(found.run.epochs)) == (128, 90)
    assert found.schedule == "cosine:warmup=5epochs"
    assert shrink(found) == pytest.approx(1.6e-4)


@pytest.mark.parametrize(
    ("lr", "schedule"),
    [
        ("name: Linear, learning_rate: 0.4, end_lr: 0.04", "linear:final=0.1"),
        ("name: Constant, learning_rate: 0.4", "constant"),
        ("name: Constant, learning_rate: 0.4, warmup_epoch: 5", "constant"),
        ("name: ConstLR, learning_rate: 0.4, warmup_epoch: 5", "constant:warmup=5epochs"),
        ("name: Linear, learning_rate: 0.4, power: 2", "polynomial:power=2"),
        ("name: Linear, learning_rate: 0.4, cycle: True", None),
        ("name: Linear, learning_rate: 0.4, by_epoch: True, warmup_epoch: 2", None),
        ("name: Cosine, learning_rate: 0.4, by_epoch: True, warmup_epoch: 2",
         "cosine:warmup=2epochs,per=1epochs"),
        ("name: Piecewise, learning_rate: 0.4", "step:at=30/60epochs,gamma=0.1"),
        ("name: Piecewise, decay_epochs: [30, 60], values: [0.1, 0.01, 0.001]",
         "step:at=30/60epochs,gamma=0.1"),
        ("name: Piecewise, decay_epochs: [30, 60], values: [0.1, 0.01, 0.005]",
         "step:at=30/60epochs,gamma=0.1/0.5"),
        ("name: Piecewise, decay_epochs: [30], values: [0.1]", None),
        ("name: Piecewise, learning_rate: 0.4, warmup_epoch: 5",
         "step:at=35/65epochs,gamma=0.1,warmup=5epochs"),
        ("name: MultiStepDecay, learning_rate: 0.4, milestones: [40, 60], gamma: 0.5",
         "step:at=40/60epochs,gamma=0.5"),
        ("name: MultiStepDecay, learning_rate: 0.4, milestones: [40], warmup_epoch: 2",
         "step:at=42epochs,gamma=0.1,warmup=2epochs"),
        ("name: MultiStepDecay, learning_rate: 0.4", None),
        ("name: Step, learning_rate: 0.4, step_size: 2.5, gamma: 0.9",
         "step:every=2.5epochs,gamma=0.9"),
        ("name: Step, learning_rate: 0.4, step_size: 2.5, gamma: 0.9, warmup_epoch: 3",
         "constant:warmup=3epochs,until=3epochs + step:every=2.5epochs,gamma=0.9"),
        ("name: Other, learning_rate: 0.4", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, lr, schedule):
    head, _, rest = FILE.partition("  lr:\n")
    text = f"{head}  lr: {{{lr}}}\n{rest[rest.index('  regularizer') :]}"
    found = read(tmp_path, "a.yaml", text)
    assert found.schedule == schedule
    assert float(found.run.lr) in {0.4, 0.1}


def test_steps_beyond_the_run_leave_lr_constant(tmp_path):
    text = FILE.replace("Cosine", "Piecewise").replace("epochs: 90", "epochs: 20")
    assert read(tmp_path, "a.yaml", text).schedule == "constant:warmup=5epochs"
    open_ = FILE.replace("Cosine", "Piecewise").replace("epochs: 90", "device: gpu")
    assert read(tmp_path, "b.yaml", open_).schedule is None


def test_a_start_of_the_warm_up_is_a_share_of_lr(tmp_path):
    text = FILE.replace("warmup_epoch: 5", "warmup_epoch: 5\n    warmup_start_lr: 0.04")
    assert read(tmp_path, "a.yaml", text).schedule == "cosine:warmup=5epochs,start=0.1"


def test_without_a_regularizer_the_class_s_default_holds(tmp_path):
    head, _, rest = FILE.partition("  regularizer:\n")
    plain = head + rest[rest.index("DataLoader") :]
    assert read(tmp_path, "a.yaml", plain.replace("Momentum", "AdamW")).value == "0.01"
    assert read(tmp_path, "b.yaml", plain.replace("Momentum", "Mine")).value is None
    assert read(tmp_path, "c.yaml", FILE.replace("'L2'", "'L1'")).value is None


def test_exemptions_are_names_and_one_dimensional_tensors(tmp_path):
    names = "  no_weight_decay_name: norm cls_token\n  one_dim_param_no_weight_decay: True\n"
    text = FILE.replace("  momentum: 0.9\n", "  momentum: 0.9\n" + names)
    rule = read(tmp_path, "a.yaml", text).exempt.rule
    assert rule == "names with norm or cls_token and 1-D tensors"
