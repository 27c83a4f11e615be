"""A network's tensors with what decay does to each: the content of `decaycalc arch`."""

from collections.abc import Callable, Iterable, Mapping
from math import log, prod

from decaycalc.architecture.documents import GroupJson, InventoryJson, LoraJson, TensorJson
from decaycalc.architecture.groups import (
    Choice,
    TensorGroup,
    distinct,
    group_tensors,
    treatments,
)
from decaycalc.architecture.initialisers import initialise
from decaycalc.architecture.lora import Lora, adapt
from decaycalc.architecture.masks import notes_on
from decaycalc.architecture.name_words import is_second_factor
from decaycalc.architecture.penalty import add
from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.architecture.treatment import WHOLE, Towards, Treatment
from decaycalc.errors import ContradictionError
from decaycalc.record import Record, replace


class Rate(Record):
    """What a weight decay means in a run: its own number, strength, shrink and lr, as far as known.

    `equilibrium_rms` is what lr and the decay let the weights of normalised layers settle at.
    """

    value: float | None = None
    strength: float | None = None
    shrink: float | None = None
    lr: float | None = None
    equilibrium_rms: float | None = None


RateOf = Callable[[Treatment], Rate]
"""What the run's number means for the tensors of one group."""


class Entry(Record):
    """One tensor: what it gets, what that means, and, if measured, its values' squares.

    `decay_mult` and `lr_mult` multiply the run's numbers; None where those are unknown.
    """

    tensor: Tensor
    treatment: Treatment
    decay_mult: float | None
    lr_mult: float | None
    strength: float | None = None
    measured_sum_of_squares: float | None = None

    @property
    def is_decayed(self) -> bool:
        """Whether the tensor decays at all."""
        return not self.treatment.is_exempt

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

    @property
    def penalty(self) -> float | None:
        """The tensor's part of the penalty, in units of the mean loss."""
        if not self.is_decayed:
            return 0.0
        if self.treatment.towards is Towards.INITIAL and self.measured_sum_of_squares is None:
            return 0.0  # it counts from where the weights start
        squares = self.known_sum_of_squares
        return None if self.strength is None or squares is None else self.strength / 2 * squares


class Inventory(Record):
    """A network's tensors, parameter groups and totals under one choice of what decays.

    `rate` is what the run's number means where nothing is multiplied, `rates` what it means in each
    of the groups. `lora` is the low-rank update whose factors the tensors are, if it was asked for.
    """

    architecture: Architecture
    choice: Choice
    entries: tuple[Entry, ...]
    groups: tuple[TensorGroup, ...]
    rate: Rate
    rates: tuple[Rate, ...]
    classes: int | None
    lora: Lora | None = None

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
        return _add(entry.penalty for entry in self.entries)

    @property
    def product_shrink(self) -> float | None:
        """Shrink per step of the product of a low-rank update's factors; None where it has none.

        It is 1 - (1 - s_A)(1 - s_B), and the decay is towards the base weights.
        """
        first, second = self.factor_shrink(second=False), self.factor_shrink(second=True)
        return None if first is None or second is None else first + second - first * second

    def factor_shrink(self, *, second: bool) -> float | None:
        """Return the one shrink per step of all first (or second) factors; None without one."""
        found = {
            rate.shrink
            for group, rate in zip(self.groups, self.rates, strict=True)
            for tensor in group.tensors
            if tensor.role is Role.ADAPTER and is_second_factor(tensor.name) is second
        }
        return found.pop() if len(found) == 1 else None

    @property
    def initial_loss(self) -> float | None:
        """Cross-entropy of a uniform guess, ln C; None without at least two classes."""
        return log(self.classes) if self.classes is not None and self.classes > 1 else None

    def to_dict(self) -> InventoryJson:
        """Return the content of the JSON document."""
        rate = self.rate
        return {
            "name": self.architecture.name,
            "class": self.architecture.class_name or None,
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
            "lora": self._lora(),
            "notes": list(self.architecture.notes),
            "groups": [self.group_row(*pair) for pair in zip(self.groups, self.rates, strict=True)],
            "tensors": [self.row(entry) for entry in self.entries],
        }

    def _lora(self) -> LoraJson | None:
        """Return the low-rank update's object of the JSON document."""
        if all(entry.tensor.role is not Role.ADAPTER for entry in self.entries):
            return None
        return {
            "rank": None if self.lora is None else self.lora.rank,
            "alpha": None if self.lora is None else self.lora.alpha,
            "scale": None if self.lora is None else self.lora.scale,
            "a_shrink": self.factor_shrink(second=False),
            "b_shrink": self.factor_shrink(second=True),
            "product_shrink": self.product_shrink,
            "towards": "initial",
        }

    def group_row(self, group: TensorGroup, rate: Rate) -> GroupJson:
        """Return one group's object of the JSON document."""
        treatment = group.treatment
        return {
            "name": treatment.name,
            "lr": rate.lr,
            "weight_decay": rate.value,
            "lr_mult": treatment.lr.ratio(self.rate.lr),
            "decay_mult": treatment.decay.ratio(self.rate.value),
            "update_share": float(treatment.update_share),
            "towards": treatment.towards.value,
            "n_tensors": len(group.tensors),
            "n_weights": group.n_weights,
            "shrink": rate.shrink,
        }

    def row(self, entry: Entry) -> TensorJson:
        """Return one tensor's object of the JSON document."""
        tensor = entry.tensor
        return {
            "name": tensor.name,
            "shape": list(tensor.shape),
            "n_weights": tensor.n_weights,
            "n_stacked": tensor.stack,
            "role": tensor.role.value,
            "decayed": entry.is_decayed,
            "decay_mult": entry.decay_mult,
            "lr_mult": entry.lr_mult,
            "init_variance": tensor.init_variance,
            "sum_of_squares": tensor.sum_of_squares,
            "measured_sum_of_squares": entry.measured_sum_of_squares,
            "measured_rms": entry.measured_rms,
            "penalty": entry.penalty,
        }

    def parameter_groups(self) -> list[dict[str, object]]:
        """Return the groups as optimizers take them, tensors by name.

        Without a value of the decay the decayed group keeps the optimizer's own.

        Raises:
            ContradictionError: multipliers or layer decay without the numbers they multiply.
        """
        pairs = zip(self.groups, self.rates, strict=True)
        return [self._parameter_group(group, rate) for group, rate in pairs]

    def _parameter_group(self, group: TensorGroup, rate: Rate) -> dict[str, object]:
        made: dict[str, object] = {"params": [tensor.name for tensor in group.tensors]}
        if group.treatment.is_exempt:
            made["weight_decay"] = 0.0
        elif rate.value is not None:
            made["weight_decay"] = rate.value
        elif group.treatment.decay != WHOLE:
            raise ContradictionError("groups with multipliers need a VALUE to multiply")
        if rate.lr is not None:
            made["lr"] = rate.lr
        elif group.treatment.lr != WHOLE:
            raise ContradictionError("groups with multiples of lr need an lr to multiply")
        return made


