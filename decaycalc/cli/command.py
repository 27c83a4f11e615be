"""Command: a click command with examples in its help, the configuration behind its options.

It leaves out of a start what click would do for options that nobody gives.
"""

import os
from typing import Any

import click
from click.core import ParameterSource

from decaycalc.config import PREFIX, Setting, settings
from decaycalc.errors import UnknownNameError

SETTINGS = {"help_option_names": ["-h", "--help"]}
_NEAR = 0.7  # how alike a variable's name is to an option's that was meant, as difflib counts
_PARAMETERS = "decaycalc.parameters"
_UNSET = click.Option(["--unset"]).default  # what click takes for no default


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
                [*self.get_help_option_names(ctx), "help_wanted"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_show_help,
                help="Show this message and exit.",
            )
        return self._own_help


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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words, without the options that nobody gives and that do nothing then.

        Click takes each through all of its parsing, a fortieth of a start for those of `convert`.
        """
        silent = self._silent(ctx, args)
        if silent:
            kept = [parameter for parameter in self.params if parameter not in silent]
            ctx.meta[_PARAMETERS] = [*kept, self.get_help_option(ctx)]
        rest = super().parse_args(ctx, args)
        for option in silent:
            ctx.params[option.name] = _absent(option)
            ctx.set_parameter_source(option.name, ParameterSource.DEFAULT)
        return rest

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters that matter to the words being parsed; all of them otherwise."""
        return ctx.meta.get(_PARAMETERS) or super().get_params(ctx)

    def _silent(self, ctx: click.Context, args: list[str]) -> list[click.Parameter]:
        """Return the options that the words do not give and that do nothing then.

        None of them where there is any doubt: help, a misspelt option, several in one word.
        """
        flags = {flag: parameter for parameter in self.params for flag in parameter.opts}
        flags |= {flag: parameter for parameter in self.params for flag in parameter.secondary_opts}
        given = {word.partition("=")[0] for word in args if word[:1] == "-" and word != "-"}
        if ctx.resilient_parsing or ctx.default_map or not given <= flags.keys():
            return []
        named = {flags[flag].name for flag in given}
        return [option for option in self.params if _is_silent(option) and option.name not in named]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples between usage and description."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"  {example}\n")
        super().format_help_text(ctx, formatter)


def _is_silent(parameter: click.Parameter) -> bool:
    """Return whether a parameter that is not given has no default, and nothing happens."""
    return (
        isinstance(parameter, click.Option)
        and (parameter.default is None or parameter.default is _UNSET)
        and not (parameter.multiple or parameter.required)
        and parameter.callback is None
        and parameter.envvar is None
        and parameter.expose_value
        and parameter.is_flag == parameter.is_bool_flag
    )


def _absent(option: click.Parameter) -> bool | None:
    """Return the value of a silent option that is not given."""
    is_plain = isinstance(option, click.Option) and option.is_flag and option.default is _UNSET
    return False if is_plain else None


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
