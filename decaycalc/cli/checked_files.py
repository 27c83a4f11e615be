"""What `check` runs: which files hold assertions, which are training runs, and by which rules."""

import os
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from decaycalc.cli.options import OF_A_RUN
from decaycalc.cli.shown import Shown
from decaycalc.errors import DecaycalcError, InvalidValueError, UsageError
from decaycalc.files.text import STDIN, name_of, read_text
from decaycalc.files.toml_text import parse_toml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from decaycalc.checks import Checked
    from decaycalc.findings.options import RuleChoice
    from decaycalc.report.findings import Found


def choice_of(
    select: tuple[str, ...], ignore: tuple[str, ...], fail_on: str | None
) -> "RuleChoice":
    """Return the rules to run: the options', else those of [tool.decaycalc.check] here.

    Raises:
        UnknownNameError: a code that no rule has, or a level that there is not.
    """
    from decaycalc.findings.options import RuleChoice

    own = _project_settings()
    level = fail_on or next(iter(own.get("fail-on", ())), None)
    return RuleChoice.of(select or own.get("select", ()), ignore or own.get("ignore", ()), level)


def _project_settings() -> dict[str, tuple[str, ...]]:
    """Return what the nearest pyproject.toml says of the rules: codes and a level, no paths.

    Raises:
        InvalidValueError: something else than texts.
    """
    from decaycalc.cli.configuration import project_file

    path = project_file(os.getcwd())  # noqa: PTH109  (pathlib is slow to load)
    if path is None:
        return {}
    table: Any = parse_toml(read_text(path), path)
    for key in ("tool", "decaycalc", "check"):
        table = table.get(key, {}) if isinstance(table, dict) else {}
    found = {}
    from decaycalc.checks import RULES_OF_SOURCES

    for name in sorted(RULES_OF_SOURCES):
        value = table.get(name) if isinstance(table, dict) else None
        texts = [value] if isinstance(value, str) else value
        if texts is None:
            continue
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise InvalidValueError(name, value, f"must be a text or a list of texts in {path}")
        found[name.replace("_", "-")] = tuple(texts)
    return found


def run_all(
    files: tuple[str, ...], *, kind: str | None, choice: "RuleChoice", **more: Any
) -> "tuple[Sequence[tuple[str, Checked]], Sequence[Found]]":
    """Return the results of the assertions and the findings, each with its file.

    `more` is what takes the place of the training runs' own quantities, the network that they
    train, and its mask, as `review` takes them.

    Raises:
        UsageError: something of these was typed, and no file is a training run.
        DecaycalcError: a file that cannot be read, or holds neither.
    """
    results: list[tuple[str, Checked]] = []
    found: list[Found] = []
    runs = [path for path in files if kind is not None or not holds_assertions(path)]
    if not runs:
        _refuse_options_of_runs()
    for path in files:
        if path in runs:
            from decaycalc.inspection import review

            reviewed = review(path, kind=kind, choice=choice, **more)
            found += [(name_of(path), each) for each in reviewed]
        else:
            results += [(name_of(path), each) for each in _checked(path)]
    return results, found


def _refuse_options_of_runs() -> None:
    """Refuse what was typed and says something about a training run only.

    Raises:
        UsageError: such an option.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if parameter.name in OF_A_RUN and source is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{parameter.opts[-1]} is for a training run, and no FILE is one: these hold"
                " assertions, which say their own"
            )


def holds_assertions(path: str) -> bool:
    """Return whether a file is one of assertions: TOML that is no trainer's.

    Standard input, which has no ending, is TOML where its text is.
    """
    if path != STDIN and not path.lower().endswith(".toml"):
        return False
    from decaycalc.training.reading.recognise import fitting
    from decaycalc.training.trainers.syntax.document import read_documents
    from decaycalc.training.trainers.syntax.sniffing import Syntax

    try:
        documents = read_documents(path)
    except DecaycalcError:
        return True
    if any(fitting(document) for document in documents):
        return False
    return path != STDIN or documents[0].syntax is Syntax.TOML


def _checked(path: str) -> "Sequence[Checked]":
    from decaycalc.checks import parse_checks, run_check

    text = read_text(path, streams=True, stdin=True)
    return [run_check(check) for check in parse_checks(text, path=name_of(path))]


def explained(code: str) -> Shown:
    """Return one rule whole.

    Raises:
        UnknownNameError: no rule has that code.
    """
    from decaycalc.findings.rules import find_rule
    from decaycalc.report.table import Column, Table, Tone

    rule = find_rule(code)
    fields = rule.to_dict()
    columns = (Column(header="rule", tone=Tone.QUIET), Column(header=rule.code, least=30))
    table = Table(
        title="rule",
        columns=columns,
        rows=tuple((name, str(text)) for name, text in fields.items())[1:],
    )
    return Shown(name="rule", body=lambda: fields, tables=lambda: (table,), rows=lambda: [fields])
