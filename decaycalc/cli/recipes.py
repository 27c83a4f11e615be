"""`decaycalc recipes`: published runs, in one common unit."""

from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.names import FRAMEWORK, MASK, RECIPE
from decaycalc.cli.options import EMIT_HELP
from decaycalc.cli.output import Shown, output_options
from decaycalc.errors import NoEquivalentError, UsageError

if TYPE_CHECKING:
    from decaycalc.training.published.measured import Measured
    from decaycalc.training.trainers import Imported


MASK_HELP = "Which tensors decay, for --emit.  [default: no-1d]"


@click.command(
    "recipes",
    cls=Command,
    examples=(
        "decaycalc recipes",
        "decaycalc recipes resnet-50-he",
        "decaycalc recipes --near 2",
        "decaycalc recipes solver.prototxt --emit pytorch",
    ),
)
@click.argument("name", type=RECIPE, required=False)
@click.option("--search", metavar="TEXT", help="Those that mention TEXT.")
@click.option("--near", metavar="EPOCHS", help="The ten nearest to a timescale in epochs.")
@click.option("--emit", "framework", type=FRAMEWORK, metavar="FRAMEWORK", help=EMIT_HELP)
@click.option("--decay-mask", "mask", type=MASK, metavar="MASK", help=MASK_HELP)
@output_options
def command(
    name: str | None,
    search: str | None,
    near: str | None,
    framework: str | None,
    mask: str | None,
) -> Shown:
    """List published runs, or show the one called NAME (or read from the file NAME) whole."""
    if name is not None:
        return one(name, framework, mask)
    if framework is not None:
        raise UsageError("--emit needs the NAME of a recipe")
    from decaycalc.training.published.measured import recall

    measured = tuple(recall(recipe) for recipe in chosen(search, near))

    def tables() -> Any:
        from decaycalc.report import recipes as report

        return report.listing(measured)

    return shown(measured, tables)


def chosen(search: str | None, near: str | None) -> Any:
    """Return the recipes that mention a text, or those nearest to a timescale, nearest first."""
    from decaycalc.training.published.index import RECIPES, find

    if near is not None:
        from decaycalc.algebra.quantity import exact
        from decaycalc.training.published.nearest import nearest

        epochs = float(exact(near, name="near"))
        return tuple(find(entry.name) for entry in nearest(epochs, most=10))
    wanted = (search or "").lower()
    return tuple(recipe for recipe in RECIPES if wanted in str(recipe).lower())


def one(name: str, framework: str | None, mask: str | None) -> Shown:
    """Return one recipe whole, or its code."""
    from decaycalc.report import recipes as report
    from decaycalc.training.published.chosen import load

    imported = load(name)
    if framework is not None:
        return code(imported, framework, mask)
    measured = figures_of(imported)
    result = shown((measured,), lambda: report.whole(measured, imported))
    return Shown(**{**vars(result), "warnings": imported.notes})


def figures_of(imported: "Imported") -> "Measured":
    """Return a recipe's figures, stored for the catalogue's own, computed for a file's."""
    if imported.recipe.name != "imported":
        from decaycalc.training.published.measured import recall

        return recall(imported.recipe)
    from decaycalc.training.published.measure import measure

    return measure(imported.recipe)


def code(imported: "Imported", framework: str, mask: str | None) -> Shown:
    """Return a recipe as a framework's code.

    Raises:
        NoEquivalentError: its decay or its convention is not stated.
    """
    from decaycalc.emit.code import emit

    recipe = imported.recipe
    if recipe.value is None or recipe.convention is None:
        raise NoEquivalentError(recipe.name, framework, recipe.note)
    snippet = emit(
        framework,
        recipe.value,
        source=recipe.convention,
        run=recipe.run(),
        schedule=recipe.schedule,
        betas=recipe.betas,
        eps=recipe.eps,
        mask=mask,
    )
    return shown_code(snippet, "recipes", imported.notes)


def shown_code(snippet: Any, name: str, notes: tuple[str, ...]) -> Shown:
    """Return a snippet in all its shapes: bare code but for JSON."""
    body = snippet.to_dict()
    return Shown(
        name=name,
        body=lambda: {"snippet": body},
        tables=lambda: snippet_table(snippet),
        rows=lambda: [body],
        text=lambda: snippet.code,
        warnings=(*notes, *snippet.notes),
    )


def snippet_table(snippet: Any) -> Any:
    """Return a snippet as a table, for Markdown."""
    from decaycalc.report.table import simple_table

    lines = tuple((line,) for line in snippet.code.splitlines())
    return (simple_table(title=f"Code for {snippet.framework}", headers=("code",), rows=lines),)


def shown(measured: "tuple[Measured, ...]", tables: Any) -> Shown:
    """Return recipes in all their shapes."""

    def rows() -> Any:
        from decaycalc.report import recipes as report

        return report.rows(measured)

    def body() -> Any:
        return {"recipes": [entry.to_dict() for entry in measured]}

    return Shown(name="recipes", body=body, tables=tables, rows=rows)
