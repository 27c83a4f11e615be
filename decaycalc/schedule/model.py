"""Schedule: what a text means on a given run, and the multipliers of its steps."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np

from decaycalc.algebra.number import plural
from decaycalc.errors import ContradictionError
from decaycalc.schedule.grammar import SegmentText, parse_segments
from decaycalc.schedule.kinds import COMMON, KINDS, ScheduleKind, Type, Value
from decaycalc.schedule.length import Length, Span
from decaycalc.schedule.shapes import BUILDERS, Floats, SegmentParameters, Shape
from decaycalc.schedule.table import ScheduleOf, TableSource, read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One kind of schedule on the steps `start <= step < stop` of the run.

    `settings` are its parameters in steps and numbers. It counts its own steps from its start.
    """

    kind: ScheduleKind
    start: int
    stop: int
    settings: SegmentParameters
    shape: Shape

    @property
    def delay(self) -> int:
        """The steps that its curve is late."""
        return self.settings.steps("delay") or 0

    @property
    def end(self) -> int:
        """The step at which its shape ends, were it not late."""
        return self.start + self.settings.length

    @property
    def counts_from_start(self) -> bool:
        """Whether its shape counts from its start, not from the end of the warm-up."""
        return self.kind.counts_from_start or self.settings.is_over_run

    def multiplier(self, steps: Floats) -> Floats:
        """Return lr/peak at these steps of the run, shape of `steps`."""
        begin, settings = self.start + self.delay, self.settings
        t = np.maximum(steps - begin, 0) if self.delay else steps - begin if begin else steps
        per = settings.steps("per")
        held, warmup = _hold(t, per), settings.warmup
        if not warmup:
            return self._after_warmup(held)
        t = _hold(t, settings.steps("warmup_per") or per)
        warming = t < warmup
        if not warming.any():
            return self._after_warmup(held)
        if warming.all():
            return self._warming(t, held)
        return np.where(warming, self._warming(t, held), self._after_warmup(held))

    def _after_warmup(self, t: Floats) -> Floats:
        warmup = self.settings.warmup
        counted = t if self.counts_from_start or not warmup else np.maximum(t - warmup, 0)
        multiplier = self.shape(counted)
        floor = self.settings.number("floor")
        return np.maximum(multiplier, floor) if floor else multiplier

    def _warming(self, t: Floats, held: Floats) -> Floats:
        """Return the ramp from `start` to what the warm-up rises to."""
        settings = self.settings
        start, power = settings.number("start"), settings.number("warmup_power")
        share = _ramp(np.clip(t, 0, settings.warmup), settings)
        share = share if power == 1 else share**power
        if settings.toward == "product":
            return self._after_warmup(held) * (start + (1 - start) * share)
        top = self._after_warmup(held) if settings.toward == "current" else self.top()
        return start + (top - start) * share

    def top(self) -> float:
        """Return the multiplier that the warm-up rises to, where that is one."""
        if self.settings.toward == "peak":
            return self.settings.peak
        return float(self._after_warmup(np.array([float(self.settings.warmup)]))[0])


def _hold(t: Floats, per: int | None) -> Floats:
    """Return the step at which the lr was changed last."""
    return np.floor(t / per) * per if per is not None and per > 1 else t


