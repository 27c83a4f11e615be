"""PaddleSeg's YAML configurations."""

import pytest

from decaycalc.conventions.run import Run
from decaycalc.inspection import inspect
from tests.training.trainers.reading import read, shrink

FILE = """\
batch_size: 4
iters: 1600
train_dataset:
  type: Cityscapes
optimizer:
  type: SGD
  momentum: 0.9
  weight_decay: 5.0e-4
lr_scheduler:
  type: PolynomialDecay
  learning_rate: 0.005
  end_lr: 0
  power: 0.9
  warmup_iters: 100
  warmup_start_lr: 1.0e-5
"""
POLYNOMIAL = FILE[FILE.index("  type: PolynomialDecay") :]


def test_sgd_with_a_momentum_is_momentum(tmp_path):
    found = read(tmp_path, "a.yml", FILE)
    assert (found.kind, found.convention) == ("paddleseg", "paddle-momentum")
    assert (found.run.examples_per_step, found.run.steps) == (4, 1600)
    assert found.schedule == "polynomial:power=0.9,warmup=100,start=0.002"
    assert shrink(found) == pytest.approx(0.005 * 5e-4 / 0.1)


def test_what_the_run_takes_off_is_as_paddle_s_schedulers_have_it(tmp_path):
    (tmp_path / "a.yml").write_text(FILE, encoding="utf-8")
    rise = sum(0.002 + 0.998 * step / 100 for step in range(100))
    fall = sum((1 - step / 1500) ** 0.9 for step in range(1500))
    found = inspect(str(tmp_path / "a.yml"), run=Run.part(dataset_size=4))
    assert found.figures.sum_shrink == pytest.approx(2.5e-5 * (rise + fall))


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ("type: PolynomialDecay\n  learning_rate: 0.01",
         "polynomial:power=1,final=0.01"),
        ("type: PolynomialDecay\n  learning_rate: 0.01\n  decay_steps: 900\n  end_lr: 0",
         "polynomial:power=1,length=900"),
        ("type: MultiStepDecay\n  learning_rate: 0.01\n  milestones: [500, 900]",
         "step:at=500/900,gamma=0.1"),
        ("type: MultiStepDecay\n  learning_rate: 0.01\n  milestones: [500]\n  warmup_iters: 100",
         "step:at=600,gamma=0.1,warmup=100"),
        ("type: StepDecay\n  learning_rate: 0.01\n  step_size: 500\n  gamma: 0.5",
         "step:every=500,gamma=0.5"),
        ("type: StepDecay\n  learning_rate: 0.01\n  step_size: 500\n  warmup_iters: 100",
         "constant:warmup=100,until=100+step:every=500,gamma=0.1"),
        ("type: StepDecay\n  learning_rate: 0.01", None),
        ("type: NoamDecay\n  learning_rate: 0.01", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, lines, schedule):
    assert read(tmp_path, "a.yml", FILE.replace(POLYNOMIAL, f"  {lines}\n")).schedule == schedule


@pytest.mark.parametrize(
    ("lines", "convention", "value"),
    [
        ("type: adam\n  weight_decay: 0.01", "paddle-adam", "0.01"),
        ("type: AdamW", "paddle-adamw", "0.01"),
        ("type: sgd\n  weight_decay: 0.01", "paddle-sgd", "0.01"),
        ("type: AdamWDL_CAE", None, None),
        ("x: 1", None, None),
    ],
)
def test_optimizers(tmp_path, lines, convention, value):
    own = FILE[FILE.index("  type: SGD") : FILE.index("lr_scheduler")]
    found = read(tmp_path, "a.yml", FILE.replace(own, f"  {lines}\n"))
    assert (found.convention, found.value) == (convention, value)


def test_groups_and_a_mapping_that_takes_its_base_s_place(tmp_path):
    (tmp_path / "base.yml").write_text(FILE, encoding="utf-8")
    text = (
        "_base_: base.yml\niters: 80\noptimizer:\n  _inherited_: False\n  type: AdamW\n"
        "  custom_cfg:\n    - name: backbone\n      lr_mult: 0.1\n    - name: norm\n"
        "      weight_decay_mult: 0.0\n    - name: odd\n      lr_mult: x\n"
    )
    found = read(tmp_path, "a.yml", text)
    assert (found.convention, found.value, found.run.steps) == ("paddle-adamw", "0.01", 80)
    shown = {group.name: (group.lr_mult, group.decay_mult) for group in found.groups[1:]}
    assert shown == {"backbone": ("0.1", "1"), "norm": ("1", "0")}
