"""A trial of a torch-like optimizer: its class over one small tensor in float64."""

import copy
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, signature
from math import prod
from typing import Any

from decaycalc.training.live.apart import kept_random
from decaycalc.training.live.told import counted_from
from decaycalc.training.live.trial import CopyTrial, Steps, small_shape

# What a group holds besides its options: its tensors, and what steps and schedulers have written.
_STATE = frozenset({"params", "param_names", "step", "k", "initial_lr"})

# The lr that an optimizer is built with, and what it keeps of it to count a decay from.
_LRS = frozenset({"lr", "max_lr", "max_lr_snapshot"})

# How a step is carried out, not what it does: a small copy on a CPU can do without.
_PLAIN = {"capturable": False, "differentiable": False}

# A loss so far above any bound that steps of Polyak's kind (MoMo) are those of lr.
_HIGH = 1e6


def trial_of(optimizer: Any, group: Mapping[str, Any], like: Any) -> CopyTrial:
    """Return the trial of a group's kind: the options that it holds, without its tensors.

    `like` is one of the user's tensors, which small ones are made from and which is never written.
    """
    options = {name: value for name, value in group.items() if name not in _STATE}
    arguments = _with_flags(optimizer, _arguments_of(optimizer), like)
    copied = _Copy(
        kind=type(optimizer),
        arguments=arguments,
        options=options,
        lr=group.get("initial_lr", group.get("lr")),
        like=like,
    )
    return CopyTrial(
        name=type(optimizer).__name__,
        shape=small_shape(like.shape),
        take=copied.take,
        options=options,
        counts_from=counted_from(group, optimizer),
    )


def _arguments_of(optimizer: Any) -> dict[str, Any]:
    """Return what a constructor was given: its defaults, and what it must have and has kept.

    An optimizer that stands within another (SAM's) is given by its class.
    """
    defaults = getattr(optimizer, "defaults", {})
    found = {}
    for at, (name, parameter) in enumerate(signature(type(optimizer)).parameters.items()):
        if name in defaults:
            found[name] = defaults[name]
        elif at and parameter.default is Parameter.empty and hasattr(optimizer, name):
            held = getattr(optimizer, name)
            found[name] = type(held) if hasattr(held, "param_groups") else held
    return found


def _with_flags(optimizer: Any, arguments: dict[str, Any], like: Any) -> dict[str, Any]:
    """Return a constructor's arguments with the flags that it keeps by other names.

    A flag is on where a copy built with it holds the switches that the optimizer does.
    """
    kind = type(optimizer)
    for name, parameter in signature(kind).parameters.items():
        default = parameter.default
        if not isinstance(default, bool) or name in arguments or hasattr(optimizer, name):
            continue
        try:
            with kept_random(_framework_of(like)):
                plain, turned = (
                    kind(
                        [{"params": [like.detach().new_tensor([0.0])]}], **arguments, **{name: flag}
                    )
                    for flag in (default, not default)
                )
        except (Exception, SystemExit):  # noqa: BLE001, S112  (asks for what is not installed)
            continue
        changed = _switches(turned).items() - _switches(plain).items()
        if changed and changed <= _switches(optimizer).items():
            arguments[name] = not default
    return arguments


def _switches(optimizer: Any) -> dict[str, bool]:
    """Return what an optimizer holds of true and false beside its groups."""
    return {name: value for name, value in vars(optimizer).items() if isinstance(value, bool)}


def _framework_of(tensor: Any) -> Any:
    """Return the module of a tensor's framework."""
    return sys.modules.get(type(tensor).__module__.partition(".")[0])


def _must_have(parameter: Parameter) -> bool:
    """Return whether an argument has to be given."""
    several = parameter.kind in {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}
    return parameter.default is Parameter.empty and not several


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """How a copy is stepped: with a closure or without, in float64 (`wide`) or in float32."""

    closed: bool
    wide: bool


