"""The README: its console blocks are run and compared, its table is the catalogue.

`python tests/test_readme.py` renews both.
"""

import re
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from decaycalc.cli import COMMANDS
from decaycalc.cli.group import program
from decaycalc.conventions.catalogue import conventions
from tests import documentation

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- conventions -->\n", "<!-- /conventions -->"


def table():
    """Return the catalogue as collapsible Markdown tables, one a group."""
    parts = []
    for group, members in groupby(conventions(), key=lambda convention: convention.group):
        records = list(members)
        rows = [
            f"| `{c.key}` | {escaped(c.title)} | `{escaped(c.formula())}` | {c.default or ''} |"
            for c in records
        ]
        head = f"<details><summary>{group} ({len(records)})</summary>\n\n"
        lines = ["| key | | formula | default |", "|---|---|---|---|", *rows]
        parts.append(head + "\n".join(lines) + "\n\n</details>\n")
    return "".join(parts)


def escaped(text):
    return text.replace("|", "\\|")


def with_table(text):
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


def test_the_table_of_conventions_is_the_catalogue():
    text = README.read_text()
    assert text == with_table(text), "renew it: python tests/test_readme.py"


def test_every_console_block_prints_what_it_shows():
    with TemporaryDirectory() as folder:
        _, wrong = documentation.renewed(README.read_text().partition(BEGIN)[0], Path(folder))
    assert wrong == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_readme_and_has_help(name):
    assert re.search(rf"decaycalc {name}\b", README.read_text())
    command = program.get_command(None, name)
    assert command.help
    options = [each for each in command.params if each.param_type_name == "option"]
    assert all(option.help for option in options)


if __name__ == "__main__":
    before, mark, after = with_table(README.read_text()).partition(BEGIN)
    with TemporaryDirectory() as folder:
        README.write_text(documentation.renewed(before, Path(folder))[0] + mark + after)
