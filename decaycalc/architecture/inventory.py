"""A network's tensors with what decay does to each: the content of `decaycalc arch`."""

from collections.abc import Iterable, Mapping
from math import fsum, log

from decaycalc.architecture.groups import Choice, Group, decay_multiples, group_tensors
from decaycalc.architecture.initialisers import initialise
from decaycalc.architecture.tensors import Architecture, Tensor
from decaycalc.errors import ContradictionError
from decaycalc.record import Record


class Entry(Record):
    """One tensor: its multiple of the decay (0 exempt) and, if measured, its values' squares."""

    tensor: Tensor
    decay_mult: float
    measured_sum_of_squares: float | None = None

    @property
    def is_decayed(self) -> bool:
        """Whether the tensor decays at all."""
        return self.decay_mult > 0

    @property
    def known_sum_of_squares(self) -> float | None:
        """The measured sum of squares, or the one expected at initialisation."""
        measured = self.measured_sum_of_squares
        return self.tensor.sum_of_squares if measured is None else measured

    @property
    def measured_rms(self) -> float | None:
        """Root mean square of the measured values."""
        if self.measured_sum_of_squares is None or not self.tensor.n_weights:
            return None
        return float((self.measured_sum_of_squares / self.tensor.n_weights) ** 0.5)

    def penalty(self, strength: float | None) -> float | None:
        """Return the tensor's part of the penalty, in units of the mean loss."""
        squares = self.known_sum_of_squares
        if not self.is_decayed:
            return 0.0
        return (
            None
            if strength is None or squares is None
            else strength / 2 * self.decay_mult * squares
        )


class Rate(Record):
    """What a weight decay means in a run: its own number, strength, shrink and lr, as far as known.

    `equilibrium_rms` is what lr and the decay let the weights of normalised layers settle at.
    """

    value: float | None = None
    strength: float | None = None
    shrink: float | None = None
    lr: float | None = None
    equilibrium_rms: float | None = None


