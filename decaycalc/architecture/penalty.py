"""The penalty's scale: coefficients, expected sum of squares, value against the initial loss."""

from collections.abc import Iterable
from fractions import Fraction
from math import fsum, log
from typing import TYPE_CHECKING

from decaycalc.algebra.number import exact, finite
from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record, replace

if TYPE_CHECKING:
    from decaycalc.architecture.tensors import Architecture, Tensor

Number = float | Fraction


class LayerPenalty(Record):
    """One layer's decayed weights: their number, expected sum of squares and penalty.

    `share` is the layer's part of the whole penalty. `per_step_shrink` is what each weight loses
    a step with the strength as it is, `per_step_shrink_if_normalized` what it would lose were the
    strength divided by the number of layers times the layer's weights.
    """

    name: str
    n_weights: int
    sum_of_squares: float | None
    value: float | None
    share: float | None
    per_step_shrink: float | None
    per_step_shrink_if_normalized: float | None


class Penalty(Record):
    """What the decay adds to the loss; None where what it needs is unknown.

    The coefficients are those of the sum of squares in the mean, minibatch-sum and data-set-sum
    objective; `per_weight_coefficient` is that of the weights' mean square. `value` and
    `initial_loss` are in units of the mean loss (nats).
    """

    coefficient_mean_loss: float | None
    coefficient_batch_sum: float | None
    coefficient_dataset_sum: float | None
    per_weight_coefficient: float | None
    n_weights: int | None
    sum_of_squares: float | None
    value: float | None
    initial_loss: float | None
    share_of_initial_loss: float | None
    layers: tuple[LayerPenalty, ...]


class Layer(Record):
    """The decayed tensors that share a layer."""

    name: str
    tensors: "tuple[Tensor, ...]"

    @property
    def n_weights(self) -> int:
        """Number of decayed weights in the layer."""
        return sum(tensor.n_weights for tensor in self.tensors)

    @property
    def sum_of_squares(self) -> float | None:
        """Expected sum of squares at initialisation; None where an initialiser is unknown."""
        return add(tensor.sum_of_squares for tensor in self.tensors)


def decayed_layers(
    architecture: "Architecture | None", *, mask: str | None = None
) -> tuple[Layer, ...]:
    """Return the layers that hold decayed weights, in order; none for a bare count or None.

    Raises:
        UnknownNameError: no such mask.
    """
    if architecture is None:
        return ()
    # Imported here, as are the initialisers: only a network needs them.
    from decaycalc.architecture.masks import decayed  # noqa: PLC0415

    groups: dict[str, list[Tensor]] = {}
    for tensor, mark in zip(architecture.tensors, decayed(architecture, mask=mask), strict=True):
        if mark and tensor.n_weights:
            groups.setdefault(tensor.layer, []).append(tensor)
    return tuple(Layer(name=name, tensors=tuple(tensors)) for name, tensors in groups.items())


def counted(run: Run, *, architecture: "Architecture | None", mask: str | None = None) -> Run:
    """Return a run with the numbers of a network's decayed weights and layers, if there is one.

    Raises:
        UnknownNameError: no such mask.
    """
    if architecture is None:
        return run
    layers = decayed_layers(architecture, mask=mask)
    return replace(run, n_weights=_count(architecture, layers), n_layers=len(layers) or None)


