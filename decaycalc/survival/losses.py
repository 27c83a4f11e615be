"""What the steps of a run take of a weight, and of the updates before them, row by row."""

from dataclasses import dataclass

import numpy as np

from decaycalc.schedule.shapes import Floats
from decaycalc.survival.rows import BLOCK, one_by_one

SMALL = 0.25  # largest loss of a weight that is still kept in the form `1 - loss`
LONG_RUN = 1 << 16  # steps from which blocks of them are summed together
SMALL_BLOCK = 0.01  # largest loss in a block for which what is gone inside it is a short series
_SQUARES = float(sum(place**2 for place in range(BLOCK)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What the steps of some rows do, each of shape (n_rows,).

    `log` of the size of what they leave of a weight, `sign` what they make of its sign. `gone` is
    the sum over their updates of the part of each that has decayed at the end of the row.
    """

    log: Floats
    sign: Floats
    gone: Floats


def sum_losses(changes: Floats, *, largest: float, in_blocks: bool) -> Losses:
    """Return what steps do that add these to a weight, over it, shape (BLOCK, n_rows, n_blocks).

    They are 0 or less, none is below `-largest`. With `in_blocks` weak decays are summed in blocks,
    which takes half the time. The changes are overwritten.
    """
    overshoots = np.where(changes < -1, -1.0, 1.0).prod(axis=(0, 2)) if largest > 1 else None
    if in_blocks and largest * BLOCK <= SMALL_BLOCK:
        logs, gone = _join(changes, largest)
        n_joined = BLOCK
    else:
        logs, gone, n_joined = log_left(one_by_one(changes), largest)[0], np.zeros(()), 1
    after = np.zeros_like(logs)
    after[:, :-1] = logs[:, :0:-1].cumsum(axis=1)[:, ::-1]
    # A decay above 2 a step grows without bound, which is told where the sums are taken.
    with np.errstate(over="ignore", invalid="ignore"):
        lost = (gone + (gone - n_joined) * np.expm1(after)).sum(axis=1)
    sign = np.ones(len(logs)) if overshoots is None else overshoots
    return Losses(log=logs.sum(axis=1), sign=sign, gone=lost)


def _join(changes: Floats, largest: float) -> tuple[Floats, Floats]:
    """Return the logs of blocks of steps, and what is gone of their updates within the block.

    With r the sum of the logs after an update in its block, the part of it that is gone is
    `-expm1(r)`, here `-r - r^2/2`: in the first term, exact, each step's log is counted as often as
    there are updates before it in the block, in the other the block's mean.
    """
    sums, moments = np.zeros((2, *changes.shape[1:]))
    # Place by place: what a pass writes is still in the cache for the next, and OpenBLAS, which a
    # product of matrices would take, starts threads that take longer than all else.
    for change in changes[::-1]:
        moments += sums
        sums += log_left(change, largest)
    mean = sums / BLOCK
    return sums, -(moments + mean * mean * (_SQUARES / 2))


def log_left(changes: Floats, largest: float) -> Floats:
    """Return the logarithm of the size of what is left, -inf where nothing is, in place.

    None of the changes is below `-largest`; one below -1 leaves as much as -2 less it.
    """
    if largest > 1:
        np.maximum(changes, -2 - changes, out=changes)
    with np.errstate(divide="ignore"):
        return np.log1p(changes, out=changes)
