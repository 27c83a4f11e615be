"""Optimizers that tell their own configuration: Keras 3."""

from typing import Any

from decaycalc.training.live.conventions import convention_of
from decaycalc.training.live.told import live_training, number_text
from decaycalc.training.record import Group, GroupedTensor, Training

_ONLY = "group 0"


def is_optimizer(thing: Any) -> bool:
    """Return whether an object says its learning rate in a configuration."""
    return callable(getattr(thing, "get_config", None)) and hasattr(thing, "learning_rate")


def training_of(optimizer: Any, model: Any = None, *, source: str | None = None) -> Training:
    """Return the run of a Keras optimizer; a schedule of its lr leaves the lr open.

    Raises:
        InvalidValueError: numbers that are none.
    """
    options = optimizer.get_config()
    lr = options.get("learning_rate")
    group = Group(
        name=_ONLY,
        lr=None if isinstance(lr, dict) else number_text(lr, "lr"),
        weight_decay=number_text(options.get("weight_decay") or 0, "weight_decay"),
    )
    return live_training(
        optimizer,
        source=source,
        record=convention_of(optimizer, options),
        options=options,
        groups=(group,),
        tensors=() if model is None else tuple(_tensors(optimizer, model, group)),
    )


def _tensors(optimizer: Any, model: Any, group: Group) -> list[GroupedTensor]:
    """Return the model's trainable variables; the optimizer says which it excludes."""
    decays = group.weight_decay != "0"
    chosen = getattr(optimizer, "_use_weight_decay", lambda _: True)
    return [
        GroupedTensor(
            name=str(variable.path),
            shape=tuple(int(size) for size in variable.shape),
            groups=(_ONLY,),
            decays=decays and bool(chosen(variable)),
        )
        for variable in model.trainable_variables
    ]
