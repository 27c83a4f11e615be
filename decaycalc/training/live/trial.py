"""Trial: a small copy of an optimizer that takes steps, apart from the user's own."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import isfinite, prod
from typing import Any

from decaycalc.errors import InvalidValueError
from decaycalc.training.live.foreign import foreign_errors

_SIZES = (4, 3, 2)  # small, and different, so that no transposition passes
Weights = tuple[float, ...]
Gradient = Weights | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What a copy is to do: from `start`, a step with each gradient (None is none at all) and λ.

    `peak_lr` is the lr that the copy is built with, `lr` what it has in the steps; None where the
    optimizer has none.
    """

    start: Weights
    gradients: Sequence[Gradient]
    decays: Sequence[float]
    lr: float | None
    peak_lr: float | None

    @property
    def pairs(self) -> Iterable[tuple[Gradient, float]]:
        """Each step's gradient and λ."""
        return zip(self.gradients, self.decays, strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTrial:
    """An optimizer's kind by its name, its options, and how a copy of it over one tensor steps.

    `take` returns the weights after each step; it may raise anything, and changes nothing of the
    user's. `coarse` says that it counts in float32 within, whatever it is given. `counts_from` is
    the lr, of all groups, that a decay may count from.
    """

    name: str
    shape: tuple[int, ...]
    take: Callable[[Steps], Iterable[Sequence[float]]]
    options: Mapping[str, Any] = field(default_factory=dict)
    coarse: bool = False
    counts_from: float | None = None

    @property
    def start(self) -> Weights:
        """The small tensor's weights: of either sign, away from zero."""
        return self.numbers(seed=1)

    def numbers(self, *, seed: int, scale: float = 1) -> Weights:
        """Return as many numbers as there are weights, the same for the same seed."""
        return numbers(self.shape, seed=seed, scale=scale)

    def weights(
        self,
        gradients: Sequence[Gradient],
        *,
        decays: Sequence[float],
        lr: float | None,
        peak_lr: float | None,
    ) -> tuple[Weights, ...]:
        """Return the weights after each step.

        Raises:
            InvalidValueError: the copy cannot be built, cannot be stepped, or diverges.
        """
        steps = Steps(
            start=self.start, gradients=gradients, decays=decays, lr=lr, peak_lr=peak_lr
        )  # fmt: skip
        with foreign_errors(self._unsteppable):
            found = tuple(tuple(map(float, weights)) for weights in self.take(steps))
        if not all(isfinite(weight) for weights in found for weight in weights):
            raise self._refused("diverges on a small copy")
        return found

    def _unsteppable(self, said: str) -> InvalidValueError:
        return self._refused(f"cannot be stepped on a small copy: {said}")

    def _refused(self, why: str) -> InvalidValueError:
        return InvalidValueError("optimizer", self.name, why)


def numbers(shape: tuple[int, ...], *, seed: int, scale: float = 1) -> Weights:
    """Return a number of either sign and away from zero for each weight of a shape."""
    drawn = random.Random(seed)  # noqa: S311  (no secret)
    return tuple(
        scale * drawn.choice((-1, 1)) * drawn.uniform(0.5, 1.5) for _ in range(prod(shape))
    )


def small_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the shape of a small tensor: of as many dimensions as the user's."""
    sizes = (*_SIZES, *(2 for _ in shape))
    return tuple(islice(sizes, len(shape)))
