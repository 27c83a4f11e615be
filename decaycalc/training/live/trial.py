"""Trial: a small copy of a torch-like optimizer that takes steps, apart from the user's own."""

import copy
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from itertools import islice
from math import isfinite, prod
from typing import Any

from decaycalc.errors import InvalidValueError

_SIZES = (4, 3, 2)
# What a group holds besides its options: its tensors, and what steps and schedulers have written.
_STATE = frozenset({"params", "param_names", "step", "k", "initial_lr"})
Weights = tuple[float, ...]
Gradient = Weights | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A class, the arguments of its constructor, and a group's options over one small tensor.

    `like` is one of the user's tensors, which small ones are made from and which is never written.
    """

    kind: type
    arguments: Mapping[str, Any]
    options: Mapping[str, Any]
    like: Any

    @classmethod
    def of(cls, optimizer: Any, group: Mapping[str, Any], like: Any) -> "Trial":
        """Return the trial of a group's kind: the options that it holds, without its tensors."""
        names = signature(type(optimizer)).parameters
        defaults = getattr(optimizer, "defaults", {})
        return cls(
            kind=type(optimizer),
            arguments={name: defaults[name] for name in names if name in defaults},
            options={name: value for name, value in group.items() if name not in _STATE},
            like=like,
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the small tensor: as many dimensions as the user's."""
        sizes = (*_SIZES, *(2 for _ in self.like.shape))
        return tuple(islice(sizes, len(self.like.shape)))

    @property
    def start(self) -> Weights:
        """The small tensor's weights: of either sign, away from zero."""
        return self.numbers(seed=1)

    def numbers(self, *, seed: int, scale: float = 1) -> Weights:
        """Return as many numbers as there are weights, the same for the same seed."""
        drawn = random.Random(seed)  # noqa: S311  (no secret)
        return tuple(
            scale * drawn.choice((-1, 1)) * drawn.uniform(0.5, 1.5) for _ in range(prod(self.shape))
        )

    def weights(
        self,
        gradients: Sequence[Gradient],
        *,
        decays: Sequence[float],
        lr: float | None,
        peak_lr: float | None,
    ) -> tuple[Weights, ...]:
        """Return the weights after each step; a gradient of None is none at all.

        `decays` is λ in each step. `peak_lr` is what the copy is built with, `lr` what its group
        has in the steps.

        Raises:
            InvalidValueError: the copy cannot be built, cannot be stepped, or diverges.
        """
        with _kept_random(self.like):
            try:
                found = self._stepped(tuple(zip(gradients, decays, strict=True)), lr, peak_lr)
            except Exception as error:  # a framework may raise anything
                said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
                raise self._refused(f"cannot be stepped on a small copy: {said}") from error
        if not all(isfinite(weight) for weights in found for weight in weights):
            raise self._refused("diverges on a small copy")
        return found

    def _refused(self, why: str) -> InvalidValueError:
        return InvalidValueError("optimizer", self.kind.__name__, why)

    def _stepped(
        self, steps: Sequence[tuple[Gradient, float]], lr: float | None, peak_lr: float | None
    ) -> tuple[Weights, ...]:
        weight = self._tensor(self.start).requires_grad_()
        mine = {"lr": peak_lr, "weight_decay": steps[0][1]}
        arguments = {name: mine.get(name, value) for name, value in self.arguments.items()}
        group = {**copy.deepcopy(dict(self.options)), **mine, "params": [weight]}
        optimizer = self.kind([group], **copy.deepcopy(arguments))
        optimizer.param_groups[0]["lr"] = lr
        if hasattr(optimizer, "train"):  # schedule-free optimizers step in this mode only
            optimizer.train()
        found = []
        for gradient, weight_decay in steps:
            optimizer.param_groups[0]["weight_decay"] = weight_decay
            weight.grad = None if gradient is None else self._tensor(gradient)
            optimizer.step()
            found.append(tuple(map(float, weight.detach().reshape(-1).tolist())))
        return tuple(found)

    def _tensor(self, numbers: Weights) -> Any:
        """Return a tensor in float64 of the user's own framework."""
        double = self.like.detach().new_tensor([0.0], device="cpu").double()
        return double.new_tensor(list(numbers)).reshape(self.shape)


@contextmanager
def _kept_random(like: Any) -> Iterator[None]:
    """Draw the same numbers in every trial, and leave the user's generators as they were."""
    framework = sys.modules.get(type(like).__module__.partition(".")[0])
    generator = getattr(framework, "default_generator", None)
    before = random.getstate()
    state = None if generator is None else generator.get_state()
    try:
        random.seed(0)
        if generator is not None:
            generator.manual_seed(0)
        yield
    finally:
        random.setstate(before)
        if generator is not None:
            generator.set_state(state)
