"""A framework's own momentum, and its Nesterov's step, hold where a run says nothing of them."""

import pytest

from decaycalc.api import answer, convert
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.record import Equivalence
from decaycalc.conventions.run import Run
from decaycalc.emit.code import emit

LR, WD, SIZES = "0.1", "5e-4", {"batch_size": 16, "grad_accum": 4, "world_size": 1}
PRESETS = {
    "paddle-momentum": 0.9, "darknet": 0.9, "detectron2": 0.9, "torchvision": 0.9,
    "megatron-sgd": 0.9, "matconvnet": 0.9, "matlab-l2": 0.9, "flax-optim-momentum": 0.9,
    "timm-sgd": 0.9, "yolov5": 0.937, "ultralytics-sgd": 0.937,
}  # fmt: skip
"""What their constructors, command lines and defaults of a configuration say."""


@pytest.mark.parametrize(("key", "momentum"), PRESETS.items())
def test_a_coupled_decay_is_multiplied_by_the_momentum_that_its_framework_presets(key, momentum):
    found = convert(WD, source=key, target="pytorch-adamw", lr=LR, to_lr="1e-3", **SIZES)
    assert found.value == pytest.approx(0.1 * 5e-4 / (1 - momentum) / 1e-3)
    assert ("momentum", momentum) in {(each.name, each.value) for each in found.assumptions}
    said = convert(WD, source=key, target="pytorch-adamw", lr=LR, to_lr="1e-3", momentum=0, **SIZES)
    assert said.value == pytest.approx(0.1 * 5e-4 / 1e-3)


@pytest.mark.parametrize(("key", "momentum"), [("timm-sgdw", 0.9), ("fairseq-nag", 0.99)])
def test_a_decoupled_number_means_less_under_the_momentum_that_its_framework_presets(key, momentum):
    found = convert(WD, source=key, target="pytorch-sgd", lr=LR)
    assert found.value == pytest.approx(5e-4 * (1 - momentum))


def left_by_nesterov(n_steps, *, decay, momentum=0.9):
    """Return the last factor of torch's SGD with Nesterov on the weight's own decay alone."""
    w = buffer = 1.0
    before = 1.0
    for step in range(n_steps):
        before, gradient = w, decay * w
        buffer = gradient if step == 0 else momentum * buffer + gradient
        w -= 0.1 * (gradient + momentum * buffer)
    return w / before


@pytest.mark.parametrize("key", ["timm-sgd", "yolov5", "ultralytics-sgd"])
def test_a_preset_nesterov_step_is_in_the_exact_decay(key):
    found = answer("0.01", source=key, lr=LR, momentum="0.9", **SIZES)
    assert found.decay.per_step_factor == pytest.approx(
        left_by_nesterov(400, decay=0.01), rel=1e-12
    )


@pytest.mark.parametrize("key", ["timm-sgd", "timm-sgdw", "trax-momentum", "sklearn-mlp-sgd"])
def test_a_preset_nesterov_step_is_assumed_and_said(key):
    def names(**settings):
        found = answer(WD, source=key, targets=["pytorch-sgd"], lr=LR, **SIZES, **settings)
        return {each.name for each in found.conversions[0].assumptions}

    assert "nesterov" in names(momentum="0.9")
    assert "nesterov" not in names(momentum="0.9", nesterov=False)
    assert "nesterov" not in names(momentum="0")


def verdict(one, other, **settings):
    found = convert(WD, source=one, target=other, lr=LR, momentum="0.9", **SIZES, **settings)
    return found.equivalence


@pytest.mark.parametrize("key", ["timm-sgd", "yolov5", "ultralytics-sgd"])
def test_nesterovs_step_and_heavy_ball_are_not_exact_beside_each_other(key):
    assert verdict(key, "pytorch-sgd") == Equivalence.SAME_OPTIMUM
    assert verdict("pytorch-sgd", key) == Equivalence.SAME_OPTIMUM
    assert verdict(key, "pytorch-sgd", nesterov=True) == Equivalence.IDENTICAL


def test_two_that_preset_nesterovs_step_are_exact():
    assert verdict("timm-sgd", "ultralytics-sgd") == Equivalence.IDENTICAL
    assert verdict("timm-sgd", "pytorch-sgd", nesterov=False) == Equivalence.IDENTICAL


def test_a_penalty_is_trained_by_its_partners_own_step():
    assert verdict("mean-l2", "timm-sgd") == Equivalence.IDENTICAL
    assert verdict("yolov5", "keras-l2") == Equivalence.IDENTICAL
    assert verdict("mean-l2", "timm-sgd", to_nesterov=False) == Equivalence.IDENTICAL


def test_a_preset_is_no_quantity_of_a_run():
    assert dict(find("timm-sgd").defaults) == {"momentum": "0.9", "nesterov": "1"}


def test_code_of_a_framework_that_presets_nesterovs_step_keeps_the_sources_heavy_ball():
    def code(**settings):
        run = Run(lr=LR, momentum="0.9", **settings)
        return emit("timm", WD, source="pytorch-sgd", run=run).code

    assert "--opt momentum" in code()
    assert "identical" in code()
    assert "--opt sgd" in code(nesterov=True)


@pytest.mark.parametrize(
    ("framework", "source", "parts"),
    [
        ("keras", "timm-sgd", ["identical", "momentum=0.9", "nesterov=True"]),
        ("pytorch", "timm-sgd", ["identical", "momentum=0.9", "nesterov=True"]),
        ("pytorch", "yolov5", ["identical", "momentum=0.937", "nesterov=True"]),
        ("optax", "paddle-momentum", ["identical", "momentum=0.9"]),
        ("pytorch", "burn-sgd", ["identical", "momentum=0.9", "dampening=0.1"]),
    ],
)
def test_code_has_the_momentum_and_the_step_that_the_sources_framework_presets(
    framework, source, parts
):
    said = {"momentum": "0.9"} if source == "burn-sgd" else {}
    found = emit(framework, WD, source=source, run=Run(lr=LR, **SIZES, **said))
    assert all(part in found.code for part in parts)
    presets = dict(find(source).defaults).keys() - said.keys()
    assert {each.name for each in found.assumptions} >= presets


def test_code_without_momentum_looks_nowhere_ahead():
    code = emit("pytorch", WD, source="timm-sgd", run=Run(lr=LR, momentum=0)).code
    assert "nesterov" not in code
