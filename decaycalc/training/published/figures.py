"""The recipes' figures: what `measure` computes from each, stored because it takes seconds.

`python -m tests.renew` writes figures.tsv, a row a recipe; a test computes them anew.
"""

Number = float | None
Figures = tuple[str, str, Number, Number, Number, Number, Number, Number]
"""Name and title; shrink per step at peak lr, timescale in steps, in epochs and as a fraction of
the run, sum of the shrinks, survival."""

FILE = f"{__file__.removesuffix('.py')}.tsv"


def _stored() -> tuple[Figures, ...]:
    with open(FILE, encoding="utf-8") as file:  # noqa: PTH123  (pathlib is slow to load)
        return tuple(_row(line.rstrip("\n")) for line in file)


def _row(line: str) -> Figures:
    name, title, *numbers = line.split("\t")
    shrink, steps, epochs, share, total, survival = (
        float(number) if number else None for number in numbers
    )
    return name, title, shrink, steps, epochs, share, total, survival


FIGURES = _stored()
