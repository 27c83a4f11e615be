"""keras.applications against the zoo: variables, shapes, order and the size of fresh weights."""

import math

import pytest

from decaycalc.architecture.zoo import find_model, keras

applications = pytest.importorskip("keras.applications")
SOME = (
    "ResNet50", "ResNet50V2", "VGG16", "DenseNet121", "MobileNet", "MobileNetV2",
    "MobileNetV3Small", "MobileNetV3Large", "EfficientNetB0", "EfficientNetB3", "EfficientNetV2B1",
    "EfficientNetV2S",
)  # fmt: skip


@pytest.mark.parametrize("name", SOME)
def test_an_application_has_our_variables_as_large_as_expected(name):
    variables = getattr(applications, name)(weights=None).trainable_variables
    net = find_model(f"keras/{name}")
    assert [(t.name, t.shape) for t in net.tensors] == [(v.path, tuple(v.shape)) for v in variables]
    for tensor, variable in zip(net.tensors, variables, strict=True):
        values = variable.numpy() if hasattr(variable, "numpy") else variable
        found, expected = float((values.astype(float) ** 2).sum()), tensor.sum_of_squares
        slack = 6 * math.sqrt(2 / tensor.n_weights) * max(found, expected) + 1e-9
        assert abs(found - expected) <= slack, tensor.name


def test_every_name_is_one_of_kerass():
    assert all(hasattr(applications, name) for name in keras.NAMES)
