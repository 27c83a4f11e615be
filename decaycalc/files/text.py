"""The one reader of text files: what may be opened, how much of it is read, and its encoding.

Written with os and open, not pathlib: the configuration is read at every start, and pathlib is a
seventh of one.
"""

import os
import stat
import sys
from functools import lru_cache
from io import BufferedReader
from typing import BinaryIO

from decaycalc.errors import UnreadableFileError

LARGEST_TEXT = 32 * 2**20
"""Bytes; the largest tokenizer-sized configurations and lists of tensors are a third of it."""

STDIN = "-"
_STDIN_NAME = "stdin"
_PATIENCE = 3.0  # seconds that a named pipe is waited for until somebody opens it for writing


def name_of(path: str) -> str:
    """Return what a file is called wherever it is spoken of: standard input by its name.

    >>> name_of("-"), name_of("run.sh")
    ('stdin', 'run.sh')
    """
    return _STDIN_NAME if path == STDIN else path


def read_text(
    path: str, *, largest: int = LARGEST_TEXT, streams: bool = False, stdin: bool = False
) -> str:
    """Return a file's text: UTF-8, without a byte order mark, at most `largest` bytes.

    A regular file always is read; a pipe (`<(...)`, a FIFO) or a device where `streams` says that a
    stream makes sense; standard input by the name `-` where `stdin` does.

    Raises:
        UnreadableFileError: it is none of these, larger, not UTF-8, or cannot be read.
    """
    data = read_bytes(path, largest=largest, streams=streams, stdin=stdin)
    return decode(data, name_of(path) if stdin else path)


def read_bytes(
    path: str, *, largest: int = LARGEST_TEXT, streams: bool = False, stdin: bool = False
) -> bytes:
    """Return a file's bytes, at most `largest`; what may be read is as `read_text` says.

    Raises:
        UnreadableFileError: as `read_text`, but for the encoding.
    """
    from_stdin = stdin and path == STDIN
    name = name_of(path) if from_stdin else path
    try:
        data = _stdin() if from_stdin else _open(path, largest, streams=streams)
    except (OSError, ValueError) as error:
        raise UnreadableFileError(name, reason_of(error)) from error
    if len(data) > largest:
        raise UnreadableFileError(name, f"larger than {_size(largest)}")
    return data


def _open(path: str, largest: int, *, streams: bool) -> bytes:
    check_kind(path, streams=streams)
    with open_stream(path) as file:
        return file.read(largest + 1)


def open_stream(path: str) -> BufferedReader:
    """Return a file open for reading bytes; a named pipe is not waited for without end.

    Raises:
        UnreadableFileError: a pipe that nobody writes to.
        OSError: it cannot be opened.
    """
    if not stat.S_ISFIFO(os.stat(path).st_mode):  # noqa: PTH116
        return open(path, "rb")  # noqa: PTH123
    # Imported here: a pipe is rare.
    from select import select  # noqa: PLC0415

    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    ready, _, _ = select([pipe], [], [], _PATIENCE)
    if not (ready or _has_writer(pipe)):
        os.close(pipe)
        raise UnreadableFileError(path, "a pipe that nobody writes to")
    os.set_blocking(pipe, True)
    return os.fdopen(pipe, "rb")


def _has_writer(pipe: int) -> bool:
    """Return whether an empty pipe is open for writing: reading it is its end if it is not."""
    try:
        os.read(pipe, 1)
    except BlockingIOError:
        return True
    return False


def _stdin() -> bytes:
    # A process may be started with its standard input closed.
    if sys.stdin is None:
        raise UnreadableFileError(_STDIN_NAME, "it is closed")
    return _whole(sys.stdin.buffer)


@lru_cache(maxsize=1)
def _whole(stream: BinaryIO) -> bytes:
    """Return what a stream holds, at most a byte above `LARGEST_TEXT`; asked again, the same.

    What standard input holds decides who reads it, and it can be read once.
    """
    return stream.read(LARGEST_TEXT + 1)


def check_kind(path: str, *, streams: bool = False) -> None:
    """Check that a path is a regular file, or with `streams` a pipe or a device, without opening.

    Raises:
        UnreadableFileError: it is not, or does not exist.
    """
    try:
        kind = os.stat(path).st_mode  # noqa: PTH116
    except (OSError, ValueError) as error:
        raise UnreadableFileError(path, reason_of(error)) from error
    if stat.S_ISDIR(kind):
        raise UnreadableFileError(path, "a directory; name the file in it")
    if not (streams or stat.S_ISREG(kind)):
        raise UnreadableFileError(path, "not a regular file")


def decode(data: bytes, path: str) -> str:
    """Return UTF-8 bytes as text, without a byte order mark; `path` names them in an error.

    Raises:
        UnreadableFileError: not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} is not UTF-8: save it so"
        raise UnreadableFileError(path, reason) from None


def reason_of(error: OSError | ValueError) -> str:
    """Return in words why a file could not be opened."""
    return (isinstance(error, OSError) and error.strerror) or str(error) or "unknown"


def _size(count: int) -> str:
    """Return a number of bytes as people read it.

    >>> _size(1 << 20), _size(1000)
    ('1 MiB', '1000 bytes')
    """
    whole, rest = divmod(count, 1 << 20)
    return f"{count} bytes" if rest or not whole else f"{whole} MiB"
