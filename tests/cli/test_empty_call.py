"""The screen for who calls `decaycalc convert` at a terminal without asking anything."""

import io
import re
import sys

from decaycalc.cli import empty_call
from decaycalc.cli.main import main


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self):
        return True


def at_a_terminal(monkeypatch):
    """Return stderr as a terminal; in the test itself, for pytest sets its own after fixtures."""
    error = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stderr", error)
    return error


def test_nothing_asked_at_a_terminal_shows_what_can_be_asked_with_status_2(capsys, monkeypatch):
    screen = at_a_terminal(monkeypatch)
    assert main(["convert"]) == 2
    assert screen.getvalue() == empty_call.SCREEN
    assert capsys.readouterr().out == ""


def test_a_question_without_its_source_is_an_error_even_at_a_terminal(monkeypatch):
    screen = at_a_terminal(monkeypatch)
    assert main(["convert", "5e-4"]) == 2
    assert re.sub(r"\x1b\[\d+m", "", screen.getvalue()).startswith("error: give --from")


def test_nothing_asked_in_a_script_is_an_error_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert main(["convert"]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_each_of_the_three_examples_runs(capsys):
    examples = re.findall(r"^  decaycalc (.*)$", empty_call.SCREEN, re.MULTILINE)
    assert len(examples) == 3
    for example in examples:
        assert main(example.split()) == 0
    assert "if λ/(L·weights)" in capsys.readouterr().out


def test_the_screen_fits_a_terminal():
    lines = empty_call.SCREEN.splitlines()
    assert len(lines) <= 14
    assert max(map(len, lines)) <= 88
