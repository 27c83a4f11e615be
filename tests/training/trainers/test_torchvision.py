"""torchvision's reference scripts, by their flags."""

import pytest

from decaycalc.errors import UnreadableFileError
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


def test_videos_scale_the_lr_by_the_devices_and_step_by_iterations(tmp_path):
    made = read(tmp_path, "run.sh", LAUNCH + "--clip-len 16 --lr 0.01 --lr-milestones 20 30 40")
    assert (float(made.run.lr), made.run.examples_per_step, made.run.epochs) == (0.08, 192, 45)
    course = "linear:initial=0.001,final=1,until=10epochs+step:at=10/20/30epochs,gamma=0.1"
    assert made.schedule == course
    early = read(tmp_path, "b.sh", LAUNCH + "--lr-milestones 5 30")
    assert early.schedule is None


@pytest.mark.parametrize(
    ("flags", "schedule"),
    [
        ("", "step:at=16/22epochs,gamma=0.1,warmup=1000,start=0.001"),
        ("--lr-steps 36 43", "step:at=36/43epochs,gamma=0.1,warmup=1000,start=0.001"),
        ("--lr-steps 1 9", "step:at=1/9epochs,gamma=0.1,warmup=1000,start=0.001,toward=product"),
        ("--lr-scheduler cosineannealinglr",
         "cosine:per=1epochs,warmup=1000,start=0.001,warmup_per=1,over=run,toward=product"),
        ("--lr-scheduler odd", None),
    ],
)  # fmt: skip
def test_detection_warms_up_in_its_first_epoch(tmp_path, flags, schedule):
    made = read(tmp_path, "run.sh", f"{LAUNCH} --aspect-ratio-group-factor 3 {flags}")
    assert (float(made.run.lr), made.run.examples_per_step, made.run.epochs) == (0.02, 16, 26)
    assert made.schedule == schedule


def test_segmentation_is_polynomial_and_its_auxiliary_classifier_has_tenfold_lr(tmp_path):
    made = read(tmp_path, "run.sh", f"{LAUNCH} --dataset coco -b 4 --aux-loss")
    assert (made.run.examples_per_step, made.run.epochs) == (32, 30)
    assert made.schedule == "polynomial:power=0.9"
    assert made.groups[-1].lr_mult == "10"
    warm = read(tmp_path, "b.sh", f"{LAUNCH} --dataset coco --aux-loss --lr-warmup-epochs 2")
    assert warm.schedule == "linear:initial=0.01,final=1,until=2epochs+polynomial:power=0.9"


def test_norms_may_have_a_decay_of_their_own(tmp_path):
    made = read(tmp_path, "run.sh", f"{LAUNCH} --lr-gamma 0.1 --norm-weight-decay 1e-5")
    assert (made.groups[-1].name, made.groups[-1].weight_decay) == ("norms", "1e-5")


def test_a_file_that_makes_its_objects_itself_is_not_torchvision_s(tmp_path):
    text = "lr_step_size: 1\nlr_scheduler: step\nlr: 0.1\n"
    assert read(tmp_path, "a.yaml", text).kind == "torchvision"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "b.yaml", f"{text}num_epoch: 2\n")
