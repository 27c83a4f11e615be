"""The recipes as one table in a common unit, and one recipe whole."""

from collections.abc import Iterator, Mapping

from decaycalc.algebra.number import plural
from decaycalc.algebra.quantity import exact
from decaycalc.errors import escaped
from decaycalc.report.digits import of_run, show
from decaycalc.report.heading import counted
from decaycalc.report.table import (
    Block,
    Cell,
    Column,
    Kind,
    Marked,
    Paragraph,
    Rank,
    Table,
    Tone,
)
from decaycalc.training.published.measured import MeasuredRecipe
from decaycalc.training.record import Sourced, Training

_COLUMNS = (
    Column(header="Recipes"),
    Column(header="timescale, epochs", kind=Kind.READ, tone=Tone.VALUE),
    Column(header="of the run", kind=Kind.SHARE, rank=Rank.USEFUL),
    Column(header="weight left", kind=Kind.SHARE, rank=Rank.USEFUL),
    Column(header="λ", kind=Kind.COPIED),
    Column(header="lr", kind=Kind.COPIED, rank=Rank.USEFUL),
    Column(header="convention", rank=Rank.USEFUL),
    Column(header="decay per step", kind=Kind.READ, rank=Rank.EXTRA),
    Column(header="sum of the decays", kind=Kind.READ, rank=Rank.EXTRA),
)
_NOTE = (
    "Timescale and decay per step at peak lr; weight left and the sum follow the schedule. "
    "* read as AdamW, - not stated. A NAME shows one whole, --near EPOCHS the nearest."
)


def listing(measured: tuple[MeasuredRecipe, ...]) -> Iterator[Block]:
    """Yield what the recipes range over, then all of them, a row each."""
    yield Paragraph(text=_range(measured), tone=Tone.VALUE)
    rows = tuple(_row(entry) for entry in measured)
    yield Table(title="Recipes", columns=_COLUMNS, rows=rows, note=_NOTE)
    read = sum("@" in entry.recipe.checked for entry in measured)
    yield Paragraph(
        text=f"{read} of {len(measured)} read again in their own files, at the commit that "
        "each one names; the others rest on papers and model cards",
        tone=Tone.QUIET,
    )


def _range(measured: tuple[MeasuredRecipe, ...]) -> str:
    """Return how many recipes there are, and between which timescales."""
    known = [entry.timescale_epochs for entry in measured if entry.timescale_epochs]
    count = counted(len(measured), "published run")
    if not known:
        return count
    if len(known) == 1:
        return f"{count}, timescale {show(known[0])} {plural(known[0], 'epoch')}"
    return f"{count}, timescales from {show(min(known))} to {show(max(known))} epochs"


def _row(entry: MeasuredRecipe) -> tuple[Cell, ...]:
    recipe = entry.recipe
    mark = "*" if recipe.read_as else ""
    return (
        recipe.name,
        entry.timescale_epochs,
        entry.timescale_run_fraction,
        entry.survival,
        None if recipe.value is None else float(exact(recipe.value)),
        None if recipe.lr is None else float(exact(recipe.lr)),
        (recipe.convention or "-") + mark,
        entry.shrink,
        entry.sum_shrink,
    )


def readings(
    measured: tuple[MeasuredRecipe, ...], trainings: tuple[Training, ...]
) -> Iterator[Block]:
    """Yield a run whole, in each reading that its file leaves open."""
    for entry, training in zip(measured, trainings, strict=True):
        yield from whole(entry, training)