def _ramp(t: Floats, settings: SegmentParameters) -> Floats:
    """Return the share of the warm-up that is done at its steps."""
    if settings.text("ramp") == "log":
        return np.log1p(t) / math.log(max(settings.warmup, 2))
    first, last = {"zero": (0, 0), "one": (1, 0), "inner": (1, 1)}[settings.text("ramp")]
    return (t + first) / (settings.warmup + last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A learning-rate schedule on a run of `total_steps` steps; step 0 is the first.

    multiplier = lr/peak.
    """

    text: str
    total_steps: int
    segments: tuple[Segment, ...]

    def multiplier(self, steps: Floats) -> Floats:
        """Return lr/peak at an array of steps, of the same shape; the last segment goes on."""
        steps = np.asarray(steps, dtype=np.float64)
        if len(self.segments) == 1:
            return self.segments[0].multiplier(steps)
        low, high = np.min(steps, initial=np.inf), np.max(steps, initial=0)
        stops = np.array([segment.stop for segment in self.segments[:-1]], dtype=np.float64)
        first, last = np.searchsorted(stops, (low, high), side="right")
        if first == last:
            return self.segments[int(first)].multiplier(steps)
        result: Floats = np.empty_like(steps)
        places = np.searchsorted(stops, steps, side="right")
        for place in range(first, last + 1):
            inside = places == place
            result[inside] = self.segments[place].multiplier(steps[inside])
        return result

    @property
    def is_constant(self) -> bool:
        """Whether the lr is the peak lr at every step."""
        return all(
            segment.kind.name == "constant"
            and segment.settings.number("value") == 1
            and not segment.settings.warmup
            for segment in self.segments
        )

    def knots(self) -> tuple[int, ...]:
        """Return the steps within the run where a segment begins or a warm-up ends."""
        steps = {
            step
            for segment in self.segments
            for step in (segment.start, segment.start + segment.delay + segment.settings.warmup)
        }
        return tuple(sorted(step for step in steps if step < self.total_steps))

    def notes(self) -> tuple[str, ...]:
        """Return what does not fit between schedule and run, a line each."""
        return tuple(note for segment in self.segments for note in _misfits(segment))


def _steps(number: int) -> str:
    return f"{number} {plural(number, 'step')}"


def _misfits(segment: Segment) -> Iterator[str]:
    name, stop = segment.kind.name, segment.stop
    if segment.settings.table is not None:
        yield from segment.settings.table.notes()
        return
    if segment.start + segment.settings.warmup > stop:
        yield f"{name}: the warm-up of {_steps(segment.settings.warmup)} is cut off at step {stop}"
    elif segment.end > stop:
        yield f"{name}: it is {_steps(segment.end)} long but cut off at step {stop}"
    elif segment.end < stop and name != "constant":
        yield f"{name}: it ends at step {segment.end}, before step {stop}"
    at = segment.settings.values.get("at") or ()
    late = [step for step in cast("tuple[int, ...]", at) if segment.start + step >= stop]
    if late:
        yield f"{name}: boundaries after step {stop} have no effect: {', '.join(map(str, late))}"


def parse_schedule(
    text: str,
    *,
    total_steps: int,
    steps_per_epoch: Fraction | float | None = None,
    of: ScheduleOf = ScheduleOf.LR,
    peak: float | None = None,
) -> Schedule:
    """Return the schedule that a text means on a run of so many steps.

    `of` says what it multiplies, `peak` is that quantity: a file that holds lr or weight_decay
    itself is divided by it, by its own largest value where it is None.

    >>> parse_schedule("cosine:final=0.1", total_steps=100).multiplier(np.array([0.0, 50.0]))
    array([1.  , 0.55])

    Raises:
        TextSyntaxError, UnknownNameError, InvalidValueError, ContradictionError: A bad text.
        MissingQuantityError: Epochs in the text, where the steps of an epoch are unknown; a
            parameter without default that is not given.
        UnreadableFileError: A file that holds no schedule.
    """
    per_epoch = None if steps_per_epoch is None else Fraction(steps_per_epoch)
    span = Span(total_steps=total_steps, steps_per_epoch=per_epoch)
    source = TableSource(of=of, peak=peak)
    segments: list[Segment] = []
    texts = parse_segments(text)
    for number, segment in enumerate(texts):
        start = segments[-1].stop if segments else 0
        stop = _stop(segment, span, start=start, is_last=number == len(texts) - 1)
        segments.append(_resolve(segment, span, source, start=start, stop=stop))
    return Schedule(text=text, total_steps=total_steps, segments=tuple(segments))


def tabulate(multipliers: Sequence[float]) -> Schedule:
    """Return the schedule that has these multipliers, one a step.

    >>> tabulate([0.0, 0.5, 1.0]).multiplier(np.array([1.0, 2.0]))
    array([0.5, 1. ])
    """
    values = np.array(multipliers, dtype=np.float64)
    last = len(values) - 1
    segment = Segment(
        kind=next(each for each in KINDS if each.name == "file"),
        start=0,
        stop=len(values),
        settings=SegmentParameters(
            values={each.name: each.default for each in COMMON}, warmup=0, length=len(values)
        ),
        shape=lambda t: values[np.clip(t.astype(np.intp), 0, last)],
    )
    return Schedule(text="", total_steps=len(values), segments=(segment,))


def _stop(segment: SegmentText, span: Span, *, start: int, is_last: bool) -> int:
    """Return the step at which a segment stops: its `until`, or the run's end for the last.

    The last one may have an `until` where the run ends before it, as one that is cut short does.
    """
    until = cast("Length | None", segment.arguments.get("until"))
    own = span.total_steps if until is None else until.steps(span)
    is_odd = own < span.total_steps if is_last else until is None
    if is_odd:
        text = "takes no until" if is_last else "needs an until"
        raise ContradictionError(f"{segment.kind.name}: this segment {text}, all but the last do")
    stop = span.total_steps if is_last else own
    if stop <= start < span.total_steps or (is_last and stop <= start):
        raise ContradictionError(
            f"{segment.kind.name}: it stops at {stop}, where it starts {start}"
        )
    return stop


def _resolve(
    segment: SegmentText, span: Span, source: TableSource, *, start: int, stop: int
) -> Segment:
    values: dict[str, object] = {}
    for parameter in (*segment.kind.parameters, *COMMON):
        value = segment.get(parameter)
        if value is None and parameter.type in (Type.NUMBER, Type.PATH):
            name = segment.kind.name
            written = (
                f"{name}:PATH" if parameter.type is Type.PATH else f"{name}:{parameter.name}=NUMBER"
            )
            raise ContradictionError(f"schedule {name} needs {parameter.name}: write {written}")
        values[parameter.name] = _in_steps(value, span)
    path = values.get("path")
    length = cast("int | None", values.get("length"))
    end = cast("int", values["until"] or stop)  # of the last one, beyond a run that is cut short
    settings = SegmentParameters(
        values=values,
        warmup=cast("int", values["warmup"] or 0),
        length=end - start if length is None else length,
        table=None if path is None else read_table(cast("str", path), source),
    )
    shape = BUILDERS[segment.kind.name](settings)
    return Segment(kind=segment.kind, start=start, stop=stop, settings=settings, shape=shape)


def _in_steps(value: Value, span: Span) -> object:
    if isinstance(value, Length):
        return value.steps(span)
    if isinstance(value, tuple):
        return tuple(_in_steps(entry, span) for entry in value)
    return value
