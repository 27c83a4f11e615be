"""ConvNeXt's flags: an absolute lr, accumulation as update_freq, λ that may move."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

FILE = (
    "python -m torch.distributed.launch --nproc_per_node=8 main.py --model a --batch_size 64"
    " --lr 2e-3 --update_freq 2 --data_path /d --weight_decay_end 0.1\n"
)


def test_a_command_is_read(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("convnext", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, found.run.epochs) == (1024, 300)
    assert found.schedule == "cosine:warmup=20epochs,final=0.0005"
    assert found.decay_schedule == "cosine:final=2"
    assert shrink(found) == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("flags", "schedule", "convention"),
    [
        ("--warmup_steps 100", "cosine:warmup=100,final=0.0005", "pytorch-adamw"),
        ("--warmup_epochs 0 --opt sgd", "cosine:final=0.0005", "pytorch-sgd"),
        ("--min_lr 0 --opt mine", "cosine:warmup=20epochs", None),
    ],
)
def test_other_flags(tmp_path, flags, schedule, convention):
    found = read(tmp_path, "run.sh", f"{FILE[:-1]} {flags}")
    assert (found.schedule, found.convention) == (schedule, convention)


def test_submitit_tells_the_devices_and_layers_fall(tmp_path):
    text = "python run_with_submitit.py --nodes 4 --data_path /d --update_freq 1 --layer_decay 0.8"
    found = read(tmp_path, "run.sh", text)
    assert found.run.examples_per_step == 2048
    assert any("layer_decay 0.8" in note for note in found.notes)
    assert read(tmp_path, "b.sh", text.replace("--nodes 4", "--nodes $N")).run.world_size is None


def test_torchruns_own_devices_count_without_submitit(tmp_path):
    text = "torchrun --nproc_per_node=2 main.py --data_path /d --update_freq 3 --batch_size 8"
    assert read(tmp_path, "run.sh", text).run.examples_per_step == 48
    bare = read(tmp_path, "b.sh", text.replace("torchrun --nproc_per_node=2", "python"))
    assert bare.run.world_size == 1


def test_another_script_with_its_flags_is_not_its_own(tmp_path):
    flags = "--data_path /x --layer_scale_init_value 1e-5 --lr 1e-3 --batch_size 16"
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "a.sh", f"python main_stage1.py {flags}\n")
