"""What is exact without a clip of the gradients, or but for an epsilon, says so."""

import pytest

from decaycalc import convert
from decaycalc.conventions.run import Run
from decaycalc.verification.rules.rule import State, parse_rule


@pytest.mark.parametrize(
    ("source", "target", "is_said"),
    [
        ("keras-l2", "pytorch-sgd", True), ("pytorch-sgd", "mean-l2", True),
        ("pytorch-sgd", "caffe", False), ("keras-l2", "tf-l2-loss", False),
        ("pytorch-adamw", "optax-adamw", False), ("keras-l2", "sklearn-logistic", False),
    ],
)  # fmt: skip
def test_a_penalty_in_the_loss_is_clipped_with_it(source, target, is_said):
    run = Run(lr="0.1", momentum=0, dataset_size=100)
    found = convert("1e-4", source=source, target=target, run=run)
    assert ("without clipping by norm" in found.note) is is_said


@pytest.mark.parametrize(
    ("source", "target", "is_said"),
    [
        ("pytorch-adam", "pytorch-adam", True), ("pytorch-adamw", "optax-adamw", True),
        ("mean-half-l2", "pytorch-adam", True), ("batch-sum-half-l2", "pytorch-adam", False),
        ("lion-pytorch", "optax-lion", False), ("pytorch-sgd", "pytorch-sgd", False),
    ],
)  # fmt: skip
def test_adams_epsilon_is_told_of_where_the_losses_differ_in_scale(source, target, is_said):
    run = Run(lr="0.1", momentum=0, batch_size=32)
    found = convert(
        "1e-4", source=source, target=target, run=run, target_run=Run.part(loss="batch-sum")
    )
    assert found.equivalence == "identical"
    assert ("but for epsilon" in found.note) is is_said


def test_an_epsilon_inside_the_root_is_told_apart():
    there = Run.part(loss="batch-sum")
    run = Run(lr="0.1", batch_size=32)
    found = convert(
        "1e-4", source="keras-rmsprop", target="keras-rmsprop", run=run, target_run=there
    )
    assert "its root is what gradients are held against" in found.note


def test_an_epsilon_that_grows_with_the_loss_makes_the_steps_equal():
    rule, record = "w = w - lr*adam(g)", {"lr": 0.1}
    ends = []
    for scale, eps in ((1, 1e-3), (32, 1e-3), (32, 32e-3)):
        state, weights = State(), [1.0]
        for gradient in (1e-3, -2e-3, 5e-4):
            names = {**record, "eps": eps}
            weights = parse_rule(rule).step(state, weights, [scale * gradient], names=names)
        ends.append(weights[0])
    assert ends[2] == pytest.approx(ends[0], rel=1e-12)
    assert abs(ends[1] - ends[0]) > 0.01