_MANNERS = tuple(_Manner(closed=closed, wide=wide) for wide in (True, False)
                 for closed in (False, True))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """A class, the arguments of its constructor, a group's options, and the group's full lr."""

    kind: Any
    arguments: Mapping[str, Any]
    options: Mapping[str, Any]
    lr: Any
    like: Any

    def take(self, steps: Steps) -> list[list[float]]:
        """Return the weights after each step of a new copy, in the first manner that it bears.

        What takes a closure may do without one, and few optimizers step in float32 alone.
        """
        framework = _framework_of(self.like)
        closable = "closure" in signature(self.kind.step).parameters
        manners = [each for each in _MANNERS if closable or not each.closed]
        failures: list[Exception] = []
        for manner in manners:
            with kept_random(framework):
                try:
                    return list(self._stepped(steps, manner))
                except Exception as error:  # noqa: BLE001  (the user's optimizer may raise anything)
                    failures.append(error)
        raise failures[0]

    def _stepped(self, steps: Steps, manner: _Manner) -> Iterator[list[float]]:
        shape = small_shape(self.like.shape)
        tensor = partial(self._tensor, wide=manner.wide)
        weight = tensor(steps.start, shape).requires_grad_()
        mine = {"weight_decay": steps.decays[0], **_PLAIN}
        arguments = {
            **self._scaled(self.arguments, steps.peak_lr),
            **_known_of(mine, self.arguments),
        }
        options = {**self._scaled(self.options, steps.peak_lr), **_known_of(mine, self.options)}
        group = {**copy.deepcopy(options), "params": [weight]}
        optimizer = self.kind([group], **copy.deepcopy(arguments))
        _set_lr(optimizer.param_groups[0], steps.lr)
        if hasattr(optimizer, "train"):  # schedule-free optimizers step in this mode only
            optimizer.train()
        for gradient, weight_decay in steps.pairs:
            optimizer.param_groups[0]["weight_decay"] = weight_decay
            known = self._known(weight, gradient, tensor)
            known["closure"]()
            optimizer.step(**_given(optimizer.step, known, closed=manner.closed))
            numbers = weight.detach().reshape(-1).tolist()
            if len(numbers) != len(steps.start):
                raise ValueError("a step changes the number of weights")
            yield numbers

    def _scaled(self, fields: Mapping[str, Any], peak_lr: float | None) -> dict[str, Any]:
        """Return arguments or options with each lr multiplied as the group's is."""
        if peak_lr is None:
            return dict(fields)
        said = {name for name in _LRS if fields.get(name) is not None}
        factor = (
            peak_lr / float(self.lr) if self.lr else None
        )  # else another stands in for an lr of 0
        return {
            name: value if name not in said else float(value) * factor if factor else peak_lr
            for name, value in fields.items()
        }

    def _known(
        self, weight: Any, gradient: Sequence[float] | None, tensor: Callable[..., Any]
    ) -> dict[str, Any]:
        """Return what a step can be given; the closure sets the gradient and returns the loss."""
        shape = small_shape(self.like.shape)

        def closure() -> Any:
            weight.grad = None if gradient is None else tensor(gradient, shape)
            return tensor([_HIGH], ())

        return {
            "hessian": [tensor([1.0] * prod(shape), shape)],
            "loss": tensor([_HIGH], ()),
            "closure": closure,
        }

    def _tensor(self, numbers: Sequence[float], shape: tuple[int, ...], *, wide: bool) -> Any:
        """Return a tensor in float64, or in float32, of the user's own framework."""
        one = self.like.detach().new_tensor([0.0], device="cpu")
        like = one.double() if wide else one.float()
        return like.new_tensor(list(numbers)).reshape(shape)


def _known_of(mine: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of one's own settings that arguments or options have a place for."""
    return {name: value for name, value in mine.items() if name in fields}


def _given(step: Any, known: Mapping[str, Any], *, closed: bool) -> dict[str, Any]:
    """Return what a step is given, by the arguments that it has: what it must have, and can use.

    Raises:
        ValueError: it must have something else, which only a training can tell.
    """
    names = signature(step).parameters
    lacking = set(filter(lambda name: _must_have(names[name]), names))
    if lacking - known.keys():
        named = ", ".join(sorted(lacking - known.keys()))
        raise ValueError(f"its step needs {named}, which only a training can tell")
    useful = {"hessian", "closure" if closed else "loss"}
    return {name: known[name] for name in lacking | (names.keys() & useful)}


def _set_lr(group: dict[str, Any], lr: float | None) -> None:
    """Set a group's lr: within the tensor that it is, where the optimizer has made it one."""
    if hasattr(group.get("lr"), "fill_"):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr
