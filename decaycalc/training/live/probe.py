"""probe: the framework as its own oracle. What an optimizer does, and whether the catalogue agrees.

Source: the optimizer's own steps, on copies over small tensors in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, TypedDict

from decaycalc.algebra.number import ratio
from decaycalc.errors import InvalidValueError
from decaycalc.record import Result
from decaycalc.training.live import keras_like, optax_like, several, torch_like
from decaycalc.training.live.agreement import Agreement, agreement_of, is_near
from decaycalc.training.live.conventions import class_path
from decaycalc.training.live.foreign import foreign_errors
from decaycalc.training.live.measured import Acts, Measured, TrialSetting, is_coarse, measure
from decaycalc.training.live.read import unwrapped
from decaycalc.training.live.subject import ProbeSubject, subjects_of
from decaycalc.training.live.trial import CopyTrial

_DECAY = 0.1  # what stands in for a decay of 0
_MOST = 1e300  # a weight decay that a product with an lr leaves finite
_LEAST = 1e-9  # a decay per step that float64 shows to the digits that are compared
_VISIBLE = 0.05  # one that float32 shows so


class GroupProbeJson(TypedDict):
    """What one group's decay does to tensors of so many dimensions; null where it is not known."""

    name: str
    n_dims: int
    lr: float | None
    weight_decay: float | None
    probed_with: float | None
    decay_per_step: float | None
    measured: float | None
    factor: float | None
    times_lr: bool | None
    follows_schedule: str | None
    coupling: str | None
    zero_gradient: float | None
    no_gradient: float | None
    convention: str | None
    expected: float | None
    agrees: bool | None
    reason: str


class ProbeJson(TypedDict):
    """What an optimizer's decay does, and whether the catalogue says the same."""

    optimizer: str
    agrees: bool | None
    groups: list[GroupProbeJson]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupProbe:
    """What one group's decay does to tensors of one number of dimensions.

    `lr` and `weight_decay` are what the steps were taken with, `own_weight_decay` the group's.
    `measured` is None where no copy could be stepped: `agreement` says why.
    """

    name: str
    n_dims: int
    lr: float | None
    weight_decay: float | None
    own_weight_decay: float | None
    measured: Measured | None
    agreement: Agreement

    @property
    def decay_per_step(self) -> float | None:
        """The share of a weight that a step takes with the group's own λ, None where it is none."""
        if self.own_weight_decay == 0:
            return 0.0
        return None if self.measured is None else self.with_own(self.measured.share)

    def with_own(self, share: float | None) -> float | None:
        """Return a share as the group's own λ has it, where the steps were taken with another.

        To first order a decay is as strong as its λ; what is no share of it stays as it is.
        """
        own, taken = self.own_weight_decay, self.weight_decay
        if share is None or not own or not taken or self.measured is None:
            return share
        scaled = share * (own / taken) if self.measured.share else share
        return scaled if isfinite(scaled) else None

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
        assert self.weight_decay is not None  # noqa: S101  (what is times lr has been measured by λ)
        return ratio(found.share, lr * self.weight_decay)

    def to_dict(self) -> GroupProbeJson:
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
            "zero_gradient": None if found is None else self.with_own(found.zero_gradient),
            "no_gradient": None if found is None else self.with_own(found.no_gradient),
            "convention": agreement.convention,
            "expected": self.with_own(agreement.expected),
            "agrees": agreement.agrees,
            "reason": agreement.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe(Result):
    """What an optimizer does, group by group, and whether the catalogue says the same."""

    optimizer: str
    groups: tuple[GroupProbe, ...]

    @property
    def agrees(self) -> bool | None:
        """Whether every group that can be compared agrees; None where none can."""
        known = [group.agreement.agrees for group in self.groups]
        compared = [agrees for agrees in known if agrees is not None]
        return all(compared) if compared else None

    def to_dict(self) -> ProbeJson:
        """Return the probe as JSON holds it, without the three schema keys."""
        return {
            "optimizer": self.optimizer,
            "agrees": self.agrees,
            "groups": [group.to_dict() for group in self.groups],
        }


