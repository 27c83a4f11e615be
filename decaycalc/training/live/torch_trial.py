"""A trial of a torch-like optimizer: its class over one small tensor in float64."""

import copy
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

from decaycalc.training.live.apart import kept_random
from decaycalc.training.live.trial import Steps, Trial, small_shape

# What a group holds besides its options: its tensors, and what steps and schedulers have written.
_STATE = frozenset({"params", "param_names", "step", "k", "initial_lr"})

# How a step is carried out, not what it does: a small copy on a CPU can do without.
_PLAIN = {"capturable": False, "differentiable": False}


def trial_of(optimizer: Any, group: Mapping[str, Any], like: Any) -> Trial:
    """Return the trial of a group's kind: the options that it holds, without its tensors.

    `like` is one of the user's tensors, which small ones are made from and which is never written.
    """
    names = signature(type(optimizer)).parameters
    defaults = getattr(optimizer, "defaults", {})
    options = {name: value for name, value in group.items() if name not in _STATE}
    copied = _Copy(
        kind=type(optimizer),
        arguments={name: defaults[name] for name in names if name in defaults},
        options=options,
        like=like,
    )
    return Trial(
        name=type(optimizer).__name__,
        shape=small_shape(like.shape),
        take=copied.take,
        options=options,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """A class, the arguments of its constructor, and a group's options."""

    kind: type
    arguments: Mapping[str, Any]
    options: Mapping[str, Any]
    like: Any

    def take(self, steps: Steps) -> list[list[float]]:
        """Return the weights after each step of a new copy."""
        framework = sys.modules.get(type(self.like).__module__.partition(".")[0])
        with kept_random(framework):
            return list(self._stepped(steps))

    def _stepped(self, steps: Steps) -> Iterator[list[float]]:
        shape = small_shape(self.like.shape)
        weight = self._tensor(steps.start, shape).requires_grad_()
        mine = {"lr": steps.peak_lr, "weight_decay": steps.decays[0], **_PLAIN}
        arguments = {name: mine.get(name, value) for name, value in self.arguments.items()}
        options = {name: mine.get(name, value) for name, value in self.options.items()}
        group = {**copy.deepcopy(options), "params": [weight]}
        optimizer = self.kind([group], **copy.deepcopy(arguments))
        _set_lr(optimizer.param_groups[0], steps.lr)
        if hasattr(optimizer, "train"):  # schedule-free optimizers step in this mode only
            optimizer.train()
        for gradient, weight_decay in steps.pairs:
            optimizer.param_groups[0]["weight_decay"] = weight_decay
            weight.grad = None if gradient is None else self._tensor(gradient, shape)
            optimizer.step()
            numbers = weight.detach().reshape(-1).tolist()
            if len(numbers) != len(steps.start):
                raise ValueError("a step changes the number of weights")
            yield numbers

    def _tensor(self, numbers: Sequence[float], shape: tuple[int, ...]) -> Any:
        """Return a tensor in float64 of the user's own framework."""
        double = self.like.detach().new_tensor([0.0], device="cpu").double()
        return double.new_tensor(list(numbers)).reshape(shape)


def _set_lr(group: dict[str, Any], lr: float | None) -> None:
    """Set a group's lr: within the tensor that it is, where the optimizer has made it one."""
    if hasattr(group.get("lr"), "fill_"):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr
