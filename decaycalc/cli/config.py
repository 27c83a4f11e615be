"""Defaults from the configuration, and `--show-config`, which tells where each comes from."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from decaycalc.cli.output import Shown, show, take_output
from decaycalc.config import Setting, settings


def apply(command: click.Command, extra: dict[str, Any]) -> None:
    """Put the configuration's defaults among the settings that a command's context is made of."""
    found = _found(command.name or "")
    names = _options(command) if found else {}
    defaults = {
        parameter.name: _value(parameter, found[option].value)
        for option, parameter in names.items()
        if option in found
    }
    if defaults:
        extra["default_map"] = {**(extra.get("default_map") or {}), **defaults}


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

    text = "Show each option's value and where it comes from."
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

    def tables() -> Any:
        from decaycalc.report.table import Table

        cells = tuple((row["option"], _cell(row["value"]), row["source"]) for row in rows)
        yield Table(title="Configuration", headers=("option", "value", "from"), rows=cells)

    return Shown(name="config", body=lambda: {"options": rows}, tables=tables, rows=lambda: rows)


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
