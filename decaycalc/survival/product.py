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
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from decaycalc.conventions.record import Buffer
from decaycalc.conversion.momentum import IN_PLACE
from decaycalc.errors import InvalidValueError
from decaycalc.schedule.pieces import Integers
from decaycalc.schedule.shapes import Floats
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.sums import Sum

SMALL = 0.25  # largest `a` that is still multiplied in the form `1 - a`
GONE = -750.0  # logarithm below which a float64 is 0
FULL = 700.0
RESCALE = 1e100
ROW = 32  # steps multiplied one after the other, in many rows at once
FEW = 32  # products so few that numpy does not pay


def compose(first: Iterable[Any], later: Iterable[Any]) -> tuple[Any, Any, Any, Any]:
    """Return a, b, c, f of the first steps followed by the later ones: numbers or arrays."""
    a, b, c, f = first
    later_a, later_b, later_c, later_f = later
    left, held = 1 - a, 1 - f
    return (
        a + later_a * left + later_b * c,
        b * (1 - later_a) + later_b * held,
        later_c * left + c * (1 - later_f),
        f + later_f * held + later_c * b,
    )


class Product(NamedTuple):
    """The matrix `[[1 - a, -b], [c, 1 - f]]` of some steps."""

    a: float
    b: float
    c: float
    f: float

    def then(self, later: "Product") -> "Product":
        """Return the matrix of these steps followed by later ones."""
        return Product(*compose(self, later))


