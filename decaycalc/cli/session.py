"""Session: what is known of a command line before anything of it can fail."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from decaycalc.cli.configuration import Setting

FORMATS_KEY = "decaycalc.formats"  # where a context keeps the formats that are asked for
FORMAT_OPTIONS = ("format_", "json_", "value_only", "output")
_HELP = ("help", "_click_default_help", "brief_help")
_VARIABLES = {"DECAYCALC_FORMAT": "format_", "DECAYCALC_JSON": "json_"}


class Session:
    """Whether errors are to be JSON objects too; a command says so to the program around it.

    `settings` are those of a configuration that hold, as the command line is silent there.
    """

    def __init__(self) -> None:
        self.wants_json = False
        self.settings: tuple[Setting, ...] = ()

    def decide(self, typed: Mapping[str, Any], configured: Mapping[str, Any]) -> None:
        """Decide by what is typed, else by what the configuration says."""
        self.wants_json = "json" in asked_formats(typed, configured)


def session_of(context: click.Context | None) -> Session:
    """Return the session that a command runs in, one of its own where there is none."""
    found = None if context is None else context.find_object(Session)
    return found or Session()


def typed_values(command: click.Command, words: Sequence[str]) -> dict[str, Any]:
    """Return the values that words give to a command's parameters, as far as they can be read."""
    return typed(command, words)[0]


def typed(
    command: click.Command, words: Sequence[str]
) -> tuple[dict[str, Any], list[click.Parameter]]:
    """Return the values that words give to a command's parameters, these as often as they stand.

    Unknown options and what is missing are passed over: the command's own parsing refuses them.
    """
    settings = {**command.context_settings, "ignore_unknown_options": True}
    lenient = click.Context(command, resilient_parsing=True, **settings)
    values, _, order = command.make_parser(lenient).parse_args(list(words))
    return values, order


def repeated_flag(order: Sequence[click.Parameter]) -> str | None:
    """Return the flag of an option that stands twice and takes one value, None where none does.

    A flag that says one thing may stand twice; one with its opposite has a value.
    """
    seen = set()
    for param in order:
        if not isinstance(param, click.Option) or param.multiple or param.count:
            continue
        if param.is_flag and not param.secondary_opts:
            continue
        if param.name in seen:
            return max(param.opts, key=len)
        seen.add(param.name)
    return None


def wants_help(typed: Mapping[str, Any]) -> bool:
    """Return whether the words ask for a help page, which no configuration may stop."""
    return any(typed.get(name) for name in _HELP)


def asked_formats(typed: Mapping[str, Any], configured: Mapping[str, Any]) -> set[str]:
    """Return the formats asked for: by words (an output file among them), else configured."""
    said = any(typed.get(name) for name in FORMAT_OPTIONS)
    values = typed if said else configured
    asked = {
        values.get("format_"),
        "json" if _is_on(values.get("json_")) else None,
        "value" if _is_on(values.get("value_only")) else None,
    }
    return {str(format_) for format_ in asked if format_ is not None}


def environment_formats() -> dict[str, str]:
    """Return what the environment alone says of the format, whatever becomes of the files."""
    return {name: os.environ[key] for key, name in _VARIABLES.items() if key in os.environ}


def _is_on(value: Any) -> bool:
    """Return whether a flag is set; a text says so unless click would read it as no."""
    return click.BOOL.str_to_bool(value) is not False if isinstance(value, str) else bool(value)
