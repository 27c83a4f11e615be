"""measure: a recipe's decay in the common unit, over its whole run (numpy)."""

from decaycalc.algebra.quantity import exact
from decaycalc.conventions.catalogue import find as find_convention
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.side import Side
from decaycalc.survival import DecayRule, survive
from decaycalc.survival.answer import lay_schedule, rule_of
from decaycalc.training.published.measured import Measured
from decaycalc.training.published.record import Recipe


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
