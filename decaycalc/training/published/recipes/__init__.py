"""The published runs, one module a family; a recipe is one record in its family's `RECIPES`."""

from importlib import import_module

from decaycalc.training.published.record import Recipe

# In the order in which they are listed: images, then language.
FAMILIES = (
    "convolutional",
    "vision_transformers",
    "detectors",
    "adamw_paper",
    "bert_and_gpt",
    "llama_and_pythia",
    "recent_language",
)


def family(name: str) -> tuple[Recipe, ...]:
    """Return the recipes of one family module, in their own order."""
    recipes: tuple[Recipe, ...] = import_module(f"{__name__}.{name}").RECIPES
    return recipes
