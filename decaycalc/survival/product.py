"""The exact iteration of momentum under a schedule, as products of 2x2 matrices.

A step maps (weight, buffer) by `[[1 - a, -b], [c, 1 - f]]`, the buffer in units of the decay's step
at peak lr; a is small, and f where momentum is near 1. Products are taken over pairs, pairs of
pairs and so on while a stays small, and a and f are kept instead of `1 - a` and `1 - f`: all terms
of their sums are positive but second-order ones, so they keep their digits. Only when a is no
longer small a product is applied to the weight, which rounds it. So the weight is rounded about
once a halving, and its relative error grows with the logarithm of the survival, neither with the
number of steps nor with the memory of the momentum.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from decaycalc.conventions.record import Buffer
from decaycalc.conversion.momentum import IN_PLACE
from decaycalc.errors import InvalidValueError
from decaycalc.schedule.shapes import Floats
from decaycalc.survival.losses import SMALL
from decaycalc.survival.rows import BLOCK, Rows, one_by_one
from decaycalc.survival.rule import DecayRule

GONE = -1200  # power of 2 below which a float64 is 0
FULL = 1000  # 2^1000 is near float64's end: a weight that grows so far has no number any more
# Where products and blocks have a 1 beside their small numbers: of the weight and of the buffer.
_WEIGHT, _BUFFER = np.eye(2).reshape(2, 2, 1, 1)
_SIGNS = np.array([-1.0, 1.0]).reshape(2, 1, 1)

Matrix = Floats  # [[a, b], [-c, f]] in the first two axes, of one row and product or of many
Entries = tuple[Any, Any, Any, Any]  # the same, numbers of one product or arrays of many
_NOTHING: Entries = (0.0, 0.0, 0.0, 0.0)


def compose(first: Entries, later: Entries) -> Entries:
    """Return the products of the first steps followed by the later ones."""
    a, b, c, f = first
    la, lb, lc, lf = later
    return (
        a + (la * (1 - a) - lb * c),
        b + (lb * (1 - f) - la * b),
        c + (lc * (1 - a) - lf * c),
        f + (lf * (1 - f) - lc * b),
    )


def _entries(products: Matrix) -> Entries:
    return products[0, 0], products[0, 1], products[1, 0], products[1, 1]


@dataclass(slots=True, kw_only=True)
class Weight:
    """A weight with its momentum buffer on its way, both times `2^power`.

    `pending` is the product of the steps that have not been applied yet.
    """

    weight: float
    buffer: float
    power: int = 0
    pending: Entries = _NOTHING

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left that a float64 can hold."""
        return self.power < GONE or not (self.weight or self.buffer)

    def advance(self, steps: Entries) -> None:
        """Take some steps.

        Raises:
            InvalidValueError: The weight grows beyond every float.
        """
        self.pending = compose(self.pending, steps)
        if abs(self.pending[0]) > SMALL:
            self.weight, self.buffer = self._apply()
            self.pending = _NOTHING
            self._rescale()

    def _apply(self) -> tuple[float, float]:
        a, b, minus_c, f = self.pending
        loss = a * self.weight + b * self.buffer
        return self.weight - loss, (1 - f) * self.buffer - minus_c * self.weight

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
    filled = decay_multiplier * (1.0 if undampened else 1 - rule.dampening)
    lost = multiplier * rule.step * filled * (1 + rule.momentum if rule.lookahead else 1)
    decayed = 1 - lost if rule.lookahead == IN_PLACE else 1.0
    buffer = filled * multiplier if rule.buffer is Buffer.INSIDE else filled
    return Weight(weight=1 - lost, buffer=buffer * decayed)


