"""Pieces: the stretches of a run on which the multiplier is one smooth, monotone function."""

import numpy as np
from numpy.typing import NDArray

from decaycalc.schedule.model import Schedule, Segment

Integers = NDArray[np.int64]


def cut_pieces(schedule: Schedule, *, most: int) -> Integers | None:
    """Return the steps where pieces begin, and the run's length; None if they are over `most`.

    >>> from decaycalc.schedule import parse_schedule
    >>> cut_pieces(parse_schedule("step:at=30/60%,warmup=5", total_steps=100), most=9)
    array([  0,   5,  30,  60, 100])
    """
    found = [np.array([0, schedule.total_steps])]
    for segment in schedule.segments:
        cuts = _cuts(segment, most)
        if cuts is None:
            return None
        found.append(cuts)
    pieces = np.unique(np.concatenate(found))
    return None if len(pieces) > most + 1 else pieces


def _cuts(segment: Segment, most: int) -> Integers | None:
    """Return the steps of the run where the segment begins and where it changes its formula."""
    start, stop, settings = segment.start, segment.stop, segment.settings
    per = settings.steps("per")
    if per is not None and per > 1:
        held = range(start, stop, per)
        return None if len(held) > most else np.array(held)
    offset = 0 if segment.kind.counts_from_start else settings.warmup
    kinks = segment.kind.kinks(settings, stop - start - offset)
    if len(kinks) > most:
        return None
    places = np.array([-offset, settings.warmup - offset, *kinks], dtype=np.float64) + offset
    # Between two steps: a step on its own, whatever side a rounding puts it on.
    cuts = np.concatenate((np.floor(places), np.ceil(places)))
    cuts = start + np.clip(cuts, 0, stop - start).astype(np.int64)
    return np.concatenate((cuts, _floor_cuts(segment, np.unique(np.append(cuts, stop)))))


def _floor_cuts(segment: Segment, cuts: Integers) -> Integers:
    """Return the step of each piece where it reaches or leaves the floor, found by halving."""
    least = segment.settings.number("floor")
    if not least:
        return cuts[:0]

    def is_above(steps: Integers) -> NDArray[np.bool_]:
        return np.asarray(segment.multiplier(steps.astype(np.float64)) > least)

    crossing = is_above(cuts[:-1]) != is_above(cuts[1:] - 1)
    low, high = cuts[:-1][crossing], cuts[1:][crossing] - 1
    begins = is_above(low)
    while (high - low > 1).any():
        middle = (low + high) // 2
        same = is_above(middle) == begins
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.asarray(high)
