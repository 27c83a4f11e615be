"""Programs whose loader leaves out an epoch's short last batch."""

import pytest

from tests.training.trainers import (
    test_beit,
    test_convnext,
    test_deit,
    test_dino,
    test_mae,
    test_swin,
    test_timm,
)
from tests.training.trainers.reading import read

FILES = {
    "beit.sh": test_beit.BEIT,
    "convnext.sh": test_convnext.FILE,
    "deit.sh": test_deit.FILE,
    "dino.sh": test_dino.RUN,
    "mae-pretrain.sh": test_mae.PRETRAIN,
    "mae-finetune.sh": test_mae.FINETUNE,
    "swin.yaml": test_swin.FILE,
    "timm.yaml": test_timm.args(),
    "videomae.sh": test_beit.PRETRAIN,
}


@pytest.mark.parametrize("name", FILES)
def test_the_short_last_batch_is_no_step(tmp_path, name):
    run = read(tmp_path, name, FILES[name], dataset_size="1281167").run
    assert run.steps_per_epoch == 1281167 // run.examples_per_step
    assert 1281167 % run.examples_per_step


def test_batches_that_do_not_fill_up_timms_accumulation_are_a_step(tmp_path):
    text = test_timm.args(batch_size="128", grad_accum_steps="3")
    assert read(tmp_path, "args.yaml", text, dataset_size="1281167").run.steps_per_epoch == 3337
