"""Defaults of options: from the environment, from pyproject.toml and from the user's own file.

`DECAYCALC_LR=0.1` and `lr = 0.1` under `[tool.decaycalc]` are what `--lr 0.1` is, where the command
line is silent; the environment goes before the project's file, and that before the user's. A table
of a command's name (`[tool.decaycalc.convert]`) holds for that command only.

Who works in a folder need not have written its pyproject.toml: it says numbers and choices, never
what is read from, written to or loaded from elsewhere. The user's own file may name what is read.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

from decaycalc.cli import COMMANDS
from decaycalc.errors import UnknownNameError
from decaycalc.files.text import read_bytes
from decaycalc.files.toml_text import parse_toml_file
from decaycalc.record import Record

PREFIX = "DECAYCALC_"
_MARK = b"tool.decaycalc"
# A table of [tool.decaycalc] that holds assertions, not options.
_CHECKS, _CONVENTIONS = "check", "convention"
# Those that hold something else than what is the default of every command.
TABLES = (*COMMANDS, _CONVENTIONS)
WRITING = frozenset({"output", "save", "input"})
READING = frozenset({"conventions", "recipe", "arch", "live", "configured", "with"})
# A schedule of which a segment is read from a file.
_FILE = re.compile(r"(?:^|\+)\s*file\s*(?::|$)", re.IGNORECASE)


class Setting(Record):
    """An option's default and where it stands; `name` is the option's, with underscores.

    What is `refused` stands in a file that may not say it.
    """

    name: str
    value: Any
    source: str
    refused: bool = False


def settings(command: str, environment: Mapping[str, str], folder: str) -> dict[str, Setting]:
    """Return the defaults by option name for a command, those that win.

    Costs a few file look-ups where there is no configuration.

    Raises:
        TomlSyntaxError: a configuration file that is no TOML.
        UnreadableFileError: one that cannot be read.
        UnknownNameError: a table that is no command's.
    """
    found: dict[str, Setting] = {}
    own, project = user_file(environment), project_file(folder)
    if own is not None:
        found |= _of_table(_table(own, ()), command, own, refused=WRITING)
    if project is not None:
        table = _table(project, ("tool", "decaycalc"))
        found |= _of_table(table, command, project, refused=WRITING | READING)
    for name, value in environment.items():
        if name.startswith(PREFIX):
            option = name.removeprefix(PREFIX).lower()
            found[option] = Setting(name=option, value=value, source=name)
    return found


def user_file(environment: Mapping[str, str]) -> str | None:
    """Return the user's configuration file, None where there is none."""
    home = environment.get("HOME", "")
    # As its specification has it, a relative folder counts as none.
    given = environment.get("XDG_CONFIG_HOME", "")
    folder = given if given.startswith("/") else (f"{home}/.config" if home else "")
    path = f"{folder}/decaycalc/config.toml"
    return path if folder and os.path.isfile(path) else None  # noqa: PTH113  (pathlib is slow to load)


def project_file(folder: str) -> str | None:
    """Return the nearest pyproject.toml from a folder upwards, None where it says nothing of us."""
    while True:
        path = f"{folder.rstrip('/')}/pyproject.toml"
        if os.path.isfile(path):  # noqa: PTH113  (pathlib is slow to load)
            return path if _MARK in read_bytes(path) else None
        parent = os.path.dirname(folder)  # noqa: PTH120
        if parent == folder:
            return None
        folder = parent


def _table(path: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return a table of a TOML file, empty where it has none."""
    table = parse_toml_file(path)
    for key in keys:
        table = table.get(key, {})
        if not isinstance(table, dict):
            return {}
    return table


def _of_table(
    table: dict[str, Any], command: str, path: str, *, refused: frozenset[str]
) -> dict[str, Setting]:
    """Return the settings of a table: those for all commands, then those for one.

    Raises:
        UnknownNameError: a table that is no command's.
    """
    for name, value in table.items():
        if isinstance(value, dict) and name not in TABLES:
            raise UnknownNameError(f"table in {path}:", name, TABLES)
    own = table.get(command) if command != _CHECKS else None
    pairs = [*table.items(), *(own.items() if isinstance(own, dict) else ())]
    return {
        (option := name.replace("-", "_")): Setting(
            name=option,
            value=_plain(value),
            source=path,
            refused=option in refused or _FILE.search(str(value)) is not None,
        )
        for name, value in pairs
        if not isinstance(value, dict) and name != _CONVENTIONS
    }


def _plain(value: Any) -> Any:
    """Return numbers as texts, as they would be typed."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
