"""Ultralytics' args.yaml, against its engine/trainer.py."""

import pytest

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
