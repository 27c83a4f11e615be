"""A smooth function on a block of steps, known from a few of them: sums, rests and differences.

A block has `n = 2^k` steps. On it a smooth function is a short series of the polynomials `g[j]`
that are orthogonal under summation over these steps (Gram's, the discrete Legendre polynomials):
with `z` the step counted from the block's middle, in units of `n/2`,

    r[j+1]*g[j+1] = z*g[j] - r[j]*g[j-1],    r[j]^2 = (1 - j^2/n^2)*j^2/(4*j^2 - 1),    g[0] = 1.

So the series is read off as many steps as it has terms, those nearest to the nodes of Gauss'
formula for this sum; its first coefficient is the mean over *all* steps, no matter how many they
are. Nothing is ever evaluated between two steps. Half the sum over the earlier less half that over
the later steps is an antisymmetric operation that raises a degree by one, so in this basis it is

    T g[j] = n/2*(r[j+1]/(j+1)*g[j+1] - r[j]/j*g[j-1]),

exactly. How fast the coefficients fall tells how good the series is: see `is_smooth`.

Source: Gram 1883; Golub & Welsch 1969 (nodes from the three-term recurrence); T is ours.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from decaycalc.schedule.shapes import Floats

TERMS = 16
LEAST_POWER = 8  # blocks of 256 steps, in which the nodes keep their distance
TAIL = 4
SMOOTH = 3e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What to do with the values at the nodes of a block of `n_steps` steps; P = TERMS.

    `nodes` are steps from the block's first, shape (P,). With values f of shape (..., P),
    `f @ series` are the coefficients, and `f @ later` is the sum over all steps after each node.
    """

    n_steps: int
    nodes: Floats
    series: Floats
    later: Floats

    def places(self, steps: Floats) -> Floats:
        """Return z of steps counted from the block's first."""
        return (steps - (self.n_steps - 1) / 2) * (2 / self.n_steps)

    def evaluate(self, steps: Floats) -> Floats:
        """Return g[j] at steps counted from the block's first, shape (P, *shape)."""
        return _polynomials(self.places(steps), self.n_steps, TERMS)

    def differences(self, steps: Floats) -> Floats:
        """Return `g[j](step + 1) - g[j](step)`, shape (P, *shape), without cancellation."""
        z, polynomials, width = self.places(steps), self.evaluate(steps), 2 / self.n_steps
        root = _roots(self.n_steps, TERMS)
        result = np.zeros_like(polynomials)
        for j in range(TERMS - 1):
            grown = z * result[j] + width * (polynomials[j] + result[j])
            result[j + 1] = (grown - root[j] * result[j - 1]) / root[j + 1]
        return result


def is_smooth(coefficients: Floats) -> NDArray[np.bool_]:
    """Return where the last coefficients vanish beside the largest, shape (..., P) to (...).

    The coefficients of a smooth function fall geometrically, so those that are left out are
    smaller still, and the mean, by nearly Gauss' formula, hardly has an error from them.
    """
    sizes = np.abs(coefficients)
    return np.asarray(sizes[..., -TAIL:].max(axis=-1) <= SMOOTH * sizes.max(axis=-1))


@lru_cache(maxsize=64)
def block(power: int) -> Block:
    """Return the rules of a block of `2^power` steps."""
    n = 1 << power
    root = _roots(n, TERMS + 1)
    gauss = np.linalg.eigvalsh(np.diag(root[1:TERMS], 1) + np.diag(root[1:TERMS], -1))
    nodes = np.rint((gauss * n + n - 1) / 2)
    z = (nodes - (n - 1) / 2) * (2 / n)
    series: Floats = np.linalg.inv(_polynomials(z, n, TERMS)).astype(np.float64)
    return Block(n_steps=n, nodes=nodes, series=series, later=_later(z, n, series))


def _later(z: Floats, n: int, series: Floats) -> Floats:
    """Return the matrix of the sums after each node: half of all less half itself, less T."""
    root = _roots(n, TERMS + 1)
    raised = np.zeros((TERMS, TERMS + 1))
    for j in range(TERMS):
        raised[j, j + 1] = n / 2 * root[j + 1] / (j + 1)
        if j:
            raised[j, j - 1] = -n / 2 * root[j] / j
    half = series @ raised @ _polynomials(z, n, TERMS + 1)
    return np.asarray((n * series[:, :1] - np.eye(TERMS)) / 2 - half)


def _roots(n: int, terms: int) -> Floats:
    """Return r[0] = 0 to r[terms - 1]."""
    j = np.arange(terms, dtype=np.float64)
    return np.asarray(np.sqrt((1 - (j / n) ** 2) * j**2 / np.abs(4 * j**2 - 1)))


def _polynomials(z: Floats, n: int, terms: int) -> Floats:
    root = _roots(n, terms)
    result = np.ones((terms, *z.shape))
    for j in range(terms - 1):
        before = root[j] * result[j - 1] if j else 0.0
        result[j + 1] = (z * result[j] - before) / root[j + 1]
    return result
