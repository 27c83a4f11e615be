"""What the steps of a run take of a weight, and of the updates before them, row by row."""

from dataclasses import dataclass

import numpy as np

from decaycalc.schedule.shapes import Floats
from decaycalc.survival.rows import BLOCK

SMALL = 0.25  # largest loss of a weight that is still kept in the form `1 - loss`
LONG_RUN = 1 << 16  # steps from which blocks of them are summed together
SMALL_BLOCK = 0.01  # largest loss in a block for which what is gone inside it is a short series
_PLACES = np.arange(BLOCK, dtype=np.float64)
_ONES = np.ones(BLOCK)
_SQUARES = float((_PLACES**2).sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What the steps of some rows do, each of shape (n_rows,).

    `log` of the size of what they leave of a weight, `sign` what they make of its sign. `gone` is
    the sum over their updates of the part of each that has decayed at the end of the row.
    """

    log: Floats
    sign: Floats
    gone: Floats


def sum_losses(losses: Floats, *, in_blocks: bool) -> Losses:
    """Return what steps do that take these parts of a weight, shape (n_rows, n_steps).

    With `in_blocks` weak decays are summed in blocks, which takes half the time; the number of
    steps in a row is a multiple of `BLOCK`.
    """
    largest = float(losses.max())
    logs, gone, n_joined = log_left(losses), np.zeros(()), 1
    if in_blocks and largest * BLOCK <= SMALL_BLOCK:
        logs, gone = _join(logs)
        n_joined = BLOCK
    after = np.zeros_like(logs)
    after[:, :-1] = logs[:, :0:-1].cumsum(axis=1)[:, ::-1]
    # A decay above 2 a step grows without bound, which is told where the sums are taken.
    with np.errstate(over="ignore", invalid="ignore"):
        lost = gone * np.exp(after) - n_joined * np.expm1(after)
    overshoots = np.where(losses > 1, -1.0, 1.0).prod(axis=1) if largest > 1 else None
    sign = np.ones(len(losses)) if overshoots is None else overshoots
    return Losses(log=logs.sum(axis=1), sign=sign, gone=lost.sum(axis=1))


def _join(logs: Floats) -> tuple[Floats, Floats]:
    """Return the logs of blocks of steps, and what is gone of their updates within the block.

    With r the sum of the logs after an update in its block, the part of it that is gone is
    `-expm1(r)`, here `-r - r^2/2`: in the first term, exact, each step's log is counted as often as
    there are updates before it in the block, in the other the block's mean.
    """
    blocks = logs.reshape(len(logs), -1, BLOCK)
    sums, moments = blocks @ _ONES, blocks @ _PLACES
    mean = sums / BLOCK
    return sums, -(moments + mean * mean * (_SQUARES / 2))


def log_left(losses: Floats) -> Floats:
    """Return the logarithm of the size of what is left, -inf where nothing is."""
    if float(losses.max()) < 1:
        return np.log1p(-losses)
    with np.errstate(divide="ignore"):
        return np.log(np.abs(1 - losses))
