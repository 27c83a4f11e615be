"""A verification as tables, and as rows of its curves."""

from collections.abc import Iterator, Mapping

from decaycalc.report.plot import Panel, Series
from decaycalc.report.table import Cell, Table, simple_table
from decaycalc.verification.trials import Trial
from decaycalc.verification.verify import Verification


def tables(found: Verification) -> Iterator[Table]:
    """Yield the two sides, the verdict and the comparisons."""
    yield _sides(found)
    yield _verdict(found)
    yield _trials("Differences, relative to the largest weight", found.trials)
    if found.apart:
        yield _trials("How far the trajectories part, which the claim is not about", found.apart)


def _sides(found: Verification) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, side.convention.key, side.convention.parameter, value, lr, side.convention.update)
        for name, side, value, lr in (
            ("source", found.source, found.value, found.lr),
            ("target", found.target, found.to_value, found.to_lr),
        )
    )
    headers = ("", "convention", "parameter", "value", "lr", "update rule")
    return simple_table(title="Trained twice", headers=headers, rows=rows, numeric=("value", "lr"))


def _verdict(found: Verification) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = (
        ("claim", found.claim.value),
        ("which means", found.meaning),
        ("compared", found.method),
        ("steps", found.steps),
        ("schedule", found.schedule),
        ("largest difference", found.max_difference),
        ("tolerance", found.tolerance),
        ("the claim", "holds" if found.holds else "DOES NOT HOLD"),
    )
    return simple_table(
        title="Verdict",
        headers=("", "value"),
        rows=rows,
        note="; ".join(found.notes),
    )


def _trials(title: str, trials: tuple[Trial, ...]) -> Table:
    """Return one row a model: the largest difference, and that after some of the steps."""
    rows: list[tuple[Cell, ...]] = []
    for trial in trials:
        n = len(trial.curve)
        places = sorted({0, n // 4, n // 2, 3 * n // 4, n - 1})
        path = ", ".join(
            f"{trial.curve[place].step}: {trial.curve[place].difference:.1e}" for place in places
        )
        rows.append((trial.model, trial.max_difference, path))
    headers = ("model", "largest difference", "after step")
    return simple_table(
        title=title, headers=headers, rows=tuple(rows), numeric=("largest difference",)
    )


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
