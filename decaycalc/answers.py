"""Answer: everything that `decaycalc convert` says about one weight decay in one run."""

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict

from decaycalc.algebra.quantity import Number, finite
from decaycalc.architecture.penalty import Penalty, counted, decayed_layers, penalty
from decaycalc.conventions.catalogue import common, conventions
from decaycalc.conventions.record import Convention, NumberJson
from decaycalc.conventions.run import Run, RunJson
from decaycalc.conventions.runs import target_over
from decaycalc.conversion.assumptions import (
    Assumption,
    AssumptionJson,
    assumed_by_decay,
    once,
    require_said,
)
from decaycalc.conversion.convert import Conversion, ConversionJson, apply_as_far, check_value
from decaycalc.conversion.decay import (
    WORTH_SAYING,
    Decay,
    DecayJson,
    course_notes,
    decay_of,
    epoch_note,
)
from decaycalc.conversion.entering import require_taken
from decaycalc.conversion.kept_plans import kept_plan, kept_side
from decaycalc.conversion.plan import Match, Plan
from decaycalc.conversion.rounding import Storage
from decaycalc.conversion.shrinks import shrink_of, strength_of
from decaycalc.conversion.side import Side
from decaycalc.conversion.unavailable import Unavailable, UnavailableJson
from decaycalc.errors import InvalidValueError, MissingQuantityError, NoEquivalentError
from decaycalc.record import Record, Result, asdict, replace
from decaycalc.survival.documents import SummaryJson
from decaycalc.training.record import ConvertedGroupJson

if TYPE_CHECKING:
    from decaycalc.architecture.tensors import Architecture
    from decaycalc.grouped_answers import GroupAnswer
    from decaycalc.survival.scheduled import ScheduleAnswer


class AnswerJson(TypedDict):
    """What one number means in a run: decay, penalty, schedule, and the numbers elsewhere."""

    source: NumberJson
    run: RunJson
    target_run: RunJson | None
    strength: float | None
    shrink: float | None
    decay: DecayJson | None
    schedule: SummaryJson | None
    penalty: Annotated[dict[str, Any], Penalty] | None
    conversions: list[ConversionJson]
    unavailable: list[UnavailableJson]
    assumptions: list[AssumptionJson]
    warnings: list[str]
    groups: NotRequired[list[ConvertedGroupJson]]


class Question(Record):
    """What is asked: a number in a convention and a run, and what to make of it.

    `targets` empty asks for the common conventions, or for all with `everything`. `strict` refuses
    an answer that takes an unsaid quantity for granted. `open_lr` says why the lr over the run is
    not known, where a file has a schedule and no text tells it: then nothing follows of the whole
    run. `groups` are rules `REGEX:lr*16,wd=0.1` for `grouped_answers`; `answer_of` is of the run's
    own numbers.
    """

    source: Convention
    value: Number | None = None
    run: Run = Run()
    target_run: Run | None = None
    targets: tuple[Convention, ...] = ()
    everything: bool = False
    match: Match = Match.OPTIMUM
    architecture: "Architecture | None" = None
    mask: str | None = None
    init: str | None = None
    classes: int | None = None
    dtype: str | None = None
    rounding: str | None = None
    schedule: str | None = None
    decay_schedule: str | None = None
    strict: bool = False
    open_lr: str = ""
    groups: tuple[str, ...] = ()


class Answer(Record, Result):
    """The decay, the penalty's scale and the number in other conventions.

    `assumptions` are the unsaid quantities that entered any of these numbers.
    """

    source: Convention
    value: Fraction | None
    run: Run
    target_run: Run | None
    strength: float | None
    shrink: float | None
    decay: Decay | None
    schedule: "ScheduleAnswer | None"
    penalty: Penalty | None
    conversions: tuple[Conversion, ...]
    unavailable: tuple[Unavailable, ...]
    assumptions: tuple[Assumption, ...]
    warnings: tuple[str, ...]
    groups: "tuple[GroupAnswer, ...]" = ()

    def to_dict(self) -> AnswerJson:
        """Return the answer as JSON holds it, without the three schema keys."""
        value = None if self.value is None else float(self.value)
        document: AnswerJson = {
            "source": self.source.with_number(value),
            "run": self.run.to_dict(),
            "target_run": None if self.target_run is None else self.target_run.to_dict(),
            "strength": self.strength,
            "shrink": self.shrink,
            "decay": None if self.decay is None else self.decay.to_dict(),
            "schedule": None if self.schedule is None else self.schedule.summary(),
            "penalty": None if self.penalty is None else asdict(self.penalty),
            "conversions": [conversion.to_dict() for conversion in self.conversions],
            "unavailable": [entry.to_dict() for entry in self.unavailable],
            "assumptions": [entry.to_dict() for entry in self.assumptions],
            "warnings": list(self.warnings),
        }
        if self.groups:
            document["groups"] = [each.to_dict() for each in self.groups]
        return document


