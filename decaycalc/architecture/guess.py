"""What a tensor is, told from its name and shape alone: role, fans, and an He start.

Frameworks store a dense kernel as `(out, in)` (PyTorch) or `(in, out)` (Keras, Flax, Haiku), and
name it accordingly: `weight` or `kernel`.
"""

from collections.abc import Iterable
from math import prod

from decaycalc.architecture.tensors import Role, Tensor, split_name

NORM_WORDS = ("norm", "batchnorm", "layernorm", "rmsnorm")
NORM_ROOTS = ("bn", "ln", "gn", "norm", "ln_f", "ln_1", "ln_2")
GAIN_LEAVES = ("gamma", "scale", "g", "gain")
SHIFT_LEAVES = ("bias", "b", "beta", "shift", "offset")
EMBEDDING_WORDS = ("embed", "wte", "shared", "lookup")
POSITION_WORDS = ("pos_embed", "position", "wpe", "relative_attention_bias", "posembed")
OUT_LAST_LEAVES = ("kernel", "kernel:0", "w", "depthwise_kernel", "recurrent_kernel")
# Running statistics and constants: stored, but never trained.
BUFFER_LEAVES = (
    "running_mean",
    "running_var",
    "num_batches_tracked",
    "moving_mean",
    "moving_variance",
    "position_ids",
    "token_type_ids",
    "relative_position_index",
    "relative_coords_table",
    "attn_mask",
    "masked_bias",
    "inv_freq",
)
CAUSAL_MASK_DIMENSIONS = 4


def is_buffer(name: str, shape: tuple[int, ...]) -> bool:
    """Return whether a stored tensor is a statistic or a constant rather than a parameter.

    GPT-2 stores its causal mask as `attn.bias`, of shape (1, 1, n, n).
    """
    leaf = split_name(name)[1].removesuffix(":0")
    if leaf in BUFFER_LEAVES:
        return True
    square = len(shape) == CAUSAL_MASK_DIMENSIONS and shape[2] == shape[3]
    return leaf == "bias" and square and shape[:2] == (1, 1)


def guess_tensors(shapes: Iterable[tuple[str, tuple[int, ...]]]) -> tuple[Tensor, ...]:
    """Return a tensor with role, fans and He start for each name and shape.

    A one-dimensional weight is a norm's gain, and what stands beside it is the norm's shift.
    Embeddings and positions have no start that their name would tell.

    Raises:
        InvalidValueError: a shape that no tensor has.
    """
    listed = list(shapes)
    norms = {split_name(name)[0] for name, shape in listed if is_gain(name, shape)}
    fans = {
        split_name(name)[0]: guess_fans(name, shape) for name, shape in listed if len(shape) > 1
    }
    return tuple(_tensor(name, shape, norms, fans) for name, shape in listed)


def _tensor(
    name: str,
    shape: tuple[int, ...],
    norms: set[str],
    fans: dict[str, tuple[int, int]],
) -> Tensor:
    layer = split_name(name)[0]
    role = Role.NORM if layer in norms and len(shape) <= 1 else guess_role(name, shape)
    fan_in, fan_out = fans.get(layer, (None, None))
    starts = {Role.BIAS: 0.0, Role.NORM: 0.0, Role.WEIGHT: 2 / fan_in if fan_in else None}
    return Tensor(
        name=name,
        shape=shape,
        role=role,
        fan_in=fan_in,
        fan_out=fan_out,
        init_variance=starts.get(role),
        init_mean=1.0 if role is Role.NORM and not is_shift(name) else 0.0,
    )


def is_shift(name: str) -> bool:
    """Return whether the last part of a name is that of a bias or a norm's shift."""
    leaf = split_name(name)[1].lower().removesuffix(":0")
    return leaf in SHIFT_LEAVES or leaf.endswith(("bias", "beta"))


def is_gain(name: str, shape: tuple[int, ...]) -> bool:
    """Return whether a tensor is the gain of a normalisation."""
    if len(shape) != 1 or is_shift(name):
        return False
    layer, leaf = split_name(name.lower())
    if leaf.removesuffix(":0") in (*GAIN_LEAVES, "weight"):
        return True
    last = split_name(layer)[1]
    return last in NORM_ROOTS or any(word in last for word in NORM_WORDS)


def guess_role(name: str, shape: tuple[int, ...]) -> Role:
    """Return the role that a name and a shape suggest."""
    lower = name.lower()
    if any(word in lower for word in POSITION_WORDS):
        return Role.POSITION
    if is_shift(name):
        return Role.BIAS
    if len(shape) <= 1:
        return Role.NORM if is_gain(name, shape) else Role.OTHER
    layer, leaf = split_name(lower)
    last = split_name(layer)[1]
    if len(shape) == 2 and any(word in (last + leaf) for word in EMBEDDING_WORDS):  # noqa: PLR2004 - a table
        return Role.WEIGHT if "proj" in last else Role.EMBEDDING
    return Role.WEIGHT


def guess_fans(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return fan-in and fan-out of a kernel of two or more dimensions."""
    if split_name(name)[1].lower() in OUT_LAST_LEAVES:
        field = prod(shape[:-2])
        return shape[-2] * field, shape[-1] * field
    field = prod(shape[2:])
    return shape[1] * field, shape[0] * field
