"""Scheduled: what `decaycalc schedule` says about one weight decay in one scheduled run."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from decaycalc.algebra.quantity import Number, finite
from decaycalc.conventions.record import Convention, Coupling, Follows
from decaycalc.conventions.run import Run
from decaycalc.conversion.assumptions import (
    Assumption,
    assumed_by_decay,
    assumed_by_length,
    assumed_by_rotation,
    once,
)
from decaycalc.conversion.convert import check_value
from decaycalc.conversion.decay import why_no_decay
from decaycalc.conversion.equivalence import falling_lr
from decaycalc.conversion.rounding import precision_warning
from decaycalc.conversion.shrinks import shrink_of
from decaycalc.conversion.side import Side
from decaycalc.errors import ContradictionError, MissingQuantityError, NoEquivalentError
from decaycalc.schedule import Schedule, parse_schedule
from decaycalc.schedule.table import ScheduleOf
from decaycalc.survival.documents import ScheduleJson, SummaryJson
from decaycalc.survival.equilibrium import Equilibrium, predict_equilibrium
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.summary import ScheduledDecay, survive

_CONSTANT = Assumption(
    name="schedule", value="constant", why="the run's own is not known as a schedule"
)
_NOT_KNOWN = "the run's own lr schedule is not known: it is followed at a constant lr"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleAnswer:
    """A weight decay over a scheduled run: its course, and what a reader must not miss.

    `is_supposed` says that the lr is followed as if it were constant, its schedule being unknown.
    """

    source: Convention
    value: Fraction
    run: Run
    schedule: Schedule
    decay_schedule: Schedule | None
    rule: DecayRule
    decay: ScheduledDecay
    equilibrium: Equilibrium | None
    warnings: tuple[str, ...]
    is_supposed: bool = False

    def to_dict(self) -> ScheduleJson:
        """Return the answer as JSON holds it, without the three schema keys."""
        return {
            "source": self.source.with_number(float(self.value)),
            "run": self.run.to_dict(),
            **self.summary(),
            "curve": [point.to_dict() for point in self.decay.curve],
            "assumptions": [entry.to_dict() for entry in self.assumptions],
            "warnings": list(self.warnings),
        }

    def summary(self) -> SummaryJson:
        """Return what `convert` tells of it: the document without source, run and curve."""
        own, decay, equilibrium = self.decay_schedule, self.decay, self.equilibrium
        return {
            "schedule": self.schedule.text,
            "decay_schedule": None if own is None else own.text,
            "follows_schedule": self.rule.follows.value,
            "shrink_at_peak": self.rule.peak_shrink,
            "total_steps": decay.total_steps,
            "sum_shrink": decay.sum_shrink,
            "survival": decay.survival,
            "timescale_at_peak_steps": decay.timescale_at_peak_steps,
            "mean_timescale_steps": decay.mean_timescale_steps,
            "mean_update_age_steps": decay.mean_update_age_steps,
            "half_mass_age_steps": decay.half_mass_age_steps,
            "timescale_run_fraction": self.timescale_run_fraction,
            "equilibrium": None if equilibrium is None else equilibrium.to_dict(),
        }

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """The unsaid quantities that entered the decay, and the length of the run."""
        side = Side(convention=self.source, run=self.run)
        turned = () if self.equilibrium is None else assumed_by_rotation(side)
        constant = (_CONSTANT,) if self.is_supposed else ()
        length = assumed_by_length(self.run)
        return once((*assumed_by_decay(side), *turned, *length, *constant))

    @property
    def timescale_run_fraction(self) -> float | None:
        """The timescale at peak lr as a fraction of the run."""
        at_peak = self.decay.timescale_at_peak_steps
        return None if at_peak is None else at_peak / self.decay.total_steps


def follow_decay(
    value: Number,
    *,
    source: Convention,
    run: Run,
    schedule: str | None = "constant",
    decay_schedule: str | None = None,
    n_points: int = 200,
    dtype: str | None = None,
) -> ScheduleAnswer:
    """Return what a weight decay does over a run with that schedule.

    `decay_schedule` is the decay's own, a multiplier of the value. A `schedule` of None is one that
    is not known: the lr is followed as if it were constant.

    Raises:
        MissingQuantityError: A quantity that the decay or the run's length needs.
        NoEquivalentError: The number has no decay per step.
        DecaycalcError: A bad schedule, or a value out of its domain.
    """
    side = Side(convention=source, run=run)
    number = check_value(value, source)
    rule = rule_of(side, number)
    laid = lay_schedule(schedule or "constant", run)
    own = None if decay_schedule is None else lay_decay_schedule(decay_schedule, side, number)
    decay = survive(laid, rule, decay_schedule=own, n_points=n_points)
    return ScheduleAnswer(
        source=source,
        value=number,
        run=run,
        schedule=laid,
        decay_schedule=own,
        rule=rule,
        decay=decay,
        equilibrium=predict_equilibrium(side, number) if own is None else None,
        is_supposed=schedule is None,
        warnings=(
            *((_NOT_KNOWN,) if schedule is None else ()),
            *falling_lr(source),
            *_under_one_cycle(laid, side),
            *_warnings((laid, own), rule, decay, dtype),
        ),
    )


def lay_schedule(text: str, run: Run) -> Schedule:
    """Return the schedule of the lr that a text means on a run.

    Raises:
        MissingQuantityError: The length of the run, or of an epoch, is unknown.
        DecaycalcError: A bad text.
    """
    return _lay(text, run, of=ScheduleOf.LR, peak=None if run.lr is None else float(run.lr))


def lay_decay_schedule(text: str, side: Side, value: Fraction) -> Schedule:
    """Return the schedule of a decay that a text means on a run, a multiplier of its value.

    Raises:
        MissingQuantityError: The length of the run, or of an epoch, is unknown.
        ContradictionError: The decay is not proportional to the value.
        DecaycalcError: A bad text.
    """
    require_proportional(side.convention)
    return _lay(text, side.run, of=ScheduleOf.DECAY, peak=float(value) or None)


def require_proportional(record: Convention) -> None:
    """Refuse a convention whose number no schedule can multiply.

    Raises:
        ContradictionError: Its decay is not proportional to its number.
    """
    if not record.is_proportional:
        raise ContradictionError(
            f"a decay schedule multiplies a weight decay, and that of {record.key} is not"
            f" proportional to its {record.parameter}: convert it first"
        )


def _lay(text: str, run: Run, *, of: ScheduleOf, peak: float | None) -> Schedule:
    total = run.total_steps
    if total is None:
        raise MissingQuantityError("a schedule", ("steps",))
    per_epoch = run.get("steps_per_epoch")
    if per_epoch is None and run.epochs is not None:
        per_epoch = total / Fraction(run.epochs)
    steps = int(total)
    try:
        return parse_schedule(text, total_steps=steps, steps_per_epoch=per_epoch, of=of, peak=peak)
    except MissingQuantityError as error:
        missing = tuple(name for name in error.missing if run.get(name) is None)
        raise MissingQuantityError(error.what, missing) from None


def rule_of(side: Side, value: Fraction) -> DecayRule:
    """Return a convention's number as a decay per step that can follow a schedule.

    Raises:
        NoEquivalentError: It has none: a penalty under Adam, a refused convention.
        MissingQuantityError: A quantity that it needs, mostly lr.
    """
    record = side.convention
    if not side.has_shrink:
        raise NoEquivalentError(record.key, "a decay per step", why_no_decay(side))
    if side.layer is None and record.differs_by_layer:
        reason = "each layer has its own; 'decaycalc convert --arch' shows them"
        raise NoEquivalentError(record.key, "one decay per step", reason)
    mixture = record.mixture if side.has_momentum else None
    if mixture is not None and not mixture.starts_empty:
        reason = "its first step is another: 'decaycalc convert' has the long run at a constant lr"
        raise NoEquivalentError(record.key, "a decay under a schedule", reason)
    first_order = finite(shrink_of(side, value), "shrink")
    if side.is_linear or record.proximal or record.compounds:
        return DecayRule(
            step=first_order,
            follows=_follows(side),
            proximal=record.proximal,
            compounds=side.n_compounds,
        )
    return DecayRule(step=side.step_of(first_order), buffer=record.buffer, **side.recursion)


def _follows(side: Side) -> Follows:
    """Return how the decay follows the lr: a coupled one always does."""
    coupled = side.convention.coupling == Coupling.COUPLED
    return Follows.LR if coupled else side.convention.follows


def _under_one_cycle(schedule: Schedule, side: Side) -> tuple[str, ...]:
    """Return what torch's one-cycle schedule changes beside the lr.

    That is a momentum that passes the decay on, and the groups' `initial_lr`, from which Composer
    counts its decay.

    Source: torch/optim/lr_scheduler.py, OneCycleLR (torch 2.13.0).
    """
    cycles = [
        segment.settings
        for segment in schedule.segments
        if segment.kind.name == "one-cycle" and segment.settings.text("follow") == "torch"
    ]
    if not (cycles and side.convention.group.startswith("PyTorch")):
        return ()
    div = cycles[0].number("div")
    return (*_cycled_momentum(side), *_cycled_reference(side, div))


def _cycled_momentum(side: Side) -> Iterator[str]:
    if side.takes_momentum and side.convention.has_lr and not side.is_adaptive:
        own = float(side.get("momentum") or 0)
        text = "torch's OneCycleLR moves the momentum between 0.95 and 0.85 too, unless"
        yield f"{text} cycle_momentum is False: this is for a momentum that stays {own:g}"


def _cycled_reference(side: Side, div: float) -> Iterator[str]:
    record = side.convention
    if record.counts_from_group and side.run.given("lr_initial") is None:
        first = "" if side.run.lr is None else f" ({float(side.run.lr) / div:.6g} here)"
        text = f"torch's OneCycleLR makes its first lr, the peak over {div:g}{first}, the one that"
        yield (
            f"{text} {record.key} counts from: at the peak it then decays {div:g} times as much;"
            " give that lr as lr_initial"
        )


def _warnings(
    schedules: tuple[Schedule, Schedule | None],
    rule: DecayRule,
    decay: ScheduledDecay,
    dtype: str | None,
) -> tuple[str, ...]:
    """Return what a reader must not miss, one sentence each."""
    schedule, own = schedules
    texts = list(schedule.notes())
    texts += [] if own is None else [f"decay schedule: {note}" for note in own.notes()]
    highest = max(point.multiplier * point.decay_multiplier for point in decay.curve)
    if not schedule.is_constant:
        texts += _course(rule)
    size = 1 - rule.long_run_shrink(highest)
    if size > 1:
        texts.append(f"the weight grows at the highest lr: {size:.4g} times as large a step later")
    elif rule.is_oscillating(highest):
        texts.append(
            "the decay oscillates at the highest lr: a weight changes sign on its way down"
        )
    return (*texts, *_rounding(decay, dtype))


def _course(rule: DecayRule) -> list[str]:
    """Return how a decay that does not follow the lr differs from one that does."""
    if rule.follows is Follows.CONSTANT:
        return [
            "this decay does not follow the schedule: it goes on at full rate where the lr is low"
        ]
    if rule.follows is Follows.LR_SQUARED:
        return ["this decay follows the square of the lr"]
    return []


def _rounding(decay: ScheduledDecay, dtype: str | None) -> list[str]:
    """Return the warning of a decay lost in rounding, at peak or on a part of the run.

    Of weights of which nobody said the type it is said where float32 loses it even at its peak.
    """
    if dtype is None:
        peak = max(point.shrink for point in decay.curve)
        lost_at_peak = precision_warning(peak, "float32")
        return [] if lost_at_peak is None else [lost_at_peak.text]
    points = [point for point in decay.curve if point.shrink > 0]
    lost = [point for point in points if precision_warning(point.shrink, dtype) is not None]
    if not lost:
        return []
    worst = precision_warning(max(point.shrink for point in lost), dtype)
    assert worst is not None  # noqa: S101  (it is one of the lost)
    return [f"at {100 * len(lost) / len(decay.curve):.0f} % of the curve's steps {worst.text}"]
