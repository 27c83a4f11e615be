"""Caffe's solvers, against caffe.proto and sgd_solver.cpp."""

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.reading.settings import texts_of
from decaycalc.training.trainers.syntax.prototext import parse_prototext_tree
from tests.training.trainers.reading import read, shrink

SOLVER = """
# AlexNet's
net: "models/train_val.prototxt"
base_lr: 0.01
lr_policy: "step"
gamma: 0.1
stepsize: 100000
display: 20
max_iter: 450000
momentum: 0.9
weight_decay: 0.0005
iter_size: 2
solver_mode: GPU
clip_gradients: 10
lr_scale: 2
"""
NETWORK = """
name: 'AlexNet'
layer {
  name: "data" type: "Data"
  include { phase: TEST }
  data_param { batch_size: 50 }
}
layer {
  name: "data" type: "Data"
  include { phase: TRAIN }
  data_param { source: "x" batch_size: 256, backend: LMDB }
}
layer {
  name: "conv1"
  param { lr_mult: 1 decay_mult: 1 }
  param { lr_mult: 2; decay_mult: 0 }
  convolution_param { kernel_size: [11, 11] num_output: 96 }
}
layers { name: "fc" blobs_lr: 1 blobs_lr: 2 weight_decay: 250 }
layer { name: "norm" param { lr_mult: 1 } param { } param { lr_mult: 0 } }
layer { type: "Pool" }
"""


def refused(folder, text):
    with pytest.raises(UnreadableFileError) as caught:
        read(folder, "s.prototxt", text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_solver_is_read_with_its_network(tmp_path):
    (tmp_path / "train_val.prototxt").write_text(NETWORK)
    made = read(tmp_path, "solver.prototxt", SOLVER)
    assert (made.kind, made.convention, made.value) == ("caffe", "caffe", "0.0005")
    assert shrink(made) == pytest.approx(5e-5)
    assert made.run.examples_per_step == 512
    assert made.run.steps == 450000
    assert not made.run.nesterov
    assert made.schedule == "step:every=100000,gamma=0.1"
    assert made.not_used == ("lr_scale",)
    assert {group.name: (group.lr_mult, group.decay_mult) for group in made.groups} == {
        "conv1.weight": ("1", "1"),
        "conv1.bias": ("2", "0"),
        "fc.weight": ("1", "250"),
        "fc.bias": ("2", "1"),
        "norm.weight": ("1", "1"),
        "norm.bias": ("1", "1"),
        "norm.2": ("0", "1"),
    }


def test_a_network_without_a_training_batch_leaves_it_open(tmp_path):
    text = 'layer { name: "data" input_param { shape: { dim: 1 } } }'
    (tmp_path / "train_val.prototxt").write_text(text)
    made = read(tmp_path, "solver.prototxt", SOLVER)
    assert made.run.batch_size is None
    assert "batch_size" in made.missing


def test_a_solver_alone_says_what_it_lacks(tmp_path):
    assert "is not here" in read(tmp_path, "solver.prototxt", SOLVER).notes[-1]
    bare = read(tmp_path, "bare.prototxt", "base_lr: 1e-3")
    assert "names no network" in bare.notes[-1]
    assert (bare.value, bare.run.momentum, bare.schedule) == ("0", 0, "constant")


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ('lr_policy: "fixed"', "constant"),
        ('lr_policy: "inv" gamma: 0.0001 power: 0.75', "inverse:gamma=0.0001,power=0.75"),
        ('lr_policy: "poly" power: 0.5', "polynomial:power=0.5"),
        ('lr_policy: "exp" gamma: 0.99', "exponential:gamma=0.99"),
        (
            'lr_policy: "multistep" stepvalue: 10 stepvalue: 20 gamma: 0.1',
            "step:at=10/20,gamma=0.1",
        ),
        ('lr_policy: "multistep" gamma: 0.1', None),
        ('lr_policy: "sigmoid"', None),
    ],
)
def test_policies_become_schedules(tmp_path, lines, schedule):
    made = read(tmp_path, "s.prototxt", f"base_lr: 1 {lines} type: 'Nesterov' momentum: .9")
    assert made.schedule == schedule
    assert made.run.nesterov


@pytest.mark.parametrize("kind", ["type: 'Adam'", "type: 'AdaGrad'", "solver_type: 3"])
def test_other_solvers_regularise_as_sgd_does(tmp_path, kind):
    made = read(tmp_path, "s.prototxt", f"base_lr: 1 weight_decay: 0.1 {kind}")
    assert (made.convention, made.value) == ("caffe-adam", "0.1")


@pytest.mark.parametrize(
    ("line", "reason"),
    [("regularization_type: 'L1'", "no weight decay"), ("type: 'Magic'", "no convention here")],
)
def test_what_is_no_l2_has_no_number(tmp_path, line, reason):
    made = read(tmp_path, "s.prototxt", f"base_lr: 1 weight_decay: 0.1 {line}")
    assert made.value is None
    assert reason in made.refusal


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("weight_decay: 1", "not enough of any trainer's own keys"),
        ("base_lr: fast", "is not a number"),
        ("base_lr: nan", "is not a number"),
        ("base_lr: 1 max_iter: 1.5", "whole number"),
        ("base_lr: 1 iter_size: 0.5", "whole number"),
        ("base_lr: 'x", "without its end"),
        ("base_lr: {", "expected a field's name"),
        ("base_lr: }", "expected a value"),
        ("base_lr: [1, 2", "expected ',' or ']'"),
        (": 1", "expected a field's name"),
        ("}", "expected a field's name"),
        ("a {" * 60, "at most 50 deep"),
        ("a {" * 100_000, "at most 50 deep"),
    ],
)
def test_broken_solvers_are_refused(tmp_path, text, reason):
    assert reason in refused(tmp_path, text)


def test_a_list_of_values_sets_a_field_many_times():
    root = parse_prototext_tree("at: [1, 2, 3]; name: ''", "s")
    assert texts_of(root.entries["at"]) == ("1", "2", "3")


@pytest.mark.parametrize("key", ["net_param", "train_net_param"])
def test_a_network_within_the_solver_is_read_and_each_gpu_takes_its_batch(tmp_path, key):
    inline = SOLVER.replace('net: "models/train_val.prototxt"', f"{key} {{ {NETWORK} }}")
    made = read(tmp_path, "solver.prototxt", inline, world_size="4")
    assert made.run.examples_per_step == 256 * 2 * 4
    assert not any("batch size and multipliers" in note for note in made.notes)
