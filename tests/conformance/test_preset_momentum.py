"""The momentum that a record presets is the one that its framework's own signature does."""

import inspect
from importlib import import_module

import pytest

from decaycalc.conventions.catalogue import find

SIGNATURES = {
    "paddle-momentum": ("paddle.optimizer", "Momentum"),
    "pytorch-optimizer-sgdp": ("pytorch_optimizer", "SGDP"),
    "sklearn-mlp-sgd": ("sklearn.neural_network", "MLPClassifier"),
    "timm-sgd": ("timm.optim", "create_optimizer_v2"),
    "timm-sgdp": ("timm.optim", "create_optimizer_v2"),
    "timm-sgdw": ("timm.optim", "create_optimizer_v2"),
    "timm-sgdw-corrected": ("timm.optim", "create_optimizer_v2"),
    "torch-optimizer-sgdp": ("torch_optimizer", "SGDP"),
}


@pytest.mark.parametrize("key", SIGNATURES)
def test_a_preset_momentum_is_the_frameworks_own(key):
    package, name = SIGNATURES[key]
    pytest.importorskip(package.partition(".")[0])
    own = inspect.signature(getattr(import_module(package), name)).parameters["momentum"].default
    assert float(dict(find(key).defaults)["momentum"]) == own
