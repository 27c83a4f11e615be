"""The recipes as one table in a common unit, and one recipe whole."""

from collections.abc import Iterator, Mapping

from decaycalc.algebra.quantity import exact
from decaycalc.report.table import Cell, Table, simple_table
from decaycalc.training.published.measured import Measured
from decaycalc.training.trainers import Imported

_HEADERS = (
    "name", "convention", "value", "lr", "shrink per step", "timescale, epochs",
    "timescale / run", "Σ shrink", "survival",
)  # fmt: skip


def listing(measured: tuple[Measured, ...]) -> Iterator[Table]:
    """Yield all recipes, a row each."""
    yield simple_table(
        title="Recipes",
        headers=_HEADERS,
        rows=tuple(_row(entry) for entry in measured),
        numeric=_HEADERS[2:],
        note="shrink is that of one step at peak lr, to first order; timescale = 1/shrink; "
        "Σ and survival follow the schedule; * read as AdamW, - not stated",
    )


def _row(entry: Measured) -> tuple[Cell, ...]:
    recipe = entry.recipe
    mark = "*" if recipe.read_as else ""
    return (
        recipe.name,
        (recipe.convention or "-") + mark,
        None if recipe.value is None else float(exact(recipe.value)),
        None if recipe.lr is None else float(recipe.lr),
        entry.shrink,
        entry.timescale_epochs,
        entry.timescale_run_fraction,
        entry.sum_shrink,
        entry.survival,
    )


def whole(entry: Measured, imported: Imported | None = None) -> Iterator[Table]:
    """Yield one recipe, a line a field, and the layers that have multipliers of their own."""
    recipe = entry.recipe
    run = recipe.run().to_dict()
    known = ("lr", "momentum", "dampening", "nesterov", "batch_size", "dataset_size", "epochs",
             "steps", "steps_per_epoch", "loss")  # fmt: skip
    shown: list[tuple[str, Cell]] = [
        ("convention", recipe.convention),
        ("read as", recipe.read_as),
        ("value", None if recipe.value is None else float(exact(recipe.value))),
        *((name, run[name]) for name in known if run.get(name)),
        ("counted in", recipe.unit),
        ("schedule", recipe.schedule),
        ("betas", None if recipe.betas is None else ", ".join(recipe.betas)),
        ("eps", recipe.eps),
        ("exempt", recipe.exempt),
        ("parameters", recipe.n_parameters),
        ("shrink per step at peak lr", entry.shrink),
        ("timescale, steps", entry.timescale_steps),
        ("timescale, epochs", entry.timescale_epochs),
        ("timescale, fraction of the run", entry.timescale_run_fraction),
        ("Σ shrink under the schedule", entry.sum_shrink),
        ("survival of an undriven weight", entry.survival),
        ("source", recipe.source),
        ("note", recipe.note),
    ]
    rows = tuple(row for row in shown if row[1] is not None and row[1] != "")
    title = f"{recipe.name}: {recipe.title}"
    yield simple_table(title=title, headers=("field", "value"), rows=rows)
    if imported is not None and imported.multipliers:
        yield simple_table(
            title="Multipliers by tensor",
            headers=("tensor", "lr_mult", "decay_mult"),
            rows=tuple((m.layer, m.lr_mult, m.decay_mult) for m in imported.multipliers),
        )


def rows(measured: tuple[Measured, ...]) -> list[Mapping[str, object]]:
    """Return one flat row a recipe, for CSV and JSON lines."""
    return [
        {name: value for name, value in entry.to_dict().items() if name != "run"}
        | {f"run_{name}": value for name, value in entry.recipe.run().to_dict().items()}
        for entry in measured
    ]
