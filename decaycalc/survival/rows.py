"""Rows: the steps of a run in pieces that are evaluated together.

A run is cut where its curve has points, and into pieces of at most `CHUNK` steps. Pieces of about
one length lie beside one another, so that short ones share the cost of a numpy call and what a long
one needs stays small. Their steps are laid out in blocks of `BLOCK`, the first steps of all blocks
before all second ones: what is summed or multiplied over a block's steps is one pass over
neighbours, for all blocks at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from decaycalc.schedule.shapes import Floats

CHUNK = 1 << 18  # steps evaluated at once: 2 MB an array
BLOCK = 32
_PLACES = np.arange(BLOCK, dtype=np.float64)[:, None, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Pieces that follow one another: each one's first step and its length, shape (n_rows,)."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def steps(self) -> Floats:
        """Return the steps, shape (BLOCK, n_rows, n_blocks); the rows go on beyond their ends."""
        blocks = np.arange(0, int(self.lengths.max()), BLOCK, dtype=np.float64)
        return _PLACES + (self.starts[:, None] + blocks)

    def clear_beyond(self, values: Floats) -> None:
        """Set the values of `steps` to 0 beyond the end of each row."""
        first = int(self.lengths.min()) // BLOCK  # block in which a row ends
        left = self.lengths[:, None] - np.arange(first, values.shape[2]) * BLOCK
        np.copyto(values[:, :, first:], 0, where=left <= _PLACES)


def one_by_one(values: Floats) -> Floats:
    """Return the values of blocks as those of blocks of one step, shape (1, n_rows, n_steps)."""
    return values.transpose(1, 2, 0).reshape(1, values.shape[1], -1)


def cut_rows(edges: list[int]) -> Iterator[Rows]:
    """Yield the steps from the first edge to the last; no row crosses an edge."""
    starts: list[int] = []
    lengths: list[int] = []
    longest = 0
    for start, length in _pieces(edges):
        longest = max(length, longest)
        if longest * (len(starts) + 1) > CHUNK:
            yield Rows(starts=np.array(starts), lengths=np.array(lengths))
            starts, lengths, longest = [], [], length
        starts.append(start)
        lengths.append(length)
    yield Rows(starts=np.array(starts), lengths=np.array(lengths))


def _pieces(edges: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first step and the length of each piece."""
    for start, stop in pairwise(edges):
        for first in range(start, stop, CHUNK):
            yield first, min(CHUNK, stop - first)
