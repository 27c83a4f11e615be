"""maskrcnn-benchmark's YAML configurations, whose names detectron2 has with other defaults."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

FILE = """\
MODEL:
  META_ARCHITECTURE: "GeneralizedRCNN"
  WEIGHT: "catalog://ImageNetPretrained/MSRA/R-50"
SOLVER:
  BASE_LR: 0.01
  WEIGHT_DECAY: 0.0001
  STEPS: (120000, 160000)
  MAX_ITER: 180000
  IMS_PER_BATCH: 8
"""


def test_a_configuration_is_read_over_its_own_defaults_not_detectron2s(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == (
        "maskrcnn-benchmark", "pytorch-sgd", "0.0001",
    )  # fmt: skip
    assert found.schedule == "step:at=120000/160000,gamma=0.1,warmup=500,start=1/3"
    assert (found.run.examples_per_step, found.run.total_steps) == (8, 180000)
    assert float(found.run.momentum) == 0.9
    assert shrink(found) == pytest.approx(1e-5)


def test_biases_have_twice_the_lr_and_no_decay(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.exempt.rule, found.exempt.mask) == ("biases", "no-bias")
    (biases,) = (group for group in found.groups if group.name == "biases")
    assert (biases.weight_decay, biases.lr_mult) == ("0", "2")


def test_biases_that_are_given_a_decay_are_not_exempt(tmp_path):
    text = FILE + "  WEIGHT_DECAY_BIAS: 0.0001\n  BIAS_LR_FACTOR: 1\n"
    assert read(tmp_path, "a.yaml", text).exempt.rule == "nothing"


def test_a_backbone_by_its_body_is_its_own_too(tmp_path):
    text = FILE.replace("WEIGHT: ", "BACKBONE:\n    CONV_BODY: R-50-FPN #")
    text = text.replace("  BASE_LR", "  WARMUP_METHOD: constant\n  BASE_LR")
    found = read(tmp_path, "a.yaml", text)
    assert found.kind == "maskrcnn-benchmark"
    assert found.schedule.endswith("warmup=500,start=1/3,warmup_power=1000000000")


@pytest.mark.parametrize(
    "line", ["  OPTIMIZER: ADAMW\n", "  MAX_EPOCH: 12\n", "  SCHEDULE:\n    TYPE: a\n"]
)
def test_what_was_made_from_it_and_trains_otherwise_is_refused(tmp_path, line):
    with pytest.raises(UnreadableFileError, match="not enough"):
        read(tmp_path, "a.yaml", FILE + line)
