"""Formats that need an optional package: ONNX, Keras and GGUF."""

import importlib
import zipfile
from collections.abc import Iterator
from typing import Any

from decaycalc.architecture.readers.archives import check_directory, check_ratio
from decaycalc.architecture.readers.bounds import regular_file
from decaycalc.architecture.readers.listing import Pair, architecture_of
from decaycalc.architecture.tensors import Architecture
from decaycalc.errors import MissingExtraError, UnreadableFileError

LARGEST_WEIGHTS_MEMBER = 2**31
# ONNX's numbers of element types: float, float16, double, bfloat16 and the four of 8 bits.
ONNX_REAL_TYPES = frozenset({1, 10, 11, 16, 17, 18, 19, 20})
BATCH_NORM_ARRAYS = 4


def load_package(module: str, *, what: str, extra: str) -> Any:
    """Return an optional package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(what, extra) from None


def open_onnx(path: str) -> Architecture:
    """Return the initialisers of an ONNX model that hold real numbers.

    Raises:
        MissingExtraError: the package `onnx` is not installed.
        UnreadableFileError: the file is no ONNX model.
    """
    regular_file(path)
    onnx = load_package("onnx", what=f"reading {path!r}", extra="onnx")
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # noqa: BLE001 - protobuf's own errors have no public base
        raise UnreadableFileError(path, f"not an ONNX model: {_first_line(error)}") from None
    pairs: list[Pair] = [
        (entry.name, tuple(int(size) for size in entry.dims), "")
        for entry in model.graph.initializer
        if entry.data_type in ONNX_REAL_TYPES
    ]
    return architecture_of(pairs, path)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]


def open_gguf(path: str) -> Architecture:
    """Return the tensors of a GGUF file, dimensions in the order of PyTorch.

    Raises:
        MissingExtraError: the package `gguf` is not installed.
        UnreadableFileError: the file is no GGUF file.
    """
    regular_file(path)
    gguf = load_package("gguf", what=f"reading {path!r}", extra="gguf")
    try:
        tensors = gguf.GGUFReader(path).tensors
    except Exception as error:  # noqa: BLE001 - the reader indexes unchecked bytes
        raise UnreadableFileError(path, f"not a GGUF file: {_first_line(error)}") from None
    pairs: list[Pair] = [
        (entry.name, tuple(int(size) for size in reversed(entry.shape)), "") for entry in tensors
    ]
    return architecture_of(pairs, path)


def open_keras(path: str) -> Architecture:
    """Return the trained weights of a Keras model: `.keras`, `.weights.h5` or a legacy `.h5`.

    Raises:
        MissingExtraError: the package `h5py` is not installed.
        UnreadableFileError: the file is no Keras model.
    """
    file = regular_file(path)
    h5py = load_package("h5py", what=f"reading {path!r}", extra="keras-files")
    try:
        if path.lower().endswith(".keras"):
            with file.open("rb") as stream:
                check_directory(stream, path)
                with zipfile.ZipFile(stream) as archive:
                    info = archive.getinfo("model.weights.h5")
                    check_ratio(info, path)
                    with archive.open(info) as member, h5py.File(member, "r") as root:
                        return _keras_weights(h5py, root, path)
        with h5py.File(path, "r") as root:
            return _keras_weights(h5py, root, path)
    except (OSError, KeyError, RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
        raise UnreadableFileError(path, f"not a Keras model: {_first_line(error)}") from None


def _keras_weights(h5py: Any, root: Any, path: str) -> Architecture:
    """Return the weights of layers; the optimizer's state and statistics are left out."""
    datasets: list[tuple[str, tuple[int, ...]]] = []

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and not name.startswith("optimizer"):
            datasets.append((name, tuple(int(size) for size in node.shape)))

    root.visititems(visit)
    return architecture_of(list(_keras_pairs(datasets)), path)


def _keras_pairs(datasets: list[tuple[str, tuple[int, ...]]]) -> Iterator[Pair]:
    """Yield name, shape and role; Keras 3 numbers a layer's weights, older ones name them.

    Four arrays of one length are a batch norm's gamma, beta and two statistics.
    """
    layers: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for name, shape in datasets:
        layers.setdefault(name.rpartition("/")[0], []).append((name, shape))
    for layer, arrays in layers.items():
        flat = all(len(shape) == 1 for _, shape in arrays)
        if not layer.endswith("vars") or not arrays:
            yield from ((name.removesuffix(":0"), shape, "") for name, shape in arrays)
        elif flat:
            kept = arrays[:2] if len(arrays) == BATCH_NORM_ARRAYS else arrays
            roles = zip(("gamma", "beta"), kept, strict=False)
            yield from ((f"{layer}/{leaf}", shape, "norm") for leaf, (_, shape) in roles)
        else:
            yield from _numbered(layer, arrays)


def _numbered(layer: str, arrays: list[tuple[str, tuple[int, ...]]]) -> Iterator[Pair]:
    for index, (_, shape) in enumerate(arrays):
        leaf = "bias" if len(shape) == 1 else "kernel" if index == 0 else f"kernel{index}"
        yield f"{layer}/{leaf}", shape, "embedding" if "embedding" in layer else ""
