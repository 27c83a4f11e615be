"""probe: the framework as its own oracle. What an optimizer does, and whether the catalogue agrees.

Source: the optimizer's own steps, on copies over small tensors in float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from decaycalc.algebra.quantity import EXTRAS, exact
from decaycalc.conventions.record import SGD, Convention, Coupling
from decaycalc.conventions.run import Run
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.side import Side
from decaycalc.errors import DecaycalcError, InvalidValueError
from decaycalc.training.live import keras_like, keras_trial, torch_like, torch_trial
from decaycalc.training.live.conventions import class_path, convention_of
from decaycalc.training.live.measured import Acts, Measured, Setting, is_coarse, measure
from decaycalc.training.live.read import NO_OPTIMIZER, unwrapped
from decaycalc.training.live.trial import Trial

_LR, _DECAY = 1e-3, 0.1  # what stands in for an lr or a decay of 0
_TOLERANCE = 1e-3
_LEAST = 1e-9  # a decay per step that float64 shows to the digits that are compared
_VISIBLE = 0.05  # one that float32 shows so
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


class GroupProbeJson(TypedDict):
    """What one group's decay does to tensors of so many dimensions; null where it is not known."""

    name: str
    n_dims: int
    lr: float | None
    weight_decay: float
    probed_with: float
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
    weight_decay: float
    own_weight_decay: float
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
        if share is None or self.measured is None or not self.measured.share:
            return share
        return share * (self.own_weight_decay / self.weight_decay or 1)

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
    optimizer = unwrapped(optimizer)
    name = type(optimizer).__name__
    if torch_like.is_optimizer(optimizer):
        subjects = _of_torch(optimizer)
    elif keras_like.is_optimizer(optimizer):
        subjects = _of_keras(optimizer, model)
    else:
        raise InvalidValueError("optimizer", name, f"cannot be probed: it {NO_OPTIMIZER}")
    groups = tuple(map(_probed, subjects))
    if not groups:
        raise InvalidValueError("optimizer", name, "has no parameters")
    return Probe(optimizer=class_path(optimizer), groups=groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """One kind of tensor: the trial of its optimizer, its own lr and λ (None: it has none).

    `exempt` says that the optimizer leaves these tensors out, whatever its λ is.
    """

    name: str
    trial: Trial
    record: Convention | None
    lr: float | None
    weight_decay: float | None
    exempt: bool = False


def _of_torch(optimizer: Any) -> Iterator[_Subject]:
    """Yield each number of dimensions in each group."""
    for at, group in enumerate(optimizer.param_groups):
        kinds: dict[int, Any] = {}
        for parameter in group["params"]:
            kinds.setdefault(len(parameter.shape), parameter)
        lr = group.get("initial_lr", group.get("lr"))
        for _, like in sorted(kinds.items()):
            yield _Subject(
                name=torch_like.group_name(at, group),
                trial=torch_trial.trial_of(optimizer, group, like),
                record=convention_of(optimizer, group),
                lr=None if lr is None else float(lr) or _LR,
                weight_decay=float(group["weight_decay"] or 0) if "weight_decay" in group else None,
            )


def _of_keras(optimizer: Any, model: Any) -> Iterator[_Subject]:
    """Yield each number of dimensions that decays, that is exempt, and that has a λ of its own."""
    options = optimizer.get_config()
    record = convention_of(optimizer, options)
    lr = keras_like.lr_text(options)
    kinds: dict[tuple[str, bool, int], keras_like.Variable] = {}
    for variable in keras_like.variables_of(optimizer, model) or keras_like.usual(optimizer):
        kind = (variable.decay, variable.excluded, len(variable.shape))
        kinds.setdefault(kind, variable)
    for kind, variable in sorted(kinds.items()):
        yield _Subject(
            name="exempt" if variable.excluded else kind[0],
            trial=keras_trial.trial_of(optimizer, variable, options),
            record=record,
            lr=float(lr or 0) or _LR,
            weight_decay=float(options.get(variable.decay) or 0),
            exempt=variable.excluded,
        )


def _probed(subject: _Subject) -> GroupProbe:
    setting, measured = _setting(subject), None
    if subject.weight_decay is None:
        agreement = Agreement(reason="it has no weight_decay")
    else:
        try:
            setting = _coarse(setting) if is_coarse(setting) else setting
            measured = measure(setting)
        except InvalidValueError as error:
            agreement = Agreement(reason=str(error))
        else:
            agreement = _agreement(subject, measured, setting)
    return GroupProbe(
        name=subject.name, n_dims=len(subject.trial.shape), lr=setting.lr,
        weight_decay=setting.weight_decay, own_weight_decay=subject.weight_decay or 0.0,
        measured=measured, agreement=agreement,
    )  # fmt: skip


def _setting(subject: _Subject) -> Setting:
    """Return the numbers to step with: the own ones, where there is a decay that can be seen."""
    own = subject.weight_decay or 0.0
    if (subject.lr or 1) * own < _LEAST:
        momentum = subject.trial.options.get("momentum")
        kept = momentum if isinstance(momentum, int | float) and momentum < 1 else 0.0
        own = _DECAY * (1 - kept) ** 2  # a stronger one oscillates
    return Setting(trial=subject.trial, lr=subject.lr, weight_decay=own)


def _coarse(setting: Setting) -> Setting:
    """Return a setting whose decay can be seen in float32."""
    return replace(setting, weight_decay=_VISIBLE / (setting.lr or 1), coarse=True)


def _agreement(subject: _Subject, measured: Measured, setting: Setting) -> Agreement:
    """Return whether a record says what the steps did."""
    record = subject.record
    if subject.exempt:
        agrees = measured.share == 0
        return Agreement(
            convention=None if record is None else record.key, expected=0.0, agrees=agrees,
            reason="" if agrees else "what the optimizer exempts decays",
        )  # fmt: skip
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
    if measured.share is None and record.optimizer == SGD and setting.trial.options.get("momentum"):
        reason = "under this momentum the decay oscillates, or settles too late to be seen"
        return Agreement(convention=record.key, expected=expected[0], reason=reason)
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
