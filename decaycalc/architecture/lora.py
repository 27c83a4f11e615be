"""LoRA: two trained factors beside frozen matrices, whose product decays towards the base.

A layer's weight is W + scale·BA; A and B alone are trained. With decoupled decay of shrink s_A and
s_B a step leaves (1 - s_A)(1 - s_B) of BA, so the sum moves towards W, not towards zero.

Source: Hu et al. 2021 (2106.09685), section 4.1; peft 0.17, tuners/lora/layer.py and
utils/constants.py (the layers that it adapts unasked).
"""

from dataclasses import dataclass

from decaycalc.algebra.number import exact
from decaycalc.architecture.name_words import parts_of
from decaycalc.architecture.names import match_names
from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.record import replace

MOST_RANK = 10**6
MATRIX = 2  # a dense layer's weight; factors of other shapes are not sized here
# The layers that peft adapts where none are named, by what a network has.
TARGETS = (
    ("q_proj", "v_proj"),
    ("query", "value"),
    ("q", "v"),
    ("q_lin", "v_lin"),
    ("c_attn",),
    ("query_key_value",),
    ("qkv_proj",),
    ("qkv",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """A low-rank update: its rank, the alpha that its scale alpha/rank is made of, and where."""

    rank: int
    alpha: float | None = None
    targets: str | None = None

    @property
    def scale(self) -> float | None:
        """What the product of the factors is multiplied by, alpha/rank."""
        return None if self.alpha is None else self.alpha / self.rank


def parse_lora(text: str, *, targets: str | None = None) -> Lora:
    """Return the update that `RANK[,ALPHA]` spells; `targets` is a pattern of layers' names.

    >>> parse_lora("8,16").scale
    2.0

    Raises:
        InvalidValueError: it is not of that form, or the rank or alpha is out of bounds.
    """
    first, comma, second = text.partition(",")
    rank = exact(first.strip(), name="rank of --lora")
    if rank.denominator != 1 or not 1 <= rank <= MOST_RANK:
        raise InvalidValueError("rank", first[:40], f"must be a whole number from 1 to {MOST_RANK}")
    alpha = float(exact(second.strip(), name="alpha of --lora")) if comma else None
    if alpha is not None and not 0 < alpha <= MOST_RANK:
        raise InvalidValueError("alpha", alpha, f"must be above 0, at most {MOST_RANK}")
    return Lora(rank=int(rank), alpha=alpha, targets=targets)


def adapt(architecture: Architecture, lora: Lora | None) -> Architecture:
    """Return the trained factors of a network's update, which its own weights are frozen beside.

    The first factor of a layer starts uniform in 1/sqrt(fan_in), the second at 0.

    Raises:
        ContradictionError: a bare count, or no dense layer to adapt.
        InvalidValueError: a pattern that is none, or takes too long.
    """
    if lora is None:
        return architecture
    dense = [tensor for tensor in architecture.tensors if _is_dense(tensor)]
    chosen, why = _chosen(dense, lora)
    if not chosen:
        raise ContradictionError("--lora adapts dense layers, and the network has none that fits")
    note = (
        f"LoRA of rank {lora.rank} trains {2 * len(chosen)} factors beside {len(chosen)} frozen "
        f"layers ({why}); the product decays towards the base weights"
    )
    tensors = tuple(factor for tensor in chosen for factor in _factors(tensor, lora.rank))
    return replace(architecture, tensors=tensors, notes=(*architecture.notes, note))


def _is_dense(tensor: Tensor) -> bool:
    """Return whether a tensor is a dense layer's weight, of known inputs and outputs."""
    known = tensor.fan_in is not None and tensor.fan_out is not None
    return tensor.role is Role.WEIGHT and len(tensor.shape) == MATRIX and known


def _chosen(dense: list[Tensor], lora: Lora) -> tuple[list[Tensor], str]:
    """Return the weights that are adapted, and why these."""
    if lora.targets is not None:
        hits = match_names(lora.targets, tuple(tensor.layer for tensor in dense))
        return [tensor for tensor, hit in zip(dense, hits, strict=True) if hit], "those named"
    ends = {parts_of(tensor.layer)[-1] for tensor in dense}
    for words in TARGETS:
        if ends.issuperset(words):
            found = [tensor for tensor in dense if parts_of(tensor.layer)[-1] in words]
            return found, f"{' and '.join(words)}, peft's default"
    return dense, "all dense ones"


def _factors(tensor: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Return the factors A, of shape (rank, inputs), and B, of shape (outputs, rank)."""
    n_in, n_out = tensor.fan_in or 0, tensor.fan_out or 0
    first = Tensor(
        name=f"{tensor.layer}.lora_A.weight",
        shape=(rank, n_in),
        role=Role.ADAPTER,
        fan_in=n_in,
        fan_out=rank,
        init_variance=1 / (3 * n_in),
    )
    second = Tensor(
        name=f"{tensor.layer}.lora_B.weight",
        shape=(n_out, rank),
        role=Role.ADAPTER,
        fan_in=rank,
        fan_out=n_out,
        init_variance=0.0,
    )
    return first, second
