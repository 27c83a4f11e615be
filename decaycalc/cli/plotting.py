"""Plots in the terminal, above a command's tables."""

import sys
from typing import Protocol

import click

from decaycalc.cli.output import colour, output_of, table_width
from decaycalc.errors import ContradictionError

_PLOT_WIDTH = 80


class Draw(Protocol):
    """A plot as text of `width` columns."""

    def __call__(self, *, width: int, colour: bool) -> str:
        """Return the text."""


def write_plot(draw: Draw) -> None:
    """Write a plot to stdout, above the tables.

    Raises:
        ContradictionError: Something other than tables on stdout is asked for.
    """
    output = output_of(click.get_current_context())
    if output.format != "table" or output.path not in {None, "-"}:
        raise ContradictionError("--plot draws above tables on stdout; --save writes a picture")
    terminal = sys.stdout.isatty()
    width = table_width(output, terminal=terminal) or _PLOT_WIDTH
    sys.stdout.write(draw(width=width, colour=colour(terminal=terminal)) + "\n")
