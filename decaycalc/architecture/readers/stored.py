"""Tensors with values on disk, and the architecture that they make."""

from collections.abc import Callable, Iterator

from decaycalc.architecture.guess import guess_tensors
from decaycalc.architecture.readers.bounds import check_count, check_trained
from decaycalc.architecture.restacking import from_names
from decaycalc.architecture.tensors import Architecture
from decaycalc.errors import UnreadableFileError
from decaycalc.record import Record


class Stored(Record):
    """Where one tensor's values stand: `n_bytes` from `offset` in the file `path`.

    `dtype` is safetensors' name of the number format (`F32`, `BF16`, ...). A `member` is a name
    within an archive, in which case `offset` counts from the member's beginning. `pieces` reads
    the values itself, piece by piece, where a package knows the way to them.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    path: str
    offset: int
    n_bytes: int
    member: str = ""
    pieces: Callable[[], Iterator[bytes]] | None = None


class Checkpoint(Record):
    """An architecture read from a file, with the place of each of its tensors' values.

    `stored` has one entry for each tensor of the architecture, in the same order.
    """

    architecture: Architecture
    stored: tuple[Stored, ...]


def check_place(entry: Stored, size: int) -> None:
    """Check that a tensor's values lie within a file of `size` bytes.

    Raises:
        UnreadableFileError: they do not.
    """
    if entry.offset + entry.n_bytes > size:
        reason = f"tensor {entry.name[:80]!r} goes past the end of its {size} bytes"
        raise UnreadableFileError(entry.path, reason)


# Formats of whole numbers hold indices, masks or packed weights: nothing that is trained as is.
WHOLE_DTYPES = frozenset({"BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64"})


def make_checkpoint(stored: list[Stored], path: str) -> Checkpoint:
    """Return the trained tensors among the stored ones, statistics and whole numbers left out.

    Raises:
        UnreadableFileError: none is trained, or there are too many.
        InvalidValueError: a tensor is absurdly large.
    """
    check_count(len(stored), path)
    real = [entry for entry in stored if entry.dtype not in WHOLE_DTYPES]
    tensors = guess_tensors((entry.name, entry.shape) for entry in real)
    check_trained(len(tensors), path)
    trained = {tensor.name for tensor in tensors}
    kept = tuple(entry for entry in real if entry.name in trained)
    return Checkpoint(architecture=from_names(path, tensors), stored=kept)
