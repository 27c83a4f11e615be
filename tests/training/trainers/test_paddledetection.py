"""PaddleDetection's files: schedulers by tag or name, and a decay that AdamW has of its own."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
epoch: 30
LearningRate:
  base_lr: 0.02
  schedulers:
    - !CosineDecay
      max_epochs: 40
    - !LinearWarmup
      start_factor: 0.1
      steps: 800
OptimizerBuilder:
  optimizer:
    type: Momentum
    momentum: 0.9
  regularizer:
    type: L2
    factor: 0.0004
TrainReader:
  batch_size: 6
"""
COSINE = "    - !CosineDecay\n      max_epochs: 40\n"


def test_a_file_is_read(tmp_path):
    found = read(tmp_path, "a.yml", FILE)
    assert (found.kind, found.convention, found.value) == (
        "paddledetection",
        "paddle-momentum",
        "0.0004",
    )
    assert (found.run.examples_per_step, found.run.epochs) == (6, 30)
    assert found.schedule == "cosine:warmup=800,start=0.1,length=40epochs"
    assert shrink(found) == pytest.approx(8e-5)


@pytest.mark.parametrize(
    ("entry", "schedule"),
    [
        ("- name: PiecewiseDecay\n      milestones: [20, 25]", "step:at=20/25epochs,gamma=0.1,"),
        ("- !PiecewiseDecay\n      gamma: 0.5\n      milestones: [9, 12]",
         "step:at=9/12epochs,gamma=0.5/0.1,"),
        ("- !PiecewiseDecay\n      gamma: [0.2, 0.1]\n      milestones: [9, 12]",
         "step:at=9/12epochs,gamma=0.2/0.5,"),
        ("- !PiecewiseDecay\n      gamma: 1.0\n      milestones: [99]", "constant:"),
        ("- !CosineDecay\n      max_epochs: 30\n      min_lr_ratio: 0.05", "cosine:"),
        ("- !CosineDecay\n      max_epochs: 30\n      last_plateau_epochs: 3",
         "cosine:warmup=800,start=0.1,length=27epochs"),
        ("- !CosineDecay\n      max_epochs: odd", None),
        ("- !PiecewiseDecay\n      milestones: [1]\n      values: [1, 2]", None),
        ("- !PiecewiseDecay\n      gamma: [0.1]\n      milestones: [1, 2]", None),
        ("- !Other\n      a: 1", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, entry, schedule):
    found = read(tmp_path, "a.yml", FILE.replace(COSINE, f"    {entry}\n")).schedule
    assert (found is None) if schedule is None else found.startswith(schedule)


@pytest.mark.parametrize(
    ("old", "new", "convention", "value"),
    [
        ("type: Momentum", "type: AdamW\n    weight_decay: 0.02", "paddle-adamw", "0.02"),
        ("type: Momentum", "type: AdamW", "paddle-adamw", "0.01"),
        ("  regularizer:\n    type: L2\n    factor: 0.0004\n", "  regularizer: false\n",
         "paddle-momentum", "0"),
        ("  regularizer:\n    type: L2\n    factor: 0.0004\n", "", "paddle-momentum", "0.0001"),
        ("type: L2", "type: L1", None, None),
        ("type: Momentum", "type: Mine", None, None),
    ],
)  # fmt: skip
def test_optimizers(tmp_path, old, new, convention, value):
    found = read(tmp_path, "a.yml", FILE.replace(old, new))
    assert (found.convention, found.value) == (convention, value)


def test_a_file_of_bases_alone_is_told_by_them_and_misses_what_is_not_there(tmp_path):
    (tmp_path / "opt.yml").write_text(FILE)
    found = read(tmp_path, "a.yml", "_BASE_: [opt.yml, gone.yml]\nTrainReader: {batch_size: 9}\n")
    assert (found.kind, found.run.batch_size, found.value) == ("paddledetection", 9, "0.0004")
    assert any("gone.yml is not here" in note for note in found.notes)
    text = FILE.replace("    momentum: 0.9", "    param_groups: [{params: [a]}]")
    assert any("param_groups" in note for note in read(tmp_path, "b.yml", text).notes)


def test_a_run_without_a_warm_up(tmp_path):
    warm = "    - !LinearWarmup\n      start_factor: 0.1\n      steps: 800\n"
    text = FILE.replace(warm, "").replace("max_epochs: 40", "max_epochs: 30")
    assert read(tmp_path, "a.yml", text).schedule == "cosine"
    whole = FILE.replace("steps: 800", "epochs: 2")
    assert (
        read(tmp_path, "b.yml", whole).schedule == "cosine:warmup=2epochs,start=0.1,length=40epochs"
    )
    none = FILE.replace(COSINE, "").replace(warm, "").replace("  schedulers:\n", "")
    assert read(tmp_path, "c.yml", none).schedule is None


def test_a_schedule_without_a_form_is_named(tmp_path):
    found = read(tmp_path, "a.yml", FILE.replace("CosineDecay", "Other"))
    assert any("'Other and LinearWarmup' has no equal here" in note for note in found.notes)


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("max_epochs: 40", "max_epochs: 30\n      use_warmup: false", "cosine"),
        ("!LinearWarmup", "!ExpWarmup", "cosine:warmup=800,warmup_power=2,length=40epochs"),
        ("!LinearWarmup\n", "!ExpWarmup\n      epochs: 5\n",
         "cosine:warmup=5epochs,warmup_power=2,length=40epochs"),
        ("steps: 800", "steps: 800\n      epochs: 2\n      epochs_first: False",
         "cosine:warmup=800,start=0.1,length=40epochs"),
    ],
)  # fmt: skip
def test_switches_of_the_warm_up(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yml", FILE.replace(old, new)).schedule == schedule


def test_a_slim_configuration_alone_tells_no_optimizer(tmp_path):
    text = "slim: QAT\nepoch: 5\nLearningRate:\n  base_lr: 0.001\n  schedulers:\n    - !X\n"
    made = read(tmp_path, "a.yml", text)
    assert made.value is None
    assert "lies over that of --config" in made.refusal
    whole = text + "OptimizerBuilder:\n  optimizer:\n    type: Momentum\n"
    assert read(tmp_path, "a.yml", whole).value == "0.0001"
