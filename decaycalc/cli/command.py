"""Command: a click command with examples in its help, the configuration behind its options.

It leaves out of a start what click would do for options that nobody gives.
"""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

import click
from click.core import ParameterSource

from decaycalc.cli.configuration import PREFIX, Setting, settings
from decaycalc.errors import UnknownNameError

SETTINGS = {"help_option_names": ["-h", "--help"]}
_NEAR = 0.7  # how alike a variable's name is to an option's that was meant, as difflib counts
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_PARAMETERS = "decaycalc.parameters"
_HELP_COLUMNS = 80


def _show_help(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the help page and leave, where it is wanted."""
    if wanted and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


class Helpful(click.Command):
    """A command with a help option of our own.

    Click looks up its option's text in the translations of the user's locale at every start, which
    is a fortieth of one; there are none to find.
    """

    _own_help: click.Option | None = None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option `--help`, always the same one."""
        if self._own_help is None:
            self._own_help = click.Option(
                [*ctx.help_option_names, "help_wanted"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_show_help,
                help="Show this message and exit.",
            )
        return self._own_help

    def get_help(self, ctx: click.Context) -> str:
        """Return the help page, as wide as click would make it."""
        if ctx.terminal_width is None:
            columns = min(_columns(), ctx.max_content_width or _HELP_COLUMNS)
            ctx.terminal_width = max(columns - 2, 50)
        return super().get_help(ctx)


def _columns() -> int:
    """Return the terminal's width, as `shutil` does, whose import costs a start 3 ms."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    stream = sys.__stdout__
    try:
        wide = os.get_terminal_size(stream.fileno()).columns if stream else 0
    except (ValueError, OSError):  # it is closed, or no terminal
        wide = 0
    return wide or _HELP_COLUMNS


class Spare:
    """An option without a default, made only where a command line may give it.

    To make one and take it through all of click's parsing, to end as None, costs a start 30 µs;
    `convert` has fifty.
    """

    def __init__(self, *flags: str, **settings: Any) -> None:
        self._declared, self._settings = flags, settings
        self._made: click.Option | None = None
        self.flags = [word for flag in flags if flag[0] == "-" for word in flag.split("/")]
        names = [flag for flag in flags if flag[0] != "-"]
        long = next(flag for flag in self.flags if flag[:2] == "--")
        self.name = names[0] if names else long.lstrip("-").replace("-", "_")
        is_plain_flag = settings.get("is_flag") and "default" not in settings
        self.absent = False if is_plain_flag else None

    def made(self) -> click.Option:
        """Return the option, always the same one."""
        if self._made is None:
            self._made = click.Option(list(self._declared), **self._settings)
        return self._made


def spare(*flags: str, **settings: Any) -> Decorator:
    """Declare an option as `click.option` does, for a `Command`; it may have no default."""
    option = Spare(*flags, **settings)

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        # Where click's own decorators put theirs.
        function.__dict__.setdefault("__click_params__", []).append(option)
        return function

    return declare


class Command(Helpful):
    """A command with `examples`, command lines that its help shows first."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **settings: Any) -> None:
        settings.setdefault("context_settings", {**SETTINGS, "max_content_width": 100})
        super().__init__(*args, **settings)
        self.examples = examples

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the command's context, with the user's configuration behind the command line."""
        warnings = _apply(self, extra)
        context = super().make_context(info_name, args, parent, **extra)
        _warn(context, warnings)
        return context

    @property
    def params(self) -> list[click.Parameter]:
        """All parameters, in the order of their declaration."""
        return _made(self._declared)

    @params.setter
    def params(self, declared: list[click.Parameter]) -> None:
        """Take the parameters, spare ones among them."""
        self._declared: list[click.Parameter | Spare] = [*declared]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words, without the spare options that none of them gives."""
        left_out = self._left_out(ctx, args)
        if left_out:
            kept = [declared for declared in self._declared if declared not in left_out]
            ctx.meta[_PARAMETERS] = [*_made(kept), self.get_help_option(ctx)]
        rest = super().parse_args(ctx, args)
        for option in left_out:
            ctx.params[option.name] = option.absent
            ctx.set_parameter_source(option.name, ParameterSource.DEFAULT)
        return rest

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters that matter to the words being parsed; all of them otherwise."""
        return ctx.meta.get(_PARAMETERS) or super().get_params(ctx)

    def _left_out(self, ctx: click.Context, args: list[str]) -> set[Spare]:
        """Return the spare options that the words do not give.

        None of them where there is any doubt: help, a misspelt option, several in one word.
        """
        spares = [declared for declared in self._declared if isinstance(declared, Spare)]
        known = {flag for option in spares for flag in option.flags}
        for declared in self._declared:
            if not isinstance(declared, Spare):
                known.update(declared.opts, declared.secondary_opts)
        given = {word.partition("=")[0] for word in args if word[:1] == "-" and word != "-"}
        if ctx.resilient_parsing or ctx.default_map or not given <= known:
            return set()
        return {option for option in spares if given.isdisjoint(option.flags)}

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples between usage and description."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"  {example}\n")
        super().format_help_text(ctx, formatter)


def _made(declared: Iterable[click.Parameter | Spare]) -> list[click.Parameter]:
    """Return click's own parameters."""
    return [each.made() if isinstance(each, Spare) else each for each in declared]


def _apply(command: click.Command, extra: dict[str, Any]) -> list[str]:
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


def _warn(context: click.Context, warnings: list[str]) -> None:
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
