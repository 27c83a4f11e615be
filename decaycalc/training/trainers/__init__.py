"""Importers: training configurations of other programs, read as recipes and never run."""

import os
from typing import TYPE_CHECKING

from decaycalc.errors import ContradictionError, InvalidValueError, UnreadableFileError
from decaycalc.training.trainers.result import Imported, LayerMultiplier

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Imported", "LayerMultiplier", "is_file_name", "read_recipe"]

_KINDS = {
    ".prototxt": "caffe",
    ".cfg": "darknet",
    ".json": "huggingface",
    ".py": "nanogpt",
    ".yaml": "timm",
    ".yml": "timm",
}


def is_file_name(text: str) -> bool:
    """Return whether a text names a file rather than a recipe of the catalogue.

    >>> is_file_name("solver.prototxt"), is_file_name("resnet-50-he")
    (True, False)
    """
    return "/" in text or "\\" in text or _ending(text) in _KINDS


def _ending(text: str) -> str:
    return os.path.splitext(text)[1].lower()  # noqa: PTH122  (pathlib costs a start 5 ms)


def read_recipe(path: "Path | str") -> Imported:
    """Return the run that a training configuration describes, told apart by the file's ending.

    `.prototxt` is a Caffe solver, `.cfg` a Darknet network, `.json` Hugging Face
    TrainingArguments, `.py` a nanoGPT configuration, `.yaml` timm's arguments.

    Raises:
        UnreadableFileError: another ending, a file that is not what its ending says, or a
            quantity that no run can have.
    """
    # Imported here: most commands read no file.
    from pathlib import Path  # noqa: PLC0415

    path = Path(path)
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        endings = ", ".join(_KINDS)
        raise UnreadableFileError(str(path), f"its ending is none of {endings}")
    try:
        imported = _reader(kind, path)
        imported.recipe.run()
    except (InvalidValueError, ContradictionError) as error:
        raise UnreadableFileError(str(path), str(error)) from None
    return imported


def _reader(kind: str, path: "Path") -> Imported:
    """Import and call the reader of one kind, so that the others cost nothing."""
    # Each reader is imported where it is called: a command needs one of them at most.
    if kind == "caffe":
        from decaycalc.training.trainers.caffe import read_caffe  # noqa: PLC0415

        return read_caffe(path)
    if kind == "darknet":
        from decaycalc.training.trainers.darknet import read_darknet  # noqa: PLC0415

        return read_darknet(path)
    if kind == "huggingface":
        from decaycalc.training.trainers.huggingface import read_huggingface  # noqa: PLC0415

        return read_huggingface(path)
    if kind == "nanogpt":
        from decaycalc.training.trainers.nanogpt import read_nanogpt  # noqa: PLC0415

        return read_nanogpt(path)
    from decaycalc.training.trainers.timm import read_timm  # noqa: PLC0415

    return read_timm(path)
