"""probe: the framework as its own oracle. What an optimizer does, and whether the catalogue agrees.

Source: the optimizer's own steps, on copies over small tensors in float64.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from decaycalc.algebra.quantity import EXTRAS, exact
from decaycalc.conventions.record import SGD, Convention, Coupling
from decaycalc.conventions.run import Run
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.side import Side
from decaycalc.errors import DecaycalcError, InvalidValueError
from decaycalc.training.live import torch_like
from decaycalc.training.live.conventions import class_path, convention_of
from decaycalc.training.live.measured import Acts, Measured, Setting, measure
from decaycalc.training.live.trial import Trial

_LR, _DECAY = 1e-3, 0.1  # what stands in for an lr or a decay of 0
_TOLERANCE = 1e-3
_EXTRAS = frozenset(quantity.name for quantity in EXTRAS)
_OF_SGD = ("momentum", "dampening")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the catalogue's record expects of a group, and whether the steps agree with it.

    `agrees` is None where the record claims no number that steps could test; `reason` says why.
    """

    convention: str | None = None
    expected: float | None = None
    agrees: bool | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupProbe:
    """What one group's decay does to tensors of one number of dimensions.

    `lr` and `weight_decay` are what the steps were taken with, `own_weight_decay` the group's.
    `measured` is None where no copy could be stepped: `agreement` says why.
    """

    name: str
    n_dims: int
    lr: float | None
    weight_decay: float
    own_weight_decay: float
    measured: Measured | None
    agreement: Agreement

    @property
    def decay_per_step(self) -> float | None:
        """The share of a weight that a step takes with the group's own λ, None where it is none."""
        if self.own_weight_decay == 0:
            return 0.0
        return None if self.measured is None else self.measured.share

    @property
    def times_lr(self) -> bool | None:
        """Whether half the lr is half the share; None where that is not known."""
        return None if self.measured is None else self.measured.times_lr

    @property
    def factor(self) -> float | None:
        """The share over lr·λ, or over λ where lr is none of it; 1 is the usual decay."""
        found = self.measured
        if found is None or found.share is None or found.times_lr is None:
            return None
        lr = (self.lr or 1) if found.times_lr else 1
        return found.share / (lr * self.weight_decay)

    def to_dict(self) -> dict[str, object]:
        """Return the group as JSON's `groups` holds it."""
        found, agreement = self.measured, self.agreement
        return {
            "name": self.name,
            "n_dims": self.n_dims,
            "lr": self.lr,
            "weight_decay": self.own_weight_decay,
            "probed_with": self.weight_decay,
            "decay_per_step": self.decay_per_step,
            "measured": None if found is None else found.share,
            "factor": self.factor,
            "times_lr": self.times_lr,
            "follows_schedule": None if found is None else found.follows,
            "coupling": None if found is None else found.acts.value,
            "zero_gradient": None if found is None else found.zero_gradient,
            "no_gradient": None if found is None else found.no_gradient,
            "convention": agreement.convention,
            "expected": agreement.expected,
            "agrees": agreement.agrees,
            "reason": agreement.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What an optimizer does, group by group, and whether the catalogue says the same."""

    optimizer: str
    groups: tuple[GroupProbe, ...]

    @property
    def agrees(self) -> bool | None:
        """Whether every group that can be compared agrees; None where none can."""
        known = [group.agreement.agrees for group in self.groups]
        compared = [agrees for agrees in known if agrees is not None]
        return all(compared) if compared else None

    def to_dict(self) -> dict[str, object]:
        """Return the probe as JSON holds it, without the three schema keys."""
        return {
            "optimizer": self.optimizer,
            "agrees": self.agrees,
            "groups": [group.to_dict() for group in self.groups],
        }


def probe(optimizer: Any) -> Probe:
    """Return what a torch-like optimizer's weight decay does, by steps of small copies of it.

    The optimizer, its tensors and the generators of random numbers stay as they are.

    Raises:
        InvalidValueError: an object without param_groups, or without a tensor in them.
    """
    optimizer = torch_like.unwrapped(optimizer)
    name = type(optimizer).__name__
    if not torch_like.is_optimizer(optimizer):
        raise InvalidValueError("optimizer", name, "cannot be probed: it has no param_groups")
    groups = tuple(_groups(optimizer))
    if not groups:
        raise InvalidValueError("optimizer", name, "has no parameters")
    return Probe(optimizer=class_path(optimizer), groups=groups)


def _groups(optimizer: Any) -> Iterator[GroupProbe]:
    """Yield a probe for each group and number of dimensions in it."""
    for at, group in enumerate(optimizer.param_groups):
        kinds: dict[int, Any] = {}
        for parameter in group["params"]:
            kinds.setdefault(len(parameter.shape), parameter)
        for n_dims, like in sorted(kinds.items()):
            name = torch_like.group_name(at, group)
            yield _probed(optimizer, group, like, name=name, n_dims=n_dims)


def _probed(
    optimizer: Any, group: Mapping[str, Any], like: Any, *, name: str, n_dims: int
) -> GroupProbe:
    own = float(group.get("weight_decay") or 0)
    lr = group.get("initial_lr", group.get("lr"))
    setting = Setting(
        trial=Trial.of(optimizer, group, like),
        lr=None if lr is None else float(lr) or _LR,
        weight_decay=own or _DECAY,
    )
    record = convention_of(optimizer, group)
    measured = None
    if "weight_decay" not in group:
        agreement = Agreement(reason="it has no weight_decay")
    else:
        try:
            measured = measure(setting)
        except InvalidValueError as error:
            agreement = Agreement(reason=str(error))
        else:
            agreement = _agreement(record, measured, setting)
    return GroupProbe(
        name=name, n_dims=n_dims, lr=setting.lr, weight_decay=setting.weight_decay,
        own_weight_decay=own, measured=measured, agreement=agreement,
    )  # fmt: skip


def _agreement(record: Convention | None, measured: Measured, setting: Setting) -> Agreement:
    """Return whether a record says what the steps did."""
    if record is None:
        return Agreement(reason="the class is not in the catalogue")
    if record.refusal is not None:
        return Agreement(convention=record.key, reason=record.refusal)
    if record.coupling is Coupling.COUPLED and record.is_adaptive:
        agrees = measured.acts is not Acts.DECOUPLED
        reason = "" if agrees else "the record has a coupled decay, the steps a decoupled one"
        return Agreement(convention=record.key, agrees=agrees, reason=reason)
    return _by_number(record, measured, setting)


def _by_number(record: Convention, measured: Measured, setting: Setting) -> Agreement:
    """Return whether the share is the record's, and follows lr as the record's does."""
    expected = _expected(record, setting)
    if not expected:
        return Agreement(convention=record.key, reason="the record needs more than the group says")
    reasons = []
    if not any(_is(share, each) for share in (measured.share, measured.other_share)
               for each in expected):  # fmt: skip
        reasons.append("another decay per step")
    if record.coupling is Coupling.DECOUPLED and measured.acts is Acts.COUPLED:
        reasons.append("the steps have a coupled decay")
    if measured.follows not in {None, record.follows}:
        reasons.append(f"the decay follows {measured.follows}, the record's {record.follows}")
    return Agreement(
        convention=record.key, expected=expected[0], agrees=not reasons, reason="; ".join(reasons)
    )


def _is(share: float | None, expected: float) -> bool:
    return share is not None and abs(share - expected) <= _TOLERANCE * abs(expected)


def _expected(record: Convention, setting: Setting) -> list[float]:
    """Return the shares that a record has for a step: with a gradient and, if other, without."""
    options = setting.trial.options
    names = _OF_SGD if record.optimizer == SGD and options.get("momentum") else ()
    try:
        run = Run(
            lr=setting.lr,
            nesterov=bool(options.get("nesterov")) if names else None,
            extras=tuple(
                (name, options[name])
                for name in sorted(_EXTRAS & options.keys())
                if isinstance(options[name], int | float)
            ),
            **{name: options.get(name) for name in names},  # type: ignore[arg-type]
        )
        side = Side(convention=record, run=run)
        decay = decay_of(side, exact(setting.weight_decay))
        # What decays without λ too (ASGD's lambd) is no part of the difference.
        alone = decay_of(side, exact(0)) if record.form is not None else None
    except DecaycalcError:
        return []
    if decay is None:
        return []
    other = decay.per_step_factor_with_gradient
    base = 0.0 if alone is None else alone.per_step_shrink
    return [decay.per_step_shrink - base, *([] if other is None else [1 - other])]
