"""DecayRule: a decay and how it follows the learning rate."""

from dataclasses import dataclass

import numpy as np

from decaycalc.conventions.record import Buffer, Follows
from decaycalc.conversion.momentum import (
    first_order_shrink,
    free_survival,
    fresh_and_kept,
    is_oscillating,
    long_run_shrink,
    proximal_shrink,
    shrink_over,
)
from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.schedule.shapes import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayRule:
    """A decay under a schedule.

    `step` is lr*loss_scale*strength at peak lr, before momentum; of a decoupled decay it is the
    shrink at peak lr, and momentum is 0. `follows` says how it follows the lr. `proximal` decays
    divide by `1 + step`; a decay applied `compounds` times a step takes its share each time.
    """

    step: float
    momentum: float = 0.0
    dampening: float = 0.0
    lookahead: float = 0
    buffer: Buffer = Buffer.OUTSIDE
    follows: Follows = Follows.LR
    proximal: bool = False
    compounds: float = 1.0

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            InvalidValueError: A setting out of its range.
            ContradictionError: Momentum on a decay that does not follow the lr.
        """
        self._long_run(self.step)
        if self.compounds < 1:
            raise InvalidValueError("compounds", self.compounds, "must be at least 1")
        if self.momentum and self.follows not in (Follows.LR, Follows.MULTIPLIER):
            raise ContradictionError("a decay under momentum follows the learning rate")

    @property
    def mixed(self) -> tuple[float, float]:
        """By what a step multiplies the gradient, and by what the buffer."""
        return fresh_and_kept(self.momentum, self.lookahead)

    @property
    def peak_shrink(self) -> float:
        """The shrink at peak lr to first order (1/step)."""
        return first_order_shrink(self.step, momentum=self.momentum, dampening=self.dampening)

    def factors(self, multiplier: Floats, decay_multiplier: Floats | float = 1.0) -> Floats:
        """Return each step's decay over that at peak lr, shape of `multiplier`.

        A `decay_multiplier` that is a number is 1: the decay has no schedule of its own.
        """
        if self.follows is Follows.CONSTANT:
            factors = np.ones_like(multiplier)
        else:
            factors = multiplier**2 if self.follows is Follows.LR_SQUARED else multiplier
        return factors if isinstance(decay_multiplier, float) else factors * decay_multiplier

    def changes(self, first_order: Floats, largest: float) -> Floats:
        """Return what each step adds to a weight, over it, from minus its first-order shrink.

        `largest` is the largest of the shrinks (1/step); no weight loses more than its shrink.

        Raises:
            InvalidValueError: A decay applied several times a step that takes all at once.
        """
        if self.proximal:
            return first_order / (1 - first_order)
        if self.compounds != 1:
            if largest >= self.compounds:
                text = f"must stay below {self.compounds:g} at every step"
                raise InvalidValueError("shrink", largest, text)
            return np.expm1(np.log1p(first_order / self.compounds) * self.compounds)
        return first_order

    def long_run_shrink(self, factor: float) -> float:
        """Return the exact long-run shrink at a constant lr, `factor` times the peak's (1/step)."""
        step = self.step * factor
        if step <= 1 and not (self.momentum or self.proximal) and self.compounds == 1:
            return step
        if self.proximal:
            return proximal_shrink(step)
        if self.compounds != 1:
            return shrink_over(step / self.compounds, self.compounds)
        return self._long_run(step)

    def free_survival(self, n_steps: int) -> float:
        """Return what is left after some steps at peak lr, exactly, with momentum."""
        return free_survival(
            self.step,
            n_steps,
            momentum=self.momentum,
            dampening=self.dampening,
            lookahead=self.lookahead,
            first_step_dampened=self.buffer is not Buffer.OUTSIDE,
        )

    def is_oscillating(self, factor: float) -> bool:
        """Return whether the weight changes sign on its way down at `factor` times the peak lr."""
        return not self.proximal and is_oscillating(
            self.step * factor,
            momentum=self.momentum,
            dampening=self.dampening,
            lookahead=self.lookahead,
        )

    def _long_run(self, step: float) -> float:
        return long_run_shrink(
            step, momentum=self.momentum, dampening=self.dampening, lookahead=self.lookahead
        )
