"""Chosen: a run as options say it, laid over a published one or a file's where one is named."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.errors import MissingQuantityError, NoEquivalentError
from decaycalc.record import replace
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.record import PUBLISHED, TYPED, Origin, Sourced, Training


def typed(
    *,
    value: str | None = None,
    source: Convention | None = None,
    run: Run | None = None,
    schedule: str | None = None,
    decay_schedule: str | None = None,
) -> Training:
    """Return the run that options say; what they leave open is None.

    Raises:
        UnknownNameError, TextSyntaxError, InvalidValueError: a schedule that there is not, even
            where the run is too short of numbers to follow it.
    """
    for text in filter(None, (schedule, decay_schedule)):
        # Imported here: few runs have a schedule of their own.
        from decaycalc.schedule.grammar import parse_segments  # noqa: PLC0415

        parse_segments(text)
    return Training(
        source="the command line",
        kind=TYPED,
        title="options",
        convention=None if source is None else source.key,
        own=source,
        value=value,
        run=run or Run(),
        schedule=schedule,
        decay_schedule=decay_schedule,
    )


def chosen(own: Training, recipe: str | None, *, kind: str | None = None) -> Training:
    """Return a run to answer from: one's own, laid over a recipe's where one is named.

    The recipe's schedules are left out, with a note, where the run's length is unknown.

    >>> chosen(typed(run=Run(batch_size=512)), "resnet-50-he").run.get("lr")
    Fraction(1, 10)

    Raises:
        NoEquivalentError: a file whose number does not reach the weights.
        As `loaded`.
    """
    if recipe is None:
        return own
    found = loaded(recipe, own, kind=kind)
    if found.refusal and own.convention is None:
        raise NoEquivalentError(found.source, "a decay per step", found.refusal)
    kept = (own.schedule, own.decay_schedule)
    if found.run.total_steps is not None or kept == (found.schedule, found.decay_schedule):
        return found
    by_epochs = found.run.epochs is not None and found.run.dataset_size is None
    more = "give -N or --steps" if by_epochs else "give --steps"
    note = f"its schedule is left out: the run's length is unknown ({more})"
    return replace(found, schedule=kept[0], decay_schedule=kept[1], notes=(*found.notes, note))


def loaded(recipe: str, own: Training, *, kind: str | None = None) -> Training:
    """Return a published run or a training file's, with one's own laid over it.

    Raises:
        As `source.load`; ContradictionError where the two cannot hold together.
    """
    # Imported here: a run that is typed whole needs no reader of files.
    from decaycalc.training.source import load  # noqa: PLC0415

    return laid_over(own, load(recipe, given=dict(given_of(own)), kind=kind))


def laid_over(own: Training, base: Training) -> Training:
    """Return a training, and its other readings, with what is said of one's own in its place.

    Raises:
        ContradictionError: the two cannot hold together.
    """
    changes = {
        name: said
        for name in ("value", "convention", "own", "schedule", "decay_schedule")
        if (said := getattr(own, name)) is not None
    }
    run = _run_over(own.run, _whole_batch(base) if own.run.batch_size is None else base.run)
    kept = {
        name: _reached(getattr(base, name), run)
        for name in ("schedule", "decay_schedule")
        if name not in changes
    }
    return replace(
        base,
        **changes,
        **kept,
        read_as=base.read_as if own.convention is None else None,
        run=run,
        quantities=tuple(_quantities(own, base.quantities)),
        alternatives=tuple(laid_over(own, other) for other in base.alternatives),
    )


def _reached(text: str | None, run: Run) -> str | None:
    """Return a schedule without the segments that its run ends before: options may cut it short."""
    total = run.total_steps
    if text is None or "+" not in text or total is None:
        return text
    # Imported here: few schedules have several segments.
    from decaycalc.schedule.grammar import parse_segments  # noqa: PLC0415
    from decaycalc.schedule.length import Length, Span  # noqa: PLC0415

    each = run.steps_per_epoch or (total / Fraction(run.epochs) if run.epochs else None)
    span = Span(total_steps=int(total), steps_per_epoch=None if each is None else Fraction(each))
    parts = text.split("+")
    for count, segment in enumerate(parse_segments(text), start=1):
        until = segment.arguments.get("until")
        try:
            is_last = isinstance(until, Length) and until.steps(span) >= total
        except MissingQuantityError:  # epochs, of which nobody knows the steps
            return text
        if is_last:
            return "+".join(parts[:count]).rstrip()
    return text


def _whole_batch(base: Training) -> Run:
    """Return a run; a published one states B whole, which no devices multiply further."""
    if base.kind != PUBLISHED or base.run.batch_size is None:
        return base.run
    return replace(base.run, grad_accum=1, world_size=1)


def _run_over(given: Run, base: Run) -> Run:
    """Return a run with what is given laid over it; one length takes the place of the other."""
    if given.steps is not None or given.epochs is not None:
        base = replace(base, steps=None, epochs=None)
    return given.over(base)


def _quantities(own: Training, base: Iterable[Sourced]) -> Iterator[Sourced]:
    """Yield the quantities of a training, those that are given in the place of its own."""
    given = {found.name: found for found in quantities_of(own)}
    if {"steps", "epochs"} & given.keys():
        base = (found for found in base if found.name not in {"steps", "epochs"})
    for found in base:
        yield given.pop(found.name, found)
    yield from given.values()


def quantities_of(own: Training) -> tuple[Sourced, ...]:
    """Return what options say of a run, each quantity given."""
    texts = {"convention": own.convention, "weight_decay": own.value, **dict(given_of(own)),
             "decay_schedule": own.decay_schedule}  # fmt: skip
    return tuple(
        Sourced(name=name, value=text, origin=Origin.GIVEN)
        for name, text in texts.items()
        if text is not None
    )


def given_of(own: Training) -> Iterator[tuple[str, str]]:
    """Yield what is said of the run and its schedule, by name, as a file would hold it."""
    run = own.run
    names = ("lr", "momentum", "dampening", "batch_size", "grad_accum", "world_size",
             "dataset_size", "epochs", "steps", *dict(run.extras))  # fmt: skip
    for name in names:
        value = run.given(name)
        if value is not None:
            yield name, decimal_text(value)
    if run.nesterov is not None:
        yield "nesterov", str(run.nesterov).lower()
    if run.loss is not None:
        yield "loss", str(run.to_dict()["loss"])
    if own.schedule is not None:
        yield "schedule", own.schedule
