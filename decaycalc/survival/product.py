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
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
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

Entries = tuple[Any, Any, Any, Any]  # a, b, -c, f: numbers of one product or arrays of many
_NOTHING: Entries = (0.0, 0.0, 0.0, 0.0)


def compose(first: Entries, later: Entries) -> Entries:
    """Return the products of the first steps followed by the later ones."""
    a, b, c, f = first
    la, lb, lc, lf = later
    weight_left, buffer_left = 1 - a, 1 - f
    return (
        a + (la * weight_left - lb * c),
        b + (lb * buffer_left - la * b),
        c + (lc * weight_left - lf * c),
        f + (lf * buffer_left - lc * b),
    )


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
    lost = multiplier * rule.step * filled * sum(rule.mixed)
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
) -> Entries:
    """Return the products of each row's steps, as few as keep a small: (n_rows, n_products) each.

    Where blocks of steps take much of the weight they start from single steps.
    `largest` is the largest shrink to first order. The run's first step is left out: `start_weight`
    has taken it.
    """
    if largest * BLOCK > SMALL:
        multiplier = one_by_one(multiplier)
        if not isinstance(decay_multiplier, float):
            decay_multiplier = one_by_one(decay_multiplier)
    products = _multiply_blocks(rule, rows, multiplier, decay_multiplier)
    while products[0].shape[1] > 1 and np.abs(products[0]).max() <= SMALL:
        products = _multiply_pairs(products)
    return products


def _multiply_pairs(products: Entries) -> Entries:
    """Return the products of each first and second, with the last one where it has no second."""
    a, b, c, f = products
    paired = a.shape[1] // 2 * 2
    pairs = compose(
        (a[:, :paired:2], b[:, :paired:2], c[:, :paired:2], f[:, :paired:2]),
        (a[:, 1::2], b[:, 1::2], c[:, 1::2], f[:, 1::2]),
    )
    if paired == a.shape[1]:
        return pairs
    la, lb, lc, lf = (
        np.concatenate((pair, entry[:, paired:]), axis=1)
        for pair, entry in zip(pairs, products, strict=True)
    )
    return la, lb, lc, lf


def _multiply_blocks(
    rule: DecayRule, rows: Rows, multiplier: Floats, decay_multiplier: Floats | float
) -> Entries:
    """Return the products of the steps in each block, shape (n_rows, n_blocks) each.

    All blocks take their k-th step at once; what one that ends with its row holds after its last is
    put aside.
    """
    size, n_rows, n_blocks = multiplier.shape
    whole, rest = np.divmod(np.where(rows.starts == 0, 0, rows.lengths), size)
    blocks, aside, rests = _Blocks(n_rows, n_blocks), [], set(rest.tolist())
    steps = zip(_rates(rule, multiplier), _shares(rule, multiplier, decay_multiplier), strict=True)
    # What lies beyond a row's end may grow without bound: nothing of it is kept.
    with np.errstate(over="ignore", invalid="ignore"):
        for place, (rate, share) in enumerate(steps, start=1):
            blocks.take(rule, rate, share)
            if place in rests:
                ended = np.flatnonzero(rest == place)
                aside.append((ended, whole[ended], blocks.products[:, ended, whole[ended]]))
    blocks.products[:, np.arange(n_blocks) >= whole[:, None]] = 0
    for ended, last, products in aside:
        blocks.products[:, ended, last] = products
    a, b, c, f = blocks.products
    np.negative(a, out=a), np.negative(c, out=c)
    return a, b, c, f


def _rates(rule: DecayRule, multiplier: Floats) -> Iterable[Any]:
    """Return by what a buffer moves the weight at each place of the blocks."""
    if rule.buffer is Buffer.INSIDE:
        return repeat(rule.step, len(multiplier))
    return (each * rule.step for each in multiplier)


def _shares(rule: DecayRule, multiplier: Floats, decay_multiplier: Floats | float) -> Iterable[Any]:
    """Return which share of the weight a buffer takes at each place of the blocks; None is all."""
    share: Any = decay_multiplier * (1 - rule.dampening)
    if rule.buffer is Buffer.INSIDE:
        share = share * multiplier
    if isinstance(share, float):
        return repeat(None if share == 1 else share, len(multiplier))
    return list(share)


class _Blocks:
    """The products of some blocks on their way: -a, b, c and f, of shape (n_rows, n_blocks) each.

    A step adds the first two, `weights`, and the other two, `buffers`, to one another. Each pair is
    what became of a weight and of a buffer that were 1.
    """

    def __init__(self, n_rows: int, n_blocks: int) -> None:
        self.products = np.zeros((4, n_rows, n_blocks))
        self.weights, self.buffers = self.products.reshape(2, 2, n_rows, n_blocks)
        self.taken, self.moved = np.empty((2, 2, n_rows, n_blocks))

    def take(self, rule: DecayRule, rate: Any, share: Any) -> None:
        """Take a step in place: rate and share are of shape (n_rows, n_blocks), or numbers.

        On weight w and buffer v: `v = m*v + share*w; w = w - rate*v`, with Nesterov
        `w = w - rate*(share*w + m*v)`. In place the decay that `v` takes is the new w's. Another
        mixture is `w = w - rate*(fresh*share*w + kept*v)`.
        """
        fresh, kept = rule.mixed
        minus_a, b, c, f = self.products
        taken, moved = self.taken, self.moved
        first, second = np.add(minus_a, 1, out=taken[0]), b
        if share is not None:
            first *= share
            second = np.multiply(b, share, out=taken[1])
        self.buffers *= rule.momentum
        c += first
        f += second
        f += 1 - rule.momentum
        by_first, by_second = c, np.subtract(f, 1, out=moved[1])
        if rule.lookahead:
            by_first = np.multiply(c, kept, out=moved[0])
            by_first += first if fresh == 1 else fresh * first
            by_second *= kept
            by_second += second if fresh == 1 else fresh * second
        np.multiply(by_first, rate, out=moved[0])
        by_second *= rate
        self.weights -= moved
        if rule.lookahead == IN_PLACE:
            if share is not None:
                moved *= share
            self.buffers -= moved
