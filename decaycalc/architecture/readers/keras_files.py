"""Keras models, behind the extra `keras-files`: `.keras`, `.weights.h5` and legacy `.h5`."""

import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import prod
from typing import Any

import numpy as np

from decaycalc.architecture.readers.archives import check_directory, check_members
from decaycalc.architecture.readers.bounds import PIECE, first_line, regular_file
from decaycalc.architecture.readers.extras import checkpoint_of, load_package
from decaycalc.architecture.readers.stored import Checkpoint, Stored
from decaycalc.errors import UnreadableFileError
from decaycalc.record import replace

BATCH_NORM_ARRAYS = 4  # scale, shift, and two that are not trained
AFTER_KERNELS = 2  # a recurrent cell's arrays: the inputs' kernel, the states', the bias
NO_NORMS = {"layer_scale": "layer_scale", "p_re_lu": "alpha"}  # layers of one vector, no norms
COUNT = "whole"  # the dtype of whole numbers: a Normalization's count, a generator's seed
_NUMBER = re.compile(r"_\d+$")
_REAL_DTYPES = {"float16": "F16", "float32": "F32", "float64": "F64"}
_MOST_GROWTH = 1000  # what a compressed array may grow by: a bomb grows more
LARGEST_CHUNK = 256 * 2**20  # bytes; HDF5 unpacks a chunk whole
MOST_DEPTH = 64  # no model nests its layers so deep

Named = tuple[str, str, Stored]
"""A weight's name in the architecture, its role where that is known, and its place."""


