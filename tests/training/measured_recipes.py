"""Every published run in the common unit, worked out once for all tests."""

from functools import cache

from decaycalc.training.published.index import RECIPES
from decaycalc.training.published.measure import measure


@cache
def measured():
    """Return what each recipe measures, by its name."""
    return {recipe.name: measure(recipe) for recipe in RECIPES}
