"""Pictures of a scheduled decay: in the terminal (plotext) and as files (matplotlib).

Both draw the same panels. Series are told apart by marker or line style, never by colour alone.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from textwrap import wrap
from typing import Any

from decaycalc.errors import InvalidValueError, MissingExtraError, UnreadableFileError
from decaycalc.survival.scheduled import ScheduleAnswer

X_LABEL = "optimizer step"
PANEL_HEIGHT = 11
LEAST_WIDTH = 40
COLUMNS_APART = 5
DECADES = 1.5  # a positive series that spans more of them is drawn on a logarithmic axis
FILE_TYPES = ("png", "svg", "pdf")
_MARKERS = ("•", "x", "+")
_COLOURS = ("36", "32", "33")  # cyan, green and yellow, on the terminal's own background
_AXES = "┤│"
_MOST_DECIMALS = 9
_SMALL = 1e-3  # ticks below it have powers of ten
_FLAT = 1e-12  # a spread that no axis shows
_STYLES = ("-", "--", ":")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One curve: its name in the legend and a value a step."""

    label: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One plot: what its y axis shows, in which unit, its series, and the steps on its x axis.

    The axis begins at 0 and is linear where it is `from_zero`; else it is zoomed to the values,
    and logarithmic where they span decades.
    """

    title: str
    unit: str
    series: tuple[Series, ...]
    steps: tuple[int, ...] = ()
    from_zero: bool = False

    @property
    def is_logarithmic(self) -> bool:
        """Whether the values are positive and span decades."""
        if self.from_zero:
            return False
        values = [value for series in self.series for value in series.values]
        shown = [value for value in values if value > 0]
        if not shown or min(values) < 0:
            return False
        return math.log10(max(shown) / min(shown)) > DECADES


def panels(answer: ScheduleAnswer) -> Iterator[Panel]:
    """Yield the panels of a scheduled decay."""
    curve = answer.decay.curve
    steps = tuple(point.step for point in curve)
    peak = answer.rule.long_run_shrink(1.0) or 1.0
    own = Series(
        label=f"{answer.source.parameter} over {float(answer.value):.4g}",
        values=tuple(point.decay_multiplier for point in curve),
    )
    yield Panel(
        title="lr and decay per step",
        unit="share of peak",
        from_zero=True,
        steps=steps,
        series=(
            Series(label="lr", values=tuple(point.multiplier for point in curve)),
            Series(
                label=f"decay (peak {peak:.4g} per step)",
                values=tuple(point.shrink / peak for point in curve),
            ),
            *(() if answer.decay_schedule is None else (own,)),
        ),
    )
    yield Panel(
        title="fraction of the initial weight left",
        unit="share",
        steps=steps,
        series=(Series(label="left", values=tuple(point.survival for point in curve)),),
    )
    shares = tuple(point.update_weight for point in curve if point.update_weight is not None)
    if len(shares) == len(curve):
        yield Panel(
            title="what the final weights are made of",
            unit="share per update",
            steps=steps,
            series=(Series(label="update of that step", values=shares),),
        )


def draw(answer: ScheduleAnswer, *, width: int, colour: bool) -> str:
    """Return the panels as text of `width` columns, one below the other.

    Raises:
        MissingExtraError: plotext is not installed.
    """
    return draw_panels(panels(answer), width=width, colour=colour)


def draw_panels(shown: Iterable[Panel], *, width: int, colour: bool) -> str:
    """Return panels as text of `width` columns, one below the other.

    Raises:
        MissingExtraError: plotext is not installed.
    """
    plotext = _import_plotext()
    plotext.terminal.limit(width=False, height=False)
    return "\n".join(_draw_panel(plotext, panel, width, colour=colour) for panel in shown)


def _import_plotext() -> Any:
    try:
        return import_module("plotext")
    except ImportError:
        raise MissingExtraError("a plot in the terminal", "plot") from None


def _draw_panel(plotext: Any, panel: Panel, width: int, *, colour: bool) -> str:
    figure, steps = plotext.figure, list(panel.steps)
    figure.clear()
    figure.plot_size(max(width, LEAST_WIDTH), PANEL_HEIGHT)
    figure.theme("colorless")
    first, *others = panel.series
    figure.draw(figure.signal(*_points(panel, first, steps), marker=_MARKERS[0]).lines())
    for series, marker in zip(others, _MARKERS[1:], strict=False):
        x, y = _points(panel, series, steps)
        every = max(len(x) * COLUMNS_APART // width, 1)  # apart, so that the first shows through
        figure.draw(figure.signal(x[::every], y[::every], marker=marker))
    figure.ruler("x").ticks(*_step_ticks(steps, width))
    ticks, texts = _value_ticks(panel)
    figure.ruler("y").ticks(ticks, texts)
    figure.ruler("y").lim(ticks[0], ticks[-1])
    # Plotext's own themes paint the axes' background, white bands on a dark terminal.
    lines = [line.rstrip() for line in plotext.uncolorize(str(figure.build())).split("\n")]
    drawn = [line for line in lines if line]
    return "\n".join([*_heading(panel, width), *(map(_coloured, drawn) if colour else drawn), ""])


def _coloured(line: str) -> str:
    """Return a line of the canvas with its markers coloured."""
    head, axis, points = _parted(line)
    for marker, code in zip(_MARKERS, _COLOURS, strict=True):
        points = re.sub(f"{re.escape(marker)}+", f"\x1b[{code}m\\g<0>\x1b[0m", points)
    return f"{head}{axis}{points}"


def _parted(line: str) -> tuple[str, str, str]:
    """Return a line's tick, axis and points; all of a line without an axis is its tick."""
    place = next((place for place, letter in enumerate(line) if letter in _AXES), len(line))
    return line[:place], line[place : place + 1], line[place + 1 :]


