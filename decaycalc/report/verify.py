"""A verification as tables, and as rows of its curves."""

from collections.abc import Iterator, Mapping

from decaycalc.report.digits import show
from decaycalc.report.heading import counted
from decaycalc.report.plot import Panel, Series
from decaycalc.report.table import (
    Block,
    Cell,
    Column,
    Kind,
    Paragraph,
    Rank,
    Table,
    Tone,
)
from decaycalc.verification.trials import Trial
from decaycalc.verification.verify import Verification


def tables(found: Verification) -> Iterator[Block]:
    """Yield the verdict, then the two sides and the comparisons."""
    yield _verdict(found)
    yield _sides(found)
    yield _trials("Differences", found.trials)
    if found.apart:
        yield _trials("Trajectories, which the claim is not about", found.apart)
    notes = "\n".join(f"{name}: {text}" for name, text in _method(found))
    yield Paragraph(text=notes, tone=Tone.QUIET)


def _verdict(found: Verification) -> Paragraph:
    """Return whether the claim holds, and by how much."""
    word = "holds" if found.holds else "DOES NOT HOLD"
    ends = (
        f"{side.convention.key} {show(value, Kind.COPIED)}"
        for side, value in ((found.source, found.value), (found.target, found.to_value))
    )
    difference = f"largest difference {show(found.max_difference)} (at most {found.tolerance:g})"
    return Paragraph(
        text=f"{word}: {' = '.join(ends)} is {found.claim.words}; {difference}",
        tone=Tone.EXACT if found.holds else Tone.REFUSED,
    )


def _sides(found: Verification) -> Table:
    columns = (
        Column(header="Trained twice"),
        Column(header="parameter", rank=Rank.EXTRA),
        Column(header="value", kind=Kind.COPIED, tone=Tone.VALUE),
        Column(header="lr", kind=Kind.COPIED),
        Column(header="update rule", least=24),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (side.convention.key, side.convention.parameter, value, lr, side.convention.update)
        for side, value, lr in (
            (found.source, found.value, found.lr),
            (found.target, found.to_value, found.to_lr),
        )
    )
    return Table(title="Trained twice", columns=columns, rows=rows)


def _method(found: Verification) -> Iterator[tuple[str, str]]:
    """Yield what was compared and what to know of it."""
    yield "means", found.meaning
    yield "compared", f"{found.method}, {counted(found.steps, 'step')}, schedule {found.schedule}"
    for note in found.notes:
        yield "note", note


def _trials(title: str, trials: tuple[Trial, ...]) -> Table:
    """Return one row a model: the largest difference, and that after some of the steps."""
    rows: list[tuple[Cell, ...]] = []
    for trial in trials:
        n = len(trial.curve)
        places = sorted({0, n // 2, n - 1})
        path = ", ".join(
            f"{trial.curve[place].difference:.1e} (step {trial.curve[place].step:,})"
            for place in places
        )
        rows.append((trial.model, trial.max_difference, path))
    columns = (
        Column(header=title),
        Column(header="largest, relative", kind=Kind.READ, tone=Tone.VALUE),
        Column(header="on the way", rank=Rank.EXTRA, tone=Tone.QUIET),
    )
    return Table(title=title, columns=columns, rows=tuple(rows))


def rows(found: Verification) -> list[Mapping[str, object]]:
    """Return one row a point of the curves, for CSV and JSON lines."""
    return [
        {"model": trial.model, "step": point.step, "difference": point.difference}
        for trial in found.trials
        for point in trial.curve
    ]


def panels(found: Verification) -> Iterator[Panel]:
    """Yield one panel a comparison over steps; of one at the optimum, its only point."""
    over_steps = [trial for trial in (*found.trials, *found.apart) if len(trial.curve) > 1]
    for trial in over_steps or found.trials:
        differences = tuple(point.difference for point in trial.curve)
        yield Panel(
            title=f"difference of the weights, {trial.model}",
            unit="relative",
            series=(Series(label="difference", values=differences),),
            steps=tuple(point.step for point in trial.curve),
        )


def title(found: Verification) -> str:
    """Return the picture's title: both numbers, and the claim."""
    ends = " to ".join(
        f"{side.convention.key} {value:g}"
        for side, value in ((found.source, found.value), (found.target, found.to_value))
    )
    return f"{ends}: {found.claim.value}, {'holds' if found.holds else 'does not hold'}"
