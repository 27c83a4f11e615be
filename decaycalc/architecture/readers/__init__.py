"""Files as architectures: what kind a file is, and which reader takes it."""

from collections.abc import Callable
from typing import Any

from decaycalc.architecture.readers import archives, listing
from decaycalc.architecture.readers.bounds import first_line, regular_file
from decaycalc.architecture.readers.safetensors import open_index, open_safetensors
from decaycalc.architecture.readers.stored import Checkpoint
from decaycalc.architecture.readers.ties import stored_twice
from decaycalc.architecture.readers.timm_config import is_timm, read_timm
from decaycalc.architecture.tensors import Architecture
from decaycalc.errors import UnreadableFileError
from decaycalc.files.json_text import parse_json
from decaycalc.files.text import STDIN, name_of, read_text
from decaycalc.files.toml_text import parse_toml
from decaycalc.record import replace

PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle", ".joblib", ".msgpack")
EXPORT = (
    "a pickle can run code and is never loaded; export it: "
    "safetensors.torch.save_file(model.state_dict(), 'model.safetensors')"
)
INDEX_SUFFIX = ".safetensors.index.json"
# Bytes that are read in a second or two; a longer list is better written as JSON.
LARGEST_YAML, LARGEST_PURE_YAML = 2**21, 2**18


def open_checkpoint(path: str) -> Checkpoint | None:
    """Return the tensors of a file with their values' places; None if it is no such file.

    Its architecture's note tells of tensors that are stored twice.

    Raises:
        UnreadableFileError: the file is malformed.
        InvalidValueError: a tensor is absurdly large.
        MissingExtraError: a format whose optional package is not installed.
    """
    found = _checkpoint(path)
    note = "" if found is None else stored_twice(found)
    if found is None or not note:
        return found
    notes = (*found.architecture.notes, note)
    return replace(found, architecture=replace(found.architecture, notes=notes))


def _checkpoint(path: str) -> Checkpoint | None:
    """Return the tensors of a file, None if it is of no kind whose values are read."""
    lower = path.lower()
    if lower.endswith(INDEX_SUFFIX):
        return open_index(path)
    rules = {
        ".safetensors": open_safetensors,
        ".npz": archives.open_npz,
        ".npy": archives.open_npy,
        **PACKAGED,
    }
    for suffix, rule in rules.items():
        if lower.endswith(suffix):
            return rule(path)
    return None


def read_architecture(path: str) -> Architecture:
    """Return the architecture that a file describes, by the ending of its name.

    Raises:
        UnreadableFileError: an unknown kind of file, or a malformed one.
        InvalidValueError: a tensor is absurdly large.
        MissingExtraError: a format whose optional package is not installed.
    """
    regular_file(path)
    checkpoint = open_checkpoint(path)
    if checkpoint is not None:
        return checkpoint.architecture
    lower = path.lower()
    for suffix, rule in RULES.items():
        if lower.endswith(suffix):
            return rule(path)
    if lower.endswith(PICKLES):
        raise UnreadableFileError(path, EXPORT)
    known = ", ".join((".safetensors", ".npz", ".npy", *RULES, *PACKAGED))
    raise UnreadableFileError(path, f"unknown kind of file; known are {known}")


def read_stdin(text: str) -> Architecture:
    """Return the architecture that JSON from standard input describes.

    Raises:
        UnreadableFileError: it is malformed.
        InvalidValueError: a tensor is absurdly large.
    """
    return _document(_parse(text, name_of(STDIN)), name_of(STDIN))


def _json(path: str) -> Architecture:
    return _document(_parse(read_text(path), path), path)


def _parse(text: str, path: str) -> Any:
    """Return a JSON value; transformers itself writes `[0.0, Infinity]` in configurations."""
    return parse_json(text, path, constants='"model_type"' in text)


def _document(value: Any, path: str) -> Architecture:
    """Return what a JSON document describes: a configuration, an index, or a list."""
    if isinstance(value, dict) and "model_type" in value:
        # Imported here: few documents are configurations.
        from decaycalc.architecture.hub import build_config  # noqa: PLC0415
        from decaycalc.architecture.hub.fields import Fields  # noqa: PLC0415

        return build_config(Fields(path=path, values=value))
    if isinstance(value, dict) and is_timm(value):
        return read_timm(value, path)
    if isinstance(value, dict) and "weight_map" in value:
        return open_index(path, value).architecture
    return listing.read_document(value, path)


def _jsonl(path: str) -> Architecture:
    return listing.read_jsonl(read_text(path), path)


def _csv(path: str) -> Architecture:
    return listing.read_csv(read_text(path), path)


def _toml(path: str) -> Architecture:
    return listing.read_document(parse_toml(read_text(path), path, float), path)


def _yaml(path: str) -> Architecture:
    from decaycalc.architecture.readers.extras import load_package  # noqa: PLC0415 - optional

    yaml = load_package("yaml", what=f"reading {path!r}", extra="yaml")
    # The loader in C takes a tenth of the time of the one in Python.
    loader = getattr(yaml, "CSafeLoader", None)
    largest = LARGEST_YAML if loader else LARGEST_PURE_YAML
    text = read_text(path, largest=largest)
    if "&" in text or "*" in text:
        raise UnreadableFileError(path, "anchors and aliases are not read")
    try:
        value = yaml.load(text, Loader=loader or yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UnreadableFileError(path, f"not YAML: {first_line(error)}") from None
    return listing.read_document(value, path)


def _onnx(path: str) -> Checkpoint:
    from decaycalc.architecture.readers.onnx_files import open_onnx  # noqa: PLC0415 - optional

    return open_onnx(path)


def _keras(path: str) -> Checkpoint:
    from decaycalc.architecture.readers.keras_files import open_keras  # noqa: PLC0415 - optional

    return open_keras(path)


def _gguf(path: str) -> Checkpoint:
    from decaycalc.architecture.readers.gguf import open_gguf  # noqa: PLC0415 - few have one

    return open_gguf(path)


RULES: dict[str, Callable[[str], Architecture]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": _csv,
    ".tsv": _csv,
    ".toml": _toml,
    ".yaml": _yaml,
    ".yml": _yaml,
}
PACKAGED: dict[str, Callable[[str], Checkpoint]] = {
    ".onnx": _onnx,
    ".keras": _keras,
    ".h5": _keras,
    ".hdf5": _keras,
    ".gguf": _gguf,
}
"""Formats that an optional package reads, values and all."""