def penalty(
    architecture: "Architecture | None",
    *,
    strength: Number | None = None,
    mask: str | None = None,
    init: str | None = None,
    classes: int | None = None,
    batch_size: Number | None = None,
    dataset_size: Number | None = None,
    shrink: Number | None = None,
    strengths_by_layer: tuple[Number, ...] | None = None,
    shrinks_by_layer: tuple[Number, ...] | None = None,
) -> Penalty:
    """Return the scale of `strength/2 * sum(w**2)` in the units of a mean loss.

    `strengths_by_layer` and `shrinks_by_layer` stand in order of `decayed_layers` and take the
    place of `strength` and `shrink`, for a penalty whose strength differs by layer.

    Raises:
        UnknownNameError: no such mask or initialiser.
        InvalidValueError: fewer than one class, or a number of strengths other than of layers.
    """
    parts = decayed_layers(_initialised(architecture, init), mask=mask)
    strengths = _spread(strength, strengths_by_layer, parts)
    shrinks = _spread(shrink, shrinks_by_layer, parts)
    half = None if strength is None or strengths_by_layer is not None else strength / 2
    count = _count(architecture, parts)
    layers = _layers(parts, strengths=strengths, shrinks=shrinks, even=shrinks_by_layer is None)
    value = add(layer.value for layer in layers) if layers else None
    loss = _initial_loss(classes, architecture)
    return Penalty(
        coefficient_mean_loss=_times(half),
        coefficient_batch_sum=_times(half, batch_size),
        coefficient_dataset_sum=_times(half, dataset_size),
        per_weight_coefficient=_times(half, count),
        n_weights=count,
        sum_of_squares=add(part.sum_of_squares for part in parts) if parts else None,
        value=value,
        initial_loss=loss,
        share_of_initial_loss=None if value is None or not loss else value / loss,
        layers=layers,
    )


def _initialised(architecture: "Architecture | None", init: str | None) -> "Architecture | None":
    """Return the network with the sums of squares that its initialiser makes expected."""
    if architecture is None:
        return None
    from decaycalc.architecture.initialisers import initialise  # noqa: PLC0415

    return initialise(architecture, init=init)


def add(numbers: Iterable[float | None]) -> float | None:
    """Return the sum, exact to the last bit; None where one of the numbers is unknown."""
    known = list(numbers)
    return None if None in known else fsum(number for number in known if number is not None)


def _times(*factors: Number | None) -> float | None:
    """Return the product, rounded once; None where a factor is unknown."""
    product = Fraction(1)
    for factor in factors:
        if factor is None:
            return None
        product *= exact(factor)
    return finite(product, "penalty")


def _spread(
    number: Number | None, by_layer: tuple[Number, ...] | None, parts: tuple[Layer, ...]
) -> tuple[Number | None, ...]:
    """Return one number a layer: the layer's own, or the same for all."""
    if by_layer is None:
        return (number,) * len(parts)
    if len(by_layer) != len(parts):
        raise InvalidValueError(
            "number of strengths by layer", len(by_layer), f"must be that of layers, {len(parts)}"
        )
    return by_layer


def _count(architecture: "Architecture | None", parts: tuple[Layer, ...]) -> int | None:
    """Return the number of decayed weights."""
    if architecture is None:
        return None
    if architecture.count is not None:
        return architecture.count
    return sum(part.n_weights for part in parts)


def _layers(
    parts: tuple[Layer, ...],
    *,
    strengths: tuple[Number | None, ...],
    shrinks: tuple[Number | None, ...],
    even: bool,
) -> tuple[LayerPenalty, ...]:
    """Return the penalty by layer; `even` says that all layers share one shrink."""
    sums = [part.sum_of_squares for part in parts]
    values = [
        None if total is None else _times(strength, Fraction(1, 2), total)
        for strength, total in zip(strengths, sums, strict=True)
    ]
    shares = _shares(sums if None in values else values)
    normal = [len(parts) * part.n_weights if even else 1 for part in parts]
    return tuple(
        LayerPenalty(
            name=part.name,
            n_weights=part.n_weights,
            sum_of_squares=total,
            value=value,
            share=share,
            per_step_shrink=_times(shrink),
            per_step_shrink_if_normalized=_times(shrink, Fraction(1, divisor)),
        )
        for part, total, value, share, shrink, divisor in zip(
            parts, sums, values, shares, shrinks, normal, strict=True
        )
    )


def _shares(numbers: list[float | None]) -> list[float | None]:
    """Return each number's part of their sum; None where the sum is unknown or 0."""
    total = add(numbers)
    return [None if number is None or not total else number / total for number in numbers]


def _initial_loss(classes: int | None, architecture: "Architecture | None") -> float | None:
    """Return the cross-entropy of a uniform guess, ln C in nats; None without classes.

    Raises:
        InvalidValueError: fewer than one class.
    """
    if classes is not None and classes < 1:
        raise InvalidValueError("classes", classes, "must be at least 1")
    if classes is None and architecture is not None:
        classes = architecture.n_classes
    # One output is a regression: it has no cross-entropy.
    return None if classes is None or classes == 1 else log(classes)
