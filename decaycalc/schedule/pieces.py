"""Pieces: the stretches of a run on which the multiplier is one smooth, monotone function."""

from collections.abc import Iterator
from itertools import pairwise, takewhile
from math import ceil, floor

import numpy as np

from decaycalc.schedule.model import Schedule, Segment


def cut_pieces(schedule: Schedule, *, most: int) -> tuple[int, ...] | None:
    """Return the steps where pieces begin, and the run's length; None if they are over `most`.

    >>> from decaycalc.schedule import parse_schedule
    >>> cut_pieces(parse_schedule("step:at=30/60%,warmup=5", total_steps=100), most=9)
    (0, 5, 30, 60, 100)
    """
    cuts = {0, schedule.total_steps}
    for segment in schedule.segments:
        for step in _cuts(segment):
            cuts.add(step)
            if len(cuts) > most + 1:
                return None
    return tuple(sorted(cuts))


def _cuts(segment: Segment) -> Iterator[int]:
    """Yield the steps of the run where the segment begins and where it changes its formula."""
    per = segment.settings.steps("per")
    if per is not None and per > 1:
        yield from range(segment.start, segment.stop, per)
        return
    cuts = {segment.start, segment.stop}
    for kink in _kinks(segment, segment.stop - segment.start):
        # Between two steps: a step on its own, whatever side a rounding puts it on.
        for side in (floor(kink), ceil(kink)):
            cut = min(segment.start + max(side, 0), segment.stop)
            cuts.add(cut)
            yield cut
    yield from _floor_cuts(segment, sorted(cuts))


def _kinks(segment: Segment, n_steps: int) -> Iterator[float]:
    """Yield where warm-up and shape change within the segment's first `n_steps` steps."""
    yield 0
    warmup = segment.settings.warmup
    if warmup:
        yield warmup
    offset = 0 if segment.kind.counts_from_start else warmup
    kinks = (kink + offset for kink in segment.kind.kinks(segment.settings))
    yield from takewhile(lambda kink: kink < n_steps, kinks)


def _floor_cuts(segment: Segment, cuts: list[int]) -> Iterator[int]:
    """Yield the step of each piece where it reaches or leaves the floor, found by halving."""
    least = segment.settings.number("floor")
    if not least:
        return
    for start, stop in pairwise(cuts):
        is_above = _is_above(segment, start, least)
        low, high = start, stop - 1
        if _is_above(segment, high, least) == is_above:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            same = _is_above(segment, middle, least) == is_above
            low, high = (middle, high) if same else (low, middle)
        yield high


def _is_above(segment: Segment, step: int, least: float) -> bool:
    return bool(segment.multiplier(np.array([float(step)]))[0] > least)
