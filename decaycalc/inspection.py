"""Inspection: what a run's weight decay really does, every quantity with its origin."""

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

from decaycalc.algebra.quantity import exact, finite
from decaycalc.conventions.run import Run, RunJson
from decaycalc.conversion.decay import course_notes
from decaycalc.conversion.entering import require_taken
from decaycalc.conversion.side import Side
from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.findings.options import RuleChoice
from decaycalc.findings.record import Finding, FindingJson, Subject
from decaycalc.findings.rules import comments_of, findings
from decaycalc.record import Record, Result, replace
from decaycalc.training.chosen import loaded, typed
from decaycalc.training.groups import grouped, lr_of, on_network, own_run, value_of
from decaycalc.training.measure import MOST_STEPS, Figures, FiguresJson, known_decay, measure
from decaycalc.training.record import (
    Course,
    CoursePointJson,
    ExemptionJson,
    FollowedGroupJson,
    FoundJson,
    Group,
    GroupDecayJson,
    Training,
)
from decaycalc.training.source import source_text

if TYPE_CHECKING:
    from decaycalc.architecture.tensors import Architecture

_INTERVALS = 20  # between the points that are told of a live scheduler's curve


class SourceJson(TypedDict):
    """What was inspected: as it was given, the kind of it, and its title."""

    text: str
    kind: str
    title: str


class NetworkJson(TypedDict):
    """The network whose tensors stand in the groups, and how much of it decays."""

    name: str
    mask: str
    n_parameters: int
    n_decayed: int
    n_exempt: int
    n_decayed_tensors: int
    n_exempt_tensors: int


class ReadingJson(FiguresJson):
    """One reading of a run: its number, its groups, and what their decay does."""

    source: SourceJson
    convention: str | None
    read_as: str | None
    value: float | None
    unit: str
    run: RunJson
    schedule: str | None
    decay_schedule: str | None
    quantities: list[FoundJson]
    exempt: ExemptionJson | None
    network: NetworkJson | None
    groups: list[FollowedGroupJson]


class InspectionJson(ReadingJson):
    """A run's decay, the other readings that its file leaves, and what the rules find."""

    alternatives: list[ReadingJson]
    findings: list[FindingJson]
    missing: list[str]
    not_used: list[str]
    notes: list[str]


class GroupDecay(Record):
    """One group's decay; `training` is the group as a run, its lr and its number multiplied out.

    `lr_mult` and `decay_mult` are what multiplies the run's own, None where that is not known.
    """

    group: Group
    training: Training
    figures: Figures
    lr: float | None
    weight_decay: float | None
    lr_mult: float | None
    decay_mult: float | None
    n_tensors: int | None = None
    n_weights: int | None = None

    @property
    def lrs(self) -> tuple[float, ...]:
        """The lr of each step, where a live scheduler has told it."""
        course, lr = self.group.course, self.lr
        return () if course is None or lr is None else tuple(lr * each for each in course.lrs)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said where the decay does not just shrink a weight."""
        known = known_decay(self.training)
        if known is None:
            return ()
        side, _, decay = known
        return tuple(f"group {self.group.name}: {text}" for text in course_notes(side, decay))

    @property
    def curve(self) -> list[CoursePointJson] | None:
        """Some steps of a live scheduler, evenly spread over the run; None without one."""
        lrs, course, value = self.lrs, self.group.course, self.weight_decay
        if course is None or not lrs:
            return None
        last, shares = len(lrs) - 1, course.decays
        steps = sorted({round(at * last / _INTERVALS) for at in range(_INTERVALS + 1)})
        return [
            {"step": step, "lr": lrs[step], "weight_decay":
             value if value is None or shares is None else value * shares[step]}
            for step in steps
        ]  # fmt: skip

    def to_dict(self) -> GroupDecayJson:
        """Return the group as JSON's `groups` holds it."""
        group = self.group
        return {
            "name": group.name,
            "selector": group.selector,
            "lr": self.lr,
            "weight_decay": self.weight_decay,
            "lr_mult": self.lr_mult,
            "decay_mult": self.decay_mult,
            "update_share": float(exact(group.update_share)),
            "towards": group.towards.value,
            "n_tensors": self.n_tensors,
            "n_weights": self.n_weights,
            "shrink": self.figures.shrink,
            "sum_shrink": self.figures.sum_shrink,
            "timescale_steps": self.figures.timescale_steps,
            "survival": self.figures.survival,
        }

    def followed(self) -> FollowedGroupJson:
        """Return the group with what a live scheduler makes of it, for JSON of `inspect`."""
        ends = [min(self.lrs), max(self.lrs)] if self.lrs else None
        return {**self.to_dict(), "lr_range": ends, "curve": self.curve}


