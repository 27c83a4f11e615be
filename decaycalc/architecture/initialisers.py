"""How large weights are when training starts: the variance of one entry, tensor by tensor."""

from math import isfinite

from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.errors import InvalidValueError, UnknownNameError
from decaycalc.record import replace

INITIALISERS = ("he", "glorot", "lecun", "torch", "normal:STD")
LARGEST_STD = 1e6  # its square times the weights stays far within float64


def check_initialiser(init: str) -> str:
    """Return `init` unchanged if it names an initialiser: he, glorot, lecun, torch, normal:STD.

    Raises:
        UnknownNameError: no such initialiser.
        InvalidValueError: a standard deviation that is no finite number of 0 or more.
    """
    name, colon, text = init.partition(":")
    if name == "normal":
        _read_std(text)
    elif colon or name not in INITIALISERS:
        hint = f"(one of {', '.join(INITIALISERS)})"
        raise UnknownNameError("initialiser", init, INITIALISERS, hint=hint)
    return init


def initialise(architecture: Architecture, *, init: str | None = None) -> Architecture:
    """Return the architecture with every tensor's start set by `init`; None keeps its own.

    Biases start at 0 (but for `torch`, which draws them), norms with gain 1 and shift 0.
    Embeddings have no fan: they keep their own start but for `torch` (variance 1) and `normal`. The
    factors of a low-rank update keep theirs: the second is 0.

    Raises:
        UnknownNameError: no such initialiser.
        InvalidValueError: a bad standard deviation.

    Source: He 2015 (1502.01852), Glorot & Bengio 2010, LeCun 1998 (Efficient BackProp, eq. 16),
    torch/nn/modules/linear.py (uniform of bound 1/sqrt(fan_in)) and sparse.py (unit normal).
    """
    if init is None:
        return architecture
    check_initialiser(init)
    tensors = tuple(_start(tensor, init) for tensor in architecture.tensors)
    return replace(architecture, tensors=tensors) if tensors else architecture


def _start(tensor: Tensor, init: str) -> Tensor:
    """Return one tensor as `init` starts it."""
    name, _, std = init.partition(":")
    if tensor.role is Role.NORM or (tensor.role is Role.BIAS and name != "torch"):
        gain = tensor.role is Role.NORM and not tensor.leaf.endswith(("bias", "beta"))
        return replace(tensor, init_variance=0.0, init_mean=1.0 if gain else 0.0)
    if name == "normal" and tensor.role is not Role.ADAPTER:
        return replace(tensor, init_variance=_read_std(std) ** 2, init_mean=0.0)
    if tensor.role in {Role.EMBEDDING, Role.POSITION, Role.ADAPTER, Role.OTHER}:
        unit = name == "torch" and tensor.role is Role.EMBEDDING
        return replace(tensor, init_variance=1.0, init_mean=0.0) if unit else tensor
    return replace(tensor, init_variance=fan_variance(tensor, name), init_mean=0.0)


def fan_variance(tensor: Tensor, name: str) -> float | None:
    """Return the variance of one entry from the tensor's fans; None where they are unknown.

    `name` is he (2/fan_in), glorot (2/(fan_in + fan_out)), lecun (1/fan_in) or torch
    (1/(3 fan_in)).
    """
    if not tensor.fan_in or not tensor.fan_out:
        return None
    if name == "glorot":
        return 2 / (tensor.fan_in + tensor.fan_out)
    numerator = {"he": 2.0, "lecun": 1.0, "torch": 1 / 3}[name]
    return numerator / tensor.fan_in


def _read_std(text: str) -> float:
    """Return the standard deviation that the text spells."""
    try:
        std = float(text)
    except ValueError:
        std = -1.0
    if not (isfinite(std) and 0 <= std <= LARGEST_STD):
        raise InvalidValueError(
            "standard deviation", text, f"must be a number from 0 to {LARGEST_STD:g}"
        )
    return std
