"""Opening files with care: regular files alone, bounded sizes, JSON that is what it claims."""

import json
import stat
from pathlib import Path
from typing import Any, NoReturn

from decaycalc.errors import UnreadableFileError

LARGEST_TEXT = 32 * 2**20
MOST_TENSORS = 200_000


def regular_file(path: str) -> Path:
    """Return the path of a regular file; a directory, pipe or device is refused unopened.

    Raises:
        UnreadableFileError: it does not exist or is no regular file.
    """
    try:
        kind = Path(path).stat().st_mode
    except (OSError, ValueError) as error:
        raise UnreadableFileError(path, _reason(error)) from error
    if stat.S_ISDIR(kind):
        raise UnreadableFileError(path, "it is a directory; name the file in it")
    if not stat.S_ISREG(kind):
        raise UnreadableFileError(path, "it is no regular file")
    return Path(path)


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or "unknown" if isinstance(error, OSError) else str(error)


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, its kind where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def read_text(path: str) -> str:
    """Return a file's text, which must be UTF-8 and at most 32 MiB.

    Raises:
        UnreadableFileError: it is larger, not UTF-8 or not readable.
    """
    file = regular_file(path)
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise UnreadableFileError(path, _reason(error)) from error
    return decode(data, path)


def decode(data: bytes, path: str) -> str:
    """Return UTF-8 bytes as text, without a byte order mark.

    Raises:
        UnreadableFileError: more than 32 MiB, or not UTF-8.
    """
    if len(data) > LARGEST_TEXT:
        raise UnreadableFileError(path, f"it is larger than {LARGEST_TEXT // 2**20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(path, f"byte {error.start + 1} is not UTF-8") from None


def parse_json(text: str, path: str) -> Any:
    """Return the value that a JSON text holds; NaN, Infinity and duplicate keys are refused.

    Raises:
        UnreadableFileError: it is no such text.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise UnreadableFileError(path, "its JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableFileError(path, f"not JSON: {error.msg} at {where}") from None
    except ValueError as error:
        raise UnreadableFileError(path, f"not JSON: {str(error)[:120]}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {double[:60]!r} stands twice")
    return values


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


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

    Raises:
        UnreadableFileError: it is no list of whole numbers of 0 or more.
    """
    sound = isinstance(value, list | tuple) and all(
        isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in value
    )
    if not sound or not isinstance(value, list | tuple):
        raise UnreadableFileError(
            path, f"shape of {name[:80]!r} is {repr(value)[:60]}, expected a list of sizes"
        )
    return tuple(value)
