import os
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import click
import pytest

from decaycalc.cli import COMMANDS, manual

PAGE = Path(manual.__file__).parent.parent / "decaycalc.1"


def test_the_shipped_page_is_made_from_the_help():
    if os.environ.get("DECAYCALC_RENEW"):
        PAGE.write_text(manual.page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == manual.page(), (
        "renew it: python -m decaycalc.cli.manual > decaycalc/decaycalc.1"
    )


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
