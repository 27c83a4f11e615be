"""Parameter types for texts that have names: the shell completes them, any text is taken."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from decaycalc.conventions.run import Loss

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Named(click.ParamType[str]):
    """A text that may be one of some names; where none of them fits, the shell offers files."""

    def __init__(
        self, name: str, names: Callable[[], Iterable[str]], *, files: bool = False
    ) -> None:
        self.name, self.names, self.files = name, names, files

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002  (click's signature)
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> "list[CompletionItem[str]]":
        """Return the names that begin so."""
        from click.shell_completion import CompletionItem

        found = completed(self.names(), incomplete)
        return found or ([CompletionItem(incomplete, type="file")] if self.files else [])


def completed(names: Iterable[str], incomplete: str) -> "list[CompletionItem[str]]":
    """Return the names that begin with a text, as click's completion takes them."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _recipes() -> Iterable[str]:
    from decaycalc.training.published.index import RECIPES

    return (recipe.name for recipe in RECIPES)


def _trainers() -> Iterable[str]:
    from decaycalc.training.reading.recognise import trainers

    return (trainer.kind for trainer in trainers())


def _networks() -> Iterable[str]:
    from decaycalc.architecture.zoo import known_names

    return known_names()


def _masks() -> Iterable[str]:
    from decaycalc.architecture.masks import RULES

    return RULES


def _dtypes() -> Iterable[str]:
    from decaycalc.conversion.rounding import SIGNIFICANT_BITS

    return SIGNIFICANT_BITS


def _roundings() -> Iterable[str]:
    from decaycalc.conversion.rounding import Rounding

    return Rounding


def _models() -> Iterable[str]:
    from decaycalc.verification.train import MODELS

    return MODELS


def _codes() -> Iterable[str]:
    from decaycalc.findings.rules import RULES

    return (rule.code for rule in RULES)


def _schedules() -> Iterable[str]:
    from decaycalc.schedule import KINDS

    return (kind.name for kind in KINDS)


def _initialisers() -> Iterable[str]:
    from decaycalc.architecture.initialisers import INITIALISERS

    return (name.removesuffix("STD") for name in INITIALISERS)


def _frameworks() -> Iterable[str]:
    from decaycalc.emit.code import FRAMEWORKS

    return FRAMEWORKS


def _stand_ins() -> Iterable[str]:
    """Return the frameworks that take the steps of a side of `verify`."""
    from decaycalc.verification.frameworks import FRAMEWORKS

    return FRAMEWORKS


def _documents() -> Iterable[str]:
    from decaycalc.report.schemas import NAMES

    return NAMES


def _topics() -> Iterable[str]:
    from decaycalc.guide import TOPICS

    return TOPICS


FILE = Named("file", tuple, files=True)
RECIPE = Named("recipe", _recipes, files=True)
TRAINER = Named("trainer", _trainers)
NETWORK = Named("network", _networks, files=True)
MASK = Named("mask", _masks)
DTYPE = Named("dtype", _dtypes)
ROUNDING = Named("rounding", _roundings)
LOSS = Named("loss", lambda: Loss)
OPTIMIZER = Named("optimizer", lambda: ("sgd", "adam"))
MODEL = Named("model", _models)
CODE = Named("code", _codes)
SCHEDULE = Named("schedule", _schedules)
INITIALISER = Named("initialiser", _initialisers)
FRAMEWORK = Named("framework", _frameworks)
WITH = Named("framework", _stand_ins)
DOCUMENT = Named("document", _documents)
TOPIC = Named("topic", _topics)
