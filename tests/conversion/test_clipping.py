"""What is exact without a clip of the gradients by their norm says so."""

import pytest

from decaycalc import convert
from decaycalc.conventions.run import Run


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
