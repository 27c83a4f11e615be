"""Where the shapes of the schedules change their formula: their kinks and jumps.

Between two neighbouring kinks a shape is one analytic and monotone function of the step, so a few
of its steps tell all of them. Kinks are counted as the shape counts its steps, and may lie between
two steps; each function yields them in rising order, some beyond the run or endlessly many.
"""

from collections.abc import Callable, Iterator
from itertools import count
from typing import cast

from decaycalc.schedule.shapes import Settings, one_cycle_knots, restart_period
from decaycalc.schedule.table import Table

Kinks = Callable[[Settings], Iterator[float]]


def kinks_of_none(settings: Settings) -> Iterator[float]:  # noqa: ARG001  (one signature for all)
    """Yield nothing: one formula for all steps."""
    return iter(())


def kinks_at_end(settings: Settings) -> Iterator[float]:
    """Yield the end of the shape, after which it stays as it is."""
    yield settings.n_steps


def kinks_of_cosine(settings: Settings) -> Iterator[float]:
    """Yield the end, or all turning points where it goes up again."""
    if settings.text("after") == "hold":
        return kinks_at_end(settings)
    return (settings.n_steps * turn for turn in count(1))


def kinks_of_restarts(settings: Settings) -> Iterator[float]:
    """Yield the restarts; those by cycles end with the shape."""
    period, ends = restart_period(settings)
    growth, start = settings.number("growth"), 0.0
    for cycle in count():
        start = start + period * growth**cycle if growth > 1 else period * (cycle + 1)
        if ends and start >= settings.n_steps:
            break
        yield start
    yield settings.n_steps


def kinks_of_step(settings: Settings) -> Iterator[float]:
    """Yield the boundaries."""
    at = settings.all_steps("at")
    if at is not None:
        return iter(at)
    every = max(cast("int", settings.steps("every")), 1)
    return (every * number for number in count(1))


def kinks_of_wsd(settings: Settings) -> Iterator[float]:
    """Yield the beginning and the end of the decay."""
    yield settings.n_steps - max(settings.steps("decay") or 0, 1)
    yield settings.n_steps


def kinks_of_one_cycle(settings: Settings) -> Iterator[float]:
    """Yield the ends of the phases."""
    return iter(one_cycle_knots(settings)[0])


def kinks_of_file(settings: Settings) -> Iterator[float]:
    """Yield the steps of the rows."""
    return iter(cast("Table", settings.table).steps)
