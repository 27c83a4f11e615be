"""DeiT's flags: timm's names, with an lr by the examples of a step and defaults of its own."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = (
    "torchrun --nproc_per_node=4 main.py --model a --batch-size 128 --data-path /d --lr 1e-3"
    " --repeated-aug --epochs 100\n"
)


def test_a_command_is_read(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("deit", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, float(found.run.lr)) == (512, 1e-3)
    assert found.schedule == ("cosine:per=1epochs,over=run,warmup=5epochs,start=0.001,final=0.01")
    assert shrink(found) == pytest.approx(5e-5)


@pytest.mark.parametrize(
    ("old", "new", "lr", "has_schedule"),
    [
        ("--epochs 100", "--unscale-lr --opt fusedlamb", 1e-3, True),
        ("128", "256", 2e-3, True),
        ("128", "$B", None, False),
        ("--epochs 100", "--sched step --opt mine", 1e-3, False),
        ("--lr 1e-3", "--lr $LR", None, False),
    ],
)
def test_other_flags(tmp_path, old, new, lr, has_schedule):
    found = read(tmp_path, "run.sh", FILE.replace(old, new))
    assert (found.convention is None) == ("mine" in new)
    assert (None if found.run.lr is None else float(found.run.lr)) == lr
    assert (found.schedule is not None) == has_schedule


def test_submitit_tells_the_devices(tmp_path):
    text = "python run_with_submitit.py --model a --data-path /d --batch 64 --nodes 4 --bce-loss"
    found = read(tmp_path, "run.sh", f"{text} --warmup-epochs 0")
    assert (found.run.examples_per_step, float(found.run.lr)) == (2048, 2e-3)
    assert found.schedule == "cosine:per=1epochs,final=0.005"
    assert read(tmp_path, "b.sh", text.replace("4 ", "$N ")).run.world_size is None


def test_one_process_is_one_device(tmp_path):
    text = "python main.py --data-path /d --bce-loss --batch-size 512 --lr 1e-3"
    assert read(tmp_path, "run.sh", text).run.examples_per_step == 512
