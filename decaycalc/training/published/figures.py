"""The recipes' figures: what `measure` computes from each, stored because it takes seconds.

`python -m tests.renew` writes figures.json, a row a recipe; a test computes them anew.
"""

import json
from typing import cast

Number = float | None
Figures = tuple[str, str, Number, Number, Number, Number, Number, Number]
"""Name and title; shrink per step at peak lr, timescale in steps, in epochs and as a fraction of
the run, sum of the shrinks, survival."""

FILE = f"{__file__.removesuffix('.py')}.json"


def _stored() -> tuple[Figures, ...]:
    with open(FILE, encoding="utf-8") as file:  # noqa: PTH123  (pathlib is slow to load)
        return tuple(cast("Figures", tuple(row)) for row in json.load(file))


FIGURES = _stored()
