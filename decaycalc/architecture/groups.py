"""Parameter groups: which tensors decay, with which multiple of the decay, at which share of lr."""

from itertools import pairwise

from decaycalc.architecture.masks import DEFAULT_MASK, decayed
from decaycalc.architecture.tensors import Architecture, Tensor
from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.record import Record

BLOCK_WORDS = ("blocks", "layers", "layer", "h", "stages", "block", "resblocks", "encoder_layer")
INPUT_WORDS = ("cls_token", "pos_embed", "patch_embed", "embed", "wte", "wpe", "stem", "conv_proj")


class Choice(Record):
    """What decays: a mask, then what regular expressions change about it.

    Where `decay_only` is given it takes the mask's place. `multipliers` are pairs of a pattern and
    its `decay_mult`; the last that fits counts, and 0 exempts. `layer_decay` multiplies lr by
    itself once more for each block below the head.

    Raises:
        InvalidValueError: a multiplier or a layer decay out of bounds.
    """

    mask: str = DEFAULT_MASK
    decay_only: tuple[str, ...] = ()
    no_decay: tuple[str, ...] = ()
    multipliers: tuple[tuple[str, float], ...] = ()
    layer_decay: float | None = None

    def __post_init__(self) -> None:
        for pattern, factor in self.multipliers:
            if not 0 <= factor <= MOST_MULTIPLIER:
                bounds = f"must be from 0 to {MOST_MULTIPLIER:g}"
                raise InvalidValueError(f"multiplier of {pattern[:80]!r}", factor, bounds)
        if self.layer_decay is not None and not 0 < self.layer_decay <= 1:
            raise InvalidValueError("layer decay", self.layer_decay, "must be above 0, at most 1")


MOST_MULTIPLIER = 1e6


class Group(Record):
    """Tensors that share a multiple of the decay and a share of lr."""

    decay_mult: float
    lr_mult: float
    tensors: tuple[Tensor, ...]

    @property
    def n_weights(self) -> int:
        """Number of weights in the group."""
        return sum(tensor.n_weights for tensor in self.tensors)

    def shrink(self, shrink: float | None) -> float | None:
        """Return the group's shrink per step from that of a tensor with multipliers 1."""
        return None if shrink is None else shrink * self.decay_mult * self.lr_mult


def decay_multiples(architecture: Architecture, choice: Choice) -> tuple[float, ...]:
    """Return each tensor's multiple of the decay: 0 exempt, 1 as it is; none for a bare count.

    Raises:
        UnknownNameError: no such mask.
        InvalidValueError: a pattern that is none, or takes too long.
        ContradictionError: patterns for a bare count, which has no names.
    """
    patterns = (*choice.decay_only, *choice.no_decay, *choice.multipliers)
    if architecture.is_bare_count and patterns:
        raise ContradictionError("a bare number of weights has no tensor names to match")
    names = tuple(tensor.name for tensor in architecture.tensors)
    marks = [float(mark) for mark in decayed(architecture, mask=choice.mask)]
    if choice.decay_only:
        marks = [float(hit) for hit in _any_match(choice.decay_only, names)]
    for pattern, factor in choice.multipliers:
        hits = _any_match((pattern,), names)
        marks = [
            factor * (mark > 0) if hit else mark for mark, hit in zip(marks, hits, strict=True)
        ]
    if choice.no_decay:
        spared = _any_match(choice.no_decay, names)
        marks = [0.0 if hit else mark for mark, hit in zip(marks, spared, strict=True)]
    return tuple(marks)


def _any_match(patterns: tuple[str, ...], names: tuple[str, ...]) -> list[bool]:
    """Return for each name whether one of the patterns is found in it."""
    # Imported here: few choices have patterns, and matching starts processes.
    from decaycalc.architecture.names import match_names  # noqa: PLC0415

    columns = [match_names(pattern, names) for pattern in patterns]
    return [any(row) for row in zip(*columns, strict=True)]


def group_tensors(architecture: Architecture, choice: Choice) -> tuple[Group, ...]:
    """Return the parameter groups, decayed ones first; empty for a bare count.

    Raises:
        UnknownNameError: no such mask.
        InvalidValueError: a pattern that is none, or takes too long.
        ContradictionError: patterns for a bare count.
    """
    multiples = decay_multiples(architecture, choice)
    scales = lr_multiples(architecture, choice.layer_decay)
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for tensor, multiple, scale in zip(architecture.tensors, multiples, scales, strict=True):
        groups.setdefault((multiple, scale), []).append(tensor)
    made = [
        Group(decay_mult=multiple, lr_mult=scale, tensors=tuple(tensors))
        for (multiple, scale), tensors in groups.items()
    ]
    return tuple(sorted(made, key=lambda group: group.decay_mult == 0))


def lr_multiples(architecture: Architecture, layer_decay: float | None) -> tuple[float, ...]:
    """Return each tensor's share of lr under layer-wise lr decay: 1 for all without.

    Inputs (embeddings, positions, stem) are layer 0, block i is layer i + 1, what follows the
    blocks is the layer above them and keeps lr whole.
    Source: Bao et al. 2021 (BEiT, 2106.08254), appendix; timm `param_groups_layer_decay`.
    """
    if layer_decay is None:
        return (1.0,) * len(architecture.tensors)
    blocks = [find_block(tensor.name) for tensor in architecture.tensors]
    top = max((block for block in blocks if block is not None), default=-1) + 2
    depths = []
    for tensor, block in zip(architecture.tensors, blocks, strict=True):
        is_input = any(word in tensor.name for word in INPUT_WORDS)
        depths.append(block + 1 if block is not None else 0 if is_input else top)
    return tuple(layer_decay ** (top - depth) for depth in depths)


def find_block(name: str) -> int | None:
    """Return the number of the block that a tensor stands in; None if it stands in none.

    >>> find_block("encoder.layer.11.output.dense.weight"), find_block("head.weight")
    (11, None)
    """
    parts = name.replace("encoder_layer_", "encoder_layer.").split(".")
    for word, number in pairwise(parts):
        if word in BLOCK_WORDS and number.isdecimal():
            return int(number[:9])
    return None
