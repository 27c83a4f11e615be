"""What the readers of formats behind an optional package share."""

import importlib
from typing import Any

from decaycalc.architecture.readers.bounds import check_name
from decaycalc.architecture.readers.listing import Pair, architecture_of
from decaycalc.architecture.readers.stored import Checkpoint, Stored
from decaycalc.errors import MissingExtraError


def load_package(module: str, *, what: str, extra: str) -> Any:
    """Return an optional package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingExtraError(what, extra) from None


def checkpoint_of(stored: list[Stored], path: str, *, roles: dict[str, str]) -> Checkpoint:
    """Return the checkpoint of tensors whose roles are told by name where `roles` has none.

    Raises:
        UnreadableFileError: none or too many tensors, or a name that stands twice.
        InvalidValueError: an absurd shape.
    """
    for each in stored:
        check_name(each.name, path)
    pairs: list[Pair] = [(each.name, each.shape, roles.get(each.name, "")) for each in stored]
    architecture = architecture_of(pairs, path)
    places = {entry.name: entry for entry in stored}
    kept = tuple(places[tensor.name] for tensor in architecture.tensors)
    return Checkpoint(architecture=architecture, stored=kept)
