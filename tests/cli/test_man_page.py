import shutil
import subprocess
from importlib import import_module

import click
import pytest

from decaycalc.cli import COMMANDS, manual


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_roff_reads_the_page_without_a_word():
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww"],
        input=manual.page().encode(),
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    assert b"decaycalc convert" in done.stdout


def test_the_page_names_every_command_and_long_option():
    text = manual.page().replace("\\-", "-")
    for name in COMMANDS:
        assert f"decaycalc {name}" in text
        command = import_module(f"decaycalc.cli.{name}").command
        assert all(
            option.opts[-1] in text for option in command.params if option.opts[-1][0] == "-"
        )


def test_a_command_that_is_not_there_keeps_its_line(monkeypatch):
    def missing(_context, _name):
        raise ModuleNotFoundError

    monkeypatch.setattr(manual.program, "get_command", missing)
    assert ".SS decaycalc convert\nOne weight decay" in manual.page()


def test_a_line_that_starts_like_a_request_is_text():
    assert manual._text(".x\n'y\n\na-b\\") == "\\&.x\n\\&'y\n.PP\na\\-b\\e"
    assert manual._text("") == "\\&"
    assert isinstance(manual.program, click.Group)
