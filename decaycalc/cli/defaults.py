"""The user's configuration as the defaults of a command's options."""

import os
from typing import Any

import click

from decaycalc.config import PREFIX, Setting, settings
from decaycalc.errors import UnknownNameError

_NEAR = 0.7  # how alike a variable's name is to an option's that was meant, as difflib counts


def apply(command: click.Command, extra: dict[str, Any]) -> list[str]:
    """Put the configuration's defaults among the settings that a command's context is made of.

    Returns the warnings about it.

    Raises:
        UnknownNameError: a file has a key that no command's option is called.
    """
    found = found_for(command)
    names = options_of(command) if found else {}
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


def found_for(command: click.Command) -> dict[str, Setting]:
    """Return the configuration for a command."""
    try:
        folder = os.getcwd()  # noqa: PTH109  (pathlib is slow to load)
    except OSError:  # the folder is gone
        folder = "/"
    return settings(command.name or "", os.environ, folder)


def options_of(command: click.Command) -> dict[str, click.Parameter]:
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
