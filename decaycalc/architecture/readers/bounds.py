"""Opening files with care: regular files alone, and counts and shapes that a network may have."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from decaycalc.architecture.tensors import MOST_DIMENSIONS
from decaycalc.errors import UnreadableFileError, shown
from decaycalc.files.text import check_kind

MOST_TENSORS = 200_000  # twice DeepSeek-V3's, whose experts are tensors of their own
# A dimension, or an offset in a file; their products stay small numbers.
LARGEST_SIZE = 10**18
PIECE = 16 * 2**20  # bytes of a tensor that are read at once, so that memory is flat


def regular_file(path: str) -> Path:
    """Return the path of a regular file; a directory, pipe or device is refused unopened.

    Raises:
        UnreadableFileError: it does not exist or is not a regular file.
    """
    check_kind(path)
    return Path(path)


@contextmanager
def opened(path: str) -> Iterator[tuple[BinaryIO, int]]:
    """Give a regular file, open for its bytes, and how many it has.

    Raises:
        UnreadableFileError: it is none, or cannot be read.
    """
    file = regular_file(path)
    try:
        with file.open("rb") as stream:
            yield stream, os.fstat(stream.fileno()).st_size
    except OSError as error:
        raise UnreadableFileError(path, error.strerror or "unknown") from error


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, its kind where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def check_count(count: int, path: str) -> None:
    """Check that a file lists no more tensors than any network has.

    Raises:
        UnreadableFileError: it lists more.
    """
    if count > MOST_TENSORS:
        raise UnreadableFileError(path, f"it lists more than {MOST_TENSORS} tensors")


def check_trained(count: int, path: str) -> None:
    """Check that a file lists some tensor that is trained.

    Raises:
        UnreadableFileError: it lists none.
    """
    if not count:
        raise UnreadableFileError(path, "it lists no trained tensor")


def check_shape(value: object, name: str, path: str) -> tuple[int, ...]:
    """Return a JSON list of dimensions as a shape.

    Each is bounded before anything is multiplied: the product of hundreds of sizes of thousands of
    digits takes seconds.

    Raises:
        UnreadableFileError: it is not a list of whole numbers of 0 or more, or of too many or too
            large ones.
    """
    sound = isinstance(value, list | tuple) and all(
        isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in value
    )
    if not sound or not isinstance(value, list | tuple):
        raise UnreadableFileError(
            path, f"shape of {name[:80]!r} is {shown(value)}, expected a list of sizes"
        )
    if len(value) > MOST_DIMENSIONS or any(size > LARGEST_SIZE for size in value):
        bounds = f"{MOST_DIMENSIONS} sizes of at most {LARGEST_SIZE:.0e}"
        raise UnreadableFileError(path, f"shape of {name[:80]!r} goes past {bounds}")
    return tuple(value)


def check_name(name: str, path: str) -> None:
    """Check that a name can be written out: half of a surrogate pair cannot.

    Raises:
        UnreadableFileError: it cannot.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UnreadableFileError(
            path, f"name {name[:40]!a} is not text that can be written"
        ) from None
