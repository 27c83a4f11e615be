"""MeasuredRecipe: a recipe with its decay in the common unit."""

from typing import TypedDict

from decaycalc.algebra.quantity import exact
from decaycalc.conventions.run import RunJson
from decaycalc.record import Record
from decaycalc.training.published.figures import FIGURES
from decaycalc.training.published.record import Recipe

_FIGURES = ("shrink", "timescale_steps", "timescale_epochs", "timescale_run_fraction",
            "sum_shrink", "survival")  # fmt: skip


class RecipeJson(TypedDict):
    """A published run and its decay in the common unit; null where its source leaves it open."""

    name: str
    title: str
    convention: str | None
    read_as: str | None
    value: float | None
    run: RunJson
    unit: str
    schedule: str | None
    decay_schedule: str | None
    betas: list[float] | None
    eps: float | None
    exempt: str | None
    n_parameters: int | None
    shrink: float | None
    timescale_steps: float | None
    timescale_epochs: float | None
    timescale_run_fraction: float | None
    sum_shrink: float | None
    survival: float | None
    source: str
    checked: str
    note: str


class MeasuredRecipe(Record):
    """A recipe's decay in the common unit; None where the source leaves something open.

    `shrink` is that of one step at peak lr, to first order (1/step); timescales are its inverse.
    `sum_shrink` adds it up under the recipe's schedule and `survival` is what is left of an
    undriven weight then.
    """

    recipe: Recipe
    shrink: float | None = None
    timescale_steps: float | None = None
    timescale_epochs: float | None = None
    timescale_run_fraction: float | None = None
    sum_shrink: float | None = None
    survival: float | None = None

    def figures(self) -> tuple[float | None, ...]:
        """Return the six numbers in their order."""
        return tuple(getattr(self, name) for name in _FIGURES)

    def to_dict(self) -> RecipeJson:
        """Return the recipe as JSON's `recipes` holds it."""
        recipe = self.recipe
        return {
            "name": recipe.name,
            "title": recipe.title,
            "convention": recipe.convention,
            "read_as": recipe.read_as,
            "value": None if recipe.value is None else float(exact(recipe.value)),
            "run": recipe.run().to_dict(),
            "unit": recipe.unit,
            "schedule": recipe.schedule,
            "decay_schedule": recipe.decay_schedule,
            "betas": None
            if recipe.betas is None
            else [float(exact(beta)) for beta in recipe.betas],
            "eps": None if recipe.eps is None else float(exact(recipe.eps)),
            "exempt": recipe.exempt,
            "n_parameters": recipe.n_parameters,
            "shrink": self.shrink,
            "timescale_steps": self.timescale_steps,
            "timescale_epochs": self.timescale_epochs,
            "timescale_run_fraction": self.timescale_run_fraction,
            "sum_shrink": self.sum_shrink,
            "survival": self.survival,
            "source": recipe.source,
            "checked": recipe.checked,
            "note": recipe.note,
        }


def recall(recipe: Recipe) -> MeasuredRecipe:
    """Return a recipe of the catalogue with its stored figures; `measure` computes them."""
    figures = next(entry[2:] for entry in FIGURES if entry[0] == recipe.name)
    return MeasuredRecipe(recipe=recipe, **dict(zip(_FIGURES, figures, strict=True)))
