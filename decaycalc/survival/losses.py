"""What the steps of a run take of a weight, and of the updates before them, row by row.

Losses of neighbouring steps are joined in pairs and pairs of pairs while they are small: a loss of
`a` and then one of `b` is `a + b*(1 - a)`, a sum of positive terms that keeps its digits. Of what
is left then the logarithms are added up.
"""

from dataclasses import dataclass

import numpy as np

from decaycalc.schedule.shapes import Floats

MOST_JOINED = 8  # steps joined in pairs; beyond it a logarithm costs no more
SMALL = 0.25  # largest loss that is still joined to another in the form `1 - loss`


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What the steps of some rows do, each of shape (n_rows,).

    `log` of the size of what they leave of a weight, `sign` what they make of its sign. `gone` is
    the sum over their updates of the part of each that has decayed at the end of the row.
    """

    log: Floats
    sign: Floats
    gone: Floats


def sum_losses(losses: Floats) -> Losses:
    """Return what steps do that take these parts of a weight, shape (n_rows, n_steps).

    The number of steps in a row is a multiple of `MOST_JOINED`.
    """
    n_rows = len(losses)
    joined, gone, n_joined = _join(losses)
    overshoots = n_joined == 1 and float(losses.max()) > 1
    sign = np.where(losses > 1, -1.0, 1.0).prod(axis=1) if overshoots else np.ones(n_rows)
    logs = log_left(joined.reshape(n_rows, -1))
    after = np.zeros_like(logs)
    after[:, :-1] = logs[:, :0:-1].cumsum(axis=1)[:, ::-1]
    lost = gone.reshape(n_rows, -1) * np.exp(after) - n_joined * np.expm1(after)
    return Losses(log=logs.sum(axis=1), sign=sign, gone=lost.sum(axis=1))


def _join(losses: Floats) -> tuple[Floats, Floats, int]:
    """Return losses of joined steps with what is gone of their updates, and how many they join."""
    joined = losses.ravel()
    gone, n_joined = np.zeros_like(joined), 1
    while n_joined < MOST_JOINED and float(joined.max()) <= SMALL:
        first, later = joined[::2], joined[1::2]
        if n_joined == 1:  # an update is whole after its own step
            gone = later
        else:
            before = gone[::2]
            gone = (n_joined - before) * later + before + gone[1::2]
        joined = first + later - first * later
        n_joined *= 2
    return joined, gone, n_joined


def log_left(losses: Floats) -> Floats:
    """Return the logarithm of the size of what is left, -inf where nothing is."""
    if float(losses.max()) < 1:
        return np.log1p(-losses)
    with np.errstate(divide="ignore"):
        return np.log(np.abs(1 - losses))
