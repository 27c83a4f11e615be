"""What a tensor is, told from its name and shape alone: role, fans, and an He start.

Frameworks store a dense kernel as `(out, in)` (PyTorch) or `(in, out)` (Keras, Flax, Haiku), and
name it accordingly: `weight` or `kernel`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum, log, prod

from decaycalc.architecture.name_words import (
    GAIN_LEAVES,
    is_adapter,
    is_norm_name,
    is_position,
    is_second_factor,
    is_shift,
    is_state_space,
    is_token,
    norm_kind,
    parts_of,
)
from decaycalc.architecture.stacking import ALONE, Shapes, Stack, find_stacks
from decaycalc.architecture.tensors import Role, Tensor, split_name

# Tables of words: what a layer's name holds, what it is, and what it holds only if it is a dense
# layer all the same (Luke's `entity_embedding_dense`).
EMBEDDING_WORDS = ("embed", "wte", "lookup")
EMBEDDING_NAMES = ("shared", "emb")
DENSE_WORDS = ("proj", "dense", "linear", "mapp")
OUT_LAST_LEAVES = ("kernel", "kernel:0", "w", "depthwise_kernel", "recurrent_kernel")
STATISTICS = ("running_mean", "moving_mean")
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
BATCH_STATS = "batch_stats/"  # Flax's collection of running means and variances
CAUSAL_MASK_DIMENSIONS = 4  # 1 x 1 x positions x positions, GPT-2's buffer
TABLE_DIMENSIONS = 2  # rows by width; a convolution's kernel has four
EXPERT_DIMENSIONS = 3  # experts by rows by columns, stacked
# Kernels of (inputs, heads, size of a head): Flax counts the first axis as fan-in
# (flax/linen/linear.py, DenseGeneral), Keras all but the last (keras/src/initializers/
# random_initializers.py, compute_fans).
HEADED = frozenset({"query", "key", "value", "q", "k", "v", "q_proj", "k_proj", "v_proj", "qkv"})
HEADED_DIMENSIONS = 3
MOST_STATES = 10**6
# Layers whose `gamma` or `scale` is no norm's.
_SCALED = re.compile(r"\d+|ls.*|.*scale\d*|.*block\d*")


def is_buffer(name: str, shape: tuple[int, ...]) -> bool:
    """Return whether a stored tensor is a statistic or a constant rather than a parameter.

    GPT-2 stores its causal mask as `attn.bias`, of shape (1, 1, n, n).
    """
    leaf = split_name(name)[1].removesuffix(":0")
    if leaf in BUFFER_LEAVES or name.startswith(BATCH_STATS):
        return True
    square = len(shape) == CAUSAL_MASK_DIMENSIONS and shape[2] == shape[3]
    return leaf == "bias" and square and shape[:2] == (1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What tensors tell of each other: layers with a gain, fans by layer, batch norms, stacks.

    `shifted` are the layers that have a bias or a shift. `stacks` are the numbers of layers in the
    tensors that hold several, by name.
    """

    norms: frozenset[str]
    shifted: frozenset[str]
    fans: dict[str, tuple[int, int] | None]
    batch_norms: frozenset[str]
    stacks: dict[str, Stack]


def guess_tensors(
    shapes: Iterable[tuple[str, tuple[int, ...]]], *, stacked: bool | None = None
) -> tuple[Tensor, ...]:
    """Return a tensor with role, fans and He start for each name and shape that is trained.

    A one-dimensional weight is a norm's gain, and what stands beside it is the norm's shift.
    Embeddings and positions have no start that their name would tell. `stacked` says whether a
    leading axis that tensors share is one of layers; None leaves that to what they show.

    Raises:
        InvalidValueError: a shape that no tensor has.
    """
    listed = list(shapes)
    kept = [(name, shape) for name, shape in listed if not is_buffer(name, shape)]
    stacks = {} if stacked is False else find_stacks(kept, forced=stacked is True)
    around = _surroundings(kept, stacks, _batch_norms(listed))
    return tuple(_tensor(name, shape, around) for name, shape in kept)


def _batch_norms(listed: Shapes) -> frozenset[str]:
    """Return the layers that keep running statistics."""
    named = (split_name(name.removesuffix(":0")) for name, _ in listed)
    return frozenset(layer for layer, leaf in named if leaf in STATISTICS)


def _surroundings(
    kept: Shapes, stacks: dict[str, Stack], batch_norms: frozenset[str]
) -> Surroundings:
    inner = [(name, stacks.get(name, ALONE).layer(shape)) for name, shape in kept]
    norms = frozenset(split_name(name)[0] for name, shape in inner if is_gain(name, shape))
    shifted = frozenset(split_name(name)[0] for name, _ in inner if is_shift(name))
    fans = {split_name(name)[0]: guess_fans(name, shape) for name, shape in inner if len(shape) > 1}
    return Surroundings(
        norms=norms, shifted=shifted, fans=fans, batch_norms=batch_norms, stacks=stacks
    )


def _tensor(name: str, shape: tuple[int, ...], around: Surroundings) -> Tensor:
    layer, stack = split_name(name)[0], around.stacks.get(name, ALONE)
    inner = stack.layer(shape)
    role = guess_role(name, inner)
    # A norm may have a shift alone (Keras's `scale=False`); a matrix shows that it is none.
    named = layer in around.norms or (is_norm_name(layer) and layer not in around.fans)
    beside = named and len(inner) <= 1 and role in {Role.BIAS, Role.OTHER}
    if beside or _is_spread_norm(name, inner):
        role = Role.NORM
    if role is Role.EMBEDDING and layer in around.shifted:
        role = Role.WEIGHT  # a table has no bias, a dense layer of such a name may
    fan_in, fan_out = around.fans.get(layer) or (None, None)
    variance, mean = _start(name, inner, role, fan_in)
    return Tensor(
        name=name,
        shape=shape,
        role=role,
        fan_in=fan_in,
        fan_out=fan_out,
        init_variance=variance,
        init_mean=mean,
        norm_kind=_kind(layer, around) if role is Role.NORM else "",
        stack=stack.size,
        stack_axis=stack.axis,
    )


