"""Steppers: one optimizer of a real framework behind a common face.

A stepper is made for one tensor: `make(value, run, start, lrs)` returns `step(gradient)`, which
returns the weights after the next step; `step(gradient, weights)` takes that step from other
weights, with the optimizer's state as it is. `run` is a mapping with the momentum settings and
the quantities; `lrs` holds the lr of each step, the first one being the constructor's.
"""

import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Stepper:
    """How to run a record in its framework.

    `tolerance` is relative to the largest weight: what the library's own precision allows.
    `driven_tolerance` is that along a gradient where the direction is rounded more than the rest.
    """

    package: str
    make: Callable
    tolerance: float = 1e-12
    driven_tolerance: float | None = None
    momentum: bool = False
    dampening: bool = False
    nesterov: bool = False
    scheduled: bool = True


# ---------------------------------------------------------------------------- torch and its kin


def torch_loop(make_optimizer, *, dtype="float64"):
    """Return `make` for an optimizer with torch's interface."""

    def make(value, run, start, lrs):
        import torch

        weights = torch.nn.Parameter(torch.tensor(start, dtype=getattr(torch, dtype)))
        optimizer = make_optimizer([weights], value, run, float(lrs[0]))
        # What a scheduler multiplies is the lr that the constructor left, which need not be ours.
        groups = [(each, each.get("lr")) for each in getattr(optimizer, "param_groups", [])]
        schedule = iter(lrs)

        def step(gradient, placed=None):
            multiplier = float(next(schedule)) / float(lrs[0])
            for group, lr in groups:
                group["lr"] = None if lr is None else lr * multiplier
            if placed is not None:
                weights.data.copy_(torch.tensor(placed))
            weights.grad = torch.tensor(gradient, dtype=weights.dtype)
            optimizer.step()
            return weights.detach().numpy().astype(float)

        return step

    return make


def torch_optimizer(name, **fixed):
    """Return `make` for torch.optim.`name`."""

    def build(parameters, value, run, lr):
        import torch

        found = getattr(torch.optim, name)
        settings = {**fixed, **aligned(found, run)}
        return found(parameters, lr=lr, weight_decay=value, **settings)

    return torch_loop(build)


SPELLINGS = {
    "eps": ("eps", "epsilon"),
    "beta1": ("beta1", "b1", "beta_1", "mom"),
    "beta2": ("beta2", "b2", "beta_2", "sqr_mom"),
    "rho": ("rho", "alpha", "sqr_mom"),
}
"""What frameworks call the settings of an adaptive optimizer."""


def aligned(optimizer, run):
    """Return those settings that the run gives its optimizers, under the framework's own names."""
    known = {name: each.default for name, each in inspect.signature(optimizer).parameters.items()}
    found = {
        spelling: run[name]
        for name, spellings in SPELLINGS.items()
        for spelling in spellings
        if name in run and isinstance(known.get(spelling), float)
    }
    given = [run[name] for name in ("beta1", "beta2", "beta3") if name in run]
    if given and len(given) == len(known.get("betas") or ()):
        found["betas"] = type(known["betas"])(given)
    return found


def momentum_of(run, *names):
    """Return the run's momentum settings of those names."""
    kinds = {"momentum": float, "dampening": float, "nesterov": bool}
    return {name: kinds[name](run.get(name, 0)) for name in names}


def torch_sgd(parameters, value, run, lr):
    """Return torch's SGD with the run's momentum."""
    import torch

    settings = momentum_of(run, "momentum", "dampening", "nesterov")
    return torch.optim.SGD(parameters, lr=lr, weight_decay=value, **settings)


def timm_optimizer(name, **fixed):
    """Return `make` for timm's factory."""

    def build(parameters, value, run, lr):
        from timm.optim import create_optimizer_v2, get_optimizer_class

        settings = {**aligned(get_optimizer_class(name, bind_defaults=False), run), **fixed}
        return create_optimizer_v2(
            parameters, opt=name, lr=lr, weight_decay=value, filter_bias_and_bn=False, **settings
        )

    return torch_loop(build)


def timm_sgd(parameters, value, run, lr):
    """Return what timm's factory makes of 'sgd' (Nesterov) or 'momentum'."""
    from timm.optim import create_optimizer_v2

    name = "sgd" if run.get("nesterov") else "momentum"
    return create_optimizer_v2(
        parameters, opt=name, lr=lr, weight_decay=value, momentum=float(run.get("momentum", 0))
    )


