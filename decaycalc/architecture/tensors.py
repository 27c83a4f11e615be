"""A network as the tensors that training updates: names, shapes, roles and how they start."""

import re
from enum import StrEnum
from math import prod

from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.record import Record

# Larger than any network or file that exists; keeps sums and tables finite.
MOST_WEIGHTS = 10**15
MOST_DIMENSIONS = 64


class Role(StrEnum):
    """What a tensor does in its network.

    `norm` covers gain and shift of a normalisation, `adapter` the factors of a low-rank update;
    `other` are tokens, scales, and whatever else no initialiser knows.
    """

    WEIGHT = "weight"
    BIAS = "bias"
    NORM = "norm"
    EMBEDDING = "embedding"
    POSITION = "position"
    ADAPTER = "adapter"
    OTHER = "other"


def split_name(name: str) -> tuple[str, str]:
    """Return a tensor's layer and the last part of its name; the layer of `w` is `w` itself.

    >>> split_name("fc1.weight"), split_name("dense/kernel"), split_name("w")
    (('fc1', 'weight'), ('dense', 'kernel'), ('w', 'w'))
    """
    cut = max(name.rfind("."), name.rfind("/"))
    return (name[:cut], name[cut + 1 :]) if cut > 0 else (name, name[cut + 1 :])


class Tensor(Record):
    """One trained tensor.

    `fan_in` and `fan_out` are those of the layer that the tensor belongs to (inputs and outputs
    times the kernel's positions). `init_variance` and `init_mean` describe one entry as the
    reference implementation initialises it; None where that is unknown. `norm_kind` is layer,
    rms, batch, group, response or empty (unknown). The axis `stack_axis` of `stack` layers is no
    dimension of a layer's own.

    Raises:
        InvalidValueError: a dimension is negative or the tensor absurdly large.
    """

    name: str
    shape: tuple[int, ...]
    role: Role = Role.WEIGHT
    fan_in: int | None = None
    fan_out: int | None = None
    init_variance: float | None = None
    init_mean: float = 0.0
    norm_kind: str = ""
    stack: int = 1
    stack_axis: int = 0

    def __post_init__(self) -> None:
        if len(self.shape) > MOST_DIMENSIONS:
            raise InvalidValueError(
                f"number of dimensions of tensor {self.name[:80]!r}",
                len(self.shape),
                f"must be at most {MOST_DIMENSIONS}",
            )
        if min(self.shape, default=0) < 0 or self.n_weights > MOST_WEIGHTS:
            raise InvalidValueError(
                f"shape of tensor {self.name[:80]!r}",
                "x".join(map(str, self.shape))[:80],
                f"must have dimensions of 0 or more and at most {MOST_WEIGHTS:.0e} entries",
            )

    @property
    def n_weights(self) -> int:
        """Number of entries; 1 for a scalar."""
        return prod(self.shape)

    @property
    def layer_shape(self) -> tuple[int, ...]:
        """Shape of one layer's part of the tensor."""
        axis = self.stack_axis
        return self.shape if self.stack == 1 else self.shape[:axis] + self.shape[axis + 1 :]

    @property
    def layer(self) -> str:
        """Name of the layer that the tensor belongs to: its name up to the last separator."""
        return split_name(self.name)[0]

    @property
    def leaf(self) -> str:
        """Last part of the name: `weight` of `fc1.weight`."""
        return split_name(self.name)[1]

    @property
    def sum_of_squares(self) -> float | None:
        """Expected sum of squares at initialisation; None where the initialiser is unknown."""
        if self.init_variance is None:
            return None
        return self.n_weights * (self.init_variance + self.init_mean**2)


class Architecture(Record):
    """The trained tensors of a network, or no more than their number.

    A bare count has no tensors: `count` is its number of weights, all of them decayed.
    `undecayed` are the names that the model itself lists as exempt (timm's `no_weight_decay`); None
    where nothing but names and shapes is known of it. `notes` are what whoever uses it must be
    told, a line each. `class_name` is the class in transformers, its head included, if any.

    Raises:
        ContradictionError: both tensors and a count, or neither.
        InvalidValueError: too many weights, a count or a number of classes below 1.
    """

    name: str
    tensors: tuple[Tensor, ...] = ()
    n_classes: int | None = None
    count: int | None = None
    undecayed: tuple[str, ...] | None = ()
    notes: tuple[str, ...] = ()
    class_name: str = ""

    def __post_init__(self) -> None:
        if bool(self.tensors) == (self.count is not None):
            raise ContradictionError(f"architecture {self.name!r}: give tensors or a count")
        if not 1 <= self.n_parameters <= MOST_WEIGHTS:
            raise InvalidValueError(
                "number of weights", self.n_parameters, f"must be from 1 to {MOST_WEIGHTS:.0e}"
            )
        if self.n_classes is not None and self.n_classes < 1:
            raise InvalidValueError("classes", self.n_classes, "must be at least 1")

    @property
    def n_parameters(self) -> int:
        """Number of trained weights, exempt ones included."""
        if self.count is not None:
            return self.count
        return sum(tensor.n_weights for tensor in self.tensors)

    @property
    def is_bare_count(self) -> bool:
        """Whether only the number of weights is known."""
        return self.count is not None


def untrained_notes(net: Architecture, pattern: str) -> tuple[str, ...]:
    """Return a line on the tensors whose names match, which their class does not train; or none."""
    kept = [each for each in net.tensors if re.search(pattern, each.name)]
    if not kept:
        return ()
    names = kept[0].name + (f" and {len(kept) - 1} more" if len(kept) > 1 else "")
    weights = sum(each.n_weights for each in kept)
    return (f"the class does not train {names}: nothing decays {weights:,} of the weights",)
