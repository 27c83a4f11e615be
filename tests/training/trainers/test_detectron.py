"""Detectron's YAML configurations, on Caffe2."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
MODEL:
  CONV_BODY: FPN.add_fpn_ResNet50_conv5_body
NUM_GPUS: 8
SOLVER:
  WEIGHT_DECAY: 0.0001
  LR_POLICY: steps_with_decay
  BASE_LR: 0.02
  GAMMA: 0.1
  MAX_ITER: 90000
  STEPS: [0, 60000, 80000]
"""


def test_a_configuration_is_caffe_s_sgd_and_the_batch_is_of_one_gpu(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("detectron", "caffe", "0.0001")
    assert (found.run.examples_per_step, found.run.steps) == (16, 90_000)
    assert found.schedule == "step:at=60000/80000,gamma=0.1,warmup=500,start=1/3"
    assert shrink(found) == pytest.approx(2e-5)
    assert (found.groups[-1].lr_mult, found.groups[-1].weight_decay) == ("2", "0")


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("steps_with_decay", "step", "step:every=30000,gamma=0.1,warmup=500,start=1/3"),
        ("steps_with_decay", "cosine_decay",
         "cosine:warmup=500,start=1/3,over=run,toward=product"),
        ("steps_with_decay", "exp_decay\n  WARM_UP_ITERS: 0", "exponential:gamma=0.1,every=90000"),
        ("steps_with_decay", "steps_with_lrs\n  LRS: [0.01, 0.005, 0.0005]",
         "step:at=60000/80000,gamma=0.5/0.1,warmup=500,start=1/3"),
        ("steps_with_decay", "steps_with_lrs", None),
        ("steps_with_decay", "mine", None),
        ("[0, 60000, 80000]", "[0]", "constant:warmup=500,start=1/3"),
        ("[0, 60000, 80000]", "[60000, 80000]", None),
        ("  MAX_ITER", "  WARM_UP_METHOD: odd\n  MAX_ITER", None),
        ("  MAX_ITER", "  WARM_UP_METHOD: constant\n  MAX_ITER",
         "step:at=60000/80000,gamma=0.1,warmup=500,start=1/3,warmup_power=1000000000"),
    ],
)  # fmt: skip
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yaml", FILE.replace(old, new, 1)).schedule == schedule


def test_rates_of_their_own_begin_at_the_first(tmp_path):
    text = FILE.replace("steps_with_decay", "steps_with_lrs\n  LRS: [0.01, 0.005, 0.0005]")
    assert float(read(tmp_path, "a.yaml", text).run.lr) == 0.01
