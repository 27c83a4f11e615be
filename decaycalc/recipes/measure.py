"""Measured: a recipe's decay in the common unit, over its whole run (numpy)."""

from decaycalc.bridge import Side
from decaycalc.catalogue import find as find_convention
from decaycalc.decay import decay_of
from decaycalc.quantity import exact
from decaycalc.recipes.record import Recipe
from decaycalc.record import Record
from decaycalc.survival import DecayRule, survive
from decaycalc.survival.answer import lay_schedule, rule_of


class Measured(Record):
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

    def to_dict(self) -> dict[str, object]:
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
            "betas": None if recipe.betas is None else [float(beta) for beta in recipe.betas],
            "eps": None if recipe.eps is None else float(recipe.eps),
            "exempt": recipe.exempt,
            "n_parameters": recipe.n_parameters,
            "shrink": self.shrink,
            "timescale_steps": self.timescale_steps,
            "timescale_epochs": self.timescale_epochs,
            "timescale_run_fraction": self.timescale_run_fraction,
            "sum_shrink": self.sum_shrink,
            "survival": self.survival,
            "source": recipe.source,
            "note": recipe.note,
        }


def measure(recipe: Recipe) -> Measured:
    """Return a recipe's decay in the common unit.

    Raises:
        UnknownNameError: its convention is none of the catalogue's.
        InvalidValueError, ContradictionError: numbers that no run can have.
    """
    key = recipe.read_as or recipe.convention
    if key is None or recipe.value is None:
        return Measured(recipe=recipe)
    side = Side(convention=find_convention(key), run=recipe.run())
    value = exact(recipe.value, name=side.convention.parameter)
    decay = decay_of(side, value)
    if decay is None:
        return Measured(recipe=recipe)
    whole_run = _survival(recipe, rule_of(side, value))
    return Measured(
        recipe=recipe,
        shrink=decay.first_order_shrink,
        timescale_steps=decay.timescale_steps,
        timescale_epochs=decay.timescale_epochs,
        timescale_run_fraction=decay.timescale_run_fraction,
        sum_shrink=None if whole_run is None else whole_run[0],
        survival=None if whole_run is None else whole_run[1],
    )


def _survival(recipe: Recipe, rule: DecayRule) -> tuple[float, float] | None:
    """Return the sum of all shrinks and the survival, None without schedule or length."""
    run = recipe.run()
    if recipe.schedule is None or run.total_steps is None:
        return None
    whole = survive(lay_schedule(recipe.schedule, run), rule, n_points=2)
    return whole.sum_shrink, whole.survival
