"""The optimizers' update directions, in float64, each as its framework computes it.

A block turns a gradient into a direction `d` that the rule multiplies by the learning rate
(`w = w - lr*adam(g)`). It keeps its buffers in a `Memory` of its own. Hyper-parameters come from
the rule's keywords, then from the run's names, then from the defaults stated here. The
denominator is always `sqrt(v + eps_root) + eps`, so that one block serves the frameworks that put
their epsilon inside the root and those that put it outside.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decaycalc.errors import InvalidValueError

Array = NDArray[np.float64]
Memory = dict[str, Array]
"""A block's buffers between steps; a missing one is zero."""
Numbers = Mapping[str, float]
"""A block's hyper-parameters, and the step's `lr`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One stateful direction: its function, how many arrays it takes, its settings' defaults.

    `direction` takes its memory, its settings and its inputs; `weighted` blocks also see the
    weights, as the last of those. `gain` is what the direction settles at over a constant gradient,
    for those that are linear in it.
    """

    direction: Callable[..., Array]
    defaults: Mapping[str, float]
    inputs: int = 1
    weighted: bool = False
    gain: Callable[[Numbers], float] = lambda _: 1.0

    @property
    def names(self) -> frozenset[str]:
        """The names of its settings, which a rule may give as keywords."""
        return frozenset(self.defaults)

    def __call__(self, memory: Memory, inputs: tuple[Array, ...], settings: Numbers) -> Array:
        """Return the direction for this step, shaped as the gradient, and advance `memory`."""
        memory["t"] = memory.get("t", np.zeros(())) + 1
        return self.direction(memory, settings, *inputs)


