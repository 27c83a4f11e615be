"""Checkpoints in the safetensors format: only the header is read.

Source: huggingface/safetensors, README (format) and safetensors/src/tensor.rs (checks): eight bytes
of header length, a JSON header, then the data, without holes or overlaps.
"""

from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from decaycalc.architecture.readers.bounds import (
    check_count,
    check_name,
    check_shape,
    opened,
)
from decaycalc.architecture.readers.stored import Checkpoint, Stored, make_checkpoint
from decaycalc.errors import UnreadableFileError, shown
from decaycalc.files.json_text import parse_json
from decaycalc.files.text import read_text

LARGEST_HEADER = 100 * 10**6
MOST_SHARDS = 10_000
LENGTH_BYTES = 8
BITS = {
    "F4": 4,
    **dict.fromkeys(("F6_E2M3", "F6_E3M2"), 6),
    **dict.fromkeys(("BOOL", "U8", "I8"), 8),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 16),
    **dict.fromkeys(("U32", "I32", "F32"), 32),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 64),
}


def open_safetensors(path: str) -> Checkpoint:
    """Return the tensors of one file.

    Raises:
        UnreadableFileError: the file breaks the format.
        InvalidValueError: a tensor is absurdly large.
    """
    return make_checkpoint(list_file(path), path)


def list_file(path: str) -> list[Stored]:
    """Return all tensors of one file in the order of their data, buffers included.

    Raises:
        UnreadableFileError: the file breaks the format.
    """
    header, begin, size = _read_header(path)
    header.pop("__metadata__", None)
    entries = [_entry(path, name, value, begin) for name, value in header.items()]
    entries.sort(key=lambda entry: (entry.offset, entry.n_bytes))
    _check_places(entries, begin, size, path)
    return entries


def _read_header(path: str) -> tuple[dict[str, Any], int, int]:
    """Return the header, where the data begin, and the size of the file in bytes."""
    with opened(path) as (stream, size):
        text, begin = _header_text(stream, size, path)
    header = parse_json(text, path)
    if not isinstance(header, dict):
        raise UnreadableFileError(path, "its header is no JSON object")
    return header, begin, size


def _header_text(stream: BinaryIO, size: int, path: str) -> tuple[str, int]:
    length_bytes = stream.read(LENGTH_BYTES)
    if len(length_bytes) < LENGTH_BYTES:
        raise UnreadableFileError(path, "it is shorter than a safetensors header's length")
    length = int.from_bytes(length_bytes, "little")
    if length > LARGEST_HEADER:
        limit = LARGEST_HEADER // 10**6
        raise UnreadableFileError(path, f"its header claims {length} bytes; {limit} MB at most")
    if LENGTH_BYTES + length > size:
        raise UnreadableFileError(path, f"its header claims {length} bytes, past the file's end")
    data = stream.read(length)
    # Before they are parsed: a hundred megabytes of empty tensors take a minute.
    check_count(data.count(b'"data_offsets"'), path)
    try:
        return data.decode(), LENGTH_BYTES + length
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1} of its header is not UTF-8"
        raise UnreadableFileError(path, reason) from None


def _entry(path: str, name: str, value: object, begin: int) -> Stored:
    """Return one tensor of the header, its offset counted from the file's beginning."""
    if not isinstance(value, dict):
        raise UnreadableFileError(path, f"tensor {name[:80]!r} is no JSON object")
    dtype = value.get("dtype")
    if not isinstance(dtype, str) or dtype not in BITS:
        raise UnreadableFileError(path, f"tensor {name[:80]!r} has dtype {shown(dtype, 40)}")
    check_name(name, path)
    shape = check_shape(value.get("shape"), name, path)
    start, stop = _offsets(value.get("data_offsets"), name, path)
    if prod(shape) * BITS[dtype] != 8 * (stop - start):
        raise UnreadableFileError(
            path, f"tensor {name[:80]!r} has {stop - start} bytes, other than its shape needs"
        )
    return Stored(
        name=name, shape=shape, dtype=dtype, path=path, offset=begin + start, n_bytes=stop - start
    )


def _offsets(value: object, name: str, path: str) -> tuple[int, int]:
    pair = check_shape(value, f"data_offsets of {name}", path)
    if len(pair) != 2 or pair[0] > pair[1]:  # noqa: PLR2004 - begin and end
        raise UnreadableFileError(path, f"tensor {name[:80]!r} has no sound data_offsets")
    return pair[0], pair[1]


def _check_places(entries: list[Stored], begin: int, size: int, path: str) -> None:
    """Check that the data follow each other without holes or overlaps, up to the file's end."""
    end = begin
    for entry in entries:
        if entry.offset != end:
            word = "overlap" if entry.offset < end else "leave a hole before"
            raise UnreadableFileError(path, f"its data {word} tensor {entry.name[:80]!r}")
        end += entry.n_bytes
    if end != size:
        reason = f"its header describes {end - begin} bytes of data, the file has {size - begin}"
        raise UnreadableFileError(path, reason)


def open_index(path: str, document: dict[str, Any] | None = None) -> Checkpoint:
    """Return the tensors of a sharded checkpoint from its `*.safetensors.index.json`.

    Raises:
        UnreadableFileError: the index or a shard is malformed, or they disagree.
        InvalidValueError: a tensor is absurdly large.
    """
    index = parse_json(read_text(path), path) if document is None else document
    places = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(places, dict) or not places:
        raise UnreadableFileError(path, "it has no weight_map")
    folder = Path(path).parent
    shards = {shard: None for shard in places.values() if _is_plain_name(shard, path)}
    if len(shards) > MOST_SHARDS:
        raise UnreadableFileError(path, f"it names more than {MOST_SHARDS} shards")
    stored = [entry for shard in shards for entry in list_file(str(folder / shard))]
    _check_names({entry.name for entry in stored}, set(places), path)
    return make_checkpoint(stored, path)


def _is_plain_name(shard: object, path: str) -> bool:
    """Return True for a file name beside the index.

    Raises:
        UnreadableFileError: it is none.
    """
    if not isinstance(shard, str) or Path(shard).name != shard or shard in {"", ".", ".."}:
        raise UnreadableFileError(path, f"shard {shown(shard, 80)} is no file name beside it")
    return True


def _check_names(found: set[str], listed: set[str], path: str) -> None:
    if found != listed:
        name = min(found ^ listed)
        where = "listed but in no shard" if name in listed else "in a shard but not listed"
        raise UnreadableFileError(path, f"tensor {name[:80]!r} is {where}")
