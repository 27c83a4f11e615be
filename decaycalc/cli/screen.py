"""The screen: whether a terminal is there, how wide, whether it takes colours, and its pager."""

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, TextIO

import click

from decaycalc.cli.streams import one_line

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from fractions import Fraction

_COLOURS = {"error": "red", "warning": "yellow"}
# Quit where one screen is enough, keep colours, leave the text on the screen.
_LESS = "FRX"
_LONG = 10**8  # steps that take a second or so to be followed


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal; one that is closed is none."""
    return stream is not None and stream.isatty()


def colour(*, terminal: bool) -> bool:
    """Return whether escapes are wanted: NO_COLOR beats FORCE_COLOR beats the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return terminal and os.environ.get("TERM") != "dumb"


def columns(asked: int | None, *, terminal: bool) -> int | None:
    """Return the columns to fill: --width, COLUMNS, the terminal's; None is the natural width."""
    if asked is not None:
        return asked
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    # A terminal that says 0 does not know.
    return (_size().columns or None) if terminal else None


def _size() -> os.terminal_size:
    """Return the terminal's columns and lines, 0 where they cannot be asked for."""
    try:
        return os.get_terminal_size()
    except OSError:  # what says that it is a terminal has no descriptor of one
        return os.terminal_size((0, 0))


def say(kind: str, text: str) -> None:
    """Write a line to stderr, `warning: text`, its head coloured where a terminal takes it.

    What a terminal would obey in the text is escaped: it may come out of a file.
    """
    head = f"{kind}:"
    coloured = kind in _COLOURS and colour(terminal=is_terminal(sys.stderr))
    shown = click.style(head, fg=_COLOURS[kind], bold=True) if coloured else head
    click.echo(f"{shown} {one_line(text)}", err=True, color=coloured)


def working(what: str) -> "AbstractContextManager[object]":
    """Return what says on a terminal's stderr that the program works, until it is done."""
    if not is_terminal(sys.stderr):
        return nullcontext()
    # Imported here: only what takes seconds asks for it.
    from rich.console import Console

    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    return console.status(f"{what} (ctrl-c ends it)")


def following(steps: "Fraction | None") -> "AbstractContextManager[object]":
    """Return what says that a run of so many steps is followed, where that takes a while."""
    if steps is None or steps < _LONG:
        return nullcontext()
    return working(f"following {float(steps):g} steps")


def is_long(text: str) -> bool:
    """Return whether a text needs a pager: stdout is a terminal, as stdin is, with fewer rows."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        return False
    rows = _size().lines
    return 0 < rows <= text.count("\n")


def page(text: str) -> None:
    """Show a text in the user's pager, with the escapes that it holds."""
    os.environ.setdefault("LESS", _LESS)
    click.echo_via_pager(text.rstrip("\n"), color=True)