def _kind(layer: str, around: Surroundings) -> str:
    """Return the kind of a normalisation, as far as names and stored statistics tell it.

    A ResNet's shortcut ends in a norm without a name of its own; its block's others are told. An
    `ln_1` without a shift may be another class than LayerNorm (ImageGPT's, Pixtral's RMS norm).
    """
    if layer in around.batch_norms:
        return "batch"
    block, _, last = layer.rpartition(".downsample.")
    beside = f"{block}.bn1" in around.norms
    if last == "1" and beside:
        return "batch"
    kind = norm_kind(layer)
    return "" if kind == "layer" and layer not in around.shifted else kind


def _start(
    name: str, shape: tuple[int, ...], role: Role, fan_in: int | None
) -> tuple[float | None, float]:
    """Return variance and mean of one entry at initialisation, as far as the name tells them.

    Source: peft, tuners/lora/layer.py, `reset_lora_parameters` (the second factor 0, the first
    uniform in 1/sqrt(fan_in)); mamba_ssm/modules/mamba_simple.py (A_log the logarithm of 1 to N,
    D 1).
    """
    if role is Role.NORM:
        return 0.0, 0.0 if is_shift(name) else 1.0
    if role is Role.ADAPTER:
        return (0.0 if is_second_factor(name) else 1 / (3 * fan_in) if fan_in else None), 0.0
    if role is Role.OTHER and split_name(name)[1] == "A_log" and shape[1:]:
        return logarithms(shape[-1])
    if role is Role.OTHER and split_name(name)[1] == "D":
        return 0.0, 1.0
    starts = {Role.BIAS: 0.0, Role.WEIGHT: 2 / fan_in if fan_in else None}
    return starts.get(role), 0.0


def logarithms(count: int) -> tuple[float | None, float]:
    """Return variance and mean of the logarithms of 1 to `count`."""
    if not 1 <= count <= MOST_STATES:
        return None, 0.0
    values = [log(number) for number in range(1, count + 1)]
    mean = fsum(values) / count
    return fsum((value - mean) ** 2 for value in values) / count, mean


def is_gain(name: str, shape: tuple[int, ...]) -> bool:
    """Return whether a tensor is the gain of a normalisation.

    A `gamma` or `scale` that stands in a block itself, or in what is called a scale, scales a
    layer; one of a single entry is an activation's.
    """
    if len(shape) != 1 or is_shift(name) or is_token(name) or is_state_space(name):
        return False
    layer, leaf = split_name(name.lower().removesuffix(":0"))
    if leaf in ("gamma", "scale") and (shape == (1,) or _SCALED.fullmatch(parts_of(layer)[-1])):
        return False
    return leaf in (*GAIN_LEAVES, "weight") or is_norm_name(layer)


def guess_role(name: str, shape: tuple[int, ...]) -> Role:
    """Return the role that a name and the shape of one layer suggest."""
    if is_adapter(name):
        return Role.ADAPTER
    if is_state_space(name) or is_token(name):
        return Role.OTHER
    if is_position(name) and not (is_shift(name) and len(shape) <= 1):
        return Role.WEIGHT if _is_patch_layer(name, shape) else Role.POSITION
    if is_shift(name):
        return Role.BIAS
    if len(shape) <= 1:
        return Role.NORM if is_gain(name, shape) else Role.OTHER
    return _table_or_weight(name, shape)


def _is_spread_norm(name: str, shape: tuple[int, ...]) -> bool:
    """Return whether a norm's gain or shift has axes of one entry too: `(1, 1, 1, n)`."""
    many = len(shape) > 1 and prod(shape) == max(shape) > 1
    return many and is_norm_name(split_name(name)[0])


def _is_patch_layer(name: str, shape: tuple[int, ...]) -> bool:
    """Return whether a convolution makes patches below a table of positions, `pos_embed.proj`."""
    return len(shape) > TABLE_DIMENSIONS and split_name(name)[0].endswith("pos_embed.proj")


def _table_or_weight(name: str, shape: tuple[int, ...]) -> Role:
    """Return whether a matrix is a table of words or a layer's weight."""
    layer, leaf = split_name(name.lower())
    named = [part for part in parts_of(layer) if not part.isdecimal()]
    last = named[-1] if named else ""
    called = last in EMBEDDING_NAMES or last.endswith("_emb")
    called = called or any(word in (last + leaf) for word in EMBEDDING_WORDS)
    if len(shape) != TABLE_DIMENSIONS or not called or last == "embed_out":
        return Role.WEIGHT
    return Role.WEIGHT if any(word in last for word in DENSE_WORDS) else Role.EMBEDDING


def guess_fans(name: str, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Return fan-in and fan-out of a kernel of two or more dimensions.

    Of experts that are kept in one tensor, the order of a layer's own two is not told; nor is
    whose kernel of several heads it is.
    """
    if len(shape) == HEADED_DIMENSIONS and parts_of(split_name(name)[0])[-1].lower() in HEADED:
        return None
    if split_name(name)[1].lower() in OUT_LAST_LEAVES:
        field = prod(shape[:-2])
        return shape[-2] * field, shape[-1] * field
    if len(shape) == EXPERT_DIMENSIONS and "experts" in parts_of(name):
        return None
    field = prod(shape[2:])
    return shape[1] * field, shape[0] * field
