"""Writing a file whole or not at all."""

import errno
import os
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, NoReturn

from decaycalc.errors import UnreadableFileError

_READ_ONLY = "it is read-only"
_ALL_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
# What says that no file can be made beside the one that is meant, or moved into its place: a folder
# that may not be written to, or a file that is mounted by itself (Docker's -v file:file).
_NO_PLACE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV}
_ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def write_whole(path: str, text: str) -> None:
    """Write a text to a file, whole or not at all; a device or a pipe is written as it is.

    Raises:
        UnreadableFileError: it cannot be written.
    """
    with writing(path) as file:
        file.write(text.encode("utf-8", "surrogateescape"))


@contextmanager
def writing(path: str) -> Iterator[BinaryIO]:
    """Give a file to write to, which takes its place when all is written, or not at all.

    A device or a pipe is written as it is; a link's target is replaced, not the link. A new file's
    permissions follow the umask, those of an old one stay; a read-only one is refused.

    Raises:
        UnreadableFileError: it cannot be written.
    """
    try:
        mode = _mode_of(path)
        if mode is not None and not stat.S_ISREG(mode):
            with open(path, "wb") as stream:  # noqa: PTH123  (pathlib is slow to load)
                yield stream
        elif mode is not None and not mode & _ALL_WRITE:
            raise UnreadableFileError(path, _READ_ONLY, doing="write")
        else:
            yield from _replacing(os.path.realpath(path), mode)
    except OSError as error:
        raise UnreadableFileError(path, error.strerror or str(error), doing="write") from error


def _mode_of(path: str) -> int | None:
    """Return the mode of what a path leads to, None where nothing is there yet."""
    try:
        return os.stat(path).st_mode  # noqa: PTH116
    except FileNotFoundError:
        return None


def _replacing(path: str, mode: int | None) -> Iterator[BinaryIO]:
    """Give a file beside the one meant, and move it there when all is written.

    An interrupt may come between any two steps: the file is named, and is removed, from before it
    is made, unless it cannot be made.
    """
    temporary, is_ours = _name_beside(path), True
    try:
        with _ending_cleanly():
            try:
                stream = _made(temporary)
            except OSError as error:
                is_ours = False
                if mode is None or error.errno not in _NO_PLACE:
                    raise
                yield from _copying(path)
                return
            with stream:
                yield stream
                stream.flush()
                if mode is not None:
                    os.chmod(temporary, stat.S_IMODE(mode))  # noqa: PTH101
                _move(temporary, path)
    finally:
        if is_ours:
            _remove(temporary)


def _name_beside(path: str) -> str:
    """Return a name in the same folder that nobody can foresee."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name[:100]}.{os.urandom(8).hex()}.tmp")  # noqa: PTH118


def _made(temporary: str) -> BinaryIO:
    """Return a new file; one that is there already, or a link, is an error."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(temporary, flags, 0o666), "w+b")


def _move(temporary: str, path: str) -> None:
    """Put a written file in the place of another; copy it over where that may not be replaced."""
    try:
        os.replace(temporary, path)  # noqa: PTH105
    except OSError as error:
        if error.errno not in _NO_PLACE:
            raise
        with open(temporary, "rb") as written:  # noqa: PTH123
            _copy(written, path)


def _copying(path: str) -> Iterator[BinaryIO]:
    """Give a file elsewhere, and copy it over the one meant when all is written."""
    from tempfile import TemporaryFile  # noqa: PLC0415  (slow to load)

    with TemporaryFile() as stream:
        yield stream
        stream.seek(0)
        _copy(stream, path)


def _copy(written: IO[bytes], path: str) -> None:
    from shutil import copyfileobj  # noqa: PLC0415  (slow to load)

    with open(path, "wb") as file:  # noqa: PTH123
        copyfileobj(written, file)


def _remove(temporary: str) -> None:
    try:
        os.unlink(temporary)  # noqa: PTH108
    except FileNotFoundError:
        return


@contextmanager
def _ending_cleanly() -> Iterator[None]:
    """Let a process that is told to end leave by an exception, so that nothing stays behind.

    What is ignored stays ignored (nohup); in a thread nothing can be arranged, nor need be.
    """
    old = {ending: signal.getsignal(ending) for ending in _ENDINGS}
    ours = [ending for ending, handler in old.items() if handler is signal.SIG_DFL]
    try:
        for ending in ours:
            signal.signal(ending, _end)
    except ValueError:  # not the main thread
        ours = []
    try:
        yield
    finally:
        for ending in ours:
            signal.signal(ending, old[ending])


def _end(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)