NOTHING = Product(0.0, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class Weight:
    """A weight with its momentum buffer on its way, times `exp(log_scale)`.

    `pending` is the product of the steps that have not been applied yet.
    """

    weight: float
    buffer: float
    log_scale: Sum = field(default_factory=Sum)
    pending: Product = NOTHING

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left that a float64 can hold."""
        return self.log_scale.get() < GONE or not (self.weight or self.buffer)

    def advance(self, steps: Product) -> None:
        """Take some steps.

        Raises:
            InvalidValueError: The weight grows beyond every float.
        """
        self.pending = self.pending.then(steps)
        if abs(self.pending.a) > SMALL:
            self.weight, self.buffer = self._apply()
            self.pending = NOTHING
            self._rescale()

    def _apply(self) -> tuple[float, float]:
        a, b, c, f = self.pending
        loss = a * self.weight + b * self.buffer
        return self.weight - loss, c * self.weight + (1 - f) * self.buffer

    def _rescale(self) -> None:
        size = abs(self.weight) + abs(self.buffer)
        if size and not 1 / RESCALE < size < RESCALE:
            self.weight, self.buffer = self.weight / size, self.buffer / size
            self.log_scale.add(math.log(size))
        if self.log_scale.get() > FULL:
            raise InvalidValueError("lr", "this schedule", "makes the weight grow without bound")

    def ratio(self) -> float:
        """Return the buffer per weight now, infinite where the weight is just 0."""
        self.weight, self.buffer = self._apply()
        self.pending = NOTHING
        return self.buffer / self.weight if self.weight else math.inf

    def jump(self, log: float, ratio: float) -> None:
        """Take steps of which only the weight's log factor is known, and the ratio after them."""
        self.log_scale.add(log)
        self.buffer = ratio * self.weight

    def survival(self, log: float = 0.0) -> float:
        """Return what is left of the weight now, or times `exp(log)`."""
        return 0.0 if self.is_gone else self._apply()[0] * math.exp(self.log_scale.get() + log)


def start_weight(rule: DecayRule, multiplier: float) -> Weight:
    """Return the weight after the first step, which fills the buffer.

    Source: torch/optim/sgd.py (the first buffer is undampened); mlx.optimizers.SGD (dampened).
    """
    undampened = rule.buffer is Buffer.OUTSIDE
    filled = rule.step if undampened else rule.step * (1 - rule.dampening)
    lost = multiplier * filled * (1 + rule.momentum if rule.lookahead else 1)
    decayed = 1 - lost if rule.lookahead == IN_PLACE else 1.0
    buffer = filled * multiplier if rule.buffer is Buffer.INSIDE else filled
    return Weight(weight=1 - lost, buffer=buffer * decayed)


def advance(weight: Weight, rule: DecayRule, multiplier: Floats) -> None:
    """Take the weight through steps of these multipliers, shape (n,)."""
    n_whole = len(multiplier) // ROW * ROW
    if rule.peak_shrink * float(multiplier.max(initial=0)) * ROW > SMALL:
        n_whole = 0
    for part in (
        _multiply_rows(rule, multiplier[:n_whole].reshape(-1, ROW)),
        _matrices(rule, multiplier[n_whole:]),
    ):
        for steps in _multiply(part).T.tolist():
            if weight.is_gone:
                return
            weight.advance(Product(*steps))


def _multiply_rows(rule: DecayRule, multiplier: Floats) -> Floats:
    """Return the product of each row's steps; shape (n_rows, ROW) to (4, n_rows filled up).

    All rows take their k-th step at once. Per step, on weight w and buffer v with lr multiplier x:
    `v = m*v + e*w; w = w - x*v`, with Nesterov `w = w - x*(e*w + m*v)`; with the lr inside the
    buffer `e` is times x instead. In place the decay that `v` takes is the new w's.
    """
    n, m = len(multiplier), rule.momentum
    e = rule.step * (1 - rule.dampening)
    inside = rule.buffer is Buffer.INSIDE
    products = _identities(n)
    loss, buffer = products[:2, :n], products[2:, :n]
    kept, moved = np.empty_like(loss), np.empty_like(loss)
    for x in np.ascontiguousarray(multiplier.T):
        np.subtract(1, loss[0], out=kept[0])
        kept[1] = loss[1]
        kept *= e * x if inside else e
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
            moved *= e * x if inside else e
            buffer[0] -= moved[0]
            buffer[1] += moved[1]
    return products


def _identities(n: int) -> Floats:
    """Return a, b, c, f of the identity for at least n matrices, filled up to a power of 2."""
    return np.zeros((4, 1 << max(n - 1, 0).bit_length()))


def step_matrices(rule: DecayRule, multiplier: Floats) -> Floats:
    """Return a, b, c, f of each step, shape (4, *shape of multiplier)."""
    m, e = rule.momentum, rule.step * (1 - rule.dampening)
    inside = rule.buffer is Buffer.INSIDE
    reach = m * m if rule.lookahead else m
    matrices = np.empty((4, *multiplier.shape))
    matrices[0] = multiplier * (e * (1 + m) if rule.lookahead else e)
    matrices[1] = reach if inside else multiplier * reach
    matrices[2] = multiplier * e if inside else e
    matrices[3] = 1 - m
    if rule.lookahead == IN_PLACE:
        matrices[3] += matrices[2] * matrices[1]
        matrices[2] *= 1 - matrices[0]
    return matrices


def _matrices(rule: DecayRule, multiplier: Floats) -> Floats:
    """Return a, b, c, f of each step, shape (4, n filled up)."""
    matrices = _identities(len(multiplier))
    for entries, entry in zip(matrices, step_matrices(rule, multiplier), strict=True):
        entries[: len(multiplier)] = entry
    return matrices


def _multiply(matrices: Floats) -> Floats:
    """Return products of neighbours, as few as keep a small, shape (4, n_products)."""
    while matrices.shape[1] > FEW and np.abs(matrices[0]).max() <= SMALL:
        first, later = matrices[:, ::2], matrices[:, 1::2]
        matrices = np.stack(compose(first, later))
    return matrices


class Held(NamedTuple):
    """The steps of a stretch of constant lr: `times` times a block, and the rest."""

    block: Product
    times: int
    rest: Product


def hold(rule: DecayRule, multiplier: Floats, lengths: Integers) -> Iterator[Held]:
    """Yield the steps of stretches of constant lr, multipliers and lengths of shape (n,).

    Matrices are squared, so that the time goes with the logarithm of the lengths, up to blocks
    of `2^power` steps that still lose a small part of the weight.
    """
    reach = SMALL / np.maximum(rule.peak_shrink * multiplier, 2.0**-62)
    powers = np.minimum(np.log2(np.maximum(reach, 1)), np.log2(lengths)).astype(np.int64)
    rest_steps = lengths & ((1 << powers) - 1)
    blocks, rests = step_matrices(rule, multiplier), np.zeros((4, len(lengths)))
    for power in range(int(powers.max())):
        longer = np.stack(compose(rests, blocks))
        rests = np.where(rest_steps >> power & 1, longer, rests)
        squares = np.stack(compose(blocks, blocks))
        blocks = np.where(power < powers, squares, blocks)
    counts = (lengths >> powers).tolist()
    for block, count, rest in zip(blocks.T.tolist(), counts, rests.T.tolist(), strict=True):
        yield Held(Product(*block), count, Product(*rest))
