"""What JSON holds of a network's tensors and their groups."""

from typing import TypedDict


class NamedGroupJson(TypedDict):
    """A group of tensors."""

    name: str


class GroupNumbersJson(TypedDict):
    """What a group of tensors is given, how many it has, and what its decay is."""

    lr: float | None
    weight_decay: float | None
    lr_mult: float | None
    decay_mult: float | None
    update_share: float
    towards: str
    n_tensors: int | None
    n_weights: int | None
    shrink: float | None


class GroupJson(NamedGroupJson, GroupNumbersJson):
    """A group of tensors, and what its decay is."""


class TensorJson(TypedDict):
    """A tensor, whether it decays, and what it weighs."""

    name: str
    shape: list[int]
    n_weights: int
    n_stacked: int
    role: str
    decayed: bool
    decay_mult: float | None
    lr_mult: float | None
    init_variance: float | None
    sum_of_squares: float | None
    measured_sum_of_squares: float | None
    measured_rms: float | None
    penalty: float | None


class LoraJson(TypedDict):
    """A low-rank update and the decay of its factors."""

    rank: int | None
    alpha: float | None
    scale: float | None
    a_shrink: float | None
    b_shrink: float | None
    product_shrink: float | None
    towards: str


# `class` is a word of Python's own.
_Class = TypedDict("_Class", {"class": str | None})


class InventoryJson(_Class):
    """A network's tensors, and what the decay does to each."""

    name: str
    n_parameters: int
    n_decayed: int
    n_exempt: int
    n_decayed_tensors: int
    n_exempt_tensors: int
    mask: str
    n_classes: int | None
    initial_loss: float | None
    sum_of_squares: float | None
    measured_sum_of_squares: float | None
    strength: float | None
    shrink: float | None
    lr: float | None
    equilibrium_rms: float | None
    penalty: float | None
    lora: LoraJson | None
    notes: list[str]
    groups: list[GroupJson]
    tensors: list[TensorJson]