def open_keras(path: str) -> Checkpoint:
    """Return the trained weights of a Keras model: `.keras`, `.weights.h5` or a legacy `.h5`.

    Raises:
        MissingExtraError: the package `h5py` is not installed.
        UnreadableFileError: the file is no Keras model.
    """
    regular_file(path)
    h5py = load_package("h5py", what=f"reading {path!r}", extra="keras-files")
    try:
        with _opened(h5py, path) as root:
            datasets = _datasets(h5py, root, path)
    except (OSError, KeyError, RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UnreadableFileError(path, f"not a Keras model: {first_line(error)}") from None
    named = list(_named(datasets))
    stored = [replace(entry, name=name) for name, _, entry in named]
    return checkpoint_of(stored, path, roles={name: role for name, role, _ in named})


@contextmanager
def _opened(h5py: Any, path: str) -> Iterator[Any]:
    """Give the open HDF5 file, which a `.keras` archive holds as a member."""
    if not path.lower().endswith(".keras"):
        with h5py.File(path, "r") as root:
            yield root
        return
    with regular_file(path).open("rb") as stream:
        check_directory(stream, path)
        with zipfile.ZipFile(stream) as archive:
            check_members(archive, os.fstat(stream.fileno()).st_size, path)
            with archive.open("model.weights.h5") as member, h5py.File(member, "r") as root:
                yield root


def _datasets(h5py: Any, root: Any, path: str) -> list[Stored]:
    """Return the weights of layers, and their counts; the optimizer's state is left out."""
    found: list[Stored] = []

    def visit(name: str, node: Any) -> None:
        if name.count("/") > MOST_DEPTH:
            raise UnreadableFileError(path, f"its groups are nested deeper than {MOST_DEPTH}")
        if not isinstance(node, h5py.Dataset) or name.startswith("optimizer"):
            return
        if node.shape is None:  # it holds nothing, not even an empty array
            return
        _check_storage(node, name, path)
        dtype = np.dtype(node.dtype)
        found.append(_dataset(h5py, path, name, node.shape, dtype))

    root.visititems(visit)
    return found


def _check_storage(node: Any, name: str, path: str) -> None:
    """Check that a dataset's values lie in the file itself: not in others, nor in pieces too large.

    Raises:
        UnreadableFileError: they do not.
    """
    if node.external or node.is_virtual:
        raise UnreadableFileError(path, f"{name[:80]!r} keeps its values in other files")
    if prod(node.chunks or (0,)) * np.dtype(node.dtype).itemsize > LARGEST_CHUNK:
        raise UnreadableFileError(path, f"{name[:80]!r} has chunks of more than 256 MiB")


def _dataset(
    h5py: Any, path: str, name: str, dims: tuple[int, ...], dtype: np.dtype[Any]
) -> Stored:
    shape = tuple(int(size) for size in dims)
    return Stored(
        name=name,
        shape=shape,
        dtype=COUNT if dtype.kind in "iub" else _REAL_DTYPES.get(dtype.name, dtype.name),
        path=path,
        offset=0,
        n_bytes=prod(shape) * dtype.itemsize,
        pieces=partial(_pieces, h5py, path, name),
    )


def _pieces(h5py: Any, path: str, name: str) -> Iterator[bytes]:
    """Yield a dataset's values as little-endian bytes, some rows at a time.

    Raises:
        UnreadableFileError: it would grow beyond measure.
    """
    with _opened(h5py, path) as root:
        node = root[name]
        dtype = np.dtype(node.dtype).newbyteorder("<")
        n_bytes = prod(node.shape) * dtype.itemsize
        if n_bytes > PIECE and n_bytes > _MOST_GROWTH * node.id.get_storage_size():
            raise UnreadableFileError(path, f"{name[:80]!r} would grow to {n_bytes} bytes")
        for place in _places(tuple(node.shape), dtype.itemsize):
            yield np.asarray(node[place], dtype).tobytes()


def _places(shape: tuple[int, ...], width: int) -> Iterator[tuple[Any, ...]]:
    """Yield the indices of parts of an array that are small enough to hold, in order.

    Whole rows where they are, parts of a row where one alone is too large.
    """
    if prod(shape) * width <= PIECE:
        yield ()
        return
    row = prod(shape[1:]) * width
    if row > PIECE:
        for index in range(shape[0]):
            yield from ((index, *rest) for rest in _places(shape[1:], width))
        return
    step = PIECE // max(1, row)
    yield from ((slice(start, start + step),) for start in range(0, shape[0], step))


def _named(datasets: list[Stored]) -> Iterator[Named]:
    """Yield name, role and place; Keras 3 numbers a layer's weights, older ones name them.

    A layer of Keras 3 stands below its class' name, as `batch_normalization_3`, unless an attribute
    of the model calls it otherwise. Four arrays of one length are a batch norm's in any case.
    """
    layers: dict[str, list[Stored]] = {}
    for entry in datasets:
        layers.setdefault(entry.name.rpartition("/")[0], []).append(entry)
    for layer, stored in layers.items():
        kind = _NUMBER.sub("", layer.removesuffix("/vars").rpartition("/")[2])
        arrays = [entry for entry in stored if entry.dtype != COUNT]
        if kind == "normalization" and len(arrays) < len(stored):
            continue  # Normalization's mean and variance are adapted to the data, not trained
        if not layer.endswith("vars"):
            yield from ((entry.name.removesuffix(":0"), "", entry) for entry in arrays)
        elif all(len(entry.shape) == 1 for entry in arrays):
            yield from _vectors(layer, kind, arrays)
        else:
            yield from _numbered(layer, kind, arrays)


def _vectors(layer: str, kind: str, arrays: list[Stored]) -> Iterator[Named]:
    """Yield a layer's gains and shifts; a batch norm's last two arrays are statistics."""
    if kind in NO_NORMS:
        yield from ((f"{layer}/{NO_NORMS[kind]}", "", entry) for entry in arrays)
        return
    if kind == "batch_normalization" or len(arrays) == BATCH_NORM_ARRAYS:
        arrays = arrays[:-2]
    leaves = zip(("gamma", "beta"), arrays, strict=False)
    yield from ((f"{layer}/{leaf}", "norm", entry) for leaf, entry in leaves)


def _numbered(layer: str, kind: str, arrays: list[Stored]) -> Iterator[Named]:
    """Yield a layer's kernels and biases; each but the first of its kind bears its number."""
    biases = 0
    for index, entry in enumerate(arrays):
        word, is_first = "kernel", index == 0
        if _is_bias(index, kind, arrays):
            word, is_first = "bias", biases == 0
            biases += 1
        leaf = word if is_first else f"{word}{index}"
        yield f"{layer}/{leaf}", "embedding" if "embedding" in layer else "", entry


def _is_bias(index: int, kind: str, arrays: list[Stored]) -> bool:
    """Return whether a layer's array is a bias, of several heads or of both gates of a GRU too."""
    shape = arrays[index].shape
    if len(shape) == 1 or (kind == "cell" and index == AFTER_KERNELS):
        return True
    first = arrays[0].shape
    return index > 0 and len(shape) < len(first) and first[-len(shape) :] == shape