def _heavy_ball(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return torch's momentum buffer; the first one is the undampened gradient.

    Source: torch/optim/sgd.py, _single_tensor_sgd.
    """
    first = "buffer" not in memory
    momentum, dampening = settings["momentum"], settings["dampening"]
    memory["buffer"] = grad if first else momentum * memory["buffer"] + (1 - dampening) * grad
    return _nesterov(memory["buffer"], grad, settings) if momentum else grad


def _heavy_ball_dampened(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return MLX' momentum buffer; the first one is dampened as all others.

    Source: mlx/python/mlx/optimizers/optimizers.py, SGD.apply_single.
    """
    momentum, dampening = settings["momentum"], settings["dampening"]
    memory["buffer"] = momentum * memory.get("buffer", 0 * grad) + (1 - dampening) * grad
    return _nesterov(memory["buffer"], grad, settings) if momentum else grad


def _velocity(memory: Memory, settings: Numbers, step: Array) -> Array:
    """Return `v = momentum*v + d`, what Caffe, Keras and Darknet subtract; d may hold the lr.

    Source: caffe/src/caffe/solvers/sgd_solver.cpp; keras/src/optimizers/sgd.py.
    """
    memory["velocity"] = settings["momentum"] * memory.get("velocity", 0 * step) + step
    return _nesterov(memory["velocity"], step, settings)


def _nesterov(buffer: Array, grad: Array, settings: Numbers) -> Array:
    """Return the buffer itself, or the look-ahead `grad + momentum*buffer`."""
    return grad + settings["momentum"] * buffer if settings["nesterov"] else buffer


def _ema(memory: Memory, name: str, value: Array, beta: float) -> Array:
    """Return the exponential moving average of `value`, started from zero."""
    memory[name] = beta * memory.get(name, 0 * value) + (1 - beta) * value
    return memory[name]


def _denominator(second_moment: Array, settings: Numbers) -> Array:
    """Return `sqrt(v + eps_root) + eps`."""
    root: Array = np.sqrt(second_moment + settings["eps_root"])
    return root + settings["eps"]


def _divide(numerator: Array, denominator: Array) -> Array:
    """Return the quotient, 0 where both are 0 (no gradient, epsilon 0)."""
    quotient = np.zeros_like(numerator)
    return np.divide(numerator, denominator, out=quotient, where=denominator != 0)


def _adam(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return Adam's direction with bias correction.

    `epsilon_hat` adds epsilon before the second moment is corrected, as section 2 of the paper's
    note does (Keras, TensorFlow, Chainer, MXNet); torch adds it after.

    Source: arXiv 1412.6980, algorithm 1; torch/optim/adam.py; keras/src/optimizers/adam.py.
    """
    mean = _ema(memory, "m", grad, settings["beta1"])
    square = _ema(memory, "v", grad * grad, settings["beta2"])
    first, second = (1 - settings[beta] ** memory["t"] for beta in ("beta1", "beta2"))
    if settings["epsilon_hat"]:
        return _divide(mean * (np.sqrt(second) / first), _denominator(square, settings))
    return _divide(mean / first, _denominator(square / second, settings))


def _adam_uncorrected(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return Adam's direction without bias correction, as MLX, BERT and LAMB's first version do.

    Source: mlx/python/mlx/optimizers/optimizers.py, Adam.apply_single.
    """
    mean = _ema(memory, "m", grad, settings["beta1"])
    square = _ema(memory, "v", grad * grad, settings["beta2"])
    return _divide(mean, _denominator(square, settings))


def _nadam(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return NAdam's direction; Keras' is the one with momentum_decay 1.

    Source: torch/optim/nadam.py; keras/src/optimizers/nadam.py.
    """
    t, beta1 = memory["t"], settings["beta1"]
    now, soon = (
        beta1 * (1 - 0.5 * 0.96 ** (step * settings["momentum_decay"])) for step in (t, t + 1)
    )
    memory["product"] = memory.get("product", np.ones(())) * now
    mean = _ema(memory, "m", grad, beta1)
    square = _ema(memory, "v", grad * grad, settings["beta2"]) / (1 - settings["beta2"] ** t)
    ahead = grad * (1 - now) / (1 - memory["product"])
    ahead = ahead + mean * soon / (1 - memory["product"] * soon)
    return _divide(ahead, _denominator(square, settings))


def _radam(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return RAdam's direction: plain momentum until the variance can be estimated.

    Source: arXiv 1908.03265, algorithm 2; torch/optim/radam.py.
    """
    t, beta2 = memory["t"], settings["beta2"]
    mean = _ema(memory, "m", grad, settings["beta1"]) / (1 - settings["beta1"] ** t)
    square = _ema(memory, "v", grad * grad, beta2)
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    if length <= settings["threshold"]:
        return mean
    rectified = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    root = np.sqrt(rectified) * np.sqrt(1 - beta2**t)
    return _divide(mean * root, _denominator(square, settings))


def _adamax(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return Adamax' direction; `eps` joins the gradient (torch), `eps_root` the norm (Keras).

    Source: torch/optim/adamax.py; keras/src/optimizers/adamax.py.
    """
    mean = _ema(memory, "m", grad, settings["beta1"]) / (1 - settings["beta1"] ** memory["t"])
    decayed = settings["beta2"] * memory.get("u", 0 * grad)
    memory["u"] = np.maximum(decayed, np.abs(grad) + settings["eps"])
    return _divide(mean, memory["u"] + settings["eps_root"])


def _rmsprop(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return RMSprop's direction, with the heavy ball after the division.

    Source: torch/optim/rmsprop.py; keras/src/optimizers/rmsprop.py (eps 0, eps_root 1e-7).
    """
    square = _ema(memory, "v", grad * grad, settings["rho"])
    if settings["centered"]:
        square = square - _ema(memory, "m", grad, settings["rho"]) ** 2
    scaled = _divide(grad, _denominator(square, settings))
    memory["buffer"] = settings["momentum"] * memory.get("buffer", 0 * grad) + scaled
    return memory["buffer"]


def _adagrad(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return Adagrad's direction.

    Source: torch/optim/adagrad.py; keras/src/optimizers/adagrad.py (accumulator .1, eps_root).
    """
    start = np.full_like(grad, settings["initial_accumulator"])
    memory["sum"] = memory.get("sum", start) + grad * grad
    slower = 1 + (memory["t"] - 1) * settings["lr_decay"]
    return _divide(grad, _denominator(memory["sum"], settings) * slower)


def _adadelta(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return Adadelta's direction.

    Source: arXiv 1212.5701, algorithm 1; torch/optim/adadelta.py.
    """
    rho, eps = settings["rho"], settings["eps"]
    square = _ema(memory, "v", grad * grad, rho)
    moved = memory.get("moved", 0 * grad)
    delta: Array = grad * np.sqrt(moved + eps) / np.sqrt(square + eps)
    _ema(memory, "moved", delta * delta, rho)
    return delta


def _lion(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return Lion's direction, a sign.

    Source: arXiv 2302.06675, algorithm 2.
    """
    mean = memory.get("m", 0 * grad)
    direction: Array = np.sign(settings["beta1"] * mean + (1 - settings["beta1"]) * grad)
    _ema(memory, "m", grad, settings["beta2"])
    return direction


def _adan(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return Adan's direction with bias correction.

    Source: arXiv 2208.06677, algorithm 1; timm/optim/adan.py.
    """
    betas = settings["beta1"], settings["beta2"], settings["beta3"]
    change = grad - memory.get("before", grad)
    memory["before"] = grad
    ahead = grad + betas[1] * change
    mean, diff, square = (
        _ema(memory, name, value, beta) / (1 - beta ** memory["t"])
        for name, value, beta in zip("mdv", (grad, change, ahead * ahead), betas, strict=True)
    )
    return _divide(mean + betas[1] * diff, _denominator(square, settings))


def _adafactor(memory: Memory, settings: Numbers, grad: Array, weights: Array) -> Array:
    """Return Adafactor's direction: factored second moment, clipped, relative to the weights.

    `scale_parameter` multiplies by max(eps2, RMS(w)); `relative_step` caps the lr at 1/sqrt(t).

    Source: arXiv 1804.04235, algorithm 4; torch/optim/_adafactor.py.
    """
    beta2 = 1 - float(memory["t"]) ** settings["beta2_decay"]
    square = grad * grad + settings["eps1"]
    if grad.ndim > 1:
        rows = _ema(memory, "rows", square.mean(axis=-1, keepdims=True), beta2)
        columns = _ema(memory, "columns", square.mean(axis=-2, keepdims=True), beta2)
        estimate = rows * columns / rows.mean(axis=-2, keepdims=True)
    else:
        estimate = _ema(memory, "v", square, beta2)
    update = _divide(grad, np.sqrt(estimate))
    update = update / max(1.0, _rms(update) / settings["clipping"])
    scale = max(settings["eps2"], _rms(weights)) if settings["scale_parameter"] else 1.0
    if settings["relative_step"] and settings["lr"]:
        scale *= min(settings["lr"], float(memory["t"]) ** -0.5) / settings["lr"]
    return update * scale


def _rms(values: Array) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(values * values)))


def _muon(memory: Memory, settings: Numbers, grad: Array) -> Array:
    """Return Muon's direction: the momentum, orthogonalised by Newton-Schulz iterations.

    Momentum is an average (torch, Keller Jordan) or, with `sum_momentum`, a heavy ball (MLX).
    `rms_scale` .2 is Moonlight's `match_rms_adamw`.

    Source: kellerjordan.github.io/posts/muon; torch/optim/_muon.py.
    """
    momentum = settings["momentum"]
    before = memory.get("buffer", 0 * grad)
    fresh = grad if settings["sum_momentum"] else (1 - momentum) * grad
    memory["buffer"] = buffer = momentum * before + fresh
    if settings["nesterov"]:
        buffer = momentum * buffer + (grad if settings["sum_momentum"] else (1 - momentum) * grad)
    matrix = buffer.reshape(buffer.shape[0], -1) if buffer.ndim > 1 else buffer.reshape(1, -1)
    longer = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
    if settings["rms_scale"]:
        longer = settings["rms_scale"] * max(matrix.shape) ** 0.5
    direction: Array = longer * _orthogonalise(matrix, int(settings["ns_steps"]))
    return direction.reshape(grad.shape)


def _orthogonalise(matrix: Array, steps: int) -> Array:
    """Return about the nearest orthogonal matrix, by Muon's quintic Newton-Schulz iteration."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / max(float(np.linalg.norm(x)), 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if tall else x


def _lamb(memory: Memory, settings: Numbers, grad: Array, decay: Array, weights: Array) -> Array:
    """Return LAMB's direction: Adam's plus the decay `r`, stretched to the weights' norm.

    Source: arXiv 1904.00962, algorithm 2; optax/_src/alias.py, lamb.
    """
    update = _adam(memory, settings, grad) + decay
    return update * trust_ratio(weights, update)


def trust_ratio(weights: Array, update: Array) -> float:
    """Return norm(w)/norm(update), 1 where either norm is 0."""
    norms = float(np.linalg.norm(weights)), float(np.linalg.norm(update))
    return norms[0] / norms[1] if all(norms) else 1.0


def _unmodelled(_: Memory, __: Numbers, grad: Array) -> Array:
    """Return no direction, for optimizers that are not simulated: right without a gradient only.

    Raises:
        InvalidValueError: there is a gradient.
    """
    if np.any(grad):
        raise InvalidValueError("g", "a data gradient", "is not simulated for this optimizer")
    return 0 * grad


def _gain(settings: Numbers) -> float:
    """Return the long-run gain of a momentum buffer, with or without look-ahead."""
    kept = 1 - (settings.get("dampening", 0.0) if settings["momentum"] else 0.0)
    return kept / (1 - settings["momentum"])


_MOMENTUM = {"momentum": 0.0, "dampening": 0.0, "nesterov": 0.0}
_ADAM = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "eps_root": 0.0}
_CORRECTED = {**_ADAM, "epsilon_hat": 0.0}

BLOCKS: Mapping[str, Block] = {
    "heavy_ball": Block(direction=_heavy_ball, defaults=_MOMENTUM, gain=_gain),
    "heavy_ball_dampened": Block(direction=_heavy_ball_dampened, defaults=_MOMENTUM, gain=_gain),
    "velocity": Block(direction=_velocity, defaults={"momentum": 0.0, "nesterov": 0.0}, gain=_gain),
    "adam": Block(direction=_adam, defaults=_CORRECTED),
    "adam_uncorrected": Block(direction=_adam_uncorrected, defaults=_ADAM),
    "nadam": Block(direction=_nadam, defaults={**_ADAM, "momentum_decay": 4e-3}),
    "radam": Block(direction=_radam, defaults={**_ADAM, "threshold": 5.0}),
    "adamax": Block(direction=_adamax, defaults=_ADAM),
    "rmsprop": Block(
        direction=_rmsprop,
        defaults={"rho": 0.99, "eps": 1e-8, "eps_root": 0.0, "momentum": 0.0, "centered": 0.0},
    ),
    "adagrad": Block(
        direction=_adagrad,
        defaults={"eps": 1e-10, "eps_root": 0.0, "lr_decay": 0.0, "initial_accumulator": 0.0},
    ),
    "adadelta": Block(direction=_adadelta, defaults={"rho": 0.9, "eps": 1e-6}),
    "lion": Block(direction=_lion, defaults={"beta1": 0.9, "beta2": 0.99}),
    "adan": Block(
        direction=_adan,
        defaults={"beta1": 0.98, "beta2": 0.92, "beta3": 0.99, "eps": 1e-8, "eps_root": 0.0},
    ),
    "adafactor": Block(
        direction=_adafactor,
        defaults={
            "beta2_decay": -0.8,
            "eps1": 1e-30,
            "eps2": 1e-3,
            "clipping": 1.0,
            "scale_parameter": 1.0,
            "relative_step": 1.0,
        },
        weighted=True,
    ),
    "muon": Block(
        direction=_muon,
        defaults={
            "momentum": 0.95,
            "nesterov": 1.0,
            "ns_steps": 5.0,
            "rms_scale": 0.0,
            "sum_momentum": 0.0,
        },
    ),
    "unmodelled": Block(direction=_unmodelled, defaults={}),
    "lamb": Block(direction=_lamb, defaults={**_CORRECTED, "eps": 1e-6}, inputs=2, weighted=True),
}
"""Every block by the name that rules call it by."""