def from_module(module, name, **fixed):
    """Return `make` for a class with torch's interface in any module."""

    def build(parameters, value, run, lr):
        found = getattr(importlib.import_module(module), name)
        settings = {**fixed, **aligned(found, run)}
        return found(parameters, lr=lr, weight_decay=value, **settings)

    return build


def bitsandbytes_sgd(parameters, value, run, lr):
    """Return bitsandbytes' SGD in 32 bits."""
    import bitsandbytes

    momentum = float(run.get("momentum", 0)) or 1e-30  # it refuses none
    return bitsandbytes.optim.SGD(parameters, lr=lr, momentum=momentum, weight_decay=value)


@cache
def composer_optimizers():
    """Return Composer's optimizer file, loaded without the package around it."""
    spec = importlib.util.find_spec("composer")
    path = f"{spec.submodule_search_locations[0]}/optim/decoupled_weight_decay.py"
    stand_in = ModuleType("composer.utils")
    stand_in.dist = None
    sys.modules.setdefault("composer", ModuleType("composer"))
    sys.modules.setdefault("composer.utils", stand_in)
    file = importlib.util.spec_from_file_location("composer_decoupled", path)
    module = importlib.util.module_from_spec(file)
    file.loader.exec_module(module)
    return module


def composer_adamw(parameters, value, run, lr):
    """Return Composer's DecoupledAdamW with torch's betas and epsilon."""
    found = composer_optimizers().DecoupledAdamW
    settings = {"betas": (0.9, 0.999), "eps": 1e-8, **aligned(found, run)}
    return found(parameters, lr=lr, weight_decay=value, **settings)


def composer_sgdw(parameters, value, run, lr):
    """Return Composer's DecoupledSGDW."""
    settings = momentum_of(run, "momentum", "dampening", "nesterov")
    return composer_optimizers().DecoupledSGDW(parameters, lr=lr, weight_decay=value, **settings)


def penalised(penalty):
    """Return `make` for a penalty written into the loss, differentiated by torch.

    `run["borrowed"]` may hold the `step` maker of the optimizer that trains it, else it is SGD.
    """

    def make(value, run, start, lrs):
        import torch

        borrowed = run.get("borrowed") or torch_loop(torch_sgd)
        take = borrowed(0.0, run, start, lrs)
        current = np.array(start)

        def step(gradient, placed=None):
            nonlocal current
            current = current if placed is None else np.array(placed)
            weights = torch.tensor(current, requires_grad=True)
            penalty(weights, value, run).backward()
            current = take(gradient + weights.grad.numpy(), placed)
            return current

        return step

    return make


def summed_squares(scale):
    """Return `make` for scale(run) * value * sum of squares."""
    return penalised(lambda w, value, run: scale(run) * value * (w**2).sum())


def keras_penalty(w, value, _run):
    """Return Keras' own regulariser's value."""
    import keras

    return keras.regularizers.L2(value)(w)


# ------------------------------------------------------------------------------------- Keras


def keras_optimizer(name, *, momentum=False, **fixed):
    """Return `make` for a Keras optimizer, on the torch backend."""

    def make(value, run, start, lrs):
        import keras

        settings = momentum_of(run, "momentum", "nesterov") if momentum else {}
        found = getattr(keras.optimizers, name)
        settings |= {**fixed, **aligned(found, run)}
        optimizer = found(learning_rate=float(lrs[0]), weight_decay=value or None, **settings)
        weights = keras.Variable(start, dtype="float64")
        schedule = iter(lrs)

        def step(gradient, placed=None):
            optimizer.learning_rate = float(next(schedule))
            if placed is not None:
                weights.assign(placed)
            optimizer.apply([keras.ops.convert_to_tensor(gradient, dtype="float64")], [weights])
            return keras.ops.convert_to_numpy(weights).astype(float)

        return step

    return make


# ------------------------------------------------------------------------------------- optax


