"""Chosen: a recipe by name or from a file, with what the user says laid over it."""

from decaycalc.algebra.quantity import Number
from decaycalc.conventions.catalogue import find as find_convention
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.record import Record, replace
from decaycalc.training.published.index import find
from decaycalc.training.trainers import Imported, is_file_name, read_recipe


class Chosen(Record):
    """What a recipe sets out from once the user's own words are laid over it.

    `notes` are what the user must know about the recipe: an importer's findings, or its note.
    """

    value: Number | None
    source: Convention | None
    run: Run
    schedule: str | None
    betas: tuple[str, str] | None
    eps: str | None
    notes: tuple[str, ...]


def load(text: str) -> Imported:
    """Return a recipe of the catalogue, or one read from a file.

    Raises:
        UnknownNameError: no recipe is called so.
        UnreadableFileError: a file that is no training configuration.
    """
    return read_recipe(text) if is_file_name(text) else Imported(recipe=find(text))


def choose(
    text: str,
    *,
    value: Number | None = None,
    source: Convention | None = None,
    run: Run | None = None,
    schedule: str | None = None,
) -> Chosen:
    """Return a recipe's setting; whatever else is given takes the place of the recipe's own.

    >>> choose("resnet-50-he", run=Run(batch_size=512)).run.get("lr")
    Fraction(1, 10)

    Raises:
        As `load`; ContradictionError where the two cannot hold together.
    """
    imported = load(text)
    recipe = imported.recipe
    given, base = run or Run(), recipe.run()
    if given.steps is not None or given.epochs is not None:
        base = replace(base, steps=None, epochs=None)
    key = recipe.convention
    notes = imported.notes if imported.recipe.name == "imported" else (recipe.note,)
    return Chosen(
        value=recipe.value if value is None else value,
        source=source or (None if key is None else find_convention(key)),
        run=given.over(base),
        schedule=recipe.schedule if schedule is None else schedule,
        betas=recipe.betas,
        eps=recipe.eps,
        notes=tuple(f"{recipe.name}: {note}" for note in notes if note),
    )