def _heading(panel: Panel, width: int) -> list[str]:
    """Return title and legend: in the canvas they would cover the curve, or be left out."""
    legend = "   ".join(
        f"{marker} {series.label}" for marker, series in zip(_MARKERS, panel.series, strict=False)
    )
    return wrap(f"{panel.title}, {panel.unit} by {X_LABEL}: {legend}", max(width, LEAST_WIDTH))


def _points(panel: Panel, series: Series, steps: list[int]) -> tuple[list[int], list[float]]:
    """Return the points to draw: logarithms on a logarithmic axis, without what has none."""
    if not panel.is_logarithmic:
        return steps, list(series.values)
    pairs = [pair for pair in zip(steps, series.values, strict=True) if pair[1] > 0]
    return [step for step, _ in pairs], [math.log10(value) for _, value in pairs]


def _step_ticks(steps: list[int], width: int) -> tuple[list[float], list[str]]:
    """Return round steps within the run and their texts, about one every 15 columns."""
    ticks = _round_ticks(steps[0], steps[-1], max(width // 15, 2))
    return ticks, [f"{tick:,.0f}" for tick in ticks]


def _value_ticks(panel: Panel) -> tuple[list[float], list[str]]:
    """Return ticks around the values, the first and the last of which end the axis."""
    values = [value for series in panel.series for value in series.values]
    if not panel.is_logarithmic:
        low, high = _bounds(panel, values)
        size = _tick_size(high - low, 4)
        ticks = [place * size for place in range(_floor(low / size), _ceil(high / size) + 1)]
        decimals = max(-math.floor(math.log10(size)), 0)
        small = max(map(abs, ticks)) < _SMALL or decimals > _MOST_DECIMALS
        shape = ".4g" if small else f".{decimals}f"
        return ticks, [f"{tick:{shape}}" for tick in ticks]
    shown = [math.log10(value) for value in values if value > 0]
    low, high = math.floor(min(shown)), math.ceil(max(shown))
    every = max(math.ceil((high - low) / 5), 1)
    decades = [float(decade) for decade in range(high, low - every, -every)][::-1]
    return decades, [f"1e{decade:.0f}" if decade else "1" for decade in decades]


def _bounds(panel: Panel, values: list[float]) -> tuple[float, float]:
    """Return the axis' ends: the values', or 0 too where they are to be seen from there."""
    low, high = min(values), max(values)
    if panel.from_zero or high - low <= _FLAT * max(abs(high), abs(low)):
        return min(low, 0.0), max(high, 1e-300)
    return low, high


def _round_ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers between two numbers, about `most`."""
    if high <= low:
        return [low]
    size = _tick_size(high - low, most)
    return [place * size for place in range(_ceil(low / size), _floor(high / size) + 1)]


def _tick_size(spread: float, most: int) -> float:
    """Return 1, 2 or 5 times a power of ten, so that about `most` of it make the spread."""
    rough = spread / most
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def _ceil(number: float) -> int:
    return math.ceil(number - 1e-9)


def _floor(number: float) -> int:
    return math.floor(number + 1e-9)


def save(answer: ScheduleAnswer, path: str) -> None:
    """Write the panels to a PNG, SVG or PDF file, by its suffix.

    Raises:
        InvalidValueError: Another suffix.
        MissingExtraError: matplotlib is not installed.
        UnreadableFileError: The file cannot be written.
    """
    save_panels(panels(answer), path, title=_title(answer))


def _title(answer: ScheduleAnswer) -> str:
    value = f"{answer.source.parameter} = {float(answer.value):g}"
    return f"{answer.source.key}, {value}, schedule {answer.schedule.text}"


def save_panels(shown: Iterable[Panel], path: str, *, title: str) -> None:
    """Write panels to a PNG, SVG or PDF file, by its suffix.

    Raises:
        InvalidValueError: Another suffix.
        MissingExtraError: matplotlib is not installed.
        UnreadableFileError: The file cannot be written.
    """
    file_type = path.rpartition(".")[2].lower()
    if file_type not in FILE_TYPES:
        raise InvalidValueError("save", path, f"must end in one of .{', .'.join(FILE_TYPES)}")
    figure = _make_figure(tuple(shown), title)
    undated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[file_type]
    try:
        figure.savefig(path, format=file_type, metadata=undated)
    except OSError as error:
        raise UnreadableFileError(path, error.strerror or str(error), doing="write") from error


def _make_figure(shown: tuple[Panel, ...], title: str) -> Any:
    """Return the matplotlib figure."""
    try:
        library = import_module("matplotlib.figure")
    except ImportError:
        raise MissingExtraError("a picture", "plot") from None
    figure = library.Figure(figsize=(8, 2.2 * len(shown)), dpi=150, layout="constrained")
    axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for panel, ax in zip(shown, axes, strict=True):
        _draw_axes(ax, panel)
    axes[-1].set_xlabel(X_LABEL)
    axes[-1].xaxis.set_major_formatter("{x:,.0f}")
    figure.suptitle(title)
    return figure


def _draw_axes(ax: Any, panel: Panel) -> None:
    for series, style in zip(panel.series, _STYLES, strict=False):
        ax.plot(panel.steps, series.values, style, label=series.label)
    if panel.is_logarithmic:
        ax.set_yscale("log")
    elif panel.from_zero:
        ax.set_ylim(bottom=min(0.0, *(min(series.values) for series in panel.series)))
    ax.set_title(panel.title, fontsize="medium")
    ax.set_ylabel(panel.unit)
    ax.grid(alpha=0.3)
    ax.legend(frameon=False)
