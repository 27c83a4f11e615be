"""`--show-config`: what a command's options are, and where each comes from."""

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from decaycalc.cli.command import found_for, options_of
from decaycalc.cli.configuration import Setting
from decaycalc.cli.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from decaycalc.report.document_types import OptionJson
    from decaycalc.report.table import Table

_NOTHING: tuple[object, ...] = (None, False, [])  # what an option has that nobody set


def shown_config() -> Shown:
    """Return the options in force, and what the configuration says that no option takes."""
    context = click.get_current_context()
    found = found_for(context.command)
    options = options_of(context.command)
    rows = [
        _row(name, context.params.get(str(option.name)), _source(context, option, found, name))
        for name, option in options.items()
    ]
    rows += [_row(s.name, s.value, f"{s.source} (not allowed there)")
             for s in found.values() if s.refused]  # fmt: skip
    rows += [_row(s.name, s.value, f"{s.source} (unused here)")
             for s in found.values() if s.name not in options and not s.refused]  # fmt: skip

    return Shown(
        name="config",
        body=lambda: {"options": rows},
        tables=lambda: tables_of(rows),
        rows=lambda: rows,
    )


def tables_of(rows: "list[OptionJson]") -> "Iterator[Table]":
    """Yield the one table of options, without those that nobody set and that have no value."""
    from decaycalc.report.table import simple_table

    told = [row for row in rows if row["value"] not in _NOTHING or row["source"] != "default"]
    cells = tuple((row["option"], _cell(row["value"]), row["source"]) for row in told)
    silent = len(rows) - len(told)
    note = f"{silent} more options have no value (--json lists them)" if silent else ""
    yield simple_table(
        title="Configuration", headers=("option", "value", "from"), rows=cells, note=note
    )


def _row(name: str, value: Any, source: str) -> "OptionJson":
    return {"option": name, "value": _plain(value), "source": source}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: a convention as its key, TOML's dates and tables as texts."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    value = getattr(value, "key", value)
    return value if value is None or isinstance(value, str | int | float) else str(value)


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