class Inspection(Record, Result):
    """One reading of a run, its groups' decays, and the other readings that its file leaves."""

    training: Training
    groups: tuple[GroupDecay, ...]
    figures: Figures
    alternatives: tuple["Inspection", ...] = ()

    @property
    def subject(self) -> Subject:
        """The run as the rules see it."""
        groups = tuple((each.group, each.figures.shrink) for each in self.groups)
        return Subject(training=self.training, figures=self.figures, groups=groups)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules find in the run, gravest first."""
        return findings(self.subject)

    def to_dict(self) -> InspectionJson:
        """Return the inspection as JSON holds it, without the three schema keys."""
        return {
            **self.reading(),
            "alternatives": [other.reading() for other in self.alternatives],
            "findings": [finding.to_dict() for finding in self.findings],
            "missing": list(self.training.missing),
            "not_used": list(self.training.not_used),
            "notes": list(self.training.whole_notes),
        }

    def reading(self) -> ReadingJson:
        """Return what one reading of the file says."""
        training = self.training
        title = training.whole_title
        value = None if training.value is None else float(exact(training.value))
        return {
            "source": {"text": training.source, "kind": training.kind, "title": title},
            "convention": training.convention,
            "read_as": training.read_as,
            "value": value,
            "unit": training.unit,
            "run": training.run.to_dict(),
            "schedule": training.schedule,
            "decay_schedule": training.decay_schedule,
            "quantities": [found.to_dict() for found in training.quantities],
            "exempt": training.exempt.to_dict(),
            "network": network_of(training),
            "groups": [group.followed() for group in self.groups],
            **self.figures.to_dict(),
        }


def inspect(
    source: str,
    *,
    run: Run | None = None,
    schedule: str | None = None,
    decay_schedule: str | None = None,
    groups: tuple[str, ...] = (),
    kind: str | None = None,
    architecture: "Architecture | None" = None,
    mask: str | None = None,
) -> Inspection:
    """Return what the decay of a published run or a training file really does.

    What is given takes the place of the source's own, and what depends on it follows; `groups`
    are rules `REGEX:lr*16,wd=0.1` laid over its groups. `architecture` is the network that it
    trains: its tensors are grouped by the trainer's own exemption, or by `mask`.

    Raises:
        MissingQuantityError: no mask is equal to the trainer's exemption, and none is given.
        UnknownNameError: no run is called so, and no file is.
        UnreadableFileError: a file that is no training configuration.
        ContradictionError: quantities that cannot hold together.
    """
    own = typed(run=run, schedule=schedule, decay_schedule=decay_schedule)
    training = loaded(source, own, kind=kind)
    return inspect_training(training, groups=groups, architecture=architecture, mask=mask)


def require_entering(run: Run, *found: Inspection) -> None:
    """Refuse a quantity that was given and that no convention of the inspected runs takes.

    Raises:
        ContradictionError: there is one.
    """
    refusals = [_refusal_of(run, each) for each in found]
    if None not in refusals:
        raise next(filter(None, refusals))


def _refusal_of(run: Run, found: Inspection) -> ContradictionError | None:
    """Return what a run's convention says of a quantity that it does not take."""
    if found.training.record is not None:
        try:
            require_taken(Side(convention=found.training.record, run=run), ())
        except ContradictionError as error:
            return error
    return None


def inspect_training(
    training: Training,
    *,
    groups: tuple[str, ...] = (),
    architecture: "Architecture | None" = None,
    mask: str | None = None,
) -> Inspection:
    """Return what the decay of a training that is read already (a live optimizer's) really does.

    Raises:
        ContradictionError: quantities that cannot hold together, a network of a live optimizer.
    """
    if architecture is None:
        return _inspected(grouped(training, groups))
    return _inspected(on_network(training, groups, architecture=architecture, mask=mask))


