"""Jupyter notebooks: the code of their cells as one script, what only IPython reads left out.

Source: nbformat 4.5, docs/format_description; IPython 8, magic and shell escapes.
"""

import re

from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar, mappings_of

LINES_COUNT = "its lines are counted over the code cells, one after another"
# A line that IPython takes for itself: a magic, a shell command, a question.
_OF_IPYTHON = re.compile(r"\s*(?:[%!?]|.*\?\s*$)|\s*[\w, ]+=\s*[%!]")
_WHOLE_CELL = "%%"


def is_notebook(root: Entries) -> bool:
    """Return whether a JSON object is a notebook."""
    return {"cells", "nbformat"} <= root.entries.keys()


def code_of(root: Entries) -> str:
    """Return the code of a notebook's cells, one below the other."""
    cells = mappings_of(root.entries["cells"])
    sources = [_text(cell.entries.get("source")) for cell in cells if _is_code(cell)]
    return "\n".join(
        "" if source.startswith(_WHOLE_CELL) else _python(source) for source in sources
    )


def _is_code(cell: Entries) -> bool:
    kind = cell.entries.get("cell_type")
    return isinstance(kind, Scalar) and kind.text == "code"


def _text(source: Node | None) -> str:
    """Return a cell's source, which is one text or a list of lines."""
    parts = source.items if isinstance(source, Items) else (source,)
    return "".join(part.text or "" for part in parts if isinstance(part, Scalar))


def _python(source: str) -> str:
    """Return a cell's lines as Python, `pass` for those of IPython."""
    lines = source.split("\n")
    indents = (line[: len(line) - len(line.lstrip())] for line in lines)
    return "\n".join(
        f"{indent}pass" if _OF_IPYTHON.match(line) else line
        for indent, line in zip(indents, lines, strict=True)
    )
