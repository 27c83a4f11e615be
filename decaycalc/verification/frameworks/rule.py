"""Update rules whose steps, or whose penalty, a framework computes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from decaycalc.errors import InvalidValueError
from decaycalc.verification.rules.optimizers import Array, Numbers
from decaycalc.verification.rules.rule import State, Stepper, UpdateRule, parse_rule

_BARE = parse_rule("w = w - lr*heavy_ball(g)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedRule(UpdateRule):
    """A rule whose steps a framework's optimizer takes, one optimizer a tensor.

    `make(weights, settings)` returns the optimizer as `step(gradient, lr)`.
    """

    make: Callable[[Array, Numbers], Stepper]

    def step(
        self,
        state: State,
        w: ArrayLike,
        g: ArrayLike,
        *,
        names: Mapping[str, float],
        settings: Mapping[str, float] | None = None,
    ) -> Array:
        """Return the weights after the optimizer's next step.

        Raises:
            InvalidValueError: the framework refuses the settings, or the weights overflowed.
        """
        state.t += 1
        if state.stepper is None:
            state.stepper = self._start(np.asarray(w, float), {**names, **(settings or {})})
        after = np.asarray(state.stepper(np.asarray(g, float), float(names["lr"])), float)
        if not np.all(np.isfinite(after)):
            raise InvalidValueError(
                "w", "above 1.8e308", f"after step {state.t}: the training diverges"
            )
        return after

    def _start(self, weights: Array, settings: Numbers) -> Stepper:
        """Return a new optimizer.

        Raises:
            InvalidValueError: the framework refuses the settings.
        """
        try:
            return self.make(weights, settings)
        except (ValueError, TypeError) as error:
            reason = " ".join(str(error).split())
            raise InvalidValueError("with", self.text, f"is refused: {reason}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class PenalisedRule(UpdateRule):
    """An objective `loss + penalty` whose penalty a framework computes.

    `penalty(weights, settings)` is quadratic in the weights, so that central differences are
    its gradient to rounding, whatever the framework differentiates with.
    """

    penalty: Callable[[Array, Numbers], float]

    def step(
        self,
        state: State,
        w: ArrayLike,
        g: ArrayLike,
        *,
        names: Mapping[str, float],
        settings: Mapping[str, float] | None = None,
    ) -> Array:
        """Return the weights after a step of momentum descent on loss and penalty.

        Raises:
            InvalidValueError: the weights overflowed.
        """
        descent = self.descent(w, g, names=names)
        return _BARE.step(state, w, descent, names=names, settings=settings)

    def descent(self, w: ArrayLike, g: ArrayLike, *, names: Mapping[str, float]) -> Array:
        """Return the gradient of loss and penalty."""
        weights = np.asarray(w, float)
        moves = np.eye(weights.size).reshape(-1, *weights.shape)
        rises = [
            (self.penalty(weights + move, names) - self.penalty(weights - move, names)) / 2
            for move in moves
        ]
        slope: Array = np.array(rises).reshape(weights.shape)
        return np.asarray(g, float) + slope
