"""Plots of a scheduled decay, in the terminal and as files."""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError, MissingExtraError, UnreadableFileError
from decaycalc.report import plot
from decaycalc.survival.scheduled import ScheduleAnswer, follow_decay


def made(key: str = "pytorch-adamw", schedule: str = "cosine:final=0.1", **run: Any) -> Any:
    quantities = {"lr": "6e-4", "steps": 600_000, **run}
    return follow_decay("0.1", source=find(key), run=Run(**quantities), schedule=schedule)


@pytest.fixture(name="nanogpt", scope="module")
def _nanogpt() -> ScheduleAnswer:
    found: ScheduleAnswer = made()
    return found


@pytest.mark.parametrize("width", [80, 160])
def test_terminal_plots_have_axes_units_and_a_legend_and_fit_the_width(
    nanogpt: ScheduleAnswer, width: int
) -> None:
    pytest.importorskip("plotext")
    text = plot.draw(nanogpt, width=width, colour=False)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= width
    for part in ("optimizer step", "share of peak", "weight left, share", "share per update"):
        assert part in text
    for legend in ("• lr", "x decay (peak", "• left", "• update of that step"):
        assert legend in " ".join(text.split())
    assert re.search(r"^ *1.0┤", text, re.MULTILINE)
    assert "1e-8┤" in text
    assert "200,000" in text
    # Both curves of the first panel can be seen although they are the same.
    first = text.split("optimizer step")[1]
    assert first.count("•") > 20
    assert first.count("x") > 10


def test_colours_are_escapes(nanogpt: ScheduleAnswer) -> None:
    pytest.importorskip("plotext")
    assert "\x1b[" in plot.draw(nanogpt, width=80, colour=True)


def test_axes_are_logarithmic_where_values_span_decades(nanogpt: ScheduleAnswer) -> None:
    lr, survival, shares = plot.panels(nanogpt)
    assert not lr.is_logarithmic
    assert survival.is_logarithmic
    assert shares.is_logarithmic
    zero = plot.Panel(title="", unit="", series=(plot.Series(label="", values=(0.0, 0.0)),))
    assert not zero.is_logarithmic
    assert plot._value_ticks(zero)[0][0] == 0
    signs = plot.Panel(title="", unit="", series=(plot.Series(label="", values=(1.0, -1e-9)),))
    assert not signs.is_logarithmic


def test_decays_without_averages_have_two_panels_and_short_runs_a_tick() -> None:
    still = made(lr="1e-300", steps=1)
    assert len(list(plot.panels(made("pytorch-sgd", momentum="0.9", lr=3, steps=50)))) == 2
    assert plot._step_ticks([0], 80) == ([0], ["0"])
    pytest.importorskip("plotext")
    assert "0" in plot.draw(still, width=10, colour=False)


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0, 100, 5, [0, 20, 40, 60, 80, 100]),
        (0, 99, 2, [0, 50]),
        (3, 17, 3, [5, 10, 15]),
        (5, 5, 3, [5]),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, ticks: list[float]) -> None:
    assert plot._round_ticks(low, high, most) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_pictures_are_written_as_their_suffix_says(
    nanogpt: ScheduleAnswer, tmp_path: Path, suffix: str, start: bytes
) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"curve.{suffix}"
    plot.save(nanogpt, str(path))
    assert path.read_bytes().startswith(start)


def test_pictures_name_axes_and_series(nanogpt: ScheduleAnswer) -> None:
    pytest.importorskip("matplotlib")
    figure = plot._make_figure(tuple(plot.panels(nanogpt)), "title")
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert labels == ["share of peak", "share", "share per update"]
    assert figure.axes[-1].get_xlabel() == "optimizer step"
    legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert legend == ["lr", "decay (peak 6e-05 per step)"]
    styles = [line.get_linestyle() for line in figure.axes[0].lines]
    assert len(set(styles)) == 2
    assert [ax.get_yscale() for ax in figure.axes] == ["linear", "log", "log"]


def test_other_suffixes_and_folders_that_are_not_there_are_refused(
    nanogpt: ScheduleAnswer, tmp_path: Path
) -> None:
    with pytest.raises(InvalidValueError, match=r"save 'a\.gif' must end in one of \.png"):
        plot.save(nanogpt, "a.gif")
    pytest.importorskip("matplotlib")
    with pytest.raises(UnreadableFileError, match=r"cannot write .*No such file"):
        plot.save(nanogpt, str(tmp_path / "nowhere" / "a.png"))


def test_without_the_extra_the_way_to_it_is_named(
    nanogpt: ScheduleAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(plot, "import_module", refuse)
    assert importlib.import_module
    for call in (
        lambda: plot.draw(nanogpt, width=80, colour=False),
        lambda: plot.save(nanogpt, "a.png"),
    ):
        with pytest.raises(MissingExtraError, match=r"pip install 'decaycalc\[plot\]'"):
            call()
