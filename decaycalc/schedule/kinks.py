"""Where the shapes of the schedules change their formula: their kinks and jumps.

Between two neighbouring kinks a shape is one analytic and monotone function of the step, so a few
of its steps tell all of them. Kinks are counted as the shape counts its steps, and may lie between
two steps. Each function returns those below `n_steps`, and perhaps some beyond; where there are
many a range, which takes no room.
"""

from collections.abc import Callable, Sequence
from typing import cast

from decaycalc.schedule.shapes import Settings, one_cycle_knots, restart_period
from decaycalc.schedule.table import Table

Kinks = Callable[[Settings, int], Sequence[float]]


def kinks_of_none(settings: Settings, n_steps: int) -> Sequence[float]:  # noqa: ARG001  (one signature for all)
    """Return nothing: one formula for all steps."""
    return ()


def kinks_at_end(settings: Settings, n_steps: int) -> Sequence[float]:  # noqa: ARG001
    """Return the end of the shape, after which it stays as it is."""
    return (settings.n_steps,)


def kinks_of_cosine(settings: Settings, n_steps: int) -> Sequence[float]:
    """Return the end, or all turning points where it goes up again."""
    if settings.text("after") == "hold":
        return kinks_at_end(settings, n_steps)
    return range(settings.n_steps, n_steps, settings.n_steps)


def kinks_of_restarts(settings: Settings, n_steps: int) -> Sequence[float]:
    """Return the restarts; those by cycles end with the shape."""
    period, ends = restart_period(settings)
    growth = int(settings.number("growth"))
    if growth == 1 and not ends:
        return range(int(period), n_steps, int(period))
    if growth == 1:
        return [period * cycle for cycle in range(1, int(settings.number("cycles")) + 1)]
    kinks = [period]
    while kinks[-1] < n_steps:
        kinks.append(kinks[-1] + period * growth ** len(kinks))
    return [*kinks, settings.n_steps] if ends else kinks


def kinks_of_step(settings: Settings, n_steps: int) -> Sequence[float]:
    """Return the boundaries."""
    every = max(settings.steps("every") or 1, 1)
    return settings.all_steps("at") or range(every, n_steps, every)


def kinks_of_wsd(settings: Settings, n_steps: int) -> Sequence[float]:  # noqa: ARG001
    """Return the beginning and the end of the decay."""
    return (settings.n_steps - max(settings.steps("decay") or 0, 1), settings.n_steps)


def kinks_of_one_cycle(settings: Settings, n_steps: int) -> Sequence[float]:  # noqa: ARG001
    """Return the ends of the phases."""
    return one_cycle_knots(settings)[0]


def kinks_of_file(settings: Settings, n_steps: int) -> Sequence[float]:  # noqa: ARG001
    """Return the steps of the rows."""
    return cast("Table", settings.table).steps
