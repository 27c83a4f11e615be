"""DINOv3's files: two forms of schedules, three rules of scaling."""

import pytest

from tests.training.trainers.reading import read

FIRST = """\
train:
  batch_size_per_gpu: 64
  OFFICIAL_EPOCH_LENGTH: 1000
optim:
  epochs: 10
  lr: 0.001
  warmup_epochs: 1
  scaling_rule: sqrt_wrt_1024
  schedule_trunc_extra: 0.0
"""
SECOND = """\
train:
  batch_size_per_gpu: 64
  OFFICIAL_EPOCH_LENGTH: 1000
  sharded_eval_checkpoint: true
optim:
  epochs: 10
  lr: null
  scaling_rule: linear_wrt_256
schedules:
  lr:
    start: 1.0e-05
    peak: 4.0e-04
    end: 4.0e-05
    warmup_epochs: 2
  weight_decay:
    start: 0.05
    peak: 0.05
    end: 0.1
"""


def test_the_first_form(tmp_path):
    found = read(tmp_path, "a.yaml", FIRST, world_size="4")
    assert (found.kind, found.value, float(found.run.lr)) == ("dinov3", "0.04", 0.002)
    assert found.run.steps == 10_000
    assert found.schedule == "cosine:warmup=1000,final=0.0005"
    assert found.decay_schedule == "cosine:final=10"
    cut = read(tmp_path, "b.yaml", FIRST.replace("extra: 0.0", "extra: 0.25"))
    assert cut.schedule is None


def test_the_second_form(tmp_path):
    found = read(tmp_path, "a.yaml", SECOND, world_size="2")
    assert (found.value, float(found.run.lr)) == ("0.05", 0.0002)
    assert found.schedule == "cosine:warmup=2000,start=0.025,final=0.1"
    assert found.decay_schedule == "cosine:final=2"


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("    end: 4.0e-05", "    end: 4.0e-04", "constant:warmup=2000,start=0.025"),
        ("    warmup_epochs: 2", "    warmup_epochs: 0\n    cosine_epochs: 4",
         "cosine:length=4000,final=0.1"),
    ],
)  # fmt: skip
def test_schedules_of_the_second_form(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yaml", SECOND.replace(old, new)).schedule == schedule


def test_another_rule_leaves_the_lr(tmp_path):
    text = SECOND.replace("linear_wrt_256", "none")
    assert float(read(tmp_path, "a.yaml", text, world_size="2").run.lr) == 0.0004
    opened = SECOND.replace("per_gpu: 64", "per_gpu: ???")
    assert read(tmp_path, "b.yaml", opened).run.lr is None
    missing = FIRST.replace("lr: 0.001", "lr: ???")
    assert read(tmp_path, "c.yaml", missing).run.lr is None


@pytest.mark.parametrize("line", ["    start: 1.0e-05\n", "    end: 4.0e-05\n"])
def test_the_second_form_has_no_default_ends(tmp_path, line):
    assert line in SECOND
    assert read(tmp_path, "a.yaml", SECOND.replace(line, "", 1)).schedule is None
