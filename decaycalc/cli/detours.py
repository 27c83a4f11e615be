"""Options that lead a command another way: a derivation, rows of a file, a recipe, code, defaults.

Each is declared here, for every start to know; what it does stands in a module of its own, imported
when the option is given.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from decaycalc.cli.names import FILE, FRAMEWORK, RECIPE
from decaycalc.cli.output import Shown, show, take_output
from decaycalc.errors import UsageError
from decaycalc.record import replace

_EXPLAIN_HELP = "Derive each number step by step; --explain latex writes the formulas for a paper."
EMIT_HELP = "Print code instead: pytorch, keras, optax, timm, hf or sklearn."
_RECIPE_HELP = "Start from a published run, or from a training configuration's file."
_CONFIG_HELP = "Show the options' values and where each comes from."
_INPUT_HELP = (
    "Convert rows of FILE (- is stdin), JSON lines or CSV: fields by the options' names, value, "
    "from, to ..."
)


class _Style(click.Choice[str]):
    """`text` or `latex`; a VALUE caught by the option is named as such."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the style.

        Raises:
            click.BadParameter: neither of the two.
        """
        if value not in self.choices:
            self.fail(f"{value!r} is neither text nor latex; put --explain last", param, ctx)
        return super().convert(value, param, ctx)


def explain_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--explain`; the command receives `explain`, `text`, `latex` or None."""
    declare = click.option(
        "--explain", is_flag=False, flag_value="text", type=_Style(("text", "latex")),
        metavar="[text|latex]", help=_EXPLAIN_HELP,
    )  # fmt: skip
    return declare(command)


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--show-config`; with it, the command only says what its options are and why."""

    @wraps(command)
    def with_config(*, show_config: bool, **given: Any) -> Any:
        if show_config:
            from decaycalc.cli.config import shown_config

            return show(shown_config(), take_output(given))
        return command(**given)

    return click.option("--show-config", is_flag=True, help=_CONFIG_HELP)(with_config)


def bulk_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--input` and what goes with it; with it, the other options are the rows' defaults."""

    @wraps(command)
    def with_input(**given: Any) -> Any:
        path, format_, on_error = (
            given.pop(name) for name in ("input", "input_format", "on_error")
        )
        if path is not None:
            from decaycalc.cli.bulk import convert_rows

            return convert_rows(path, format_, given, stop=on_error == "stop")
        if format_ is not None or on_error != "continue":
            raise UsageError("--input-format and --on-error go with --input")
        return command(**given)

    choice = click.Choice
    declarations = (
        click.option("--input", type=FILE, metavar="FILE", help=_INPUT_HELP),
        click.option("--input-format", type=choice(["jsonl", "csv"]),
              help="[default: by extension, else by the first character]"),
        click.option("--on-error", type=choice(["continue", "stop"]), default="continue",
                     show_default=True, help="What to do at a bad row."),
    )  # fmt: skip
    decorated: Callable[..., Any] = with_input
    for declare in reversed(declarations):
        decorated = declare(decorated)
    return decorated


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--recipe` and `--emit`; stands below the decorators whose records it needs.

    What the recipe says holds where the other options are silent.
    """

    @wraps(command)
    def with_recipe(*, recipe: str | None, framework: str | None, **given: Any) -> Shown:
        if recipe is None and framework is None:
            return command(**given)  # type: ignore[no-any-return]
        from decaycalc.cli.recipe import choose_recipe, emitted

        chosen = None if recipe is None else choose_recipe(recipe, given)
        if framework is not None:
            return emitted(framework, given, chosen)
        result: Shown = command(**given)
        notes = () if chosen is None else chosen.notes
        return replace(result, warnings=(*notes, *result.warnings))

    with_emit = click.option(
        "--emit", "framework", type=FRAMEWORK, metavar="FRAMEWORK", help=EMIT_HELP
    )(with_recipe)
    return click.option("--recipe", type=RECIPE, metavar="NAME|FILE", help=_RECIPE_HELP)(with_emit)
