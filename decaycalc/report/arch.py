"""The inventory of `arch` as tables, and as rows."""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from decaycalc.architecture.groups import Group
from decaycalc.architecture.inventory import Entry, Inventory, Rate
from decaycalc.report.table import Cell, Table, simple_table


def tables(inventory: Inventory, *, depth: int | None = None) -> Iterator[Table]:
    """Yield the tables of totals, of groups and of tensors, the last collapsed to `depth` parts."""
    yield _totals(inventory)
    if len(inventory.groups) > 1:
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


def clean(name: str) -> str:
    """Return a name that a terminal prints as it is, control characters escaped."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()


def _totals(inventory: Inventory) -> Table:
    loss, penalty = inventory.initial_loss, inventory.penalty
    rate = inventory.rate
    with_penalty = rate.strength is not None
    shown: tuple[tuple[Cell, ...], ...] = (
        ("parameters", inventory.architecture.n_parameters),
        ("decayed weights", inventory.n_decayed),
        ("exempt weights", inventory.n_exempt),
        ("decayed tensors", inventory.n_decayed_tensors if inventory.entries else None),
        ("exempt tensors", inventory.n_exempt_tensors if inventory.entries else None),
        ("decay mask", inventory.choice.mask),
        ("expected Σw² at initialisation", inventory.sum_of_squares),
        ("measured Σw²", inventory.measured_sum_of_squares),
        ("strength λ*", rate.strength),
        ("shrink per step", rate.shrink),
        ("shrink per step of BA, towards the base", inventory.product_shrink),
        ("penalty ½λ*Σw²", penalty if with_penalty else None),
        ("initial loss, ln C", loss),
        ("penalty / initial loss", penalty / loss if with_penalty and penalty and loss else None),
        ("RMS at equilibrium, normalised layers", rate.equilibrium_rms),
    )
    known = tuple(row for row in shown if row[1] is not None)
    name = clean(inventory.architecture.name)
    return simple_table(title=f"{name}", headers=("", "value"), rows=known, numeric=("value",))


def _groups(inventory: Inventory) -> Table:
    headers = ("group", "decay ×", "lr ×", "tensors", "weights", "shrink per step")
    body = tuple(_group(inventory.group_row(*pair)) for pair in _pairs(inventory))
    return simple_table(title="Groups", headers=headers, rows=body, numeric=headers[1:])


def _pairs(inventory: Inventory) -> Iterable[tuple[Group, Rate]]:
    return zip(inventory.groups, inventory.rates, strict=True)


def _group(row: Mapping[str, object]) -> tuple[Cell, ...]:
    names = ("name", "decay_mult", "lr_mult", "n_tensors", "n_weights", "shrink")
    return tuple(cast("Cell", row[name]) for name in names)


def _tensors(inventory: Inventory) -> Table:
    headers = ["tensor", "shape", "weights", "role", "decayed", "Σw² at init"]
    measured = inventory.measured_sum_of_squares is not None
    priced = inventory.rate.strength is not None
    headers += [*(["measured Σw²", "RMS"] if measured else []), *(["penalty"] if priced else [])]

    def line(entry: Entry) -> tuple[Cell, ...]:
        tensor = entry.tensor
        return (
            clean(tensor.name),
            show_shape(tensor.shape),
            tensor.n_weights,
            tensor.role.value,
            entry.is_decayed,
            tensor.sum_of_squares,
            *((entry.measured_sum_of_squares, entry.measured_rms) if measured else ()),
            *((entry.penalty,) if priced else ()),
        )

    body = tuple(line(entry) for entry in inventory.entries)
    numeric = ("weights", "Σw² at init", "measured Σw²", "RMS", "penalty")
    return simple_table(title="Tensors", headers=tuple(headers), rows=body, numeric=numeric)


def _modules(inventory: Inventory, depth: int) -> Table:
    """Return the tensors summed over the first `depth` parts of their names."""
    modules: dict[str, list[Entry]] = {}
    for entry in inventory.entries:
        parts = entry.tensor.name.replace("/", ".").split(".")
        modules.setdefault(".".join(parts[:depth]), []).append(entry)
    headers = ("module", "tensors", "weights", "decayed weights", "Σw² of decayed")
    body = tuple(_module(name, entries) for name, entries in modules.items())
    return simple_table(title="Modules", headers=headers, rows=body, numeric=headers[1:])


def _module(name: str, entries: list[Entry]) -> tuple[Cell, ...]:
    kept = [entry for entry in entries if entry.is_decayed]
    squares = [entry.known_sum_of_squares for entry in kept]
    total = None if None in squares else sum(number for number in squares if number is not None)
    return (
        clean(name),
        len(entries),
        sum(entry.tensor.n_weights for entry in entries),
        sum(entry.tensor.n_weights for entry in kept),
        total,
    )
