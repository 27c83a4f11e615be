"""torchvision's reference scripts, by their flags."""

import pytest

from tests.training.trainers.reading import read, shrink

LAUNCH = "torchrun --nproc_per_node=8 train.py --model resnet50 "


def test_flags_are_a_run(tmp_path):
    flags = (
        "--batch-size 128 --lr 0.5 --lr-scheduler cosineannealinglr --lr-warmup-epochs 5"
        " --lr-warmup-method linear --epochs 600 --weight-decay 2e-5 --norm-weight-decay 0.0"
    )
    made = read(tmp_path, "run.sh", LAUNCH + flags)
    assert (made.kind, made.convention, made.value) == ("torchvision", "torchvision", "2e-5")
    assert (made.run.examples_per_step, made.run.epochs) == (1024, 600)
    assert made.schedule == (
        "linear:initial=0.01,final=1,per=1epochs,until=5epochs+cosine:per=1epochs"
    )
    assert made.exempt.rule == "norms"
    assert shrink(made) == pytest.approx(0.5 * 2e-5 / 0.1)


@pytest.mark.parametrize(
    ("flags", "schedule"),
    [
        ("", "step:every=30epochs,gamma=0.1"),
        ("--lr-warmup-epochs 5", "constant:value=0.01,until=5epochs+step:every=30epochs,gamma=0.1"),
        ("--lr-scheduler exponentiallr --lr-gamma 0.9", "step:every=1epochs,gamma=0.9"),
        ("--lr-scheduler cosineannealinglr --lr-min 1e-3", "cosine:final=0.01,per=1epochs"),
        ("--lr-scheduler odd", None),
        ("--lr-scheduler odd --lr-warmup-epochs 5", None),
    ],
)
def test_schedulers_begin_after_the_warmup(tmp_path, flags, schedule):
    made = read(tmp_path, "run.sh", f"{LAUNCH} --lr-step-size 30 {flags}")
    assert made.schedule == schedule


@pytest.mark.parametrize(
    ("opt", "convention", "nesterov"),
    [
        ("sgd_nesterov", "torchvision", True),
        ("sgd", "torchvision", None),
        ("adamw", "pytorch-adamw", None),
        ("magic", None, None),
    ],
)
def test_optimizers_have_their_conventions(tmp_path, opt, convention, nesterov):
    made = read(tmp_path, "run.sh", f"{LAUNCH} --lr-gamma 0.1 --opt {opt} --bias-weight-decay 0")
    assert (made.convention, made.run.nesterov) == (convention, nesterov)
    assert made.exempt.rule == "biases"
