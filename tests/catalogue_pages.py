"""The guide's catalogue: an index and one page a family, made from the records.

`python -m tests.catalogue_pages` renews them.
"""

from functools import partial
from importlib import import_module
from itertools import groupby
from pathlib import Path

from decaycalc import guide
from decaycalc.conventions import catalogue
from decaycalc.conventions.catalogue import FAMILIES, family

FOLDER = Path(guide.__file__).parent


def makers():
    """Return what makes each page, by the pages' paths below the guide."""
    return {
        "catalogue.md": index,
        **{f"catalogue/{name}.md": partial(page, name) for name in FAMILIES},
    }


def pages():
    """Return the pages' texts by their paths below the guide."""
    return {path: make() for path, make in makers().items()}


def index():
    """Return the list of families with what each holds."""
    lines = [
        "# Every convention",
        "",
        "Formulas in the two exact invariants: `strength` λ* stands for the objective mean loss +",
        "½λ*Σw², `shrink` for the share of a weight that one step at peak lr removes.",
        "`decaycalc conventions KEY` shows a record whole.",
        "",
        *(f"- [{name}](catalogue/{name}.md): {contents(name)}" for name in FAMILIES),
    ]
    return "\n".join(lines) + "\n"


def contents(name):
    """Return what a family's module says of itself, with the number of its records."""
    module = import_module(f"{catalogue.__name__}.{name}")
    return f"{module.__doc__.rstrip('.')} ({len(family(name))})"


def page(name):
    """Return the tables of one family."""
    parts = [f"# Conventions: {name}\n"]
    for group, members in groupby(family(name), key=lambda convention: convention.group):
        rows = [
            f"| `{c.key}` | {escaped(c.title)} | `{escaped(c.formula())}` | {c.default or ''} |"
            for c in members
        ]
        parts.append(
            "\n".join(
                [f"## {group}\n", "| key | | formula | default |", "|---|---|---|---|", *rows, ""]
            )
        )
    return "\n".join(parts)


def escaped(text):
    """Return the text as a cell of a Markdown table."""
    return text.replace("|", "\\|")


def renew():
    """Write every page that differs."""
    (FOLDER / "catalogue").mkdir(exist_ok=True)
    for name, text in pages().items():
        path = FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    renew()
