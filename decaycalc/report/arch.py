"""The inventory of `arch`: what decays and what is exempt at a glance, then groups and tensors."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from math import exp
from typing import cast

from decaycalc.architecture.inventory import Entry, Inventory
from decaycalc.architecture.penalty import add
from decaycalc.conversion.assumptions import Assumption
from decaycalc.errors import escaped
from decaycalc.report import heading
from decaycalc.report.digits import show
from decaycalc.report.fold import fold_names
from decaycalc.report.groups import named
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

_MOST_GROUPS = 2  # as many as the summary says already: decayed and exempt


def tables(
    inventory: Inventory, *, depth: int | None = None, assumptions: tuple[Assumption, ...] = ()
) -> Iterator[Block]:
    """Yield the summary, groups with factors of their own, and the tensors, names folded.

    `depth` sums the tensors over so many parts of their names instead; 0 leaves them out.
    """
    yield _summary(inventory)
    if assumptions:
        yield Paragraph(text=heading.assumed(assumptions), tone=Tone.QUIET, apart=False)
    if inventory.entries and (len(inventory.groups) > _MOST_GROUPS or _has_factors(inventory)):
        yield _groups(inventory)
    if inventory.entries and depth != 0:
        yield _tensors(inventory) if depth is None else _modules(inventory, depth)


def rows(inventory: Inventory) -> list[Mapping[str, object]]:
    """Return one row a tensor, for CSV and JSON lines; its shape as a text."""
    return [
        {**inventory.row(entry), "shape": show_shape(entry.tensor.shape)}
        for entry in inventory.entries
    ] or [{"name": inventory.architecture.name, "n_weights": inventory.n_decayed, "decayed": True}]


def show_shape(shape: tuple[int, ...]) -> str:
    """Return a shape as text, `64x3x7x7`; a scalar's is empty."""
    return "x".join(map(str, shape))


def _summary(inventory: Inventory) -> Table:
    """Return how much decays and how much is exempt, and what the decay does."""
    name = escaped(inventory.architecture.name)
    kept = [entry for entry in inventory.entries if entry.is_decayed]
    exempt = [entry for entry in inventory.entries if not entry.is_decayed]
    every = len(inventory.entries) or None
    columns = (
        Column(header=name, least=12),
        Column(header="tensors", kind=Kind.READ),
        Column(header="weights", kind=Kind.READ, tone=Tone.VALUE),
        Column(header="share", kind=Kind.SHARE, rank=Rank.USEFUL),
        Column(header="which", least=20),
    )
    total = inventory.architecture.n_parameters
    body: tuple[tuple[Cell, ...], ...] = (
        ("decayed", len(kept) if every else None, *_part(inventory.n_decayed, total), _roles(kept)),
        ("exempt", len(exempt) if every else None, *_part(inventory.n_exempt, total),
         _roles(exempt)),
        ("all", every, total, "", _chosen(inventory)),
    )  # fmt: skip
    return Table(title=name, columns=columns, rows=body, note=_figures(inventory))


def _chosen(inventory: Inventory) -> str:
    """Return the mask and, where the network is a class of transformers, that class."""
    name = inventory.architecture.class_name
    return f"by the mask {inventory.choice.mask}" + (f"; of {name}" if name else "")


def _part(number: int, total: int) -> tuple[Cell, Cell]:
    return number, number / total


def _roles(entries: list[Entry]) -> str:
    """Return the numbers of tensors by role, `49 bias, 49 norm`."""
    counts = Counter(entry.tensor.role.value for entry in entries)
    return ", ".join(f"{count:,} {role}" for role, count in counts.most_common()) or "-"


def _figures(inventory: Inventory) -> str:
    """Return what the decay does and how large the penalty is, as far as it is known."""
    rate, loss, penalty = inventory.rate, inventory.initial_loss, inventory.penalty
    priced = penalty if rate.strength is not None else None
    share = priced / loss if priced is not None and loss else None
    known = (
        ("decay per step", rate.shrink, Kind.READ),
        ("of BA, towards the base", inventory.product_shrink, Kind.READ),
        ("λ of ½λΣw²", rate.strength, Kind.COPIED),
        ("Σw² at init", inventory.sum_of_squares, Kind.READ),
        ("measured Σw²", inventory.measured_sum_of_squares, Kind.READ),
        ("penalty", priced, Kind.READ),
        ("of the initial loss", share, Kind.SHARE),
        ("RMS of normalised layers at equilibrium", rate.equilibrium_rms, Kind.READ),
    )
    parts = [f"{name} {show(number, kind)}" for name, number, kind in known if number is not None]
    parts += [] if loss is None else [f"initial loss ln {show(round(exp(loss)))} = {show(loss)}"]
    return " · ".join(parts)


