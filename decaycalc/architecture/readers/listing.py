"""Lists of names and shapes, as any framework can dump them: JSON, JSONL, CSV, TOML."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from decaycalc.architecture.guess import guess_tensors
from decaycalc.architecture.name_words import norm_kind
from decaycalc.architecture.readers.bounds import (
    check_count,
    check_name,
    check_shape,
    check_trained,
)
from decaycalc.architecture.restacking import from_names
from decaycalc.architecture.tensors import MOST_DIMENSIONS, Architecture, Role, Tensor
from decaycalc.errors import UnreadableFileError, shown
from decaycalc.files.json_text import parse_json
from decaycalc.record import replace

Pair = tuple[str, tuple[int, ...], str]
"""Name, shape, and role or an empty text."""
Leaf = tuple[tuple[str, ...], object, object]
"""The keys to a leaf of a tree, its shape and its role."""
PAIR = 2
MOST_NESTED = 100  # tables in tables; the deepest networks have some ten
METADATA = "__metadata__"  # a safetensors header's own, written out as JSON
LONGEST_NAME = 4096  # characters; the names that frameworks make have some hundred


def architecture_of(
    pairs: list[Pair], path: str, *, name: str = "", classes: int | None = None
) -> Architecture:
    """Return the architecture of listed tensors; roles that are not given are told by name.

    Raises:
        UnreadableFileError: none or too many tensors, or a name that stands twice.
        InvalidValueError: an absurd shape.
    """
    check_count(len(pairs), path)
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise UnreadableFileError(path, "a tensor's name stands twice")
    guessed = guess_tensors((name, shape) for name, shape, _ in pairs)
    check_trained(len(guessed), path)
    roles = {name: role for name, _, role in pairs if role}
    tensors = tuple(_with_role(tensor, roles.get(tensor.name, "")) for tensor in guessed)
    return from_names(name or path, tensors, classes)


def _with_role(tensor: Tensor, role: str) -> Tensor:
    if not role or role == tensor.role:
        return tensor
    kind = norm_kind(tensor.layer) if role == Role.NORM else ""
    return replace(tensor, role=Role(role), norm_kind=kind)


def pairs_of_json(value: object, path: str) -> list[Pair]:
    """Return names and shapes of `{name: shape}`, `[[name, shape]]` or `[{name, shape}]`.

    An object with `tensors` or `parameters` is read as what stands there; the names of a tree, as
    Flax and Haiku keep their parameters, are joined.

    Raises:
        UnreadableFileError: it is none of these.
    """
    if isinstance(value, dict):
        for key in ("tensors", "parameters"):
            if isinstance(value.get(key), list | dict):
                return pairs_of_json(value[key], path)
        return _joined(value, path)
    if isinstance(value, list):
        return [pair_of_json(entry, path) for entry in value]
    raise UnreadableFileError(path, "expected an object or a list of names and shapes")


def _joined(tree: dict[str, object], path: str) -> list[Pair]:
    """Return the leaves of a tree under their whole names: with dots as torch has them, or slashes.

    Raises:
        UnreadableFileError: it is no tree of shapes.
    """
    leaves = list(_leaves(tree, (), path))
    mark = "." if any(keys[-1] == "weight" for keys, _, _ in leaves) else "/"
    return [_pair(mark.join(keys), shape, role, path) for keys, shape, role in leaves]


def _leaves(tree: dict[str, object], above: tuple[str, ...], path: str) -> Iterator[Leaf]:
    """Yield where the leaves of a tree are, which are shapes or tables with a `shape`.

    Raises:
        UnreadableFileError: the tree is nested deeper than any network.
    """
    for key, entry in tree.items():
        keys = (*above, key)
        if not isinstance(entry, dict):
            yield keys, entry, ""
        elif isinstance(entry.get("shape"), list | str):
            yield keys, entry["shape"], entry.get("role", "")
        elif len(keys) == MOST_NESTED:
            raise UnreadableFileError(path, f"its tables are nested deeper than {MOST_NESTED}")
        elif keys != (METADATA,):
            yield from _leaves(entry, keys, path)


def pair_of_json(entry: object, path: str) -> Pair:
    """Return name and shape of `[name, shape]` or `{"name": ..., "shape": ...}`.

    Raises:
        UnreadableFileError: it is neither.
    """
    if isinstance(entry, list) and len(entry) == PAIR:
        return _pair(entry[0], entry[1], "", path)
    if isinstance(entry, dict) and "name" in entry and "shape" in entry:
        return _pair(entry["name"], entry["shape"], entry.get("role", ""), path)
    raise UnreadableFileError(path, f"{shown(entry, 60)} is no name and shape")


def _pair(name: object, shape: object, role: object, path: str) -> Pair:
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise UnreadableFileError(path, f"{shown(name, 60)} is not a tensor's name")
    check_name(name, path)
    if role and role not in list(Role):
        roles = ", ".join(Role)
        raise UnreadableFileError(path, f"role {shown(role, 40)} is none of {roles}")
    if isinstance(shape, str):
        return name, parse_shape(shape, name, path), str(role or "")
    if isinstance(shape, int) and not isinstance(shape, bool):
        shape = [shape]
    return name, check_shape(shape, name, path), str(role or "")


def parse_shape(text: str, name: str, path: str) -> tuple[int, ...]:
    """Return the shape that a text spells: `64x3x7x7`, `(64, 3)`, `[64, 3]`, `64 3`.

    Raises:
        UnreadableFileError: it spells none.
    """
    inner = text.strip().removeprefix("torch.Size").strip("()[] ")
    words = inner.replace("x", " ").replace(",", " ").replace("×", " ").split()
    sound = all(word.isascii() and word.isdigit() and len(word) <= 18 for word in words)  # noqa: PLR2004 - digits below 1e18
    if not sound or bool(inner) != bool(words) or len(words) > MOST_DIMENSIONS:
        reason = f"shape of {name[:80]!r} is {text[:60]!r}, expected sizes like 64x3"
        raise UnreadableFileError(path, reason)
    return tuple(int(word) for word in words)


def read_jsonl(text: str, path: str) -> Architecture:
    """Return the architecture of one name and shape a line.

    Raises:
        UnreadableFileError: a line is malformed.
        InvalidValueError: an absurd shape.
    """
    values = [parse_json(line, path) for line in text.splitlines() if line.strip()]
    return architecture_of([pair_of_json(value, path) for value in values], path)


def read_csv(text: str, path: str) -> Architecture:
    """Return the architecture of rows `name,shape[,role]`, with or without that header.

    Raises:
        UnreadableFileError: a row is malformed.
        InvalidValueError: an absurd shape.
    """
    delimiter = "\t" if path.lower().endswith(".tsv") else ","
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error as error:
        raise UnreadableFileError(path, f"not CSV: {error}") from None
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    columns = ["name", "shape", "role"]
    if "name" in header and "shape" in header:
        columns, rows = header, rows[1:]
    return architecture_of([_row(row, columns, path) for row in rows], path)


def _row(row: list[str], columns: list[str], path: str) -> Pair:
    cells = dict(zip(columns, row, strict=False))
    if "name" not in cells or "shape" not in cells:
        raise UnreadableFileError(path, f"row {','.join(row)[:60]!r} lacks a name or a shape")
    return _pair(cells["name"], cells["shape"], cells.get("role", ""), path)


def read_document(value: Any, path: str) -> Architecture:
    """Return the architecture of a parsed document: names and shapes, or `layers`.

    Raises:
        UnreadableFileError: the document is neither.
        InvalidValueError: an absurd shape.
    """
    if isinstance(value, dict) and not isinstance(value.get("layers", {}), dict):
        # Imported here: few documents describe layers.
        from decaycalc.architecture.readers.layers import read_layers  # noqa: PLC0415

        return read_layers(value, path)
    if not isinstance(value, dict) or not isinstance(value.get("tensors"), list | dict):
        return architecture_of(pairs_of_json(value, path), path)
    name, classes = value.get("name"), value.get("classes")
    whole = isinstance(classes, int) and not isinstance(classes, bool)
    return architecture_of(
        pairs_of_json(value, path),
        path,
        name=name if isinstance(name, str) else "",
        classes=classes if whole else None,
    )
