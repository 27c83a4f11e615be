"""Keras' optimizers and its L2 regulariser, on weights in float64; its lr is float32."""

import os
from importlib.util import find_spec
from typing import Any

import numpy as np

from decaycalc.verification.frameworks import loading
from decaycalc.verification.frameworks.rule import PenalisedRule, SteppedRule
from decaycalc.verification.pairing import StandIn
from decaycalc.verification.rules.optimizers import Array, Numbers
from decaycalc.verification.rules.rule import Stepper
from decaycalc.verification.trials import settle

_ADAM = ("beta_1", "beta_2", "epsilon")
_OPTIMIZERS = {
    "keras-sgd": ("SGD", ("momentum", "nesterov")),
    "keras-adam": ("Adam", _ADAM),
    "keras-adamw": ("AdamW", _ADAM),
    "keras-nadam": ("Nadam", _ADAM),
    "keras-adamax": ("Adamax", _ADAM),
    "keras-lion": ("Lion", ("beta_1", "beta_2")),
}
KEYS = (*_OPTIMIZERS, "keras-l2")
TOLERANCE = 1e-5  # float32 over the steps of a trial
# The decay of a step is a product with numbers in float32.
_FACTOR_ERROR = 1e-7
# Keras' own default comes last where it has to fall back on float32.
_BACKENDS = ("torch", "tensorflow", "jax")


def load() -> Any:
    """Return the module keras, on an installed backend where KERAS_BACKEND names none.

    Raises:
        MissingFrameworkError: it is not installed.
    """
    if "KERAS_BACKEND" not in os.environ:
        installed = (name for name in _BACKENDS if find_spec(name))
        os.environ["KERAS_BACKEND"] = next(installed, "torch")
    return loading.load("keras", framework="keras", package="keras")


def stand_in(key: str, keras: Any) -> StandIn:
    """Return what takes the place of one of `KEYS`."""
    if key == "keras-l2":
        return _regulariser(keras)
    name, wanted = _OPTIMIZERS[key]

    def make(weights: Array, settings: Numbers) -> Stepper:
        return _stepper(keras, name, weights, _arguments(wanted, settings))

    rule = SteppedRule(text=f"keras.optimizers.{name}", make=make)
    return StandIn(rule=rule, solve=settle, tolerance=TOLERANCE, factor_error=_FACTOR_ERROR)


def _regulariser(keras: Any) -> StandIn:
    """Return what takes the place of keras-l2: the regulariser, the optimizer stays ours."""

    def penalty(weights: Array, settings: Numbers) -> float:
        tensor = keras.ops.convert_to_tensor(weights, dtype="float64")
        return float(keras.regularizers.L2(settings["l2"])(tensor))

    rule = PenalisedRule(text="keras.regularizers.L2", penalty=penalty)
    return StandIn(rule=rule, tolerance=TOLERANCE)


def _arguments(wanted: tuple[str, ...], settings: Numbers) -> dict[str, Any]:
    """Return the optimizer's keyword arguments besides the lr."""
    known = {
        "beta_1": settings["beta1"],
        "beta_2": settings["beta2"],
        "epsilon": settings["eps"],
        "momentum": settings.get("momentum", 0.0),
        "nesterov": bool(settings.get("nesterov")),
    }
    value = settings["weight_decay"] or None
    return {"weight_decay": value, **{name: known[name] for name in wanted}}


def _stepper(keras: Any, name: str, start: Array, arguments: dict[str, Any]) -> Stepper:
    """Return the steps of a Keras optimizer of one tensor."""
    weights = keras.Variable(start, dtype="float64")
    optimizer = getattr(keras.optimizers, name)(**arguments)

    def step(gradient: Array, lr: float) -> Array:
        optimizer.learning_rate = lr
        tensor = keras.ops.convert_to_tensor(gradient, dtype="float64")
        optimizer.apply([tensor], [weights])
        return np.array(keras.ops.convert_to_numpy(weights), float)

    return step
