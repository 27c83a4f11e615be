"""What depends on the terminal: colours of errors and warnings, the pager, the width."""

import io
import os
import sys
from contextlib import nullcontext
from fractions import Fraction

import click
import pytest

from decaycalc.cli import screen
from decaycalc.cli.main import main


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self):
        return True


@pytest.fixture(name="terminal")
def _terminal(monkeypatch):
    """Return a function that makes all three streams a terminal of some rows; gives stdout."""
    paged = []

    def sit_at(rows, columns=80):
        monkeypatch.delenv("TERM", raising=False)
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, Terminal())
        size = os.terminal_size((columns, rows))
        monkeypatch.setattr(os, "get_terminal_size", lambda *_: size)
        monkeypatch.setattr(click, "echo_via_pager", lambda text, **_: paged.append(text))
        return paged

    return sit_at


def test_what_is_longer_than_the_terminal_goes_through_the_pager(terminal):
    paged = terminal(rows=20)
    assert main(["conventions"]) == 0
    assert sys.stdout.getvalue() == ""
    assert "The common ones" in paged[0]
    assert "\x1b[1m" in paged[0]
    assert main(["guide", "momentum"]) == 0
    assert len(paged) == 2


def test_what_fits_is_written_and_so_is_what_is_no_table(terminal):
    paged = terminal(rows=60)
    assert main(["conventions"]) == 0
    assert main(["conventions", "--json"]) == 0
    assert main(["guide"]) == 0
    assert paged == []
    assert "The common ones" in sys.stdout.getvalue()


def test_a_terminal_without_a_keyboard_or_of_no_size_is_not_paged(terminal, monkeypatch):
    paged = terminal(rows=0, columns=0)
    assert main(["conventions"]) == 0
    terminal(rows=5)
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["conventions"]) == 0
    assert paged == []


def test_errors_are_red_and_warnings_yellow_on_a_terminal(terminal, monkeypatch):
    terminal(rows=50)
    assert main(["convert", "1", "--from", "nonsense"]) == 2
    assert sys.stderr.getvalue().startswith("\x1b[31m\x1b[1merror:\x1b[0m unknown convention")
    words = ["convert", "0.1", "--from", "pytorch-adamw", "--lr", "3e-4", "--dtype", "bfloat16"]
    assert main(words) == 0
    assert "\x1b[33m\x1b[1mwarning:\x1b[0m " in sys.stderr.getvalue()
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert main(["convert", "1", "--from", "nonsense"]) == 2
    assert "\x1b" not in sys.stderr.getvalue()


def test_a_note_has_no_colour(terminal):
    terminal(rows=50)
    screen.say("note", "a text")
    assert sys.stderr.getvalue() == "note: a text\n"


def test_a_dumb_terminal_gets_no_escapes(terminal, monkeypatch):
    terminal(rows=99)
    monkeypatch.setenv("TERM", "dumb")
    assert main(["conventions", "keras-l2"]) == 0
    assert "\x1b" not in sys.stdout.getvalue()


def test_a_guide_page_is_as_wide_as_asked(run):
    for width in ("50", "70"):
        page = run("guide", "momentum", "--width", width)
        assert page.status == 0
        prose = [line for line in page.out.splitlines() if line[:1].isalpha()]
        assert max(map(len, prose)) <= int(width)
    assert run("guide", "momentum", "--width", "x").status == 2


# The commands that a newcomer types first, and the rows that their screens may take.
SCREENS = [
    ("convert 1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 -B 256 -N 1281167", 80, 27),
    ("convert 1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 -B 256 -N 1281167 --epochs 90",
     80, 27),
    ("convert 1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 -B 256 -N 1281167", 120, 24),
    ("convert 0.001 --from mean-l2 -a 784-300-100-10 -N 60000 -B 128 --lr 0.1", 80, 34),
    ("convert 5e-4 --from caffe --to keras-l2", 80, 5),
    ("convert 5e-4 --from caffe --to keras-sgd --lr 0.1 --momentum 0.9", 80, 5),
    ("transfer .1 --from pytorch-adamw --lr 3e-4 -N 1281167 --epochs 9 -B 256 --to-batch-size 2048",
     80, 16),
    ("conventions", 80, 75),
]  # fmt: skip


@pytest.mark.parametrize(("words", "width", "rows"), SCREENS)
def test_a_screen_takes_no_more_rows_than_it_may(run, words, width, rows):
    ran = run(*words.split(), "--width", str(width))
    assert ran.status == 0
    assert len((ran.out + ran.err).splitlines()) <= rows


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120, 200])
@pytest.mark.parametrize("words", [words for words, _, _ in SCREENS])
def test_no_screen_is_wider_than_the_terminal_nor_cut_in_two(run, words, width):
    ran = run(*words.split(), "--width", str(width))
    assert max(map(len, ran.out.splitlines())) <= width
    assert "continued" not in ran.out
    assert "…" not in ran.out


def test_the_three_things_asked_for_are_on_the_first_screen(run):
    words = "convert 0.001 --from mean-l2 -a 784-300-100-10 -N 60000 -B 128 --lr 0.1 --width 80"
    first = "\n".join(run(*words.split()).out.splitlines()[:24])
    for part in ("decay per step", "Penalty", "summed over a minibatch", "summed over the data set",
                 "0.128", "60", "mean-l2  lam = 0.001", "B 128"):  # fmt: skip
        assert part in first


@pytest.mark.parametrize(
    "words",
    [
        "schedule 0.1 --from pytorch-adamw --lr 1e-3 --steps 500 --schedule cosine --json",
        "convert 0.1 --from pytorch-adamw --lr 1e-3 --steps 500 --schedule cosine --json",
        "verify 0.1 --from pytorch-adamw --to tfa-adamw --lr 1e-3 --steps 9 --json",
    ],
)
def test_what_may_take_long_says_so_on_a_terminal_and_nowhere_else(monkeypatch, capsys, words):
    monkeypatch.setattr(screen, "_LONG", 100)  # steps
    said = io.StringIO()
    monkeypatch.setattr(said, "isatty", lambda: True, raising=False)
    assert main(words.split()) == 0
    assert "ctrl-c" not in capsys.readouterr().err
    monkeypatch.setattr(sys, "stderr", said)
    monkeypatch.setenv("TERM", "xterm")
    assert main(words.split()) == 0
    assert "ctrl-c ends it" in said.getvalue()


@pytest.mark.parametrize(("steps", "said"), [(None, ""), (10**8 - 1, ""), (10**9, "1e+09 steps")])
def test_a_long_run_is_said_to_be_followed_on_a_terminal(monkeypatch, steps, said):
    told = []
    monkeypatch.setattr(screen, "working", lambda what: nullcontext(told.append(what)))
    with screen.following(None if steps is None else Fraction(steps)):
        pass
    assert "".join(told).removeprefix("following ") == said
