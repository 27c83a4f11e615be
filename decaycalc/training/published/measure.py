"""measure: a recipe's decay in the common unit, over its whole run (numpy)."""

from decaycalc.record import asdict
from decaycalc.training.measure import measure as measure_training
from decaycalc.training.published.measured import MeasuredRecipe
from decaycalc.training.published.record import Recipe
from decaycalc.training.published.training import recipe_of, training_of
from decaycalc.training.record import Training


def measure(recipe: Recipe) -> MeasuredRecipe:
    """Return a recipe's decay in the common unit.

    Raises:
        UnknownNameError: its convention is none of the catalogue's.
        InvalidValueError, ContradictionError: numbers that no run can have.
    """
    return MeasuredRecipe(recipe=recipe, **asdict(measure_training(training_of(recipe))))


def measure_training_as_recipe(training: Training) -> MeasuredRecipe:
    """Return a training's decay in the common unit, as a recipe's row.

    Raises:
        As `measure`.
    """
    return MeasuredRecipe(recipe=recipe_of(training), **asdict(measure_training(training)))
