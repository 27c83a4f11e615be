"""Jupyter notebooks: the code of their cells as one script, what only IPython reads left out.

Source: nbformat 4.5, docs/format_description; IPython 8, magic and shell escapes.
"""

import json
import re
from itertools import chain

from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar, mappings_of

LINES_COUNT = "its lines are counted over the code cells, one after another"
# A line that IPython takes for itself: a magic, a shell command, a question.
_OF_IPYTHON = re.compile(r"\s*(?:[%!?]|.*\?\s*$)|\s*[\w, ]+=\s*[%!]")
_WHOLE_CELL = "%%"
_SOURCE = re.compile(r'\s*"source":\s*\[?')


def is_notebook(root: Entries) -> bool:
    """Return whether a JSON object is a notebook."""
    return {"cells", "nbformat"} <= root.entries.keys()


def code_of(root: Entries, text: str) -> tuple[str, bool]:
    """Return the code of a notebook's cells, and whether each line is where the file has it.

    Jupyter writes each line of a cell on a line of its own; where another program did not, the
    cells stand one below the other.
    """
    cells = [_lines(cell) for cell in mappings_of(root.entries["cells"])]
    codes = [_code(cell) for cell in mappings_of(root.entries["cells"])]
    places = _places(cells, text)
    if places is None:
        return "\n".join(chain.from_iterable(codes)), False
    whole: list[str] = []
    for code, place in zip(codes, places, strict=True):
        if code:
            whole += [""] * (place - len(whole)) + code
    return "\n".join(whole), True


def _places(cells: list[list[str]], text: str) -> list[int] | None:
    """Return after how many lines of the file each cell's begin; None where they are not there."""
    physical = text.split("\n")
    places = [at + 1 for at, line in enumerate(physical) if _SOURCE.match(line)]
    if len(places) != len(cells):
        return None
    for place, lines in zip(places, cells, strict=True):
        held = [_unquoted(line) for line in physical[place : place + len(lines)]]
        if held != lines:
            return None
    return places


def _unquoted(line: str) -> str | None:
    """Return the text that a line of JSON holds, without its end; None where it is none."""
    try:
        value = json.loads(line.strip().removesuffix(","))
    except ValueError:
        return None
    return value.removesuffix("\n") if isinstance(value, str) else None


def _lines(cell: Entries) -> list[str]:
    """Return the lines of a cell's source, which is one text or a list of lines."""
    source: Node | None = cell.entries.get("source")
    parts = source.items if isinstance(source, Items) else (source,)
    text = "".join(part.text or "" for part in parts if isinstance(part, Scalar))
    return text.removesuffix("\n").split("\n") if text else []


def _code(cell: Entries) -> list[str]:
    """Return a code cell's lines as Python, `pass` for those of IPython."""
    kind, lines = cell.entries.get("cell_type"), _lines(cell)
    is_code = isinstance(kind, Scalar) and kind.text == "code"
    if not is_code or (lines and lines[0].startswith(_WHOLE_CELL)):
        return []
    indents = (line[: len(line) - len(line.lstrip())] for line in lines)
    return [
        f"{indent}pass" if _OF_IPYTHON.match(line) else line
        for indent, line in zip(indents, lines, strict=True)
    ]
