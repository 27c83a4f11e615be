"""The exact iteration of momentum under a schedule, as products of 2x2 matrices.

A step maps (weight, buffer) by `[[1 - a, -b], [c, 1 - f]]`; a is small, and f where momentum is
near 1. Products are taken over pairs, pairs of pairs and so on while a stays small, and a and f are
kept instead of `1 - a` and `1 - f`: all terms of their sums are positive but second-order ones, so
they keep their digits. Only when a is no longer small a product is applied to the weight, which
rounds it. So the weight is rounded about once a halving, and its relative error grows with the
logarithm of the survival, neither with the number of steps nor with the memory of the momentum.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from decaycalc.conventions.record import Buffer
from decaycalc.conversion.momentum import IN_PLACE
from decaycalc.errors import InvalidValueError
from decaycalc.schedule.shapes import Floats
from decaycalc.survival.losses import SMALL
from decaycalc.survival.rows import BLOCK, Rows
from decaycalc.survival.rule import DecayRule

FEW = 32  # products so few that numpy does not pay
GONE = -1200  # power of 2 below which a float64 is 0
FULL = 1000

Matrix = tuple[Any, Any, Any, Any]  # a, b, c, f: numbers, or arrays of one shape

IDENTITY: Matrix = (0.0, 0.0, 0.0, 0.0)


def compose(first: Matrix, later: Matrix) -> Matrix:
    """Return a, b, c, f of the first steps followed by the later ones."""
    a, b, c, f = first
    later_a, later_b, later_c, later_f = later
    left, held = 1 - a, 1 - f
    return (
        a + later_a * left + later_b * c,
        b * (1 - later_a) + later_b * held,
        later_c * left + c * (1 - later_f),
        f + later_f * held + later_c * b,
    )


@dataclass(slots=True, kw_only=True)
class Weight:
    """A weight with its momentum buffer on its way, both times `2^power`.

    `pending` is the product of the steps that have not been applied yet.
    """

    weight: float
    buffer: float
    power: int = 0
    pending: Matrix = IDENTITY

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left that a float64 can hold."""
        return self.power < GONE or not (self.weight or self.buffer)

    def advance(self, steps: Matrix) -> None:
        """Take some steps.

        Raises:
            InvalidValueError: The weight grows beyond every float.
        """
        self.pending = compose(self.pending, steps)
        if abs(self.pending[0]) > SMALL:
            self.weight, self.buffer = self._apply()
            self.pending = IDENTITY
            self._rescale()

    def _apply(self) -> tuple[float, float]:
        a, b, c, f = self.pending
        loss = a * self.weight + b * self.buffer
        return self.weight - loss, c * self.weight + (1 - f) * self.buffer

    def _rescale(self) -> None:
        """Move the size into the power, which rounds nothing."""
        power = math.frexp(abs(self.weight) + abs(self.buffer))[1]
        self.weight, self.buffer = math.ldexp(self.weight, -power), math.ldexp(self.buffer, -power)
        self.power += power
        if self.power > FULL:
            raise InvalidValueError("lr", "this schedule", "makes the weight grow without bound")

    def survival(self) -> float:
        """Return what is left of the weight now."""
        return 0.0 if self.is_gone else math.ldexp(self._apply()[0], self.power)


def start_weight(rule: DecayRule, multiplier: float, decay_multiplier: float = 1.0) -> Weight:
    """Return the weight after the first step, which fills the buffer.

    Source: torch/optim/sgd.py (the first buffer is undampened); mlx.optimizers.SGD (dampened).
    """
    undampened = rule.buffer is Buffer.OUTSIDE
    filled = decay_multiplier * (rule.step if undampened else rule.step * (1 - rule.dampening))
    lost = multiplier * filled * (1 + rule.momentum if rule.lookahead else 1)
    decayed = 1 - lost if rule.lookahead == IN_PLACE else 1.0
    buffer = filled * multiplier if rule.buffer is Buffer.INSIDE else filled
    return Weight(weight=1 - lost, buffer=buffer * decayed)


