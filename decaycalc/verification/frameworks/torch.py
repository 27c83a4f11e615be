"""PyTorch's optimizers, in float64."""

from typing import Any

import numpy as np

from decaycalc.verification.frameworks import loading
from decaycalc.verification.frameworks.rule import SteppedRule
from decaycalc.verification.pairing import StandIn
from decaycalc.verification.rules.optimizers import Array, Numbers
from decaycalc.verification.rules.rule import Stepper
from decaycalc.verification.trials import settle

_OPTIMIZERS = {
    "pytorch-sgd": ("SGD", ("momentum", "dampening", "nesterov")),
    "pytorch-adam": ("Adam", ("betas", "eps")),
    "pytorch-adamw": ("AdamW", ("betas", "eps")),
    "pytorch-nadam": ("NAdam", ("betas", "eps")),
    "pytorch-radam": ("RAdam", ("betas", "eps")),
    "pytorch-adamax": ("Adamax", ("betas", "eps")),
    "pytorch-rmsprop": ("RMSprop", ("alpha", "eps", "momentum")),
    "pytorch-adagrad": ("Adagrad", ("eps",)),
    "pytorch-adadelta": ("Adadelta", ("rho", "eps")),
}
KEYS = tuple(_OPTIMIZERS)
# NAdam keeps a running product in float32.
_TOLERANCES = {"pytorch-nadam": 1e-5}


def load() -> Any:
    """Return the module torch.

    Raises:
        MissingFrameworkError: it is not installed.
    """
    return loading.load("torch", framework="torch", package="torch")


def stand_in(key: str, torch: Any) -> StandIn:
    """Return what takes the place of one of `KEYS`."""
    name, wanted = _OPTIMIZERS[key]

    def make(weights: Array, settings: Numbers) -> Stepper:
        return _stepper(torch, name, weights, _arguments(wanted, settings))

    rule = SteppedRule(text=f"torch.optim.{name}", make=make)
    return StandIn(rule=rule, solve=settle, tolerance=_TOLERANCES.get(key, 1e-9))


def _arguments(wanted: tuple[str, ...], settings: Numbers) -> dict[str, Any]:
    """Return the optimizer's keyword arguments besides the lr."""
    momentum = settings.get("momentum", 0.0)
    known = {
        "betas": (settings["beta1"], settings["beta2"]),
        "eps": settings["eps"],
        "rho": settings["rho"],
        "alpha": settings["rho"],
        "momentum": momentum,
        "dampening": settings.get("dampening", 0.0),
        "nesterov": bool(momentum and settings.get("nesterov")),
    }
    return {
        "weight_decay": settings["weight_decay"],
        **{name: known[name] for name in wanted},
    }


def _stepper(torch: Any, name: str, start: Array, arguments: dict[str, Any]) -> Stepper:
    """Return the steps of a torch optimizer of one tensor."""
    weights = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = getattr(torch.optim, name)([weights], **arguments)

    def step(gradient: Array, lr: float) -> Array:
        for group in optimizer.param_groups:
            group["lr"] = lr
        weights.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        return np.array(weights.detach().numpy(), float)

    return step
