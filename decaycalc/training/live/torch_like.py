"""Optimizers with `param_groups`: torch's own, and every library that builds on them."""

from collections.abc import Iterator, Mapping
from typing import Any

from decaycalc.algebra.quantity import exact
from decaycalc.errors import InvalidValueError
from decaycalc.record import replace
from decaycalc.training.live.configured import constructed
from decaycalc.training.live.conventions import class_path, convention_of
from decaycalc.training.live.scheduler import Followed
from decaycalc.training.live.told import live_training, number_text
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.record import Course, Group, GroupedTensor, Training

Groups = list[dict[str, Any]]
# Launchers whose optimizer hands each step on to the one that it holds, unchanged.
# Source: accelerate/optimizer.py; lightning/pytorch/core/optimizer.py; deepspeed 0.19.8
# runtime/zero/stage_1_and_2.py and runtime/fp16/fused_optimizer.py (its groups are flat there).
_LAUNCHERS = frozenset({"accelerate", "lightning", "pytorch_lightning", "deepspeed"})


def is_optimizer(thing: Any) -> bool:
    """Return whether an object holds groups of parameters as torch's optimizers do."""
    groups = getattr(thing, "param_groups", None)
    return isinstance(groups, list) and all(
        isinstance(group, dict) and "params" in group for group in groups
    )


def unwrapped(optimizer: Any) -> Any:
    """Return the optimizer that a launcher's own holds, or an engine of the user's, else the same.

    What is an optimizer itself (SAM, Lookahead) takes steps of its own, whatever it holds.
    """
    root = type(optimizer).__module__.partition(".")[0]
    within = root in _LAUNCHERS or is_holder(optimizer)
    return getattr(optimizer, "optimizer", optimizer) if within else optimizer


def is_holder(thing: Any) -> bool:
    """Return whether an object that is no optimizer itself holds one: an engine, a trainer."""
    if type(thing).__module__.partition(".")[0] in _LAUNCHERS:
        return False
    own = any(kind.__name__ == "Optimizer" for kind in type(thing).__mro__)
    return not own and is_optimizer(getattr(thing, "optimizer", None))


def holder_note(thing: Any) -> str:
    """Return what to know of a number that was read from what an object holds."""
    inner = class_path(thing.optimizer)
    return f"read as the {inner} in its .optimizer: what {class_path(thing)} adds is not known"


def training_of(
    optimizer: Any,
    model: Any = None,
    *,
    source: str | None = None,
    followed: Followed | None = None,
) -> Training:
    """Return the run of a torch-like optimizer: one `Group` a group of its parameters.

    Of a scheduler that was `followed` the highest lr is the group's. Else what a scheduler has
    left in the groups is: OneCycleLR's `max_lr`, any other's `initial_lr`.

    Raises:
        InvalidValueError: no group, or numbers that are none.
    """
    held: Groups = optimizer.param_groups
    if not held:
        raise InvalidValueError("optimizer", type(optimizer).__name__, "has no parameters")
    scaled = _scale_is_applied(held)
    groups = tuple(_group(at, each, scaled=scaled) for at, each in enumerate(held))
    if followed is not None:
        groups = tuple(_followed(each, followed, at) for at, each in enumerate(groups))
    options = next((each for each in held if each.get("weight_decay")), held[0])
    found = live_training(
        optimizer,
        source=source,
        record=convention_of(optimizer, options),
        options=options,
        groups=groups,
        tensors=tuple(_tensors(held, groups, model)),
        dtype=_dtype(options["params"]),
        followed=followed,
    )
    said = constructed(optimizer)
    return found if said is None else replace(found, quantities=(*found.quantities, said))


def group_name(at: int, group: Mapping[str, Any]) -> str:
    """Return a group's own name, else its place."""
    return str(group.get("name") or f"group {at}")


def _group(at: int, group: Mapping[str, Any], *, scaled: bool) -> Group:
    scale = number_text(group.get("lr_scale"), "lr_scale")
    peak = group.get("max_lr") if "initial_lr" in group else None
    lr = number_text(group.get("initial_lr", group.get("lr")) if peak is None else peak, "lr")
    if lr is not None and scale is not None and scaled:
        lr = decimal_text(exact(lr) * exact(scale))
    return Group(
        name=group_name(at, group),
        selector="" if scale is None else f"lr_scale {scale}",
        lr=lr,
        weight_decay=number_text(group.get("weight_decay", 0), "weight_decay"),
    )


def _followed(group: Group, followed: Followed, at: int) -> Group:
    """Return a group with the lr and the λ of each step, over their highest."""
    lrs, decays = followed.lrs[at], followed.decays[at]
    peak, most = max(lrs), 0.0 if decays is None else max(decays)
    course = Course(
        lrs=tuple(each / (peak or 1) for each in lrs),
        decays=None if decays is None else tuple(each / most for each in decays),
    )
    return replace(
        group,
        lr=number_text(peak, "lr"),
        weight_decay=group.weight_decay if decays is None else number_text(most, "weight_decay"),
        course=course,
    )


def _scale_is_applied(groups: Groups) -> bool:
    """Return whether the groups' lr already differ as their `lr_scale` says.

    A warm-up from 0 hides it: then a scheduler is there, and is taken to read it.
    """
    pairs = {
        (float(group["lr"]), float(group["lr_scale"]))
        for group in groups
        if "initial_lr" in group and group.get("lr_scale") is not None
    }
    return bool(pairs) and (len({lr for lr, _ in pairs}) > 1 or {lr for lr, _ in pairs} == {0.0})


def _tensors(held: Groups, groups: tuple[Group, ...], model: Any) -> Iterator[GroupedTensor]:
    """Yield the model's trainable parameters, then those that only the groups hold.

    A frozen one gets no gradient, and without one a step changes nothing of it.
    """
    places: dict[int, list[int]] = {}
    own: dict[int, tuple[str, Any]] = {}
    for at, group in enumerate(held):
        names = group.get("param_names") or ()
        for index, parameter in enumerate(group["params"]):
            unnamed = f"{groups[at].name}[{index}]"
            own.setdefault(id(parameter), (str(names[index]) if names else unnamed, parameter))
            places.setdefault(id(parameter), []).append(at)
    named = {} if model is None else {
        id(parameter): (str(name), parameter) for name, parameter in model.named_parameters()
    }  # fmt: skip
    for key, (name, parameter) in {**own, **named}.items():
        here = [groups[at] for at in places.get(key, ())]
        if parameter.requires_grad:
            yield GroupedTensor(
                name=name,
                shape=tuple(int(size) for size in parameter.shape),
                groups=tuple(group.name for group in here),
                decays=any(group.weight_decay not in {None, "0"} for group in here),
            )


def _dtype(parameters: list[Any]) -> str | None:
    """Return what a group's parameters are stored as, None where it is not one thing."""
    names = {str(getattr(each, "dtype", "")).removeprefix("torch.") for each in parameters}
    return names.pop() or None if len(names) == 1 else None
