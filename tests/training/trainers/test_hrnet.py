"""HRNet's YAML of pose estimation."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """\
GPUS: (0,1,2,3)
MODEL:
  NUM_JOINTS: 17
TRAIN:
  BATCH_SIZE_PER_GPU: 16
  END_EPOCH: 210
  OPTIMIZER: adam
  LR: 0.001
  LR_FACTOR: 0.1
  LR_STEP:
  - 170
  - 200
  WD: 0.0001
  MOMENTUM: 0.9
"""


def test_adam_is_handed_no_decay_whatever_the_file_says(tmp_path):
    found = read(tmp_path, "w32.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("hrnet", "pytorch-adam", "0")
    assert origins(found)["weight_decay"] == "default"
    assert "TRAIN.WD is not handed to Adam: lib/utils/utils.py, get_optimizer" in found.notes
    assert (found.run.examples_per_step, found.run.epochs) == (64, 210)
    assert (found.schedule, found.exempt.mask) == ("step:at=170/200epochs,gamma=0.1", "all")
    plain = read(tmp_path, "b.yaml", FILE.replace("  WD: 0.0001\n", ""))
    assert (plain.value, len(plain.notes)) == ("0", len(found.notes) - 1)


def test_sgd_decays_by_what_the_file_says(tmp_path):
    found = read(tmp_path, "w32.yaml", FILE.replace("adam", "sgd") + "  NESTEROV: true\n")
    assert (found.convention, found.value, float(found.run.momentum)) == (
        "pytorch-sgd", "0.0001", 0.9,
    )  # fmt: skip
    assert (shrink(found), found.run.nesterov) == (pytest.approx(1e-6), True)


def test_without_a_list_of_devices_one_is_taken_and_no_step_is_a_constant_lr(tmp_path):
    text = FILE.replace("GPUS: (0,1,2,3)\n", "").replace("\n  - 170\n  - 200", " []")
    found = read(tmp_path, "w32.yaml", text.replace("BATCH_SIZE_PER_GPU", "BATCH_SIZE"))
    assert (found.run.examples_per_step, found.schedule) == (16, "constant")
