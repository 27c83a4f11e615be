"""Rows: the steps of a run in pieces that are evaluated together.

A run is cut where its curve has points, and into pieces of at most `CHUNK` steps. Pieces of about
one length lie above one another as the rows of a matrix, so that short ones share the cost of a
numpy call and long ones stay in the cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from decaycalc.schedule.shapes import Floats

CHUNK = 1 << 16  # steps evaluated at once: 512 KB an array
BLOCK = 32  # the width of a matrix is a multiple of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Pieces that follow one another: each one's first step and its length, shape (n_rows,)."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def steps(self) -> Floats:
        """Return the steps, a piece a row; the rows go on beyond their ends."""
        width = -(-int(self.lengths.max()) // BLOCK) * BLOCK
        return self.starts[:, None].astype(np.float64) + np.arange(width, dtype=np.float64)

    def clear_beyond(self, values: Floats) -> None:
        """Set the values of `steps` to 0 beyond the end of each row."""
        shortest, width = int(self.lengths.min()), values.shape[1]
        if shortest < width:
            places = np.arange(shortest, width)
            values[:, shortest:][places >= self.lengths[:, None]] = 0


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
