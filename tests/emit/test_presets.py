"""What a framework presets of a momentum, or never leaves, is written into the code of another."""

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.emit.code import emit

LR, WD, SIZES = "0.1", "5e-4", {"batch_size": 16, "grad_accum": 4, "world_size": 1}


@pytest.mark.parametrize(
    ("framework", "source", "parts"),
    [
        ("keras", "timm-sgd", ["identical", "momentum=0.9"]),
        ("pytorch", "timm-sgd", ["identical", "momentum=0.9"]),
        ("pytorch", "yolov5", ["identical", "momentum=0.9", "nesterov=True"]),
        ("pytorch", "burn-sgd", ["identical", "momentum=0.9", "dampening=0.1"]),
    ],
)
def test_code_has_the_momentum_and_the_step_that_the_sources_framework_presets(
    framework, source, parts
):
    said = {} if source == "timm-sgd" else {"momentum": "0.9"}
    found = emit(framework, WD, source=source, run=Run(lr=LR, **SIZES, **said))
    assert all(part in found.code for part in parts)
    presets = dict(find(source).defaults).keys() - said.keys()
    assert {each.name for each in found.assumptions} >= presets


def test_code_without_momentum_looks_nowhere_ahead():
    code = emit("pytorch", WD, source="timm-sgd", run=Run(lr=LR, momentum=0)).code
    assert "nesterov" not in code
