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
ENDS = 30.0  # by how much a series is less exact at the ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What to do with the values at the nodes of a block of `n_steps` steps; P = TERMS.

    `nodes` are steps from the block's first, shape (P,); `others` are the first and the last step,
    steps ever closer to these, and one between each two nodes. With values f of shape (..., P),
    `f @ series` are the coefficients, and `f @ later` is the sum over all steps after each node.
    With coefficients c, `c @ at_others` are the values at the others, and `c @ differences` and
    `c @ differences_at_others` the differences from each such step to the next.
    """

    n_steps: int
    nodes: Floats
    others: Floats
    series: Floats
    later: Floats
    differences: Floats
    at_others: Floats
    differences_at_others: Floats

    def evaluate(self, coefficients: Floats, steps: Floats) -> Floats:
        """Return the values at steps counted from the block's first, any shape (n,)."""
        return np.asarray(coefficients @ _polynomials(_places(steps, self.n_steps), self.n_steps))


def is_smooth(coefficients: Floats, found: Floats, expected: Floats) -> NDArray[np.bool_]:
    """Return where the last coefficients vanish beside the largest, shape (n, P) to (n,).

    The coefficients of a smooth function fall geometrically, so those that are left out are
    smaller still, and the mean, by nearly Gauss' formula, hardly has an error from them. `found`
    and `expected`, shape (n, m), are values by the series and of the function itself at some ends,
    beyond the nodes, where a short and steep course could hide.
    """
    sizes = np.abs(coefficients)
    allowed = SMOOTH * sizes.max(axis=1)
    off = np.abs(found - expected).max(axis=1)
    return np.asarray((sizes[:, -TAIL:].max(axis=1) <= allowed) & (off <= ENDS * allowed))


@lru_cache(maxsize=64)
def block(power: int) -> Block:
    """Return the rules of a block of `2^power` steps."""
    n = 1 << power
    root = _roots(n)
    gauss = np.linalg.eigvalsh(np.diag(root[1:TERMS], 1) + np.diag(root[1:TERMS], -1))
    nodes = np.rint((gauss * n + n - 1) / 2)
    ends = np.concatenate(([0.0], 2.0 ** np.arange(power - 7)))
    ends = np.stack((ends, n - 1 - ends), axis=1).ravel()
    others = np.concatenate((ends, np.floor((nodes[1:] + nodes[:-1]) / 2)))
    series: Floats = np.linalg.inv(_polynomials(_places(nodes, n), n)).astype(np.float64)
    return Block(
        n_steps=n,
        nodes=nodes,
        others=others,
        series=series,
        later=_later(nodes, n, series),
        differences=_differences(nodes, n),
        at_others=_polynomials(_places(others, n), n),
        differences_at_others=_differences(others, n),
    )


def _later(nodes: Floats, n: int, series: Floats) -> Floats:
    """Return the matrix of the sums after each node: half of all less half itself, less T."""
    root = _roots(n)
    raised = np.zeros((TERMS, TERMS + 1))
    for j in range(TERMS):
        raised[j, j + 1] = n / 2 * root[j + 1] / (j + 1)
        if j:
            raised[j, j - 1] = -n / 2 * root[j] / j
    half = series @ raised @ _polynomials(_places(nodes, n), n, terms=TERMS + 1)
    return np.asarray((n * series[:, :1] - np.eye(TERMS)) / 2 - half)


def _places(steps: Floats, n: int) -> Floats:
    """Return z."""
    return (steps - (n - 1) / 2) * (2 / n)


def _roots(n: int) -> Floats:
    """Return r[0] = 0 to r[TERMS]."""
    j = np.arange(TERMS + 1, dtype=np.float64)
    return np.asarray(np.sqrt((1 - (j / n) ** 2) * j**2 / np.abs(4 * j**2 - 1)))


def _polynomials(z: Floats, n: int, *, terms: int = TERMS) -> Floats:
    """Return g[j] at z, shape (terms, *shape of z)."""
    root = _roots(n)
    result = np.ones((terms, *z.shape))
    for j in range(terms - 1):
        # For j = 0 the last row stands in for one before the first, times 0.
        result[j + 1] = (z * result[j] - root[j] * result[j - 1]) / root[j + 1]
    return result


def _differences(steps: Floats, n: int) -> Floats:
    """Return `g[j](step + 1) - g[j](step)`, shape (TERMS, *shape), by their own recurrence.

    So they do not cancel, however long the block.
    """
    z, width, root = _places(steps, n), 2 / n, _roots(n)
    polynomials = _polynomials(z, n)
    result = np.zeros_like(polynomials)
    for j in range(TERMS - 1):
        grown = z * result[j] + width * (polynomials[j] + result[j])
        result[j + 1] = (grown - root[j] * result[j - 1]) / root[j + 1]
    return result