def _has_factors(inventory: Inventory) -> bool:
    """Return whether a group's decay or lr is multiplied."""
    plain = {None, 0.0, 1.0}
    return any(not {entry.decay_mult, entry.lr_mult} <= plain for entry in inventory.entries)


def _groups(inventory: Inventory) -> Table:
    columns = (
        Column(header="Groups"),
        Column(header="decay ×", kind=Kind.READ),
        Column(header="lr ×", kind=Kind.READ),
        Column(header="tensors", kind=Kind.READ),
        Column(header="weights", kind=Kind.READ),
        Column(header="decay per step", kind=Kind.READ, tone=Tone.VALUE),
    )
    pairs = zip(inventory.groups, inventory.rates, strict=True)
    body = tuple(_group(inventory.group_row(*pair)) for pair in pairs)
    return Table(title="Groups", columns=columns, rows=body)


def _group(row: Mapping[str, object]) -> tuple[Cell, ...]:
    names = ("decay_mult", "lr_mult", "n_tensors", "n_weights", "shrink")
    return (named(row), *(cast("Cell", row[name]) for name in names))


def _tensors(inventory: Inventory) -> Table:
    """Return the tensors; those that differ by a number in their name share a row."""
    measured = inventory.measured_sum_of_squares is not None
    priced = inventory.rate.strength is not None
    columns = (
        Column(header="Tensors"),
        Column(header="shape", rank=Rank.USEFUL),
        Column(header="weights", kind=Kind.READ, rank=Rank.USEFUL),
        Column(header="role", rank=Rank.USEFUL),
        Column(header="decays"),
        Column(header="Σw² at init", kind=Kind.READ, rank=Rank.USEFUL),
        *((Column(header="measured Σw²", kind=Kind.READ),) if measured else ()),
        *((Column(header="RMS", kind=Kind.READ, rank=Rank.EXTRA),) if measured else ()),
        *((Column(header="penalty", kind=Kind.READ),) if priced else ()),
    )
    entries = inventory.entries
    folds = fold_names([entry.tensor.name for entry in entries], list(map(_alike, entries)))
    body = tuple(
        _line(
            fold.name, [entries[place] for place in fold.members], measured=measured, priced=priced
        )
        for fold in folds
    )
    return Table(title="Tensors", columns=columns, rows=body)


def _alike(entry: Entry) -> Hashable:
    """Return what tensors have in common that share a row."""
    return entry.tensor.shape, entry.tensor.role, entry.decay_mult, entry.tensor.sum_of_squares


def _line(name: str, entries: list[Entry], *, measured: bool, priced: bool) -> tuple[Cell, ...]:
    """Return the row of one tensor, or the sums of several that are alike."""
    first = entries[0]
    n_weights = sum(entry.tensor.n_weights for entry in entries)
    squares = add(entry.measured_sum_of_squares for entry in entries)
    rms = (squares / n_weights) ** 0.5 if squares is not None and n_weights else None
    return (
        name,
        show_shape(first.tensor.shape),
        n_weights,
        first.tensor.role.value,
        _decays(first),
        add(entry.tensor.sum_of_squares for entry in entries),
        *((squares, rms) if measured else ()),
        *((add(entry.penalty for entry in entries),) if priced else ()),
    )


def _decays(entry: Entry) -> Marked:
    if not entry.is_decayed:
        return Marked(content="exempt", tone=Tone.PARTIAL)
    factor = entry.decay_mult
    return Marked(content="yes" if factor in {None, 1} else f"× {show(float(factor or 0))}")


def _modules(inventory: Inventory, depth: int) -> Table:
    """Return the tensors summed over the first `depth` parts of their names."""
    modules: dict[str, list[Entry]] = {}
    for entry in inventory.entries:
        parts = entry.tensor.name.replace("/", ".").split(".")
        modules.setdefault(".".join(parts[:depth]), []).append(entry)
    columns = (
        Column(header="Modules"),
        Column(header="tensors", kind=Kind.READ),
        Column(header="weights", kind=Kind.READ),
        Column(header="decayed weights", kind=Kind.READ),
        Column(header="Σw² of decayed", kind=Kind.READ, rank=Rank.USEFUL),
    )
    body = tuple(_module(name, entries) for name, entries in modules.items())
    return Table(title="Modules", columns=columns, rows=body)


def _module(name: str, entries: list[Entry]) -> tuple[Cell, ...]:
    kept = [entry for entry in entries if entry.is_decayed]
    return (
        name,
        len(entries),
        sum(entry.tensor.n_weights for entry in entries),
        sum(entry.tensor.n_weights for entry in kept),
        add(entry.known_sum_of_squares for entry in kept),
    )
