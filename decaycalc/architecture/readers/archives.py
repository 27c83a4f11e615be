"""Arrays of numpy: `.npy`, and `.npz` archives of them, read by their headers alone.

Source: numpy/lib/format.py (format of .npy); PKWARE APPNOTE 4.3.14-16 (end records of a zip).
"""

import ast
import os
import struct
import zipfile
from math import prod
from typing import BinaryIO, cast

from decaycalc.architecture.readers.bounds import check_shape, opened
from decaycalc.architecture.readers.stored import Checkpoint, Stored, make_checkpoint
from decaycalc.errors import UnreadableFileError, shown

LARGEST_DIRECTORY = 64 * 2**20  # bytes; it is held in memory, as the file says its own length
LARGEST_ARRAY_HEADER = 2**16  # bytes; numpy itself writes some hundred
# More than weights ever shrink by; what promises more is made to exhaust memory or time.
LARGEST_RATIO = 100
FREE_BYTES = 64 * 2**20
MAGIC = b"\x93NUMPY"
# numpy's codes, "f4" of float32: the kind and the bytes of a value.
_SIZES = {"f": (2, 4, 8), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8)}
DTYPES = {
    **{f"{kind}{size}": f"{kind.upper()}{8 * size}" for kind in _SIZES for size in _SIZES[kind]},
    "b1": "BOOL",
}


def open_npz(path: str) -> Checkpoint:
    """Return the arrays of an `.npz`, named as in the archive.

    Raises:
        UnreadableFileError: the archive or an array in it is malformed, or holds objects.
        InvalidValueError: an array is absurdly large.
    """
    try:
        with opened(path) as (stream, size):
            check_directory(stream, path)
            with zipfile.ZipFile(stream) as archive:
                check_members(archive, size, path)
                return make_checkpoint(_members(archive, path), path)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise UnreadableFileError(path, f"not a zip archive: {str(error)[:120]}") from None


def _members(archive: zipfile.ZipFile, path: str) -> list[Stored]:
    stored = []
    for info in archive.infolist():
        if not info.filename.endswith(".npy"):
            continue
        with archive.open(info) as member:
            name = info.filename.removesuffix(".npy")
            size = info.file_size
            stored.append(_array(cast("BinaryIO", member), name, size, path, info.filename))
    return stored


def check_members(archive: zipfile.ZipFile, size: int, path: str) -> None:
    """Check that an archive of `size` bytes does not claim to grow beyond what weights can.

    Its members are bounded together: each alone might be small enough a thousand times. They may
    not share their bytes either.

    Raises:
        UnreadableFileError: it does.
    """
    members = archive.infolist()
    packed = sum(info.compress_size for info in members)
    grown = sum(info.file_size for info in members)
    if packed > size:
        raise UnreadableFileError(path, "its members overlap: they claim more bytes than it has")
    if grown > FREE_BYTES + LARGEST_RATIO * packed:
        raise UnreadableFileError(path, f"its members would grow to {grown} bytes")


def check_directory(stream: BinaryIO, path: str) -> None:
    """Check the size of a zip's directory before it is loaded whole.

    Raises:
        UnreadableFileError: the file is no zip, or its directory is too large.
    """
    size = os.fstat(stream.fileno()).st_size
    stream.seek(max(0, size - 2**16 - 22))
    tail = stream.read(2**16 + 22)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise UnreadableFileError(path, "not a zip archive: it has no end record")
    (length,) = struct.unpack_from("<I", tail, at + 12)
    wide = tail.rfind(b"PK\x06\x06", 0, at)
    if length == 2**32 - 1 and 0 <= wide <= len(tail) - 56:
        (length,) = struct.unpack_from("<Q", tail, wide + 40)
    if length > LARGEST_DIRECTORY:
        raise UnreadableFileError(path, f"its directory claims {length} bytes")
    stream.seek(0)


def open_npy(path: str) -> Checkpoint:
    """Return the one array of an `.npy`, named `array`.

    Raises:
        UnreadableFileError: the file is malformed or holds objects.
        InvalidValueError: the array is absurdly large.
    """
    with opened(path) as (stream, size):
        return make_checkpoint([_array(stream, "array", size, path, "")], path)


def _array(stream: BinaryIO, name: str, size: int, path: str, member: str) -> Stored:
    """Return the array whose `.npy` of `size` bytes begins at the stream."""
    header, begin = _array_header(stream, path)
    shape = check_shape(header.get("shape"), name, path)
    code = header.get("descr")
    if not isinstance(code, str) or code[1:] not in DTYPES or code[0] not in "<|":
        raise UnreadableFileError(path, f"array {name[:80]!r} has dtype {shown(code, 40)}")
    width = int(code[2:])
    if prod(shape) * width != size - begin:
        reason = f"array {name[:80]!r} has {size - begin} bytes, other than its shape needs"
        raise UnreadableFileError(path, reason)
    return Stored(
        name=name,
        shape=shape,
        dtype=DTYPES[code[1:]],
        path=path,
        offset=begin,
        n_bytes=size - begin,
        member=member,
    )


def _array_header(stream: BinaryIO, path: str) -> tuple[dict[str, object], int]:
    """Return the header's fields and where the data begin."""
    start = stream.read(8)
    if len(start) < 8 or start[:6] != MAGIC:  # noqa: PLR2004 - magic and version
        raise UnreadableFileError(path, "an array in it does not begin as numpy's do")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > LARGEST_ARRAY_HEADER:
        raise UnreadableFileError(path, f"an array's header claims {length} bytes")
    text = stream.read(length).decode("latin-1")
    try:
        header = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        header = None
    if not isinstance(header, dict):
        raise UnreadableFileError(path, "an array's header is malformed")
    return header, 8 + width + length
