"""Defaults from the configuration, and `--show-config`, which tells where each comes from."""

import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from decaycalc.cli.output import Shown, show, take_output
from decaycalc.config import PREFIX, Setting, settings
from decaycalc.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from decaycalc.report.table import Table

_NOTHING: tuple[object, ...] = (None, False, [])  # what an option has that nobody set
_NEAR = 0.7  # how alike a variable's name is to an option's that was meant, as difflib counts


def apply(command: click.Command, extra: dict[str, Any]) -> list[str]:
    """Put the configuration's defaults among the settings that a command's context is made of.

    Returns the warnings about it.

    Raises:
        UnknownNameError: a file has a key that no command's option is called.
    """
    found = _found(command.name or "")
    names = _options(command) if found else {}
    strays = [setting for setting in found.values() if setting.name not in names]
    defaults = {
        parameter.name: _value(parameter, found[option].value)
        for option, parameter in names.items()
        if option in found
    }
    if defaults:
        extra["default_map"] = {**(extra.get("default_map") or {}), **defaults}
    return _warnings(strays) if strays else []


def _warnings(strays: list[Setting]) -> list[str]:
    """Return a warning for each variable that looks like a misspelt one of another name.

    Raises:
        UnknownNameError: a file has a key that no command's option is called.
    """
    # Imported here: most starts have no setting that their command does not know.
    from decaycalc.cli.option_names import OPTIONS

    unknown = [setting for setting in strays if setting.name not in OPTIONS]
    for setting in unknown:
        if not setting.source.startswith(PREFIX):
            raise UnknownNameError(f"key in {setting.source}:", setting.name, OPTIONS)
    return [text for setting in unknown if (text := _warning(setting.source, OPTIONS))]


def _warning(variable: str, options: tuple[str, ...]) -> str:
    """Return what is said of a variable that is no option's, empty where it is near to none."""
    from difflib import get_close_matches

    word = variable.removeprefix(PREFIX).lower()
    near = get_close_matches(word, options, n=1, cutoff=_NEAR)
    return f"{variable} is no option; did you mean {PREFIX}{near[0].upper()}?" if near else ""


def warn(context: click.Context, warnings: list[str]) -> None:
    """Write warnings to stderr, unless the command is to be quiet."""
    if not context.params.get("quiet"):
        for warning in warnings:
            click.echo(f"warning: {warning}", err=True)


def _found(command: str) -> dict[str, Setting]:
    """Return the configuration for a command."""
    try:
        folder = os.getcwd()  # noqa: PTH109  (pathlib is slow to load)
    except OSError:  # the folder is gone
        folder = "/"
    return settings(command, os.environ, folder)


def _options(command: click.Command) -> dict[str, click.Parameter]:
    """Return a command's options by the names that a configuration gives them."""
    return {
        name.lstrip("-").replace("-", "_"): parameter
        for parameter in command.params
        for name in parameter.opts
        if name.startswith("--") and parameter.name != "show_config"
    }


def _value(parameter: click.Parameter, value: Any) -> Any:
    """Return a value as click takes it: a list where an option may be repeated."""
    if parameter.multiple and isinstance(value, str):
        return value.split()
    return value


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--show-config`; with it, the command only says what its options are and why."""

    @wraps(command)
    def with_config(*, show_config: bool, **given: Any) -> Any:
        if show_config:
            return show(_shown(), take_output(given))
        return command(**given)

    text = "Show the options' values and where each comes from."
    return click.option("--show-config", is_flag=True, help=text)(with_config)


def _shown() -> Shown:
    """Return the options in force, and what the configuration says that no option takes."""
    context = click.get_current_context()
    found = _found(context.command.name or "")
    options = _options(context.command)
    rows = [
        _row(name, context.params.get(str(option.name)), _source(context, option, found, name))
        for name, option in options.items()
    ]
    rows += [_row(s.name, s.value, f"{s.source} (unused here)")
             for s in found.values() if s.name not in options]  # fmt: skip

    return Shown(
        name="config",
        body=lambda: {"options": rows},
        tables=lambda: tables_of(rows),
        rows=lambda: rows,
    )


def tables_of(rows: list[dict[str, Any]]) -> "Iterator[Table]":
    """Yield the one table of options, without those that nobody set and that have no value."""
    from decaycalc.report.table import Table

    told = [row for row in rows if row["value"] not in _NOTHING or row["source"] != "default"]
    cells = tuple((row["option"], _cell(row["value"]), row["source"]) for row in told)
    silent = len(rows) - len(told)
    note = f"{silent} more options have no value (--json lists them)" if silent else ""
    yield Table(title="Configuration", headers=("option", "value", "from"), rows=cells, note=note)


def _row(name: str, value: Any, source: str) -> dict[str, Any]:
    if isinstance(value, tuple | list):
        value = [getattr(item, "key", item) for item in value]
    return {"option": name, "value": getattr(value, "key", value), "source": source}


def _cell(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _source(
    context: click.Context, parameter: click.Parameter, found: dict[str, Setting], name: str
) -> str:
    """Return where an option's value comes from."""
    source = context.get_parameter_source(str(parameter.name))
    if source == ParameterSource.COMMANDLINE:
        return "command line"
    if source == ParameterSource.DEFAULT_MAP and name in found:
        return found[name].source
    return "default"