def answer_of(question: Question) -> Answer:
    """Return everything that is to be said about a weight decay.

    Raises:
        DecaycalcError: a value out of its domain, or a quantity that enters nothing; or, for a
            target asked for by name, that it has no equivalent or lacks a quantity.
    """
    storage = Storage.of(question.dtype, question.rounding)
    run = counted(question.run, architecture=question.architecture, mask=question.mask)
    source = kept_side(question.source, run)
    value = None if question.value is None else check_value(question.value, question.source)
    conversions, unavailable = _conversions(question, source, value)
    strength = None if value is None else strength_of(source, value)
    shrink = None if value is None else _shrink(source, value)
    decay, scheduled = _course(question, source, value)
    if scheduled is not None:
        from decaycalc.survival.whole_run import over_the_run  # noqa: PLC0415  (schedules alone)

        conversions = over_the_run(question.source, value, conversions, scheduled)
    return Answer(
        source=question.source,
        value=value,
        run=run,
        target_run=None if question.target_run is None else target_over(question.target_run, run),
        strength=None if strength is None else finite(strength, "strength"),
        shrink=None if shrink is None else float(shrink),
        decay=decay,
        schedule=scheduled,
        penalty=_penalty(question, source, strength, shrink),
        conversions=conversions,
        unavailable=unavailable,
        assumptions=_taken_for_granted(question, source, decay, conversions),
        warnings=(
            *_warnings(question, source, decay, storage),
            *(scheduled.warnings if scheduled else ()),
            *_unchanging(question, conversions),
            *_departures(question, source, value),
        ),
    )


def _taken_for_granted(
    question: Question, source: Side, decay: Decay | None, conversions: tuple[Conversion, ...]
) -> tuple[Assumption, ...]:
    """Return what entered the answer's numbers and was not said; a strict question refuses it."""
    decays = () if decay is None else assumed_by_decay(source)
    assumptions = once((*decays, *(each for made in conversions for each in made.assumptions)))
    if question.strict:
        require_said(f"a strict answer from {question.source.key}", assumptions)
    return assumptions


def _unchanging(question: Question, conversions: tuple[Conversion, ...]) -> tuple[str, ...]:
    """Return what a decay's own schedule does to the numbers of other conventions."""
    records = [made.convention for made in conversions if not made.convention.is_of_whole_run]
    if question.decay_schedule is None or not records:
        return ()
    others = [record.key for record in records if not record.is_proportional]
    text = "the conversions are of VALUE itself, which the decay schedule multiplies"
    return (f"{text}; it does not multiply {', '.join(others)}" if others else text,)


def _departures(question: Question, source: Side, value: Fraction | None) -> list[str]:
    """Return, of each target asked for, how far its exact decay is from the source's."""
    texts, followed = [], question.schedule or question.decay_schedule
    for target in question.targets if value else ():
        if followed and target.is_of_whole_run:
            continue
        way = _way(question, source, target)
        shrinks = None if way.missing() or value is None else way.shrinks(value)
        if shrinks is None or abs(shrinks[1] - shrinks[0]) * WORTH_SAYING <= abs(shrinks[0]):
            continue
        one, other = (f"{100 * shrink:.3g} %" for shrink in shrinks)
        text = f"in the long run {source.convention.key} takes {one} off a weight a step"
        texts.append(f"{text}, {target.key} {other}: --match decay holds the two equal")
    return texts


def _course(
    question: Question, source: Side, value: Fraction | None
) -> "tuple[Decay | None, ScheduleAnswer | None]":
    """Return the decay, and the same over a scheduled run, which tells what the run leaves."""
    decay = None if value is None else decay_of(source, value)
    if decay is None:
        return None, None
    scheduled = _scheduled(question, source)
    if scheduled is not None:
        decay = replace(decay, per_run_factor=scheduled.decay.survival)
    return (replace(decay, per_run_factor=None) if question.open_lr else decay), scheduled


def _scheduled(question: Question, source: Side) -> "ScheduleAnswer | None":
    """Return the decay over the scheduled run, None where no schedule is given."""
    if question.value is None or (question.schedule, question.decay_schedule) == (None, None):
        return None
    from decaycalc.survival.scheduled import follow_decay  # noqa: PLC0415  (numpy, if asked)

    return follow_decay(
        question.value,
        source=question.source,
        run=source.run,
        schedule=question.schedule or "constant",
        decay_schedule=question.decay_schedule,
        n_points=2,
    )


def _shrink(source: Side, value: Fraction) -> Fraction | None:
    """Return the first-order shrink, None where record, run or architecture leave it open."""
    if not source.has_shrink:
        return None
    try:
        return shrink_of(source, value)
    except MissingQuantityError:
        return None


def _conversions(
    question: Question, source: Side, value: Fraction | None
) -> tuple[tuple[Conversion, ...], tuple[Unavailable, ...]]:
    """Return the conversions that can be made and the conventions that cannot be reached."""
    made: list[Conversion] = []
    lacking: list[Unavailable] = []
    listed = question.targets or _listed(question)
    require_taken(source, listed, question.target_run)
    layers = _layers(question)
    for target in listed:
        try:
            made.append(_convert(question, source, target, value, layers))
        except (NoEquivalentError, MissingQuantityError, InvalidValueError) as error:
            if question.targets:
                raise
            lacking.append(Unavailable.of(target, error))
    return tuple(made), tuple(lacking)


def _listed(question: Question) -> tuple[Convention, ...]:
    """Return the conventions to show where none is asked for by name."""
    listed = conventions() if question.everything else common()
    return tuple(convention for convention in listed if convention.key != question.source.key)


def _convert(
    question: Question,
    source: Side,
    target: Convention,
    value: Fraction | None,
    layers: tuple[tuple[str, int], ...],
) -> Conversion:
    """Return one conversion, layer by layer where the target has one number a layer.

    Raises:
        NoEquivalentError: one of the two is of the whole run, over which the lr is not known.
    """
    if question.open_lr and (source.convention.is_of_whole_run or target.is_of_whole_run):
        raise NoEquivalentError(source.convention.key, target.key, question.open_lr)
    return apply_as_far(_way(question, source, target), value, layers=layers)


def _way(question: Question, source: Side, target: Convention) -> Plan:
    """Return the way from the question's convention to another."""
    return kept_plan(
        source.convention, target, run=source.run, target_run=question.target_run,
        match=question.match,
    )  # fmt: skip


def _layers(question: Question) -> tuple[tuple[str, int], ...]:
    """Return names and numbers of weights of the layers that decay, gathered once a question."""
    layers = decayed_layers(question.architecture, mask=question.mask)
    return tuple((layer.name, layer.n_weights) for layer in layers)


def _penalty(
    question: Question, source: Side, strength: Fraction | None, shrink: Fraction | None
) -> Penalty | None:
    """Return the penalty's scale; None where neither a strength nor an architecture is known."""
    if strength is None and question.architecture is None:
        return None
    run = source.run
    by_layer = _by_layer(question, source)
    return penalty(
        question.architecture,
        strength=strength,
        mask=question.mask,
        init=question.init,
        classes=question.classes,
        batch_size=run.get("batch_size"),
        dataset_size=run.get("dataset_size"),
        shrink=shrink,
        strengths_by_layer=tuple(pair[0] for pair in by_layer) or None,
        shrinks_by_layer=tuple(pair[1] for pair in by_layer if pair[1] is not None) or None,
    )


def _by_layer(question: Question, source: Side) -> tuple[tuple[Fraction, Fraction | None], ...]:
    """Return strength and shrink of each layer where the convention has one number a layer."""
    if not source.convention.differs_by_layer or question.value is None:
        return ()
    value = check_value(question.value, source.convention)
    sides = (
        replace(source, layer=Fraction(layer.n_weights))
        for layer in decayed_layers(question.architecture, mask=question.mask)
    )
    return tuple((_required(strength_of(side, value)), _shrink(side, value)) for side in sides)


def _required(strength: Fraction | None) -> Fraction:
    assert strength is not None  # noqa: S101  (an architecture gives all that it needs)
    return strength


def _warnings(
    question: Question, source: Side, decay: Decay | None, storage: Storage
) -> tuple[str, ...]:
    """Return what a reader must not miss, one sentence each."""
    texts: list[str] = []
    if question.architecture is not None:
        # Imported here: only a network needs it.
        from decaycalc.architecture.masks import notes_on  # noqa: PLC0415

        texts += notes_on(question.architecture, mask=question.mask)
    ratio, per_epoch = source.run.epoch_ratio, source.run.steps_per_epoch
    if decay is not None and ratio is not None and per_epoch is not None:
        note = epoch_note(per_epoch, ratio.numerator, ratio.denominator)
        texts += [note] if note else []
    if decay is not None:
        texts += course_notes(source, decay)
        texts += storage.warnings(decay.per_step_shrink)
    return tuple(texts)
