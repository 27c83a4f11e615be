"""Everything that is generated, written anew: `python -m tests.renew` (`--check` only says what).

The recipes' figures, the index of trainers, the manual page, the schemas, the golden screen, the
catalogue's pages, and the outputs in README and guide, in this order: the later ones show the
earlier.

What the last release answered (`tests/golden/commands.jsonl`) is no such thing: it is what changes
are held to, and `python -m tests.golden.commands --renew` records it.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from math import isclose
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import catalogue_pages, documentation, rules_page, signature_index, trainers_table
from tests.schemas import schemas as schemas_of_documents

ROOT = Path(__file__).parents[1]
QUESTION = "0.001 --from mean-l2 --arch 784-300-100-10 -N 60000 -B 128 --lr 0.1"
_SAME = 1e-9  # figures closer than this are the stored ones: another machine's last digit


def figures() -> str:
    """Return the file of the recipes' figures."""
    from decaycalc.training.published import figures as module
    from decaycalc.training.published.index import RECIPES
    from tests.training.measured_recipes import measured

    stored = {entry[0]: entry[2:] for entry in module.FIGURES}
    rows = []
    for recipe in RECIPES:
        new = measured()[recipe.name].figures()
        old = stored.get(recipe.name, new)
        numbers = [
            one if _alike(one, other) else other for one, other in zip(old, new, strict=True)
        ]
        cells = ["" if number is None else repr(number) for number in numbers]
        rows.append("\t".join((recipe.name, recipe.title, *cells)))
    return "".join(f"{row}\n" for row in rows)


def _alike(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return isclose(one, other, rel_tol=_SAME)


def manual_page() -> str:
    """Return the manual page."""
    from decaycalc.cli import manual

    return manual.page()


def schemas() -> str:
    """Return all JSON Schemas in one text."""
    return json.dumps(schemas_of_documents(), indent=1) + "\n"


def founding_question() -> str:
    """Return the screen that answers the founding question."""
    from decaycalc.cli.main import main

    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()):
        main(["convert", *QUESTION.split()])
    return out.getvalue()


def contributing() -> str:
    """Return the page that GitHub shows to contributors, for those who have the package alone."""
    return (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")


# What each generated file is, by its name.
GENERATED: dict[str, Callable[[], str]] = {
    "decaycalc/training/published/figures.tsv": figures,
    "decaycalc/training/reading/signature_index.py": signature_index.module,
    "decaycalc/decaycalc.1": manual_page,
    "decaycalc/report/schemas.json": schemas,
    "decaycalc/guide/rules.md": rules_page.page,
    "decaycalc/guide/training-files.md": trainers_table.page,
    "decaycalc/guide/contributing.md": contributing,
    "tests/golden/founding-question.txt": founding_question,
}


def makers() -> Iterator[tuple[Path, Callable[[], str]]]:
    """Yield each generated file with what makes its text."""
    for name, made in GENERATED.items():
        yield ROOT / name, made
    for name, made in catalogue_pages.makers().items():
        yield catalogue_pages.FOLDER / name, made
    for page in (ROOT / "README.md", *sorted((ROOT / "decaycalc" / "guide").glob("*.md"))):
        yield page, partial(_renewed, page)


def _renewed(page: Path) -> str:
    """Return a page with what its commands print now."""
    with TemporaryDirectory() as folder:
        return documentation.renewed(page.read_text(encoding="utf-8"), Path(folder))[0]


def main(arguments: list[str]) -> int:
    """Write what differs and name it; with `--check` only name it and return 1."""
    checking, differing = "--check" in arguments, 0
    for path, made in makers():
        text = made()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        differing += 1
        print(f"{path.relative_to(ROOT)}: {'differs' if checking else 'renewed'}", flush=True)
        if not checking:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(checking and differing > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
