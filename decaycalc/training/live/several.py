"""Several optimizers that step together, as Muon for matrices and AdamW for all else."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from decaycalc.conventions.record import Convention
from decaycalc.errors import InvalidValueError
from decaycalc.record import replace
from decaycalc.training.live import torch_like
from decaycalc.training.live.conventions import convention_of
from decaycalc.training.record import Training


def is_several(thing: Any) -> bool:
    """Return whether an object is a list or a tuple of optimizers, and no optax pair."""
    return isinstance(thing, list | tuple) and bool(thing) and not hasattr(thing, "_fields")


def title_of(optimizers: Sequence[Any]) -> str:
    """Return the names of their classes: Muon + AdamW."""
    return " + ".join(type(each).__name__ for each in optimizers)


def training_of(
    optimizers: Sequence[Any], model: Any = None, *, source: str | None = None
) -> Training:
    """Return the run of torch-like optimizers, whose groups stand side by side.

    Where the decay of all follows one rule it is told of each group, else of none.

    Raises:
        InvalidValueError: one that is no torch-like optimizer, or whose numbers cannot be read.
    """
    held = [torch_like.unwrapped(each) for each in optimizers]
    for each in held:
        if not torch_like.is_optimizer(each):
            text = "stands in a list, where torch-like optimizers alone may stand"
            raise InvalidValueError("optimizer", type(each).__name__, text)
    title = title_of(held)
    found = torch_like.training_of(
        SimpleNamespace(param_groups=[
            {**group, "name": f"{type(each).__name__} {torch_like.group_name(at, group)}"}
            for each in held
            for at, group in enumerate(each.param_groups)
        ]),
        model,
        source=source or title,
    )  # fmt: skip
    records = [convention_of(each, group) for each in held for group in each.param_groups]
    first, *others = records
    alike = first is not None and all(_is_like(first, other) for other in others)
    refusal = "" if alike else f"{title}: their decays follow several rules, inspect each alone"
    key = first.key if alike and first is not None else None
    return replace(found, title=title, convention=key, refusal=refusal)


def _is_like(one: Convention, other: Convention | None) -> bool:
    """Return whether two records have the same decay of the same number."""
    return other is not None and (one.shrink, one.coupling, one.follows, one.form) == (
        other.shrink, other.coupling, other.follows, other.form,
    )  # fmt: skip
