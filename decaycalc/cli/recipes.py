"""`decaycalc recipes`: published runs, in one common unit."""

from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.grouped import remarked
from decaycalc.cli.names import RECIPE
from decaycalc.cli.options import CODE_MASK, EMIT, KIND, SCHEDULES, options, run_options
from decaycalc.cli.output import output_options
from decaycalc.cli.shown import Shown
from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError, NoEquivalentError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from decaycalc.report.document_types import RecipesJson
    from decaycalc.training.published.measured import MeasuredRecipe
    from decaycalc.training.record import Training


@click.command(
    "recipes",
    cls=Command,
    examples=(
        "decaycalc recipes",
        "decaycalc recipes resnet-50-he",
        "decaycalc recipes --near 2",
        "decaycalc recipes solver.prototxt --emit pytorch",
        "decaycalc recipes args.yaml --world-size 8",
    ),
)
@click.argument("name", type=RECIPE, required=False)
@click.option("--search", metavar="TEXT", help="Those that mention TEXT.")
@click.option("--near", metavar="EPOCHS", help="The ten nearest to a timescale in epochs.")
@EMIT
@CODE_MASK
@KIND
@options(*SCHEDULES)
@run_options
@output_options
def command(
    *,
    name: str | None,
    search: str | None,
    near: str | None,
    framework: str | None,
    mask: str | None,
    kind: str | None,
    schedule: str | None,
    decay_schedule: str | None,
    run: Run,
) -> Shown:
    """List published runs, or show the one called NAME (or read from the file NAME) whole.

    NAME is a published run or a training file (- is stdin); the run's options take the place of
    its own.
    """
    if mask is not None and framework is None:
        raise UsageError("--decay-mask says what decays in code: give --emit")
    if name is not None:
        from decaycalc.training.chosen import typed

        if search is not None or near is not None:
            raise UsageError(f"{'--near' if search is None else '--search'} lists: leave out NAME")
        own = typed(run=run, schedule=schedule, decay_schedule=decay_schedule)
        return one(name, framework, mask, own=own, kind=kind)
    if framework is not None:
        raise UsageError("--emit needs the NAME of a recipe")
    if run != Run() or any((kind, schedule, decay_schedule)):
        raise UsageError("a run's options need the NAME of a recipe")
    from decaycalc.report import recipes as report
    from decaycalc.training.published.measured import recall

    measured = tuple(recall(recipe) for recipe in chosen(search, near))
    return shown(measured, lambda: report.listing(measured))


def chosen(search: str | None, near: str | None) -> Any:
    """Return the recipes that mention a text, or those nearest to a timescale, nearest first.

    Raises:
        UsageError: both are asked for.
        UnknownNameError: no recipe mentions the text.
    """
    from decaycalc.training.published.index import RECIPES, find

    if near is not None and search is not None:
        raise UsageError("--search and --near choose otherwise: give one of them")
    if near is not None:
        from decaycalc.algebra.quantity import exact
        from decaycalc.training.published.nearest import nearest

        epochs = float(exact(near, name="near"))
        if epochs <= 0:
            raise InvalidValueError("near", near, "must be positive")
        return tuple(find(entry.name) for entry in nearest(epochs, most=10))
    wanted = (search or "").lower()
    found = tuple(recipe for recipe in RECIPES if wanted in str(recipe).lower())
    if not found:
        names = (recipe.name for recipe in RECIPES)
        hint = "('decaycalc recipes' lists them)"
        raise UnknownNameError("published run with", search or "", names, hint=hint)
    return found


def one(
    name: str, framework: str | None, mask: str | None, *, own: "Training", kind: str | None
) -> Shown:
    """Return one run whole, one's own laid over it, or its code."""
    from decaycalc.report import recipes as report
    from decaycalc.training.chosen import loaded, typed

    training = loaded(name, own, kind=kind)
    if framework is not None:
        return code(training, framework, mask)
    readings = (training, *training.alternatives)
    measured = tuple(figures_of(reading, is_own=own == typed()) for reading in readings)
    result = shown(measured, lambda: report.readings(measured, readings), training)
    return remarked(Shown(**{**vars(result), "warnings": training.whole_notes}), training)


def figures_of(training: "Training", *, is_own: bool) -> "MeasuredRecipe":
    """Return a run's figures, stored for the catalogue's own, computed for a file's."""
    if training.kind == "recipe" and is_own:
        from decaycalc.training.published.index import find
        from decaycalc.training.published.measured import recall

        return recall(find(training.source))
    from decaycalc.training.published.measure import measure_training_as_recipe

    return measure_training_as_recipe(training)


def code(training: "Training", framework: str, mask: str | None) -> Shown:
    """Return a run as a framework's code.

    Raises:
        NoEquivalentError: its decay or its convention is not stated.
    """
    from decaycalc.cli.emit import shown_code, snippet_of

    if training.value is None or training.record is None:
        reason = training.refusal or "; ".join(training.notes)
        raise NoEquivalentError(training.source, framework, reason)
    snippet = snippet_of(training, framework, mask=mask)
    return remarked(shown_code(snippet, "recipes", training.whole_notes), training)


def shown(
    measured: "tuple[MeasuredRecipe, ...]", tables: Any, training: "Training | None" = None
) -> Shown:
    """Return recipes in all their shapes; a training file's with what was read of it."""
    from decaycalc.report import recipes as report

    def body() -> "RecipesJson":
        found: RecipesJson = {"recipes": [entry.to_dict() for entry in measured]}
        if training is None or training.kind == "recipe":
            return found
        return {**found, "imported": training.imported()}

    return Shown(name="recipes", body=body, tables=tables, rows=lambda: report.rows(measured))
