"""All published recipes, and `find` by name."""

from decaycalc.errors import UnknownNameError
from decaycalc.training.published.recipes import FAMILIES, family
from decaycalc.training.published.record import Recipe

__all__ = ["RECIPES", "Recipe", "find", "find_published"]

RECIPES: tuple[Recipe, ...] = tuple(recipe for name in FAMILIES for recipe in family(name))


def find(name: str, *, hint: str = "('decaycalc recipes' lists them)") -> Recipe:
    """Return the recipe of that name; case does not matter, an underscore counts as a hyphen.

    `hint` ends the error's text.

    >>> find("resnet-50-he").lr
    '0.1'

    Raises:
        UnknownNameError: no recipe is called so; the error suggests the nearest names.
    """
    recipe = find_published(name)
    if recipe is None:
        known = [recipe.name for recipe in RECIPES]
        raise UnknownNameError("recipe", name, known, hint=hint)
    return recipe


def find_published(name: str) -> Recipe | None:
    """Return the recipe of that name, as `find` does; None where there is none."""
    wanted = name.strip().lower().replace("_", "-")
    return next((recipe for recipe in RECIPES if recipe.name == wanted), None)
