"""Tied tensors that a checkpoint stores twice, and so are counted twice.

A model that uses its table of words as its output layer too has these weights once; some writers
store them under both names. The configuration beside the checkpoint says so, else equal values do.
"""

from pathlib import Path
from typing import BinaryIO

from decaycalc.architecture.readers.stored import Checkpoint, Stored
from decaycalc.errors import UnreadableFileError
from decaycalc.files.json_text import parse_json
from decaycalc.files.text import read_text

TABLES = ("shared", "embed_tokens", "wte", "word_embeddings", "embed_in", "tok_embeddings")
OUTPUTS = ("lm_head", "embed_out", "proj_out", "decoder", "vocab_projector", "output")
_SAMPLE = 4096  # bytes at each of some places: all of a matrix would take as long as measuring it
_SAMPLES = 5


def stored_twice(checkpoint: Checkpoint) -> str:
    """Return one line about tensors that are tied yet stored twice, nothing where there are none.

    The totals are left as the file has them.
    """
    table = _table(checkpoint.stored)
    copies = [entry for entry in checkpoint.stored if table and _is_like(entry, table)]
    if table is None or not copies:
        return ""
    tied = _says_tied(copies[0].path)
    found = [entry for entry in copies if _is_tied(entry, table, tied)]
    if not found:
        return ""
    names = ", ".join(repr(entry.name[:80]) for entry in found)
    why = "config.json ties the two" if tied else "the values are the same"
    n_weights = sum(_size(entry) for entry in found)
    return (
        f"{names} stands beside {table.name[:80]!r}, and {why}: "
        f"{n_weights} weights are counted once more than the model has them"
    )


def _leaf(entry: Stored) -> str:
    """Return a tensor's layer without what it is in, `lm_head` for `model.lm_head.weight`."""
    return entry.name.removesuffix(".weight").rpartition(".")[2]


def _table(stored: tuple[Stored, ...]) -> Stored | None:
    """Return the table of words, None where no tensor is called so."""
    by_leaf = {_leaf(entry): entry for entry in reversed(stored) if len(entry.shape) == 2}  # noqa: PLR2004  (words, width)
    return next((by_leaf[name] for name in TABLES if name in by_leaf), None)


def _is_like(entry: Stored, table: Stored) -> bool:
    """Return whether another tensor may be the table again, by its name and shape."""
    named = _leaf(entry) in {*OUTPUTS, *TABLES} and entry.name != table.name
    return named and entry.shape == table.shape and entry.dtype == table.dtype


def _is_tied(entry: Stored, table: Stored, tied: bool | None) -> bool:  # noqa: FBT001  (three-valued)
    """Return whether a tensor is the table again: as the configuration says, else by its values."""
    if tied is not None and _leaf(entry) in OUTPUTS:
        return tied
    return _are_alike(entry, table)


def _says_tied(path: str) -> bool | None:
    """Return what `tie_word_embeddings` says in the config.json beside a file, None if nothing."""
    try:
        place = str(Path(path).parent / "config.json")
        config = parse_json(read_text(place), place)
    except UnreadableFileError:
        return None
    value = config.get("tie_word_embeddings") if isinstance(config, dict) else None
    return value if isinstance(value, bool) else None


def _are_alike(one: Stored, other: Stored) -> bool:
    """Return whether samples of two tensors' bytes are equal, and not all the same value."""
    if one.member or one.pieces:  # both are of one file
        return False
    ours, theirs = (_samples(entry) for entry in (one, other))
    return ours == theirs and len(set(ours)) > 1


def _samples(entry: Stored) -> bytes:
    """Return some bytes of a tensor's beginning, middle and end; none where they are not read."""
    places = [(entry.n_bytes - _SAMPLE) * index // (_SAMPLES - 1) for index in range(_SAMPLES)]
    try:
        with Path(entry.path).open("rb") as stream:
            return b"".join(_at(stream, entry.offset + max(0, place), entry) for place in places)
    except OSError:
        return b""


def _at(stream: BinaryIO, place: int, entry: Stored) -> bytes:
    stream.seek(place)
    return stream.read(min(_SAMPLE, entry.n_bytes))


def _size(entry: Stored) -> int:
    return entry.shape[0] * entry.shape[1]
