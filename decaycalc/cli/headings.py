"""The headings that help pages and the manual group options under, and which are shown first."""

from collections.abc import Iterable

import click

from decaycalc.algebra.quantity import EXTRAS, GIVEN, flag_named

OWN = "Options"  # what only one command has
_RUN = (
    *(flag_named(quantity.name) for quantity in (*GIVEN, *EXTRAS)),
    "--nesterov", "--drop-last", "--loss", "--set", "--schedule", "--decay-schedule", "--dtype",
    "--rounding", "--recipe", "--kind", "--betas", "--parameters",
)  # fmt: skip
HEADINGS: dict[str, tuple[str, ...]] = {
    "Conversion": (
        "--from", "--to", "--all", "--match", "--optimizer", "--strict", "--explain", "--emit",
        "--lr-rule", "--hold", "--rule",
    ),
    "Your run": _RUN,
    "The other run": (),  # what begins with --to-
    "Network": (
        "--arch", "--decay-mask", "--group", "--no-bias", "--init", "--classes", "--decay-only",
        "--no-decay", "--layer-decay", "--lora", "--lora-targets", "--stacked", "--measure",
        "--depth", "--groups",
    ),
    "Rows of a file": ("--input", "--input-format", "--on-error"),
    "Output": (
        "--value", "--json", "--format", "--output", "--width", "--quiet", "--plot", "--save",
        "--curve", "--list",
    ),
    "Configuration": ("--show-config", "--conventions", "--help", "-h"),
}  # fmt: skip
# What one screen of a command with many options shows.
FIRST = frozenset((
    "--from", "--to", "--all", "--match", "--optimizer", "--explain", "--lr", "--momentum",
    "--batch-size", "--grad-accum", "--dataset-size", "--epochs", "--schedule", "--recipe",
    "--to-lr", "--to-batch-size", "--to-dataset-size", "--to-epochs", "--lr-rule", "--hold",
    "--arch", "--input", "--value", "--json", "--output", "--plot", "--conventions",
    "--to-value", "--with", "--model", "--layer-decay", "--measure", "--groups", "--depth",
))  # fmt: skip
_MANY = 24  # more options than this fill a screen
Group = tuple[str, list[click.Option]]


def heading_of(option: click.Parameter) -> str:
    """Return the heading that an option stands under."""
    flag = long_flag(option)
    if flag.startswith("--to-") and flag != "--to-value":
        return "The other run"
    return next((heading for heading, flags in HEADINGS.items() if flag in flags), OWN)


def long_flag(option: click.Parameter) -> str:
    """Return an option's long flag, its only one where it has no long one."""
    return next((flag for flag in option.opts if flag.startswith("--")), option.opts[0])


def grouped(options: Iterable[click.Parameter], *, brief: bool = False) -> list[Group]:
    """Return options under their headings, a command's own first; `brief` leaves out the rare ones.

    Where there are few options none is rare.
    """
    shown = [option for option in options if isinstance(option, click.Option)]
    if brief and len(shown) > _MANY:
        shown = [option for option in shown if long_flag(option) in FIRST]
    return [
        (heading, members)
        for heading in (OWN, *HEADINGS)
        if (members := [option for option in shown if heading_of(option) == heading])
    ]