def probe(optimizer: Any, model: Any = None) -> Probe:
    """Return what an optimizer's weight decay does, by steps of small copies of it.

    The optimizer, its tensors and the generators of random numbers stay as they are. A Keras
    optimizer needs its `model` for what it exempts, unless it has been built.

    Raises:
        InvalidValueError: an object that is no optimizer, or one without a tensor.
    """

    def failed(said: str) -> InvalidValueError:
        name = type(optimizer).__name__
        return InvalidValueError("optimizer", name, f"cannot be probed: {said}")

    with foreign_errors(failed):
        if several.is_several(optimizer):
            return _several(optimizer, model)
        parameters = optax_like.parameters_of(optimizer) if model is None else model
        return _probe(unwrapped(optimizer), parameters)


def _probe(optimizer: Any, model: Any) -> Probe:
    groups = tuple(map(_probed, subjects_of(optimizer, model)))
    if not groups:
        raise InvalidValueError("optimizer", type(optimizer).__name__, "has no parameters")
    return Probe(optimizer=title_of(optimizer, model), groups=groups)


def _several(optimizers: Sequence[Any], model: Any) -> Probe:
    """Return the groups of several optimizers, each with the name of its class."""
    found = [(type(each).__name__, probe(each, model)) for each in optimizers]
    groups = tuple(
        replace(group, name=f"{name} {group.name}") for name, each in found for group in each.groups
    )
    return Probe(optimizer=several.title_of(optimizers), groups=groups)


def title_of(optimizer: Any, model: Any) -> str:
    """Return the path of an optimizer's class; of optax's, which share one, its links."""
    if any(is_one(optimizer) for is_one in (torch_like.is_optimizer, keras_like.is_optimizer)):
        return class_path(optimizer)
    return optax_like.read(optimizer, model).title


def _probed(subject: ProbeSubject) -> GroupProbe:
    if subject.trial is None:
        return _by_share(subject)
    setting, measured = _setting(subject, subject.trial), None
    if subject.weight_decay is None:
        agreement = Agreement(reason="it has no weight_decay")
    else:
        try:
            setting = _coarse(setting) if is_coarse(setting) else setting
            measured = _with_the_rest(measure(setting), subject, setting)
        except InvalidValueError as error:
            agreement = Agreement(reason=str(error))
        else:
            agreement = agreement_of(subject, measured, setting)
    return GroupProbe(
        name=subject.name, n_dims=subject.n_dims, lr=setting.lr,
        weight_decay=setting.weight_decay, own_weight_decay=subject.weight_decay or 0.0,
        measured=measured, agreement=agreement,
    )  # fmt: skip


def _by_share(subject: ProbeSubject) -> GroupProbe:
    """Return what is known of an optimizer whose numbers cannot be read: what a step takes off."""
    share, record = subject.whole, subject.record
    reason = subject.reason if record is None or record.refusal is None else record.refusal
    return GroupProbe(
        name=subject.name, n_dims=subject.n_dims, lr=None, weight_decay=None,
        own_weight_decay=None, agreement=Agreement(
            convention=None if record is None else record.key, reason=reason
        ),
        measured=Measured(
            share=share, other_share=share, times_lr=None, follows=None, zero_gradient=None,
            acts=Acts.COUPLED if share is None else Acts.DECOUPLED, no_gradient=None,
        ),
    )  # fmt: skip


def _with_the_rest(measured: Measured, subject: ProbeSubject, setting: TrialSetting) -> Measured:
    """Return what was measured with what decays besides the λ, a decay that nobody told of."""
    own, whole = subject.weight_decay, subject.whole
    if not own or whole is None or measured.acts is Acts.COUPLED or measured.share is None:
        return measured
    scaled = whole * (setting.weight_decay / own)
    return measured if is_near(scaled, measured.share) else replace(
        measured, share=scaled, other_share=scaled
    )  # fmt: skip


def _setting(subject: ProbeSubject, trial: CopyTrial) -> TrialSetting:
    """Return the numbers to step with: the own ones, where there is a decay that can be seen."""
    own = subject.weight_decay or 0.0
    if (subject.lr or 1) * own < _LEAST:
        momentum = trial.options.get("momentum")
        kept = momentum if isinstance(momentum, int | float) and 0 <= momentum < 1 else 0.0
        own = _DECAY * (1 - kept) ** 2  # a stronger one oscillates
    return TrialSetting(trial=trial, lr=subject.lr, weight_decay=own)


def _coarse(setting: TrialSetting) -> TrialSetting:
    """Return a setting whose decay can be seen in float32."""
    return replace(setting, weight_decay=min(_VISIBLE / (setting.lr or 1), _MOST), coarse=True)
