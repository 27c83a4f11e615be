"""Real frameworks in the place of the update rules that `verify` executes itself.

A framework is imported when it is asked for, by its adapter. Only steps and fits are the
framework's: models, data and gradients stay those of `simulate`.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from decaycalc.errors import InvalidValueError
from decaycalc.record import Record
from decaycalc.verification.documents import LoadedJson
from decaycalc.verification.pairing import StandIn

FRAMEWORKS = ("torch", "keras", "optax", "sklearn")


class Loaded(Record):
    """A framework, its version, and the conventions that it stands in for."""

    name: str
    version: str
    conventions: tuple[str, ...]

    def to_dict(self) -> LoadedJson:
        """Return the framework as the command line's JSON holds it."""
        return {
            "name": self.name,
            "version": self.version,
            "conventions": list(self.conventions),
        }


def check_frameworks(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of frameworks, each once, all known.

    Raises:
        InvalidValueError: no framework of that name.
    """
    for name in names:
        if name not in FRAMEWORKS:
            raise InvalidValueError("with", name, f"must be one of {', '.join(FRAMEWORKS)}")
    return tuple(dict.fromkeys(names))


def stand_ins(
    names: tuple[str, ...], keys: tuple[str, ...]
) -> tuple[Mapping[str, StandIn], tuple[Loaded, ...]]:
    """Return what takes the place of the conventions `keys`, and the frameworks it is from.

    Raises:
        InvalidValueError: a framework is unknown, or has none of the conventions.
        MissingFrameworkError: a framework is not installed.
    """
    found: dict[str, StandIn] = {}
    loaded = []
    for name in check_frameworks(names):
        adapter = import_module(f"decaycalc.verification.frameworks.{name}")
        own = _own(name, adapter, keys)
        library = adapter.load()
        found |= {key: adapter.stand_in(key, library) for key in own}
        version = str(library.__version__)
        loaded.append(Loaded(name=name, version=version, conventions=own))
    return found, tuple(loaded)


def _own(name: str, adapter: Any, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the conventions that a framework stands in for.

    Raises:
        InvalidValueError: none.
    """
    own = tuple(dict.fromkeys(key for key in keys if key in adapter.KEYS))
    if own:
        return own
    known = ", ".join(adapter.KEYS)
    reason = f"runs {known}, and so neither side ({' to '.join(keys)})"
    raise InvalidValueError("with", name, reason)
