"""SlowFast's YAML configurations, by its own lr policy."""

from math import cos, pi

import pytest

from decaycalc.conventions.run import Run
from decaycalc.inspection import inspect
from tests.training.trainers.reading import read, shrink

FILE = """\
TRAIN:
  BATCH_SIZE: 64
DATA:
  NUM_FRAMES: 32
SOLVER:
  BASE_LR: 0.2
  LR_POLICY: cosine
  MAX_EPOCH: 20
  WEIGHT_DECAY: 1e-4
  WARMUP_EPOCHS: 4.0
  WARMUP_START_LR: 0.02
  OPTIMIZING_METHOD: sgd
MODEL:
  ARCH: slowfast
NUM_GPUS: 8
"""
STEPS = FILE.replace(
    "cosine", "steps_with_relative_lrs\n  STEPS: [0, 8, 16]\n  LRS: [1, 0.1, 0.01]"
)


def test_a_configuration_is_sgd_with_nesterov_and_a_batch_of_all_gpus(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("slowfast", "pytorch-sgd", "1e-4")
    assert (found.run.nesterov, found.run.examples_per_step, found.run.epochs) == (True, 64, 20)
    assert found.schedule == "cosine:warmup=4epochs,start=0.1,over=run,toward=end"
    assert shrink(found) == pytest.approx(0.2 * 1e-4 / 0.1)
    assert found.exempt.rule.startswith("batch normalisation and")


def test_what_the_run_takes_off_is_as_its_lr_policy_has_it(tmp_path):
    (tmp_path / "a.yaml").write_text(FILE, encoding="utf-8")

    def rate(epoch):
        full = 0.1 * (cos(pi * epoch / 20) + 1)
        top = 0.1 * (cos(pi * 4 / 20) + 1)
        return full if epoch >= 4 else 0.02 + epoch * (top - 0.02) / 4

    whole = sum(rate(step / 10) for step in range(200)) * 1e-4 / 0.1
    found = inspect(str(tmp_path / "a.yaml"), run=Run.part(dataset_size=640))
    assert found.figures.sum_shrink == pytest.approx(whole)


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("  WARMUP", "  COSINE_AFTER_WARMUP: True\n  COSINE_END_LR: 0.002\n  WARMUP",
         "cosine:final=0.01,warmup=4epochs,start=0.1"),
        ("WARMUP_EPOCHS: 4.0", "WARMUP_EPOCHS: 0", "cosine"),
        ("cosine", "mine", None),
        ("cosine", "steps_with_relative_lrs", None),
        ("cosine", "steps_with_relative_lrs\n  STEPS: [0, 8, 16]\n  LRS: [1, 0.5, 0.05]",
         "step:at=8/16epochs,gamma=0.5/0.1,warmup=4epochs,start=0.1"),
    ],
)  # fmt: skip
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yaml", FILE.replace(old, new, 1)).schedule == schedule
    stairs = read(tmp_path, "b.yaml", STEPS).schedule
    assert stairs == "step:at=8/16epochs,gamma=0.1,warmup=4epochs,start=0.1"


def test_shards_multiply_the_batch_and_where_asked_the_lr(tmp_path):
    text = f"{FILE}NUM_SHARDS: 2\n"
    assert read(tmp_path, "a.yaml", text).run.examples_per_step == 128
    scaled = text.replace("  WARMUP", "  BASE_LR_SCALE_NUM_SHARDS: True\n  WARMUP", 1)
    assert float(read(tmp_path, "b.yaml", scaled).run.lr) == 0.4
    assert float(read(tmp_path, "c.yaml", text).run.lr) == 0.2


def test_optimizers_and_what_decays_apart(tmp_path):
    adam = FILE.replace(": sgd", ": adamw\n  ZERO_WD_1D_PARAM: True\n  LAYER_DECAY: 0.75")
    found = read(tmp_path, "a.yaml", adam)
    assert found.convention == "pytorch-adamw"
    assert "1-D tensors and biases" in found.exempt.rule
    assert any("LAYER_DECAY 0.75" in note for note in found.notes)
    own = read(tmp_path, "b.yaml", f"{FILE}BN:\n  WEIGHT_DECAY: 0.00002\n")
    assert own.groups[-1].weight_decay == "2e-05"
    assert (
        "LARS" in read(tmp_path, "c.yaml", FILE.replace(": sgd", ": sgd\n  LARS_ON: True")).refusal
    )
    assert "'mine'" in read(tmp_path, "d.yaml", FILE.replace(": sgd", ": mine")).refusal
