"""Ultralytics' args.yaml, against its engine/trainer.py."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import quantity, read, shrink

ARGS = """\
task: detect
mode: train
epochs: 200
time: null
batch: {batch}
optimizer: {optimizer}
cos_lr: false
lr0: 0.01
lrf: 0.01
momentum: 0.937
weight_decay: 0.0005
warmup_epochs: 3.0
nbs: 64
"""


def args(batch=24, optimizer="SGD"):
    return ARGS.format(batch=batch, optimizer=optimizer)


def test_the_decay_is_scaled_by_batch_and_accumulation(tmp_path):
    made = read(tmp_path, "args.yaml", args())
    assert (made.kind, made.convention, made.value) == ("ultralytics", "ultralytics-sgd", "0.0005")
    assert made.run.examples_per_step == 72
    assert shrink(made) == pytest.approx(0.01 * 5.625e-4 / (1 - 0.937))


def test_a_given_batch_changes_the_accumulation(tmp_path):
    made = read(tmp_path, "args.yaml", args(), batch_size="16")
    assert made.run.examples_per_step == 64
    assert quantity(made, "batch_size").origin == "given"


@pytest.mark.parametrize(
    ("optimizer", "key"), [("Adam", "pytorch-adam"), ("RAdam", "pytorch-radam")]
)
def test_coupled_adam_gets_the_scaled_number(tmp_path, optimizer, key):
    made = read(tmp_path, "args.yaml", args(optimizer=optimizer))
    assert (made.convention, made.value) == (key, "0.0005625")


@pytest.mark.parametrize(
    ("optimizer", "key", "betas"),
    [
        ("AdamW", "ultralytics-adamw", ("0.937", "0.999")),
        ("MuSGD", "ultralytics-sgd", None),
        ("RMSProp", "pytorch-rmsprop", None),
    ],
)
def test_optimizers_have_their_conventions(tmp_path, optimizer, key, betas):
    made = read(tmp_path, "args.yaml", args(optimizer=optimizer))
    assert (made.convention, made.betas) == (key, betas)


def test_an_unknown_optimizer_has_no_number(tmp_path):
    assert "no convention here" in read(tmp_path, "args.yaml", args(optimizer="Magic")).refusal


def test_an_open_batch_leaves_the_scaled_decay_open(tmp_path):
    made = read(tmp_path, "args.yaml", args(batch=-1, optimizer="Adam").replace("-1", "null"))
    assert made.run.examples_per_step == 64
    made = read(tmp_path, "args.yaml", args(optimizer="Adam").replace("nbs: 64", "nbs: 0"))
    assert made.value is None


def test_hours_leave_the_length_open(tmp_path):
    made = read(tmp_path, "args.yaml", args().replace("time: null", "time: 8"))
    assert made.run.epochs is None
    assert "epochs" in made.missing


def test_sgd_without_momentum_cannot_be_nesterovs(tmp_path):
    with pytest.raises(UnreadableFileError, match="nesterov needs a momentum"):
        read(tmp_path, "args.yaml", args().replace("0.937", "0"))


@pytest.mark.parametrize(
    ("cos_lr", "warm", "schedule"),
    [
        (
            "false",
            "3.0",
            "linear:final=0.01,warmup=3epochs,over=run,per=1epochs,toward=current,warmup_per=1",
        ),
        ("true", "0", "cosine:final=0.01,over=run,per=1epochs"),
    ],
)
def test_the_warmup_lies_over_a_value_an_epoch(tmp_path, cos_lr, warm, schedule):
    text = args().replace("cos_lr: false", f"cos_lr: {cos_lr}")
    text = text.replace("warmup_epochs: 3.0", f"warmup_epochs: {warm}")
    assert read(tmp_path, "args.yaml", text).schedule == schedule


def test_auto_leaves_two_readings(tmp_path):
    made = read(tmp_path, "args.yaml", args(optimizer="auto"))
    (other,) = made.alternatives
    assert (made.convention, other.convention) == ("ultralytics-sgd", "ultralytics-adamw")
    assert shrink(made) == pytest.approx(5.625e-5)
    assert other.run.lr is None
    assert "lr" in other.missing


def test_auto_is_decided_by_the_size_of_the_data_set(tmp_path):
    long = read(tmp_path, "args.yaml", args(optimizer="auto"), dataset_size="100000")
    short = read(tmp_path, "args.yaml", args(optimizer="auto"), dataset_size="1000", nc="80")
    assert (long.convention, long.alternatives) == ("ultralytics-sgd", ())
    assert short.convention == "ultralytics-adamw"
    assert float(short.run.lr) == 0.000119


def test_autos_adamw_has_no_momentum_of_sgd_and_all_the_rest(tmp_path):
    made = read(tmp_path, "args.yaml", args(optimizer="auto"), dataset_size="1000", nc="80")
    assert made.convention == "ultralytics-adamw"
    names = {found.name for found in made.quantities}
    assert not {"momentum", "nesterov"} & names
    assert {"lr", "weight_decay", "batch_size", "epochs"} <= names


@pytest.mark.parametrize("batch", ["-1", "0.7"])
def test_a_batch_that_the_run_finds_is_open(tmp_path, batch):
    made = read(tmp_path, "args.yaml", args(batch=batch))
    assert made.run.batch_size is None
    assert "batch_size" in made.missing
    assert f"batch {batch}: AutoBatch finds the size, give --batch-size" in made.notes
    assert read(tmp_path, "b.yaml", args(batch=batch), batch_size="16").run.examples_per_step == 64


@pytest.mark.parametrize(
    "line", ["task: classify\nmodel: yolo11n-cls.pt", "task: detect\nmodel: rtdetr-l.yaml"]
)
def test_a_loss_without_the_batch_in_it_is_a_mean_added_up(tmp_path, line):
    text = args().replace("task: detect", line)
    assert read(tmp_path, "args.yaml", text).run.loss == 3
    assert read(tmp_path, "b.yaml", args()).run.loss == "batch-sum"
