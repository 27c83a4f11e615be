"""Optimizers that tell their own configuration: Keras 3."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from decaycalc.errors import InvalidValueError
from decaycalc.record import replace
from decaycalc.training.live.conventions import convention_of
from decaycalc.training.live.told import live_training, number_text
from decaycalc.training.record import Group, GroupedTensor, Training

_ONLY = "group 0"
# Muon's two kinds of variables, and the arguments that hold their decays.
_OWN, _ADAM = "weight_decay", "adam_weight_decay"


def is_optimizer(thing: Any) -> bool:
    """Return whether an object says its learning rate in a configuration."""
    return callable(getattr(thing, "get_config", None)) and hasattr(thing, "learning_rate")


def unwrapped(optimizer: Any) -> Any:
    """Return the optimizer that one of Keras's that scales losses holds, else the same."""
    root = type(optimizer).__module__.partition(".")[0]
    return getattr(optimizer, "inner_optimizer", optimizer) if root == "keras" else optimizer


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A trained variable of the user's: how it is called, and what decays it.

    `decay` is the argument of the optimizer that holds its λ; `excluded` that it is exempt.
    """

    name: str
    path: str
    shape: tuple[int, ...]
    decay: str = _OWN
    excluded: bool = False


def training_of(optimizer: Any, model: Any = None, *, source: str | None = None) -> Training:
    """Return the run of a Keras optimizer; a schedule of its lr leaves the lr open.

    Raises:
        InvalidValueError: numbers that are none.
    """
    options = optimizer.get_config()
    variables = variables_of(optimizer, model)
    groups = {
        decay: Group(
            name=_ONLY if decay == _OWN else decay,
            lr=lr_text(options),
            weight_decay=number_text(options.get(decay) or 0, decay),
        )
        for decay in dict.fromkeys([each.decay for each in variables] or [_OWN])
    }
    found = live_training(
        optimizer,
        source=source,
        record=convention_of(optimizer, options),
        options=options,
        groups=tuple(groups.values()),
        tensors=tuple(_tensor(each, groups[each.decay]) for each in variables),
    )
    return replace(found, notes=(*found.notes, *_overwriting(options)))


def _overwriting(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what an average that is written over the weights makes of a decay.

    Source: keras/src/optimizers/base_optimizer.py, _overwrite_model_variables_with_average_value
    (keras 3.15.1).
    """
    every = options.get("ema_overwrite_frequency")
    if not (options.get("use_ema") and every):
        return ()
    text = (
        f"use_ema writes an average over the weights every {every} steps (ema_overwrite_frequency)"
    )
    return (f"{text}, which takes a part of every step and every decay back",)


def lr_text(options: Mapping[str, Any]) -> str | None:
    """Return the lr of a configuration, None where a schedule or a function tells it.

    Raises:
        InvalidValueError: something else than a number.
    """
    lr = options.get("learning_rate")
    return None if isinstance(lr, dict | str) else number_text(lr, "lr")


def usual(optimizer: Any) -> tuple[Variable, ...]:
    """Return what an optimizer says of a kernel and a bias: it has met no variable yet."""
    return tuple(
        asked_of(optimizer, Variable(name=name, path=f"dense/{name}", shape=shape))
        for name, shape in (("kernel", (4, 3)), ("bias", (3,)))
    )


def variables_of(optimizer: Any, model: Any = None) -> tuple[Variable, ...]:
    """Return the model's trainable variables, or those that the optimizer has been built for.

    What the optimizer says of each is asked of a stand-in, as Keras remembers each question.

    Raises:
        InvalidValueError: a model without trainable variables of its own.
    """
    held = getattr(optimizer, "_trainable_variables", ()) if model is None else getattr(
        model, "trainable_variables", None
    )  # fmt: skip
    if held is None:
        raise InvalidValueError("model", type(model).__name__, "must have trainable_variables")
    return tuple(asked_of(optimizer, variable) for variable in held)


def asked_of(optimizer: Any, variable: Any) -> Variable:
    """Return what an optimizer says of a variable, or of what has a name, a path and a shape."""
    asked = _stand_in(optimizer)
    chosen = getattr(asked, "_use_weight_decay", lambda _: True)
    by_adam = getattr(asked, "_should_use_adamw", lambda _: False)
    return Variable(
        name=str(getattr(variable, "name", variable.path)),
        path=str(variable.path),
        shape=tuple(int(size) for size in variable.shape),
        decay=_ADAM if by_adam(variable) else _OWN,
        excluded=not chosen(variable),
    )


def _stand_in(optimizer: Any) -> Any:
    """Return an object of the optimizer's class that holds the same, with a memory of its own."""
    made = object.__new__(type(optimizer))
    vars(made).update(vars(optimizer))
    vars(made)["_exclude_from_weight_decay_cache"] = {}
    return made


def _tensor(variable: Variable, group: Group) -> GroupedTensor:
    return GroupedTensor(
        name=variable.path,
        shape=variable.shape,
        groups=(group.name,),
        decays=group.weight_decay != "0" and not variable.excluded,
    )