def take_inventory(
    architecture: Architecture,
    *,
    choice: Choice | None = None,
    init: str | None = None,
    classes: int | None = None,
    rate: Rate | None = None,
    rate_of: RateOf | None = None,
    measured: Mapping[str, float] | None = None,
    lora: Lora | None = None,
) -> Inventory:
    """Return the tensors of a network with what decays and how large it is.

    `init` replaces the network's own initialisers; `measured` are sums of squares by tensor name.
    `rate` is what the decay means where nothing is multiplied, `rate_of` what it means in a group;
    without the latter a multiple is taken to multiply strength and shrink. With `lora` the trained
    tensors are its factors.

    >>> take_inventory(Architecture(name="net", count=1000)).n_decayed
    1000

    Raises:
        UnknownNameError: no such mask or initialiser.
        InvalidValueError: a pattern that is none, takes too long, or fits no tensor.
        ContradictionError: patterns for a bare count, or a rule without effect.
        UndecidableError: names do not tell the depth or the exemptions that are asked for.
    """
    chosen, base = choice or Choice(), rate or Rate()
    started = initialise(adapt(architecture, lora), init=init)
    made = treatments(started, chosen)
    if not chosen.decay_only:
        started = replace(started, notes=notes_on(started, mask=chosen.mask))
    groups = group_tensors(started, made)
    rates = tuple(_rate(group.treatment, base, rate_of) for group in groups)
    return Inventory(
        architecture=started,
        choice=chosen,
        entries=_entries(started, made, base, (groups, rates), measured or {}),
        groups=groups,
        rate=base,
        rates=rates,
        classes=architecture.n_classes if classes is None else classes,
        lora=lora,
    )


def _rate(treatment: Treatment, base: Rate, rate_of: RateOf | None) -> Rate:
    """Return what the run's number means in a group: nothing at all where it is exempt."""
    if treatment.is_exempt:
        lr = treatment.lr.of(base.lr)
        return Rate(
            value=0.0,
            strength=None if base.strength is None else 0.0,
            shrink=None if base.shrink is None else 0.0,
            lr=None if lr is None else float(lr),
        )
    return (rate_of or multiplied(base))(treatment)


def multiplied(base: Rate) -> RateOf:
    """Return the rule of a decay that is lr times its number: multiples of both multiply."""

    def rate_of(treatment: Treatment) -> Rate:
        lr, value = treatment.lr.of(base.lr), treatment.decay.of(base.value)
        decay_mult = treatment.decay.ratio(base.value)
        return Rate(
            value=None if value is None else float(value),
            strength=_product(base.strength, decay_mult),
            shrink=_product(
                base.shrink, decay_mult, treatment.lr.ratio(base.lr), float(treatment.update_share)
            ),
            lr=None if lr is None else float(lr),
        )

    return rate_of


def _product(*factors: float | None) -> float | None:
    """Return the product of the factors; None where one is unknown."""
    known = [factor for factor in factors if factor is not None]
    return prod(known) if len(known) == len(factors) else None


def _entries(
    architecture: Architecture,
    made: tuple[Treatment, ...],
    base: Rate,
    grouped: tuple[tuple[TensorGroup, ...], tuple[Rate, ...]],
    measured: Mapping[str, float],
) -> tuple[Entry, ...]:
    """Return the tensors with what each gets; those of a group share its multiples."""
    shared = {
        group.treatment.settings: {
            "decay_mult": group.treatment.decay.ratio(base.value),
            "lr_mult": group.treatment.lr.ratio(base.lr),
            "strength": rate.strength,
        }
        for group, rate in zip(*grouped, strict=True)
    }
    known = {key: shared[each.settings] for key, each in distinct(made).items()}
    return tuple(
        Entry(
            tensor=tensor,
            treatment=each,
            **known[id(each)],
            measured_sum_of_squares=measured.get(tensor.name),
        )
        for tensor, each in zip(architecture.tensors, made, strict=True)
    )


def _add(numbers: Iterable[float | None]) -> float | None:
    """Return the sum; None where a number is unknown or there are none."""
    known = list(numbers)
    return add(known) if known else None
