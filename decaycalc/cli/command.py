"""Command: a click command with examples in its help, the configuration behind its options."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import click

from decaycalc.algebra.quantity import flag_named
from decaycalc.cli import COMMANDS
from decaycalc.cli.configuration import Setting, settings
from decaycalc.cli.headings import grouped
from decaycalc.cli.screen import say
from decaycalc.cli.session import (
    FORMATS_KEY,
    asked_formats,
    environment_formats,
    repeated_flag,
    session_of,
    typed,
    wants_help,
)
from decaycalc.errors import InvalidValueError, UsageError
from decaycalc.record import Record, replace

_SETTINGS = {"help_option_names": ["--help"], "max_content_width": 100}
_BRIEF = "decaycalc.brief"  # where a context keeps that one screen of help is wanted
_FLAGS_WIDTH = 26  # columns; a longer flag stands on a line of its own
# What explains the program must work where a configuration does not.
_UNCONFIGURED = frozenset({"guide", "schema", "completion"})
_FOOTER = "-h is this page; --help has every option."
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Command(click.Command):
    """A command with `examples`, command lines that its help shows first."""

    def __init__(
        self,
        *args: Any,
        examples: tuple[str, ...] = (),
        is_configurable: bool = True,
        **settings: Any,
    ) -> None:
        settings.setdefault("context_settings", _SETTINGS)
        super().__init__(*args, **settings)
        self.params.append(_brief_help())
        self.examples = examples
        self.is_configurable = is_configurable

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the command's context, with the user's configuration behind the command line.

        The format is decided here, before anything can fail: errors are written in it too.

        Raises:
            UsageError: an option with one value stands twice.
        """
        if extra.get("resilient_parsing"):
            return super().make_context(info_name, args, parent, **extra)
        (values, order), session = typed(self, args), session_of(parent)
        session.decide(values, environment_formats())
        warnings: tuple[str, ...] = ()
        if self.is_configurable and not wants_help(values):
            only_shown = bool(values.get("show_config"))
            behind = configured(self, only_shown=only_shown)
            extra["default_map"], warnings = behind.defaults, behind.warnings
            session.decide(values, behind.defaults)
            session.settings = tuple(
                setting for name, setting in behind.settings.items() if name not in values
            )
        _refuse_repeated(order)
        context = super().make_context(info_name, args, parent, **extra)
        context.meta[FORMATS_KEY] = asked_formats(values, extra.get("default_map", {}))
        _warn(context, warnings)
        return context

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description, then the examples; one screen has its first paragraph alone."""
        if _is_brief(ctx):
            first, *_ = (self.help or "").split("\n\n")
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(" ".join(first.split()))
        else:
            super().format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"  {example}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings; one screen leaves out the rare ones."""
        groups = grouped(self.get_params(ctx), brief=_is_brief(ctx))
        records = {heading: _records(options, ctx) for heading, options in groups}
        flags = [flags for group in records.values() for flags, _ in group]
        width = min(max(map(len, flags)), _FLAGS_WIDTH)
        for heading, group in records.items():
            with formatter.section(heading):
                # Padded, so that the texts of all groups stand in one column.
                formatter.write_dl([(flags.ljust(width), text) for flags, text in group], width)
        if _is_brief(ctx):
            formatter.write(f"\n{_FOOTER}\n")


def _records(options: list[click.Option], context: click.Context) -> list[tuple[str, str]]:
    """Return the flags and the help of each option that is not hidden."""
    found = (option.get_help_record(context) for option in options)
    return [record for record in found if record is not None]


def _refuse_repeated(order: list[click.Parameter]) -> None:
    """Check that no option with one value stands twice.

    Raises:
        UsageError: one does; all but its last value would be lost.
    """
    flag = repeated_flag(order)
    if flag is not None:
        raise UsageError(f"{flag} stands twice; give it once")


def _is_brief(context: click.Context) -> bool:
    return bool(context.meta.get(_BRIEF))


def _show_brief_help(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print one screen of help and leave, where it is wanted."""
    if wanted and not context.resilient_parsing:
        context.meta[_BRIEF] = True
        click.echo(context.get_help(), color=context.color)
        context.exit()


def _brief_help() -> click.Option:
    """Return the option `-h`, one screen of help."""
    return click.Option(
        ["-h", "brief_help"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_brief_help,
        help="One screen of help.",
    )


class Configured(Record):
    """What a configuration says to a command: settings and their values by parameter's name."""

    settings: dict[str, Setting]
    defaults: dict[str, Any]
    warnings: tuple[str, ...] = ()


def configured(command: click.Command, *, only_shown: bool = False) -> Configured:
    """Return the configuration's defaults by parameter, and the warnings about it.

    What a file may not say is left out where the configuration is `only_shown`.

    Raises:
        UsageError: a file sets what only a command line may say.
        UnknownNameError: a file has a key that no command's option is called.
        InvalidValueError: a value of a kind that its option does not take.
    """
    names = options_of(command)
    found = {} if command.name in _UNCONFIGURED else found_for(command)
    for setting in () if only_shown else found.values():
        _require_allowed(setting)
    found = {name: setting for name, setting in found.items() if not setting.refused}
    strays = [setting for setting in found.values() if setting.name not in names]
    pairs = [(names[option], found[option]) for option in names if option in found]
    behind = Configured(
        settings={str(parameter.name): setting for parameter, setting in pairs},
        defaults={str(pair[0].name): _value(*pair) for pair in pairs},
    )
    if not strays:
        return behind
    # Imported here: most starts have no setting that their command does not know.
    from decaycalc.cli.strays import warnings_of

    return replace(behind, warnings=warnings_of(strays, all_options()))


def all_options() -> tuple[str, ...]:
    """Return the names that a configuration gives to the options of all commands, sorted."""
    from decaycalc.cli.group import program

    context = click.Context(program)
    commands = (program.get_command(context, name) for name in COMMANDS)
    return tuple(sorted({name for each in commands if each for name in options_of(each)}))


def _warn(context: click.Context, warnings: Sequence[str]) -> None:
    """Write warnings to stderr, unless the command is to be quiet."""
    if not context.params.get("quiet"):
        for warning in warnings:
            say("warning", warning)


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


def _require_allowed(setting: Setting) -> None:
    """Refuse what a file may not say.

    Raises:
        UsageError: it would read, write or load something elsewhere.
    """
    if setting.refused:
        raise UsageError(
            f"{setting.name} may not be set in {setting.source}: what is read or written is said "
            f"on the command line, by {flag_named(setting.name)}"
        )


def _value(parameter: click.Parameter, setting: Setting) -> Any:
    """Return a value as click takes it: a list where an option may be repeated.

    Raises:
        InvalidValueError: it is of a kind that the option does not take.
    """
    value, takes_many = setting.value, parameter.multiple or parameter.nargs > 1
    if takes_many and isinstance(value, str):
        return value.split()
    if takes_many:
        fits, kind = _is_list_of_texts(value), "a text or a list of texts"
    elif getattr(parameter, "is_flag", False):
        fits, kind = isinstance(value, bool | str), "true or false"
    else:
        fits, kind = isinstance(value, str), "a number or a text"
    if not fits:
        raise InvalidValueError(setting.name, value, f"must be {kind} ({setting.source})")
    return value


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
