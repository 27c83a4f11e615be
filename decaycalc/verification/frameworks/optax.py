"""optax' transformations, in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np

from decaycalc.verification.frameworks import loading
from decaycalc.verification.frameworks.rule import SteppedRule
from decaycalc.verification.pairing import StandIn
from decaycalc.verification.rules.optimizers import Array, Numbers
from decaycalc.verification.rules.rule import Stepper
from decaycalc.verification.trials import settle

TOLERANCE = 1e-5  # float32 over the steps of a trial
Chain = Callable[[Any, Any, Numbers], Any]
"""From optax, the lr and the settings to a transformation."""


def load() -> Any:
    """Return the module optax.

    Raises:
        MissingFrameworkError: it is not installed.
    """
    return loading.load("optax", framework="optax", package="optax")


def stand_in(key: str, optax: Any) -> StandIn:
    """Return what takes the place of one of `KEYS`."""
    chain = _CHAINS[key]

    def make(weights: Array, settings: Numbers) -> Stepper:
        return _stepper(optax, chain, weights, settings)

    rule = SteppedRule(text=key, make=make)
    return StandIn(rule=rule, solve=settle, tolerance=TOLERANCE)


def _descent(optax: Any, lr: Any, settings: Numbers) -> Any:
    momentum, nesterov = settings.get("momentum") or None, bool(settings.get("nesterov"))
    return optax.sgd(lr, momentum=momentum, nesterov=nesterov)


def _sgd(optax: Any, lr: Any, settings: Numbers) -> Any:
    decay = optax.add_decayed_weights(settings["weight_decay"])
    return optax.chain(decay, _descent(optax, lr, settings))


def _decay_after_lr(optax: Any, lr: Any, settings: Numbers) -> Any:
    decay = optax.add_decayed_weights(-settings["weight_decay"])
    return optax.chain(_descent(optax, lr, settings), decay)


def _adaptive(name: str, *, eps: bool = True) -> Chain:
    """Return the maker of one of optax' aliases with two betas."""

    def chain(optax: Any, lr: Any, settings: Numbers) -> Any:
        more = {"eps": settings["eps"]} if eps else {}
        return getattr(optax, name)(
            lr,
            b1=settings["beta1"],
            b2=settings["beta2"],
            weight_decay=settings["weight_decay"],
            **more,
        )

    return chain


_CHAINS: dict[str, Chain] = {
    "optax-sgd": _sgd,
    "optax-decay-after-lr": _decay_after_lr,
    "optax-adamw": _adaptive("adamw"),
    "optax-adamaxw": _adaptive("adamaxw"),
    "optax-lion": _adaptive("lion", eps=False),
}
KEYS = tuple(_CHAINS)


def _stepper(optax: Any, chain: Chain, start: Array, settings: Numbers) -> Stepper:
    """Return the steps of an optax transformation of one tensor."""
    jax = loading.load("jax", framework="optax", package="jax")
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003  (jax' own interface)
    weights = jax.numpy.asarray(start)
    state = chain(optax, 1.0, settings).init(weights)
    update = jax.jit(lambda g, s, w, lr: chain(optax, lr, settings).update(g, s, w))

    def step(gradient: Array, lr: float) -> Array:
        nonlocal weights, state
        updates, state = update(jax.numpy.asarray(gradient), state, weights, lr)
        weights = optax.apply_updates(weights, updates)
        return np.array(weights, float)

    return step