def multiply_steps(
    rule: DecayRule,
    rows: Rows,
    multiplier: Floats,
    decay_multiplier: Floats | float,
    *,
    largest: float,
) -> Matrix:
    """Return the products of each row's steps, as few as keep a small: (2, 2, n_rows, n_products).

    Where blocks of steps take much of the weight they start from single steps.
    `largest` is the largest shrink to first order. The run's first step is left out: `start_weight`
    has taken it.
    """
    if largest * BLOCK > SMALL:
        multiplier = one_by_one(multiplier)
        if not isinstance(decay_multiplier, float):
            decay_multiplier = one_by_one(decay_multiplier)
    products = _multiply_blocks(rule, rows, multiplier, decay_multiplier)
    while products.shape[3] > 1 and np.abs(products[0, 0]).max() <= SMALL:
        if products.shape[3] % 2:
            products = np.concatenate((products, np.zeros_like(products[..., :1])), axis=3)
        pairs = compose(_entries(products[..., ::2]), _entries(products[..., 1::2]))
        products = np.stack(pairs).reshape(2, 2, *pairs[0].shape)
    return products


def _multiply_blocks(
    rule: DecayRule, rows: Rows, multiplier: Floats, decay_multiplier: Floats | float
) -> Matrix:
    """Return the products of the steps in each block, shape (2, 2, n_rows, n_blocks).

    All blocks take their k-th step at once; one at the end of its row is put aside after its last.
    """
    size, n_rows, n_blocks = multiplier.shape
    lengths = np.where(rows.starts == 0, 0, rows.lengths)
    ends = np.clip(lengths[:, None] - np.arange(0, n_blocks * size, size), 0, size)
    last = {size, *(lengths % size).tolist()}
    products, blocks = np.zeros((2, 2, n_rows, n_blocks)), _Blocks.at_start(n_rows, n_blocks)
    steps = zip(_rates(rule, multiplier), _shares(rule, multiplier, decay_multiplier), strict=True)
    # What lies beyond a row's end may grow without bound: nothing of it is kept.
    with np.errstate(over="ignore", invalid="ignore"):
        for place, (rate, share) in enumerate(steps, start=1):
            blocks.take(rule, rate, share)
            if place in last:
                np.copyto(products, blocks.products(), where=ends == place)
    return products


def _rates(rule: DecayRule, multiplier: Floats) -> list[Any]:
    """Return by what a buffer moves the weight at each place of the blocks."""
    if rule.buffer is Buffer.INSIDE:
        return [rule.step] * len(multiplier)
    return list(multiplier * rule.step)


def _shares(rule: DecayRule, multiplier: Floats, decay_multiplier: Floats | float) -> list[Any]:
    """Return which share of the weight a buffer takes at each place of the blocks; None is all."""
    share: Any = decay_multiplier * (1 - rule.dampening)
    if rule.buffer is Buffer.INSIDE:
        share = share * multiplier
    if isinstance(share, float):
        return [None if share == 1 else share] * len(multiplier)
    return list(share)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    """The products of some blocks on their way, each array of shape (2, n_rows, n_blocks).

    `weights` holds -a and b, `buffers` c and f: a step adds one to the other.
    """

    weights: Floats
    buffers: Floats
    added: Floats
    moved: Floats

    @classmethod
    def at_start(cls, n_rows: int, n_blocks: int) -> "_Blocks":
        """Return those before the first step."""
        weights, buffers = np.zeros((2, 2, n_rows, n_blocks))
        added, moved = np.empty((2, 2, n_rows, n_blocks))
        return cls(weights=weights, buffers=buffers, added=added, moved=moved)

    def products(self) -> Floats:
        """Return the products of the steps until now, shape (2, 2, n_rows, n_blocks)."""
        return np.stack((self.weights * _SIGNS, self.buffers * _SIGNS))

    def take(self, rule: DecayRule, rate: Any, share: Any) -> None:
        """Take a step in place: rate and share are of shape (n_rows, n_blocks), or numbers.

        On weight w and buffer v: `v = m*v + share*w; w = w - rate*v`, with Nesterov
        `w = w - rate*(share*w + m*v)`. In place the decay that `v` takes is the new w's.
        """
        weights, buffers, added, moved = self.weights, self.buffers, self.added, self.moved
        np.add(weights, _WEIGHT, out=added)
        if share is not None:
            added *= share
        buffers *= rule.momentum
        buffers += added
        buffers[1] += 1 - rule.momentum
        np.subtract(buffers, _BUFFER, out=moved)
        if rule.lookahead:
            moved *= rule.momentum
            moved += added
        moved *= rate
        weights -= moved
        if rule.lookahead == IN_PLACE:
            if share is not None:
                moved *= share
            buffers -= moved
