"""Which tensors decay: the rules that people and frameworks use."""

from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.errors import UnknownNameError

DEFAULT_MASK = "no-1d"


def decayed(architecture: Architecture, *, mask: str = DEFAULT_MASK) -> tuple[bool, ...]:
    """Return for each tensor whether it decays; empty for a bare count, which decays whole.

    Raises:
        UnknownNameError: no such mask.
    """
    rule = RULES.get(mask)
    if rule is None:
        raise UnknownNameError("decay mask", mask, RULES, hint=f"(one of {', '.join(RULES)})")
    return tuple(rule(tensor) for tensor in architecture.tensors)


def count_decayed(architecture: Architecture, *, mask: str = DEFAULT_MASK) -> int:
    """Return the number of weights that decay; all of them in a bare count.

    Raises:
        UnknownNameError: no such mask.
    """
    marks = decayed(architecture, mask=mask)
    if architecture.count is not None:
        return architecture.count
    pairs = zip(architecture.tensors, marks, strict=True)
    return sum(tensor.n_weights for tensor, mark in pairs if mark)


def _is_any(_tensor: Tensor) -> bool:
    return True


def _is_no_bias(tensor: Tensor) -> bool:
    return tensor.role is not Role.BIAS and not tensor.name.endswith(("bias", "beta"))


def _is_no_1d(tensor: Tensor) -> bool:
    return len(tensor.shape) > 1 and not tensor.name.endswith("bias")


RULES = {"all": _is_any, "no-bias": _is_no_bias, "no-1d": _is_no_1d}
