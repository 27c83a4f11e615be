"""Chosen: a published run or a file's, with what the user says laid over it."""

from decaycalc.algebra.quantity import Number
from decaycalc.conventions.catalogue import find as find_convention
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.errors import NoEquivalentError
from decaycalc.record import Record, replace
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.record import Training
from decaycalc.training.source import load


class Chosen(Record):
    """What a recipe sets out from once the user's own words are laid over it.

    `notes` are what the user must know about the recipe: a reader's findings, or its note.
    """

    value: Number | None
    source: Convention | None
    run: Run
    schedule: str | None
    decay_schedule: str | None
    betas: tuple[str, str] | None
    eps: str | None
    notes: tuple[str, ...]


def choose(
    text: str,
    *,
    value: Number | None = None,
    source: Convention | None = None,
    run: Run | None = None,
    schedule: str | None = None,
    decay_schedule: str | None = None,
    kind: str | None = None,
) -> Chosen:
    """Return a recipe's setting; whatever else is given takes the place of the recipe's own.

    >>> choose("resnet-50-he", run=Run(batch_size=512)).run.get("lr")
    Fraction(1, 10)

    Raises:
        NoEquivalentError: a file whose number does not reach the weights.
        As `load`; ContradictionError where the two cannot hold together.
    """
    given = run or Run()
    training = load(text, given=given_of(given), kind=kind)
    if training.refusal and source is None:
        raise NoEquivalentError(training.source, "a decay per step", training.refusal)
    return Chosen(
        value=training.value if value is None else value,
        source=source or convention_of(training),
        run=laid_over(given, training.run),
        schedule=training.schedule if schedule is None else schedule,
        decay_schedule=training.decay_schedule if decay_schedule is None else decay_schedule,
        betas=training.betas,
        eps=training.eps,
        notes=tuple(f"{training.source}: {note}" for note in training.notes),
    )


def loaded(text: str, *, run: Run, kind: str | None = None) -> Training:
    """Return a published run or a training file's, with a run's quantities laid over it.

    Raises:
        As `load`; ContradictionError where the two cannot hold together.
    """
    return overridden(load(text, given=given_of(run), kind=kind), run)


def overridden(
    training: Training,
    run: Run,
    *,
    schedule: str | None = None,
    decay_schedule: str | None = None,
) -> Training:
    """Return a training with what is given laid over it, and over its other readings."""
    return replace(
        training,
        run=laid_over(run, training.run),
        schedule=training.schedule if schedule is None else schedule,
        decay_schedule=training.decay_schedule if decay_schedule is None else decay_schedule,
        alternatives=tuple(
            overridden(each, run, schedule=schedule, decay_schedule=decay_schedule)
            for each in training.alternatives
        ),
    )


def convention_of(training: Training) -> Convention | None:
    """Return the convention by whose rule a training's number is read; None where it has none."""
    key = training.read_as or training.convention
    return None if key is None else find_convention(key)


def laid_over(given: Run, base: Run) -> Run:
    """Return a run with what is given laid over it; one length takes the place of the other."""
    if given.steps is not None or given.epochs is not None:
        base = replace(base, steps=None, epochs=None)
    return given.over(base)


def given_of(run: Run) -> dict[str, str]:
    """Return the quantities that a run gives, by name, as a file would hold them."""
    names = ("lr", "momentum", "dampening", "batch_size", "grad_accum", "world_size",
             "dataset_size", "epochs", "steps", *dict(run.extras))  # fmt: skip
    found = {name: run.given(name) for name in names}
    given = {name: decimal_text(value) for name, value in found.items() if value is not None}
    if run.nesterov is not None:
        given["nesterov"] = str(run.nesterov).lower()
    if run.loss is not None:
        given["loss"] = str(run.to_dict()["loss"])
    return given