class Inventory(Record):
    """A network's tensors, parameter groups and totals under one choice of what decays."""

    architecture: Architecture
    choice: Choice
    entries: tuple[Entry, ...]
    groups: tuple[Group, ...]
    rate: Rate
    classes: int | None

    @property
    def n_decayed(self) -> int:
        """Number of weights that decay."""
        if self.architecture.count is not None:
            return self.architecture.count
        return sum(entry.tensor.n_weights for entry in self.entries if entry.is_decayed)

    @property
    def n_exempt(self) -> int:
        """Number of weights that do not decay."""
        return self.architecture.n_parameters - self.n_decayed

    @property
    def n_decayed_tensors(self) -> int:
        """Number of tensors that decay."""
        return sum(entry.is_decayed for entry in self.entries)

    @property
    def n_exempt_tensors(self) -> int:
        """Number of tensors that do not decay."""
        return len(self.entries) - self.n_decayed_tensors

    @property
    def sum_of_squares(self) -> float | None:
        """Expected sum of squares of the decayed weights at initialisation."""
        return _add(entry.tensor.sum_of_squares for entry in self.entries if entry.is_decayed)

    @property
    def measured_sum_of_squares(self) -> float | None:
        """Measured sum of squares of the decayed weights."""
        return _add(entry.measured_sum_of_squares for entry in self.entries if entry.is_decayed)

    @property
    def penalty(self) -> float | None:
        """The penalty in units of the mean loss: of the measured weights, or as expected."""
        return _add(entry.penalty(self.rate.strength) for entry in self.entries)

    @property
    def initial_loss(self) -> float | None:
        """Cross-entropy of a uniform guess, ln C; None without at least two classes."""
        return log(self.classes) if self.classes is not None and self.classes > 1 else None

    def to_dict(self) -> dict[str, object]:
        """Return the content of the JSON document."""
        rate = self.rate
        return {
            "name": self.architecture.name,
            "n_parameters": self.architecture.n_parameters,
            "n_decayed": self.n_decayed,
            "n_exempt": self.n_exempt,
            "n_decayed_tensors": self.n_decayed_tensors,
            "n_exempt_tensors": self.n_exempt_tensors,
            "mask": self.choice.mask,
            "n_classes": self.classes,
            "initial_loss": self.initial_loss,
            "sum_of_squares": self.sum_of_squares,
            "measured_sum_of_squares": self.measured_sum_of_squares,
            "strength": rate.strength,
            "shrink": rate.shrink,
            "lr": rate.lr,
            "equilibrium_rms": rate.equilibrium_rms,
            "penalty": self.penalty,
            "groups": [self._group(group) for group in self.groups],
            "tensors": [self.row(entry) for entry in self.entries],
        }

    def _group(self, group: Group) -> dict[str, object]:
        return {
            "decay_mult": group.decay_mult,
            "lr_mult": group.lr_mult,
            "n_tensors": len(group.tensors),
            "n_weights": group.n_weights,
            "shrink": group.shrink(self.rate.shrink),
        }

    def row(self, entry: Entry) -> dict[str, object]:
        """Return one tensor's object of the JSON document."""
        tensor = entry.tensor
        return {
            "name": tensor.name,
            "shape": list(tensor.shape),
            "n_weights": tensor.n_weights,
            "role": tensor.role.value,
            "decayed": entry.is_decayed,
            "decay_mult": entry.decay_mult,
            "init_variance": tensor.init_variance,
            "sum_of_squares": tensor.sum_of_squares,
            "measured_sum_of_squares": entry.measured_sum_of_squares,
            "measured_rms": entry.measured_rms,
            "penalty": entry.penalty(self.rate.strength),
        }

    def parameter_groups(self) -> list[dict[str, object]]:
        """Return the groups as optimizers take them, tensors by name.

        Without a value of the decay the decayed group keeps the optimizer's own.

        Raises:
            ContradictionError: multipliers or layer decay without the numbers they multiply.
        """
        return [self._parameter_group(group) for group in self.groups]

    def _parameter_group(self, group: Group) -> dict[str, object]:
        value, lr = self.rate.value, self.rate.lr
        made: dict[str, object] = {"params": [tensor.name for tensor in group.tensors]}
        if group.decay_mult == 0:
            made["weight_decay"] = 0.0
        elif value is not None:
            made["weight_decay"] = value * group.decay_mult
        elif group.decay_mult != 1:
            raise ContradictionError("groups with multipliers need a VALUE to multiply")
        if group.lr_mult != 1 and lr is None:
            raise ContradictionError("groups with a layer decay need an lr to multiply")
        if lr is not None:
            made["lr"] = lr * group.lr_mult
        return made


def take_inventory(
    architecture: Architecture,
    *,
    choice: Choice | None = None,
    init: str | None = None,
    classes: int | None = None,
    rate: Rate | None = None,
    measured: Mapping[str, float] | None = None,
) -> Inventory:
    """Return the tensors of a network with what decays and how large it is.

    `init` replaces the network's own initialisers; `measured` are sums of squares by tensor name.

    >>> take_inventory(Architecture(name="net", count=1000)).n_decayed
    1000

    Raises:
        UnknownNameError: no such mask or initialiser.
        InvalidValueError: a pattern that is none, or takes too long.
        ContradictionError: patterns for a bare count.
    """
    chosen = choice or Choice()
    started = initialise(architecture, init=init)
    found = measured or {}
    entries = tuple(
        Entry(tensor=tensor, decay_mult=multiple, measured_sum_of_squares=found.get(tensor.name))
        for tensor, multiple in zip(started.tensors, decay_multiples(started, chosen), strict=True)
    )
    return Inventory(
        architecture=started,
        choice=chosen,
        entries=entries,
        groups=group_tensors(started, chosen),
        rate=rate or Rate(),
        classes=architecture.n_classes if classes is None else classes,
    )


def _add(numbers: Iterable[float | None]) -> float | None:
    """Return the sum; None where a number is unknown or there are none."""
    known = list(numbers)
    if not known or None in known:
        return None
    return fsum(number for number in known if number is not None)
