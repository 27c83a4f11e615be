"""The rules of a transfer side by side, where they come from, and what scaling laws add."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

from decaycalc.algebra.quantity import exact
from decaycalc.report.table import Cell, Table
from decaycalc.transfers import Rule, Transfer
from decaycalc.transfers.laws import Projection


def tables(
    moved: Transfer, projections: tuple[Projection, ...], *, flag_of: Callable[[str], str]
) -> Iterator[Table]:
    """Yield the rules, their sources, the laws and what is out of reach."""
    yield _rules(moved)
    yield _sources(moved)
    if projections:
        yield _laws(projections)
    if moved.unavailable:
        yield _unavailable(moved, flag_of)


def _rules(moved: Transfer) -> Table:
    """Return the rules; those with one lr rule and the same number share a row."""
    target = moved.move.target or moved.move.source
    headers = (
        "lr rule", "holds", "lr", target.parameter, "shrink per step", "timescale, epochs",
        "timescale / run", "keeps", "changes",
    )  # fmt: skip
    body = []
    for _, group in groupby(moved.rules, key=lambda rule: (rule.lr_rule, rule.value)):
        alike = list(group)
        body.append(_row(alike))
    move = moved.move
    return Table(
        title=f"{move.source.parameter} {float(exact(move.value))!r} ({move.source.key}) in the "
        f"new run, as {target.parameter} ({target.key})",
        headers=headers,
        rows=tuple(body),
        numeric=headers[2:7],
        note=_note(moved.rules),
    )


def _row(alike: list[Rule]) -> tuple[Cell, ...]:
    rule = alike[0]
    kept = dict.fromkeys(name for each in alike for name in each.kept)
    return (
        rule.lr_rule.value,
        ", ".join(each.hold.value for each in alike),
        rule.lr,
        rule.value,
        rule.shrink,
        rule.timescale_epochs,
        rule.timescale_run_fraction,
        ", ".join(kept),
        ", ".join(rule.changed),
    )


def _note(rules: tuple[Rule, ...]) -> str:
    """Return what the words mean, and what becomes of Adam's betas and epsilon."""
    words = "step, epoch, run: the shrink of one step, epoch, run; normalized: the AdamW paper's λ"
    return "; ".join(filter(None, (words, _betas(rules))))


def _betas(rules: tuple[Rule, ...]) -> str:
    """Return what becomes of Adam's betas and epsilon, where they are known."""
    for rule in rules:
        parts = []
        if rule.betas is not None:
            parts.append(f"betas {rule.betas[0]:.6g}, {rule.betas[1]:.6g}")
        if rule.eps is not None:
            parts.append(f"eps {rule.eps:.6g}")
        if parts:
            return f"under the square-root rule also {' and '.join(parts)} (Malladi et al.)"
    return ""


def _sources(moved: Transfer) -> Table:
    """Return each held quantity's and lr rule's source, and where the literature disagrees."""
    rows: dict[tuple[str, str, str], None] = {}
    for rule in moved.rules:
        rows[(f"hold {rule.hold.value}", rule.hold.source, "")] = None
    for rule in moved.rules:
        if rule.lr_rule.source or rule.note:
            source = rule.lr_rule.source.removeprefix("lr: ")
            rows[(f"lr {rule.lr_rule.value}", source, rule.note)] = None
    told = {key for key in rows if key[2]}
    kept = [key for key in rows if key[2] or not any(key[:2] == other[:2] for other in told)]
    return Table(title="Sources", headers=("rule", "source", "but"), rows=tuple(kept))


def _laws(projections: tuple[Projection, ...]) -> Table:
    """Return what fitted laws say of the new run."""
    headers = ("law (a fit)", "from", "to", "warning", "source")
    body = tuple(
        (each.law.formula, each.value, each.to_value, each.warning, each.law.source)
        for each in projections
    )
    return Table(title="Scaling laws", headers=headers, rows=body, numeric=headers[1:3])


def _unavailable(moved: Transfer, flag_of: Callable[[str], str]) -> Table:
    """Return the rules out of reach and what would bring them within it."""
    rows = tuple(
        (
            entry.lr_rule.value,
            entry.hold.value,
            f"give {', '.join(map(flag_of, entry.missing))}" if entry.missing else entry.message,
        )
        for entry in moved.unavailable
    )
    return Table(title="Out of reach", headers=("lr rule", "holds", "why"), rows=rows)


def rows(moved: Transfer) -> list[Mapping[str, object]]:
    """Return one flat row a rule, for CSV and JSON lines."""
    target = moved.move.target or moved.move.source
    head = {
        "from": moved.move.source.key,
        "source_value": float(exact(moved.move.value)),
        "to": target.key,
    }
    return [{**head, **rule.to_dict()} for rule in moved.rules]
