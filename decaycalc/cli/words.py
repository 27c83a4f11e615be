"""The words of the command line, for completion and the manual: commands, options, their values."""

from functools import cache

import click

from decaycalc.cli import COMMANDS
from decaycalc.cli.group import program
from decaycalc.cli.options import ConventionName
from decaycalc.record import Record

FILES = "files"
_BY_NAME = {
    "arch": "networks", "spec": "networks", "decay_mask": "masks", "mask": "masks",
    "recipe": "recipes", "to_recipe": "recipes", "output": FILES, "input": FILES, "file": FILES,
    "dtype": "dtypes", "init": "initialisers", "schedule": "schedules",
}  # fmt: skip
_BY_ARGUMENT = {
    "conventions": "conventions", "recipes": "recipes", "arch": "networks", "schema": "schemas",
    "check": FILES,
}  # fmt: skip
_EMITTED = ("pytorch", "keras", "optax", "timm", "hf", "sklearn")


class Option(Record):
    """An option: its flags, its help in one line, and its values (None for a bare flag).

    `values` is the name of a list of `lists()`, `files`, or the words themselves after a `=`.
    """

    flags: tuple[str, ...]
    help: str
    values: str | None


class Words(Record):
    """A command: its name, its help in one line, its options and its argument's values."""

    name: str
    help: str
    options: tuple[Option, ...]
    argument: str


@cache
def commands() -> tuple[Words, ...]:
    """Return the commands in the order of the help page, those that are there."""
    found = []
    for name, text in COMMANDS.items():
        try:
            command = program.get_command(click.Context(program), name)
        except ModuleNotFoundError:
            continue
        if command is not None:
            found.append(_words(name, text, command))
    return tuple(found)


def _words(name: str, text: str, command: click.Command) -> Words:
    options = tuple(_option(p) for p in command.params if isinstance(p, click.Option))
    help_ = Option(flags=("-h", "--help"), help="Show this message and exit.", values=None)
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    values = _BY_ARGUMENT.get(name, "=")
    if arguments and isinstance(arguments[0].type, click.Choice):
        values = _choices(arguments[0].type)
    return Words(name=name, help=text, options=(*options, help_), argument=values)


def _option(option: click.Option) -> Option:
    flags = (*option.opts, *option.secondary_opts)
    text = (option.help or "").partition("\n")[0]
    return Option(flags=flags, help=text, values=None if option.is_flag else _values(option))


def _values(option: click.Option) -> str:
    """Return what an option's values are."""
    if isinstance(option.type, click.Choice):
        return _choices(option.type)
    if isinstance(option.type, ConventionName):
        return "conventions"
    if option.name == "framework" and "--emit" in option.opts:
        return f"={' '.join(_EMITTED)}"
    return _BY_NAME.get(option.name or "", "=")


def _choices(choice: click.Choice[str]) -> str:
    return f"={' '.join(map(str, choice.choices))}"


def lists() -> dict[str, tuple[str, ...]]:
    """Return the lists of values by name."""
    from decaycalc.architecture.masks import RULES
    from decaycalc.architecture.zoo import known_names
    from decaycalc.conventions.catalogue import conventions
    from decaycalc.conversion.rounding import SIGNIFICANT_BITS
    from decaycalc.report.schemas import NAMES
    from decaycalc.schedule import KINDS
    from decaycalc.training.published.index import RECIPES

    return {
        "conventions": tuple(sorted(convention.key for convention in conventions())),
        "recipes": tuple(recipe.name for recipe in RECIPES),
        "networks": tuple(known_names()),
        "masks": tuple(RULES),
        "dtypes": tuple(SIGNIFICANT_BITS),
        "initialisers": ("he", "glorot", "lecun", "torch"),
        "schedules": tuple(kind.name for kind in KINDS),
        "schemas": NAMES,
    }
