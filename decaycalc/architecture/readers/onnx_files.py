"""ONNX models, behind the extra of that name.

Source: onnx/onnx.proto3 (TensorProto, external data).
"""

from collections.abc import Iterator
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from decaycalc.architecture.readers.bounds import PIECE, check_shape, first_line, regular_file
from decaycalc.architecture.readers.extras import checkpoint_of, load_package
from decaycalc.architecture.readers.stored import Checkpoint, Stored, check_place
from decaycalc.errors import UnreadableFileError

# ONNX's numbers of the types of real numbers, by safetensors' names, and the bytes of one value.
ONNX_REAL_TYPES = {
    1: ("F32", 4), 10: ("F16", 2), 11: ("F64", 8), 16: ("BF16", 2), 17: ("F8_E4M3", 1),
    18: ("F8_E4M3FNUZ", 1), 19: ("F8_E5M2", 1), 20: ("F8_E5M2FNUZ", 1),
}  # fmt: skip
_EXTERNAL = 1  # TensorProto.DataLocation.EXTERNAL
_LONGEST_NUMBER = 18  # digits of an offset that fits 64 bits


def open_onnx(path: str) -> Checkpoint:
    """Return the initialisers of an ONNX model that hold real numbers.

    The model itself is held in memory (2 GiB at most, by its format), external data are not.

    Raises:
        MissingExtraError: the package `onnx` is not installed.
        UnreadableFileError: the file is no ONNX model.
    """
    regular_file(path)
    onnx = load_package("onnx", what=f"reading {path!r}", extra="onnx")
    try:
        model = onnx.load(path, load_external_data=False)
        entries = [each for each in model.graph.initializer if each.data_type in ONNX_REAL_TYPES]
        stored = [_initialiser(entry, path) for entry in entries]
    except UnreadableFileError:
        raise
    except Exception as error:  # noqa: BLE001 - protobuf's own errors have no public base
        raise UnreadableFileError(path, f"not an ONNX model: {first_line(error)}") from None
    return checkpoint_of(stored, path, roles={})


def _initialiser(entry: Any, path: str) -> Stored:
    dtype, size = ONNX_REAL_TYPES[entry.data_type]
    if not isinstance(entry.name, str):  # protobuf gives bytes where they are not UTF-8
        raise UnreadableFileError(path, f"tensor {entry.name[:40]!r} is not named in UTF-8")
    shape = check_shape([int(each) for each in entry.dims], entry.name, path)
    n_bytes = size * prod(shape)
    if entry.data_location == _EXTERNAL:
        keys = {pair.key: pair.value for pair in entry.external_data}
        place, offset = _external(keys, path)
        found = Stored(
            name=entry.name, shape=shape, dtype=dtype, path=place, offset=offset, n_bytes=n_bytes
        )
        check_place(found, Path(place).stat().st_size)
        return found
    pieces = partial(_onnx_pieces, entry, dtype, size)
    return Stored(
        name=entry.name, shape=shape, dtype=dtype, path=path, offset=0, n_bytes=n_bytes,
        pieces=pieces,
    )  # fmt: skip


def _external(keys: dict[str, str], path: str) -> tuple[str, int]:
    """Return file and offset of external data: a regular file in the model's own folder, no link.

    Raises:
        UnreadableFileError: they lie elsewhere, or the offset is not a number.
    """
    name, offset = keys.get("location", ""), keys.get("offset", "0")
    parts = Path(name).parts
    inside = name and not Path(name).is_absolute() and ".." not in parts and "\0" not in name
    if not inside or not offset.isdecimal() or len(offset) > _LONGEST_NUMBER:
        raise UnreadableFileError(path, f"its external data lie at {name[:80]!r}, {offset[:30]!r}")
    place = Path(path).parent
    for part in parts:
        place /= part
        if place.is_symlink():
            raise UnreadableFileError(path, f"its external data lie behind a link, {name[:80]!r}")
    return str(regular_file(str(place))), int(offset)


def _onnx_pieces(entry: Any, dtype: str, size: int) -> Iterator[bytes]:
    """Yield a tensor's bytes; small ones may be lists of numbers."""
    data = entry.raw_data
    if not data and dtype in {"F32", "F64"}:
        numbers = entry.float_data if dtype == "F32" else entry.double_data
        data = np.array(numbers, f"<f{size}").tobytes()
    elif not data:
        data = np.array(entry.int32_data, np.int64).astype(f"<u{size}").tobytes()
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]
