"""Agreement: whether the catalogue's record says of an optimizer what its steps did."""

from dataclasses import dataclass

from decaycalc.algebra.quantity import EXTRAS, exact
from decaycalc.conventions.record import SGD, Convention, Coupling
from decaycalc.conventions.run import Run
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.side import Side
from decaycalc.errors import DecaycalcError
from decaycalc.training.live.measured import Acts, Measured, TrialSetting
from decaycalc.training.live.subject import ProbeSubject

_TOLERANCE = 1e-3  # measured in float32 over a few steps
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


def agreement_of(subject: ProbeSubject, measured: Measured, setting: TrialSetting) -> Agreement:
    """Return whether a record says what the steps did."""
    record = subject.record
    if subject.exempt:
        agrees = measured.share == 0 and not subject.whole
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


def _by_number(record: Convention, measured: Measured, setting: TrialSetting) -> Agreement:
    """Return whether the share is the record's, and follows lr as the record's does."""
    expected = _expected(record, setting)
    if not expected:
        return Agreement(convention=record.key, reason="the record needs more than the group says")
    if measured.share is None and record.optimizer == SGD and setting.trial.options.get("momentum"):
        reason = "under this momentum the decay oscillates, or settles too late to be seen"
        return Agreement(convention=record.key, expected=expected[0], reason=reason)
    reasons = []
    if not any(is_near(share, each) for share in (measured.share, measured.other_share)
               for each in expected):  # fmt: skip
        reasons.append("another decay per step")
    if record.coupling is Coupling.DECOUPLED and measured.acts is Acts.COUPLED:
        reasons.append("the steps have a coupled decay")
    if measured.follows not in {None, record.follows}:
        reasons.append(f"the decay follows {measured.follows}, the record's {record.follows}")
    return Agreement(
        convention=record.key, expected=expected[0], agrees=not reasons, reason="; ".join(reasons)
    )


def is_near(share: float | None, expected: float) -> bool:
    """Return whether a share is another to the digits that are compared."""
    return share is not None and abs(share - expected) <= _TOLERANCE * abs(expected)


def _reference_lr(record: Convention, setting: TrialSetting) -> tuple[tuple[str, float], ...]:
    """Return the constructor's lr where the record's decay counts from that of all groups."""
    name, lr = record.reference_lr, setting.trial.counts_from
    return () if name is None or record.counts_from_group or lr is None else ((name, lr),)


def _expected(record: Convention, setting: TrialSetting) -> list[float]:
    """Return the shares that a record has for a step: with a gradient and, if other, without."""
    options = setting.trial.options
    names = _OF_SGD if record.optimizer == SGD and options.get("momentum") else ()
    try:
        run = Run(
            lr=setting.lr,
            nesterov=bool(options.get("nesterov")) if names else None,
            extras=(
                *_reference_lr(record, setting),
                *(
                    (name, options[name])
                    for name in sorted(_EXTRAS & options.keys())
                    if isinstance(options[name], int | float)
                ),
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