def whole(entry: MeasuredRecipe, training: Training | None = None) -> Iterator[Block]:
    """Yield one recipe, a line a field, and the layers that have multipliers of their own."""
    recipe = entry.recipe
    yield Paragraph(text=f"{recipe.name}: {recipe.title}", tone=Tone.VALUE)
    shown: tuple[tuple[str, Cell], ...] = (
        ("decay per step at peak lr", entry.shrink),
        *_timescales(entry),
        ("sum of the decays under the schedule", entry.sum_shrink),
        ("fraction of the initial weight left", _in(entry.survival, kind=Kind.SHARE)),
        *_settings(entry),
        ("source", recipe.source),
        ("read again in", recipe.checked),
        ("note", recipe.note),
    )
    rows = tuple(row for row in shown if row[1] is not None and row[1] != "")
    columns = (Column(header="field", tone=Tone.QUIET), Column(header="", least=30))
    yield Table(title="field", columns=columns, rows=rows)
    if training is not None and training.kind != "recipe":
        yield origins(training)
        yield from _multipliers(training)


def _timescales(entry: MeasuredRecipe) -> Iterator[tuple[str, Cell]]:
    """Yield the timescale in each unit that it is known in, named once."""
    units = (
        _in(entry.timescale_epochs, "epochs"),
        _in(entry.timescale_steps, "steps"),
        None if entry.timescale_run_fraction is None else of_run(entry.timescale_run_fraction),
    )
    for at, cell in enumerate(filter(None, units)):
        yield ("" if at else "timescale", cell)


def _in(number: float | None, unit: str = "", *, kind: Kind = Kind.READ) -> Marked | None:
    return None if number is None else Marked(content=number, unit=unit, kind=kind)


def _settings(entry: MeasuredRecipe) -> tuple[tuple[str, Cell], ...]:
    """Return what was set for the run."""
    recipe = entry.recipe
    run = recipe.run().to_dict()
    known = ("lr", "momentum", "dampening", "nesterov", "batch_size", "dataset_size", "epochs",
             "steps", "steps_per_epoch", "loss")  # fmt: skip
    return (
        ("convention", recipe.convention),
        ("read as", recipe.read_as),
        ("value", None if recipe.value is None else float(exact(recipe.value))),
        *((name, run[name]) for name in known if run.get(name)),
        ("counted in", recipe.unit),
        ("schedule", recipe.schedule),
        ("decay schedule", recipe.decay_schedule),
        ("betas", None if recipe.betas is None else ", ".join(recipe.betas)),
        ("eps", recipe.eps),
        ("exempt", recipe.exempt),
        ("parameters", recipe.n_parameters),
    )


def origins(training: Training) -> Table:
    """Return each quantity of a file with where it comes from."""
    columns = (
        Column(header="quantity"),
        Column(header="value", tone=Tone.VALUE, least=12),
        Column(header="from"),
        Column(header="where", least=16),
        Column(header="line"),
        Column(header="note", tone=Tone.QUIET, rank=Rank.USEFUL, least=16),
    )
    return Table(
        title="Where each number comes from",
        columns=columns,
        rows=tuple(map(_origin, training.quantities)),
    )


def _origin(found: Sourced) -> tuple[Cell, ...]:
    value = None if found.value is None else escaped(found.value)
    line = None if found.line is None else str(found.line)
    return (found.name, value, found.origin.value, escaped(found.where), line, found.note)


def _multipliers(training: Training) -> Iterator[Table]:
    """Yield the tensors that have multipliers of their own."""
    columns = (
        Column(header="tensor"),
        Column(header="lr ×", kind=Kind.READ),
        Column(header="decay ×", kind=Kind.READ),
    )
    rows = tuple(
        (escaped(group.name), group.lr_mult, group.decay_mult)
        for group in training.groups
        if group.weight_decay is None and group.name == group.selector
    )
    if rows:
        yield Table(title="tensor", columns=columns, rows=rows)


def rows(measured: tuple[MeasuredRecipe, ...]) -> list[Mapping[str, object]]:
    """Return one flat row a recipe, for CSV and JSON lines."""
    return [
        {name: value for name, value in entry.to_dict().items() if name != "run"}
        | {f"run_{name}": value for name, value in entry.recipe.run().to_dict().items()}
        for entry in measured
    ]
