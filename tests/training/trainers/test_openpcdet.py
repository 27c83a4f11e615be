"""OpenPCDet's YAML."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """
CLASS_NAMES: ['Car', 'Pedestrian', 'Cyclist']
DATA_CONFIG:
    _BASE_CONFIG_: cfgs/dataset_configs/kitti_dataset.yaml
MODEL:
    NAME: SECONDNet
OPTIMIZATION:
    BATCH_SIZE_PER_GPU: 4
    NUM_EPOCHS: 80
    OPTIMIZER: adam_onecycle
    LR: 0.003
    WEIGHT_DECAY: 0.01
    MOMENTUM: 0.9
    MOMS: [0.95, 0.85]
    PCT_START: 0.4
    DIV_FACTOR: 10
    DECAY_STEP_LIST: [35, 45]
    LR_DECAY: 0.1
    LR_CLIP: 0.0000001
    LR_WARMUP: False
"""


def test_one_cycle_decays_outside_of_adam(tmp_path):
    found = read(tmp_path, "a.yaml", FILE, world_size="2")
    assert (found.kind, found.convention, found.value) == ("openpcdet", "pytorch-adamw", "0.01")
    assert (found.run.examples_per_step, found.run.epochs) == (8, 80)
    assert found.schedule == "one-cycle:rise=0.4,div=10,follow=optax"
    assert shrink(found) == pytest.approx(3e-5)
    assert found.exempt.mask == "all"
    assert "MOMS: beta1 goes from 0.95 to 0.85 and back over the run" in found.notes


COSINE = "adam_cosineanneal\n    WARMUP_ITER: "


@pytest.mark.parametrize(
    ("new", "convention", "schedule"),
    [
        (f"{COSINE}500", "pytorch-adamw",
         "cosine:warmup=500,start=0.33333333,final=0.001,over=run,per=1epochs,warmup_per=1"),
        ("adam_cosineanneal", "pytorch-adamw", None),
        ("adam", "pytorch-adam", None),
        ("sgd", "pytorch-sgd", None),
        ("lamb", None, None),
    ],
)  # fmt: skip
def test_other_optimizers(tmp_path, new, convention, schedule):
    found = read(tmp_path, "a.yaml", FILE.replace("adam_onecycle", new))
    assert (found.convention, found.schedule) == (convention, schedule)
    assert any("MOMS" in note for note in found.notes) == (convention == "pytorch-adamw")


def test_a_rise_that_is_open_has_no_schedule(tmp_path):
    text = FILE.replace("PCT_START: 0.4", "WARMUP: 1")
    assert read(tmp_path, "a.yaml", text).schedule is None


def test_plain_adam_has_torch_s_betas(tmp_path):
    found = read(tmp_path, "a.yaml", FILE.replace("adam_onecycle", "adam\n    BETAS: [0.9, 0.98]"))
    assert found.betas == ("0.9", "0.999")
    assert read(tmp_path, "b.yaml", FILE).betas is None