def optax_loop(transformation):
    """Return `make` for an optax gradient transformation, in float64."""

    def make(value, run, start, lrs):
        import jax

        jax.config.update("jax_enable_x64", True)  # noqa: FBT003 - jax' own interface
        import jax.numpy as jnp
        import optax
        import optax.contrib

        table = jnp.asarray(lrs)
        chain = transformation(optax, value, run, lambda count: table[count])
        weights = jnp.asarray(start)
        state = chain.init(weights)
        update = jax.jit(chain.update)

        def step(gradient, placed=None):
            nonlocal weights, state
            weights = weights if placed is None else jnp.asarray(placed)
            updates, state = update(jnp.asarray(gradient), state, weights)
            weights = optax.apply_updates(weights, updates)
            return np.asarray(weights)

        return step

    return make


def optax_alias(name, parameter="weight_decay", **fixed):
    """Return `make` for one of optax' ready-made optimizers."""

    def transformation(optax, value, run, lr):
        found = getattr(optax.contrib, name, None) or getattr(optax, name)
        return found(lr, **{parameter: value}, **fixed, **aligned(found, run))

    return optax_loop(transformation)


def optax_momentum(optax, run, lr):
    """Return optax.sgd with the run's momentum."""
    momentum = float(run.get("momentum", 0)) or None
    return optax.sgd(lr, momentum=momentum, nesterov=bool(run.get("nesterov", 0)))


# ----------------------------------------------------------------------- MLX, tinygrad, Paddle


def mlx_loop(name, *, momentum=False, **fixed):
    """Return `make` for an MLX optimizer, in float64 on the CPU."""

    def make(value, run, start, lrs):
        import mlx.core as mx
        import mlx.optimizers as mlx

        mx.set_default_device(mx.cpu)
        names = ("momentum", "dampening", "nesterov") if momentum else ()
        settings = momentum_of(run, *names)
        found = getattr(mlx, name)
        settings |= {**fixed, **aligned(found, run)}
        optimizer = found(float(lrs[0]), weight_decay=value, **settings)
        weights = mx.array(start, dtype=mx.float32)
        schedule = iter(lrs)

        def step(gradient, placed=None):
            nonlocal weights
            weights = weights if placed is None else mx.array(placed, dtype=mx.float32)
            optimizer.learning_rate = float(next(schedule))
            gradients = {"w": mx.array(gradient, dtype=mx.float32)}
            weights = optimizer.apply_gradients(gradients, {"w": weights})["w"]
            return np.array(weights).astype(float)

        return step

    return make


def tinygrad_loop(name, *, momentum=False, **fixed):
    """Return `make` for a tinygrad optimizer, in float32 on its interpreted device."""

    def make(value, run, start, lrs):
        from tinygrad import Context, Tensor
        from tinygrad.nn import optim

        settings = momentum_of(run, "momentum", "nesterov") if momentum else {}
        weights = Tensor(np.asarray(start, dtype=np.float32)).realize()
        found = getattr(optim, name)
        settings |= {**fixed, **aligned(found, run)}
        optimizer = found([weights], lr=float(lrs[0]), weight_decay=value, **settings)
        schedule = iter(lrs)

        def step(gradient, placed=None):
            if placed is not None:
                weights.assign(Tensor(np.asarray(placed, dtype=np.float32))).realize()
            optimizer.lr.assign(Tensor([float(next(schedule))])).realize()
            weights.grad = Tensor(np.asarray(gradient, dtype=np.float32))
            with Context(TRAINING=1):
                optimizer.step()
            return weights.numpy().astype(float)

        return step

    return make


def paddle_loop(name, *, momentum=False, **fixed):
    """Return `make` for a Paddle optimizer, in float64."""

    def make(value, run, start, lrs):
        import paddle

        paddle.set_device("cpu")
        settings = {}
        if momentum:
            kinds = momentum_of(run, "momentum", "nesterov")
            settings = {"momentum": kinds["momentum"], "use_nesterov": kinds["nesterov"]}
        weights = paddle.create_parameter(np.shape(start), dtype="float64")
        weights.set_value(np.asarray(start))
        found = getattr(paddle.optimizer, name)
        settings |= {**fixed, **aligned(found, run)}
        optimizer = found(
            learning_rate=float(lrs[0]), parameters=[weights], weight_decay=value, **settings
        )
        schedule = iter(lrs)

        def step(gradient, placed=None):
            if placed is not None:
                weights.set_value(np.asarray(placed))
            optimizer.set_lr(float(next(schedule)))
            (weights * paddle.to_tensor(gradient, dtype="float64")).sum().backward()
            optimizer.step()
            optimizer.clear_grad()
            return weights.numpy().astype(float)

        return step

    return make
