"""GGUF files, read by their headers alone.

Every count is held against the file's size before anything is made of it: a header of 200 bytes may
claim an array of 2**40 numbers.

Source: ggml/docs/gguf.md (version 3; versions 2 and 3 differ in byte order only).
"""

import os
import struct
from math import prod
from typing import BinaryIO

from decaycalc.architecture.readers.bounds import MOST_TENSORS, check_shape, opened
from decaycalc.architecture.readers.extras import checkpoint_of
from decaycalc.architecture.readers.stored import Checkpoint, Stored, check_place
from decaycalc.errors import UnreadableFileError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
STRING, ARRAY = 8, 9  # the types of values whose length is told before them
# Bytes of one value by its number in the format.
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
# The kinds whose values are measured, by safetensors' names; the others are quantised.
REAL = {0: ("F32", 4), 1: ("F16", 2), 28: ("F64", 8), 30: ("BF16", 2)}
QUANTISED = {
    2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS",
    19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16",
    26: "I32", 27: "I64", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
}  # fmt: skip
WHOLE = ("I8", "I16", "I32", "I64")
MOST_DIMENSIONS = 4
DEFAULT_ALIGNMENT = 32
ALIGNMENT_KEY = b"general.alignment"
LONGEST_NAME = 2**16
# Of a tensor: a name's length, a number of dimensions, one of them, a kind and an offset.
LEAST_TENSOR, LEAST_PAIR = 32, 13
MOST_STRINGS = 2**23


def open_gguf(path: str) -> Checkpoint:
    """Return the tensors of a GGUF file, dimensions in the order of PyTorch.

    Raises:
        UnreadableFileError: the file is not a GGUF file, or claims more than it holds.
        InvalidValueError: a tensor is absurdly large.
    """
    with opened(path) as (stream, size):
        stored = _read(_Reader(stream, size, path), path)
    return checkpoint_of(stored, path, roles={})


class _Reader:
    """Reads numbers and texts in turn; it never goes past the file's end."""

    def __init__(self, stream: BinaryIO, size: int, path: str) -> None:
        self.stream, self.path = stream, path
        self.size = self.left = size
        self.strings = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        self._leave(count)
        data = self.stream.read(count)
        if len(data) < count:
            raise self.broken("it ends too early")
        return data

    def skip(self, count: int) -> None:
        """Leave out the next `count` bytes."""
        self._leave(count)
        self.stream.seek(count, os.SEEK_CUR)

    def _leave(self, count: int) -> None:
        if count > self.left:
            raise self.broken(f"it claims {count} bytes where {self.left} are left")
        self.left -= count

    def number(self, form: str) -> int:
        """Return the next number, in one of struct's forms."""
        return int(struct.unpack(f"<{form}", self.take(struct.calcsize(form)))[0])

    def text(self) -> bytes:
        """Return the next text."""
        length = self.number("Q")
        if length > LONGEST_NAME:
            raise self.broken(f"it has a name of {length} bytes")
        return self.take(length)

    def count(self, least: int, what: str) -> int:
        """Return the next number of things, of `least` bytes each."""
        count = self.number("Q")
        if count * least > self.left:
            raise self.broken(f"it claims {count} {what}, more than its bytes hold")
        return count

    def broken(self, reason: str) -> UnreadableFileError:
        """Return the error of a malformed file."""
        return UnreadableFileError(self.path, f"not a GGUF file: {reason}")


def _read(reader: _Reader, path: str) -> list[Stored]:
    """Return the tensors that the header lists."""
    if reader.take(4) != MAGIC:
        raise reader.broken("it does not begin as one")
    version = reader.number("I")
    if version not in VERSIONS:
        raise reader.broken(f"version {version} is not 2 or 3")
    n_tensors = reader.count(LEAST_TENSOR, "tensors")
    if n_tensors > MOST_TENSORS:
        raise UnreadableFileError(path, f"it lists more than {MOST_TENSORS} tensors")
    alignment = DEFAULT_ALIGNMENT
    for _ in range(reader.count(LEAST_PAIR, "values")):
        alignment = _skip_pair(reader) or alignment
    entries = [_tensor(reader) for _ in range(n_tensors)]
    position = reader.size - reader.left
    begin = -(-position // alignment) * alignment
    stored = [_stored(entry, begin, path) for entry in entries if entry[2] not in WHOLE]
    for each in stored:
        check_place(each, reader.size)
    return stored


def _skip_pair(reader: _Reader) -> int:
    """Leave out one key and its value; return the alignment if it is that, else 0."""
    key, kind = reader.text(), reader.number("I")
    if key == ALIGNMENT_KEY and kind == 4:  # noqa: PLR2004  (an unsigned number of 32 bits)
        alignment = reader.number("I")
        if not alignment:
            raise reader.broken("its alignment is 0")
        return alignment
    _skip_value(reader, kind)
    return 0


def _skip_value(reader: _Reader, kind: int) -> None:
    """Leave out a value; arrays of arrays are not in use."""
    if kind in SIZES:
        reader.skip(SIZES[kind])
    elif kind == STRING:
        reader.skip(reader.number("Q"))
    elif kind == ARRAY:
        _skip_array(reader)
    else:
        raise reader.broken(f"a value is of kind {kind}")


def _skip_array(reader: _Reader) -> None:
    kind = reader.number("I")
    count = reader.count(SIZES.get(kind, 8), "values")
    if kind in SIZES:
        reader.skip(count * SIZES[kind])
        return
    reader.strings += count
    if kind != STRING or reader.strings > MOST_STRINGS:
        raise reader.broken(f"an array is of kind {kind}, with {count} values")
    for _ in range(count):
        reader.skip(reader.number("Q"))


def _tensor(reader: _Reader) -> tuple[str, tuple[int, ...], str, int]:
    """Return one tensor's name, shape, number format and offset."""
    data = reader.text()
    try:
        name = data.decode()
    except UnicodeDecodeError:
        raise reader.broken(f"tensor {data[:40]!r} is not UTF-8") from None
    dimensions = reader.number("I")
    if dimensions > MOST_DIMENSIONS:
        raise reader.broken(f"tensor {name[:80]!r} has {dimensions} dimensions")
    shape = tuple(reader.number("Q") for _ in range(dimensions))[::-1]
    kind, offset = reader.number("I"), reader.number("Q")
    dtype = REAL[kind][0] if kind in REAL else QUANTISED.get(kind, f"kind {kind}")
    return name, shape, dtype, offset


def _stored(entry: tuple[str, tuple[int, ...], str, int], begin: int, path: str) -> Stored:
    """Return one tensor's place; quantised ones keep the name of their format."""
    name, shape, dtype, offset = entry
    width = dict(REAL.values()).get(dtype, 0)
    return Stored(
        name=name,
        shape=shape,
        dtype=dtype,
        path=path,
        offset=begin + offset,
        n_bytes=prod(check_shape(shape, name, path)) * width,
    )
