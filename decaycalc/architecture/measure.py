"""The sum of squares of stored weights, streamed: exact to 1e-7, in bounded memory.

Values are read through windows and added in float64. A float32 is squared and added
to no more than 127 others in float32 first, in BLAS, whose lanes keep the error of such a row below
1e-7; rows that float32 cannot hold are done again in float64.
"""

import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from decaycalc.architecture.readers.bounds import first_line
from decaycalc.architecture.readers.stored import Checkpoint, Stored
from decaycalc.errors import UnreadableFileError
from decaycalc.record import Record

Array = NDArray[np.generic]
Progress = Callable[[int], None]
"""Called with the number of bytes just done."""

WINDOW = 16 * 2**20  # bytes that one core takes at a time
PIECE = 2**20  # bytes that are read at once: what is squared then is still in the core's cache
ROW = 128  # values that are squared and added in their own float32 before float64 takes the sums
BLOCK = 2**16  # values that are widened at once: half a megabyte, which stays in the cache
# More cores than these wait for the memory.
MOST_THREADS = 8
COUNTED = 2**18
# Outside these a row's float32 sum may have lost digits to under- or overflow.
LEAST_SUM, LARGEST_SUM = 1e-25, 1e37

NUMPY_DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "BF16": "<u2"}
# Format: exponent bits, mantissa bits, bias, and what the largest exponent means.
EIGHT_BITS = {
    "F8_E5M2": (5, 2, 15, "infinite"),
    "F8_E4M3": (4, 3, 7, "last is nan"),
    "F8_E4M3FNUZ": (4, 3, 8, "minus zero is nan"),
    "F8_E5M2FNUZ": (5, 2, 16, "minus zero is nan"),
}


class MeasuredTensor(Record):
    """The sum of squares of one tensor's values; a property gives their root mean square."""

    name: str
    n_weights: int
    sum_of_squares: float

    @property
    def rms(self) -> float | None:
        """Root mean square of the values; None for an empty tensor."""
        return (self.sum_of_squares / self.n_weights) ** 0.5 if self.n_weights else None


def measure(
    checkpoint: Checkpoint, *, progress: Progress | None = None
) -> tuple[MeasuredTensor, ...]:
    """Return the sum of squares of each tensor, in the checkpoint's order.

    Windows of all tensors are shared out among the available cores, so many small tensors take them
    all too.

    Raises:
        UnreadableFileError: a number format that is packed, a file that changed, or a value that
            is not finite.
    """
    report = progress or (lambda _n_bytes: None)
    rules = [find_rule(entry) for entry in checkpoint.stored]
    with ThreadPoolExecutor(min(MOST_THREADS, _available_cores())) as pool:
        try:
            results = _measure_all(checkpoint.stored, rules, pool, report)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    tensors = checkpoint.architecture.tensors
    return tuple(
        MeasuredTensor(name=tensor.name, n_weights=tensor.n_weights, sum_of_squares=total)
        for tensor, total in zip(tensors, results, strict=True)
    )


def _measure_all(
    stored: tuple[Stored, ...], rules: "list[Square]", pool: ThreadPoolExecutor, report: Progress
) -> list[float]:
    """Return the tensors' sums of squares; what can be read anywhere is started first."""
    started = [
        None if entry.pieces is not None or entry.member else _start(entry, rule, pool)
        for entry, rule in zip(stored, rules, strict=True)
    ]
    return [
        _collect(entry, rule, windows, report)
        for entry, rule, windows in zip(stored, rules, started, strict=True)
    ]


def _available_cores() -> int:
    """Return how many cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _collect(
    entry: Stored, square: "Square", windows: "list[Future[float]] | None", report: Progress
) -> float:
    """Return a tensor's sum of squares: of its windows, or read here piece by piece."""
    if windows is not None:
        total = 0.0
        for window, size in zip(windows, _sizes(entry), strict=True):
            total += window.result()
            report(size)
    elif entry.pieces is not None:
        total = sum(_in_pieces(entry, entry.pieces, square, report))
    else:
        total = sum(_archived(entry, square, report))
    if not np.isfinite(total):
        raise UnreadableFileError(
            entry.path, f"tensor {entry.name[:80]!r} holds values that are not finite"
        )
    return float(total)


