"""Fields of trainers whose file names an optimizer class by its path: the class says the rest."""

from collections.abc import Callable, Mapping

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.classes import FLAGS, OptimizerClass, find_class
from decaycalc.training.reading.optimizers import (
    ADAM,
    UNDAMPENED_SGD,
    refused,
    unknown_optimizer,
)
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Derive, Field, Optimizer
from decaycalc.training.record import Sourced

Find = Callable[[Settings], OptimizerClass | None]


def class_of(settings: Settings) -> OptimizerClass | None:
    """Return the class that the field `optimizer` names, None where it is not known."""
    return find_class(settings.text("optimizer") or "")


def paddle_class(settings: Settings) -> OptimizerClass | None:
    """Return Paddle's class that the field `optimizer` names, None where it is not known."""
    return find_class(settings.text("optimizer") or "", library="paddle")


def class_by_name(classes: Mapping[str, str]) -> Find:
    """Return what finds the class of a trainer's own name, in lower case, by the class's path."""
    return lambda settings: find_class(classes.get(settings.word("optimizer"), ""))


def optimizer_of(settings: Settings, find: Find = class_of) -> Optimizer:
    """Return what the class makes of its number by its flags; an unknown one has none."""
    found = find(settings)
    if found is None:
        return unknown_optimizer(settings.text("optimizer") or "")
    said = [settings.find(name) for name in found.flags]
    unknown = next((each.where for each in said if each.value is None and each.where), "")
    if unknown:
        return refused(f"{unknown} decides what the weight decay is, and is not known")
    return found.optimizer({each.name: settings.flag(each.name) for each in said if each.value})


# What Paddle's optimizers take, as far as their configurations say it.
PADDLE_USES = {"momentum": UNDAMPENED_SGD, "adam": ADAM, "adamw": ADAM}


def paddle_optimizer(settings: Settings, uses: Mapping[str, tuple[str, ...]]) -> Optimizer:
    """Return what Paddle's class makes of its number; `uses` has the quantities of some of them."""
    name, found = settings.word("optimizer"), paddle_class(settings)
    if found is None:
        return unknown_optimizer(name)
    return Optimizer(convention=found.convention, uses=uses.get(name, ()))


def class_default(name: str, find: Find = class_of) -> Derive:
    """Return what derives `weight_decay` or `lr` from the class's own constructor."""

    def derive(settings: Settings) -> Sourced | None:
        found = find(settings)
        return None if found is None else found.default(name)

    return derive


def class_fields(
    name: str,
    arguments: str,
    *,
    plain: str = "",
    default: str | None = None,
    peak: Derive | None = None,
) -> tuple[Field, ...]:
    """Return the fields of an optimizer whose path stands at `name`, its arguments at `arguments`.

    `plain` is the path of a bare name where the file may have that instead, `default` the class
    that holds where it has none, `peak` what a scheduler puts in the place of lr.
    """
    return (
        Field(name="optimizer", paths=(name, plain) if plain else (name,), default=default),
        Field(name="weight_decay", paths=(f"{arguments}.weight_decay",),
              derive=class_default("weight_decay")),
        Field(name="lr", paths=(f"{arguments}.lr",), derive=class_default("lr"),
              overrule=peak),
        *betas(f"{arguments}.betas", "0.9", "0.999"),
        *Field.within(arguments, eps="1e-8", momentum="0", dampening="0", nesterov="false"),
        *flag_fields(arguments),
    )  # fmt: skip


def flag_fields(arguments: str, **defaults: str) -> tuple[Field, ...]:
    """Return the fields of the flags that decide what a class's number is.

    `defaults` are those of the trainer, where it does not leave them to the class.
    """
    return tuple(
        Field(name=name, paths=(f"{arguments}.{name}",), default=defaults.get(name))
        for name in FLAGS
    )
