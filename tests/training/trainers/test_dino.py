"""DINO's flags."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

RUN = (
    "python -m torch.distributed.launch --nproc_per_node=8 main_dino.py --arch vit_small \\\n"
    " --data_path /i --batch_size_per_gpu 32 --weight_decay_end 0.4 --lr 0.0005"
)


def test_the_lr_is_of_256_examples_and_the_decay_grows(tmp_path):
    found = read(tmp_path, "run.sh", RUN)
    assert (found.kind, found.convention, found.value) == ("dino", "pytorch-adamw", "0.04")
    assert (found.run.examples_per_step, found.run.epochs, float(found.run.lr)) == (256, 100, 5e-4)
    assert (found.schedule, found.decay_schedule) == (
        "cosine:warmup=10epochs,final=0.002",
        "cosine:final=10",
    )
    assert shrink(found) == pytest.approx(2e-5)
    assert found.exempt.mask == "no-1d"


@pytest.mark.parametrize(
    ("more", "convention"),
    [("--optimizer sgd --warmup_epochs 0", "pytorch-sgd"), ("--optimizer lars", None)],
)
def test_optimizers(tmp_path, more, convention):
    found = read(tmp_path, "run.sh", f"{RUN} {more}")
    assert found.convention == convention
    assert bool(found.refusal) is (convention is None)


def test_submitit_s_devices_and_an_open_batch(tmp_path):
    text = RUN.replace("python -m torch.distributed.launch --nproc_per_node=8 main_dino.py",
                       "python run_with_submitit.py --nodes 4")  # fmt: skip
    assert read(tmp_path, "run.sh", text).run.examples_per_step == 1024
    open_batch = RUN.replace("--batch_size_per_gpu 32", "--batch_size_per_gpu $BATCH")
    assert read(tmp_path, "b.sh", open_batch).run.lr is None
    alone = RUN.replace("-m torch.distributed.launch --nproc_per_node=8 ", "")
    assert read(tmp_path, "c.sh", alone).run.examples_per_step == 32


def test_a_file_that_makes_its_objects_itself_is_not_dino_s(tmp_path):
    text = "batch_size_per_gpu: 2\nfreeze_last_layer: 1\nlr: 0.1\n"
    assert read(tmp_path, "a.yaml", text).kind == "dino"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "b.yaml", f"{text}dataset: {{obj: a.B}}\n")