def multiply_steps(
    rule: DecayRule, rows: Rows, multiplier: Floats, decay_multiplier: Floats | float
) -> Iterator[list[Matrix]]:
    """Yield for each row the products of its steps, as few as keep a small.

    The run's first step is left out: `start_weight` has taken it.
    """
    products = _multiply_blocks(rule, rows, multiplier, decay_multiplier)
    while products[0].size > max(FEW, len(rows.starts)) and np.abs(products[0]).max() <= SMALL:
        if products.shape[2] % 2:
            identities = np.zeros((*products.shape[:2], 1))
            products = np.concatenate((products, identities), axis=2)
        first, later = products[:, :, ::2], products[:, :, 1::2]
        products = np.stack(compose(tuple(first), tuple(later)))
    for row in products.transpose(1, 2, 0).tolist():
        yield [tuple(product) for product in row]


def _multiply_blocks(
    rule: DecayRule, rows: Rows, multiplier: Floats, decay_multiplier: Floats | float
) -> Floats:
    """Return a, b, c, f of the steps in each block, shape (4, n_rows, n_blocks).

    A block is `BLOCK` steps, or one where these take much of the weight. All blocks take their
    k-th step at once; one at the end of its row is put aside after its last.
    """
    n_rows, width = multiplier.shape
    largest = float(rule.factors(multiplier, decay_multiplier).max()) * rule.peak_shrink
    size = BLOCK if largest * BLOCK <= SMALL else 1
    lengths = np.where(rows.starts == 0, 0, rows.lengths)
    ends = np.clip(lengths[:, None] - np.arange(0, width, size), 0, size).ravel()
    products, blocks = np.zeros((4, len(ends))), _Blocks.at_start(len(ends))
    last = set(ends.tolist())
    steps = zip(_by_place(multiplier, size), _by_place(decay_multiplier, size), strict=True)
    for place, (x, decay) in enumerate(steps, start=1):
        blocks.take(rule, x, rule.step * (1 - rule.dampening) * decay)
        if place in last:
            done = np.flatnonzero(ends == place)
            products[:, done] = blocks.products[:, done]
    return products.reshape(4, n_rows, -1)


def _by_place(values: Floats | float, size: int) -> Iterable[Any]:
    """Return the values of the blocks' first steps, of their second ones and so on."""
    if isinstance(values, float):
        return [values] * size
    return np.ascontiguousarray(values.reshape(-1, size).T)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    """The products of some blocks on their way: a, b, c, f in `products`, shape (4, n_blocks)."""

    products: Floats
    kept: Floats
    moved: Floats

    @classmethod
    def at_start(cls, n_blocks: int) -> "_Blocks":
        """Return those before the first step."""
        kept, moved = np.empty((2, 2, n_blocks))
        return cls(products=np.zeros((4, n_blocks)), kept=kept, moved=moved)

    def take(self, rule: DecayRule, x: Floats, e: Any) -> None:
        """Take a step of these lr multipliers and decays, shape (n_blocks,), in place.

        On weight w and buffer v: `v = m*v + e*w; w = w - x*v`, with Nesterov `w = w - x*(e*w +
        m*v)`; with the lr inside the buffer `e` is times x instead. In place the decay that `v`
        takes is the new w's.
        """
        m, inside = rule.momentum, rule.buffer is Buffer.INSIDE
        loss, buffer = self.products[:2], self.products[2:]
        kept, moved = self.kept, self.moved
        factor = e * x if inside else e
        np.subtract(1, loss[0], out=kept[0])
        kept[1] = loss[1]
        kept *= factor
        buffer *= m
        buffer += kept
        buffer[1] += 1 - m
        moved[0] = buffer[0]
        np.subtract(1, buffer[1], out=moved[1])
        if rule.lookahead:
            moved *= m
            moved[0] += kept[0]
            moved[1] -= kept[1]
        if not inside:
            moved *= x
        loss += moved
        if rule.lookahead == IN_PLACE:
            moved *= factor
            buffer[0] -= moved[0]
            buffer[1] += moved[1]