Square = Callable[[bytes | bytearray, int, int], float]
"""Takes a buffer, an offset and a number of bytes; returns the sum of squares."""


def find_rule(entry: Stored) -> Square:
    """Return what sums the squares of the entry's number format.

    Raises:
        UnreadableFileError: a format whose values are not read (4 and 6 bits, complex).
    """
    if entry.dtype in EIGHT_BITS:
        table = eight_bit_squares(entry.dtype)
        return lambda buffer, offset, size: _by_table(table, buffer, offset, size)
    if entry.dtype not in NUMPY_DTYPES:
        reason = f"tensor {entry.name[:80]!r} has values of {entry.dtype}, which are not measured"
        raise UnreadableFileError(entry.path, reason)
    dtype = np.dtype(NUMPY_DTYPES[entry.dtype])
    rule = {"F32": _singles, "BF16": _brain_floats}.get(entry.dtype, _widened)
    return lambda buffer, offset, size: rule(
        np.frombuffer(buffer, dtype, count=size // dtype.itemsize, offset=offset)
    )


def _start(entry: Stored, square: Square, pool: ThreadPoolExecutor) -> "list[Future[float]]":
    """Start the sums of squares of a tensor's windows; they are read where a core is free."""
    offset, windows = entry.offset, []
    for size in _sizes(entry):
        windows.append(pool.submit(_window, entry.path, offset, size, square))
        offset += size
    return windows


def _sizes(entry: Stored) -> list[int]:
    """Return the sizes in bytes of the windows that a tensor is read through."""
    whole, rest = divmod(entry.n_bytes, WINDOW)
    return [WINDOW] * whole + ([rest] if rest else [])


def _window(path: str, offset: int, size: int, square: Square) -> float:
    """Return the sum of squares of some bytes of a file.

    They are read, not mapped: a mapped file that somebody shortens ends the process.

    Raises:
        UnreadableFileError: they cannot be read, or end too early.
    """
    total, data = 0.0, bytearray(min(size, PIECE))
    try:
        with Path(path).open("rb", buffering=0) as stream:
            stream.seek(offset)
            for start in range(0, size, PIECE):
                piece = min(PIECE, size - start)
                if _fill(stream, memoryview(data)[:piece]) < piece:
                    reason = "it changed while being read: it ends too early"
                    raise UnreadableFileError(path, reason)
                total += square(data, 0, piece)
    except OSError as error:
        raise UnreadableFileError(path, f"it changed while being read: {error}") from None
    return total


def _fill(stream: FileIO, data: memoryview) -> int:
    """Read until the bytes are full or the file ends; return how many there are."""
    done = 0
    while done < len(data):
        count = stream.readinto(data[done:])
        if not count:
            break
        done += count
    return done


def _in_pieces(
    entry: Stored, pieces: Callable[[], Iterator[bytes]], square: Square, report: Progress
) -> Iterator[float]:
    """Yield the sums of squares of a tensor that a package reads.

    Raises:
        UnreadableFileError: its values cannot be read, or are not as many as its shape holds.
    """
    n_bytes = 0
    try:
        for piece in pieces():
            n_bytes += len(piece)
            report(len(piece))
            yield square(piece, 0, len(piece))
    except (OSError, KeyError, RuntimeError, ValueError, zipfile.BadZipFile) as error:
        raise UnreadableFileError(
            entry.path, f"its data are damaged: {first_line(error)}"
        ) from None
    if n_bytes != entry.n_bytes:
        reason = f"tensor {entry.name[:80]!r} has {n_bytes} bytes, other than its shape needs"
        raise UnreadableFileError(entry.path, reason)


def _archived(entry: Stored, square: Square, report: Progress) -> Iterator[float]:
    """Yield the sums of squares of an archive's member, read piece by piece."""
    try:
        with zipfile.ZipFile(entry.path) as archive, archive.open(entry.member) as stream:
            stream.read(entry.offset)
            left = entry.n_bytes
            while left:
                piece = stream.read(min(PIECE, left))
                if not piece:
                    raise UnreadableFileError(entry.path, f"{entry.member!r} ends too early")
                left -= len(piece)
                report(len(piece))
                yield square(piece, 0, len(piece))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
        reason = f"its data are damaged: {str(error)[:120]}"
        raise UnreadableFileError(entry.path, reason) from None


def _widened(values: Array) -> float:
    """Return the sum of squares, block by block in float64."""
    total = 0.0
    for start in range(0, values.size, BLOCK):
        block = values[start : start + BLOCK].astype(np.float64, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):
            total += float(np.einsum("i,i->", block, block))
    return total


def _singles(values: Array) -> float:
    """Return the sum of squares of float32 values; see the module's text.

    `vecdot` came with numpy 2; the way round it is slower, not less exact.
    """
    row_dot = getattr(np, "vecdot", None)
    whole = values.size // ROW * ROW
    if row_dot is None or not whole:
        return _widened(values)
    rows = values[:whole].reshape(-1, ROW)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        sums = row_dot(rows, rows)
        total = float(sums.sum(dtype=np.float64))
        if not (sums.min() > LEAST_SUM and sums.max() < LARGEST_SUM):
            odd = ~((sums > LEAST_SUM) & (sums < LARGEST_SUM))
            total = float(sums[~odd].sum(dtype=np.float64)) + _widened(rows[odd].ravel())
    return total + _widened(values[whole:])


def _brain_floats(values: Array) -> float:
    """Return the sum of squares of bfloat16 values, given as their sixteen bits."""
    total = 0.0
    for start in range(0, values.size, 2**20):
        wide = values[start : start + 2**20].astype(np.uint32)
        wide <<= 16
        total += _singles(wide.view(np.float32))
    return total


def _by_table(
    table: NDArray[np.float64], buffer: bytes | bytearray, offset: int, size: int
) -> float:
    """Return the sum of squares of eight-bit values by counting each of their 256 kinds."""
    codes = np.frombuffer(buffer, np.uint8, count=size, offset=offset)
    counts = np.zeros(256, np.int64)
    # In pieces: bincount makes eight bytes of each code first.
    for start in range(0, size, COUNTED):
        counts += np.bincount(codes[start : start + COUNTED], minlength=256)
    # A kind that does not occur must not turn the sum into nan by 0 times infinity.
    present = counts > 0
    return float(np.dot(counts[present].astype(np.float64), table[present]))


def eight_bit_squares(dtype: str) -> NDArray[np.float64]:
    """Return the squares of all 256 values of an eight-bit format, shape (256,).

    Source: Micikevicius et al. 2022 (arXiv 2209.05433), table 1; Noune et al. 2022 (2206.02915) for
    the FNUZ formats.
    """
    exponent_bits, mantissa_bits, bias, special = EIGHT_BITS[dtype]
    codes = np.arange(256)
    exponents = (codes >> mantissa_bits) & (2**exponent_bits - 1)
    mantissas = (codes & (2**mantissa_bits - 1)) / 2**mantissa_bits
    scale = 2.0 ** (np.maximum(exponents, 1) - bias)
    values = scale * (mantissas + (exponents > 0))
    if special == "infinite":
        values[exponents == 2**exponent_bits - 1] = np.inf
    elif special == "last is nan":
        values[(codes & 127) == 127] = np.nan  # noqa: PLR2004 - all bits but the sign
    else:
        values[128] = np.nan
    squares: NDArray[np.float64] = np.square(values, dtype=np.float64)
    return squares