def review(
    source: str,
    *,
    run: Run | None = None,
    kind: str | None = None,
    choice: RuleChoice,
    **more: Any,
) -> tuple[Finding, ...]:
    """Return what the chosen rules find in a source; comments in its file may ignore some.

    What is given of `run` takes the place of the source's own; `more` is the schedules that do,
    and the network, as `inspect` takes them.

    Raises:
        ContradictionError: something of `run` that its convention does not take.
        UnknownNameError: no run is called so, and no file is.
        UnreadableFileError: a file that is no training configuration.
    """
    found = inspect(source, run=run, kind=kind, **more)
    require_entering(run or Run(), found)
    comments = comments_of(source_text(source))
    return findings(found.subject, select=choice.select, ignore=choice.ignore, comments=comments)


def _inspected(training: Training) -> Inspection:
    training = _followable(training)
    groups = group_decays(training)
    decayed = (each.figures for each in groups if each.weight_decay and each.figures.shrink)
    own = next(decayed, None)
    return Inspection(
        training=training,
        groups=groups,
        figures=measure(training) if own is None else own,
        alternatives=tuple(_inspected(other) for other in training.alternatives),
    )


def network_of(training: Training) -> NetworkJson | None:
    """Return the network of a run and how much of it decays; None where it was not told."""
    if training.network is None:
        return None
    sizes: dict[bool, list[int]] = {True: [], False: []}
    for tensor in training.tensors:
        sizes[tensor.decays].append(tensor.n_weights)
    return {
        "name": training.network.name,
        "mask": training.network.mask,
        "n_parameters": sum(map(sum, sizes.values())),
        "n_decayed": sum(sizes[True]),
        "n_exempt": sum(sizes[False]),
        "n_decayed_tensors": len(sizes[True]),
        "n_exempt_tensors": len(sizes[False]),
    }


def _followable(training: Training) -> Training:
    """Return a training with a note where its steps are too many to be followed one by one."""
    total = training.run.total_steps
    if total is None or total <= MOST_STEPS:
        return training
    note = f"{float(total):g} steps are too many to follow: what is left at the end is not told"
    return replace(training, notes=(*training.notes, note))


def group_decays(training: Training) -> tuple[GroupDecay, ...]:
    """Return each group's own lr and decay, and what they do over the run.

    Raises:
        ContradictionError, InvalidValueError: numbers that no run can have.
    """
    measured = cache(_figures)  # layers by the hundred share few pairs of lr and decay
    return tuple(_group_decay(training, group, measured) for group in training.groups)


def _group_decay(
    training: Training,
    group: Group,
    measured: Callable[[Training, Course | None], Figures],
) -> GroupDecay:
    own, lr, value = own_run(training, group), lr_of(training, group), value_of(training, group)
    tensors = [tensor for tensor in training.tensors if group.name in tensor.groups]
    return GroupDecay(
        group=group,
        training=own,
        figures=measured(own, group.course),
        lr=None if lr is None else finite(lr, "lr"),
        weight_decay=None if value is None else finite(value, "weight_decay"),
        lr_mult=_ratio(group.lr, training.run.given("lr"), group.lr_mult),
        decay_mult=_ratio(group.weight_decay, exact(training.value or 0), group.decay_mult),
        n_tensors=len(tensors) if training.tensors else None,
        n_weights=sum(each.n_weights for each in tensors) if training.tensors else None,
    )


def _ratio(own: str | None, base: Fraction | None, factor: str) -> float | None:
    """Return what multiplies the run's number; None where that is needed and not known."""
    if own is None:
        return float(exact(factor))
    return finite(exact(own) / base, "multiplier") if base else None


def _figures(own: Training, course: Course | None) -> Figures:
    if own.value is not None and exact(own.value) == 0:
        return Figures(shrink=0.0, sum_shrink=0.0, survival=1.0)
    return measure(own, course=course)


def require_live(
    source: Any, *, scheduler: Any, schedule: str | None, configured: str | None
) -> None:
    """Refuse what goes with a live optimizer alone, and two schedules of one.

    `source` is what is inspected, an optimizer or the name of a run.

    Raises:
        InvalidValueError: one of them is there.
    """
    is_named = isinstance(source, str)
    if scheduler is not None and (schedule is not None or is_named):
        raise InvalidValueError(
            "scheduler", type(scheduler).__name__,
            "stands beside a live optimizer, and beside no other schedule",
        )  # fmt: skip
    if configured is not None and is_named:
        raise InvalidValueError("configured", configured, "stands beside a live optimizer")
