"""What becomes of lr and weight decay in another run: few rules first, then all, their sources."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

from decaycalc.algebra.quantity import exact
from decaycalc.conventions.record import SGD
from decaycalc.conventions.run import BATCH, Run
from decaycalc.errors import escaped
from decaycalc.record import replace
from decaycalc.report import heading
from decaycalc.report.digits import show
from decaycalc.report.table import (
    Block,
    Cell,
    Column,
    Kind,
    Marked,
    Paragraph,
    Rank,
    Table,
    Tone,
    simple_table,
)
from decaycalc.transfers import Hold, LrRule, RuleNumbers, Transfer
from decaycalc.transfers.fits import OVER_DEPTH, OVER_WIDTH
from decaycalc.transfers.laws import Projection

_SAME = 1e-9  # relative
# What is held where only one thing is shown, the first that the move can hold.
_HELD_FIRST = (Hold.EPOCH, Hold.RUN, Hold.STEP, Hold.OBJECTIVE, Hold.NORMALIZED)
_HELD = {
    Hold.OBJECTIVE: "the minimum",
    Hold.STEP: "the decay per step",
    Hold.EPOCH: "the timescale in epochs",
    Hold.RUN: "its share of the run",
    Hold.NORMALIZED: "the AdamW paper's λ",
    Hold.SQRT_WIDTH: "λ ∝ √width",
    Hold.INDEPENDENT: "lr·λ ∝ 1/width",
    Hold.DEPTH: "λ by the width alone",
}

_LEFT = Column(header="weight left", kind=Kind.SHARE)  # at the end of the run, by its schedule
_OTHER_LR = {
    LrRule.GIVEN: "as given",
    LrRule.UPDATE: "matched (estimate)",
    LrRule.HORIZON: "÷ √length (a fit)",
}


def tables(
    moved: Transfer,
    projections: tuple[Projection, ...],
    *,
    flag_of: Callable[[str], str],
    everything: bool = False,
) -> Iterator[Block]:
    """Yield the runs, the rules and what to know of them; `everything` has each rule."""
    yield from _heading(moved)
    if everything:
        yield _rules(moved)
        yield _sources(moved)
    else:
        shown = _chosen(moved)
        yield _short(moved, shown)
        yield from _notes(moved, shown)
        yield from _lacking(moved, flag_of)
    if projections:
        yield _laws(projections)
    if everything and moved.unavailable:
        yield _unavailable(moved, flag_of)


def of_group(name: str, moved: Transfer) -> Table:
    """Return one group's rules, as those of the run are shown."""
    short = _short(moved, _chosen(moved))
    title = f"{escaped(name)}: if lr is"
    first = replace(short.columns[0], header=title)
    return replace(short, title=title, columns=(first, *short.columns[1:]))


def _heading(moved: Transfer) -> Iterator[Paragraph]:
    move = moved.move
    yield heading.heading(move.source, move.value)
    yield heading.setting(move.run, assumptions=moved.of_decays)
    yield Paragraph(text=f"to {_changes(moved)}", apart=False)


def _changes(moved: Transfer) -> str:
    """Return what is given of the new run."""
    move, given = moved.move, moved.move.target_run or Run()
    shown = _with_its_batch(given, moved.target_run)
    text = heading.setting(shown, assumptions=()).text if given != Run() else ""
    ratios = {"width": exact(move.width_ratio), "depth": exact(move.depth_ratio)}
    grown = [f"{name} × {heading.amount(ratio)}" for name, ratio in ratios.items() if ratio != 1]
    target = "" if move.target is None else move.target.key
    return " · ".join(filter(None, (target, text, *grown))) or "the same run"


def _with_its_batch(given: Run, whole: Run) -> Run:
    """Return what is given of a run, a part of its batch with the parts that it keeps."""
    if all(given.given(name) is None for name in BATCH):
        return given
    return replace(given, **{name: whole.given(name) for name in BATCH})


def _chosen(moved: Transfer) -> tuple[RuleNumbers, ...]:
    """Return one rule for each lr, or every one where there is one lr alone."""
    over_depth = [rule for rule in moved.rules if rule.lr_rule in OVER_DEPTH]
    lr_rules = dict.fromkeys(rule.lr_rule for rule in moved.rules if rule not in over_depth)
    if len(lr_rules) + len({rule.lr_rule for rule in over_depth}) == 1:
        return moved.rules
    over_width = [rule for rule in moved.rules if rule.hold in OVER_WIDTH]
    most = max(_HELD_FIRST, key=lambda hold: len(_holding(moved, hold)))
    first = Hold.STEP if over_width or over_depth else most
    shown = _holding(moved, first)
    if len(shown) < len(lr_rules):
        return moved.rules
    shown += [*over_width, *over_depth]
    order = _lr_order(moved)
    return tuple(sorted(shown, key=lambda rule: order.index(rule.lr_rule)))


def _holding(moved: Transfer, hold: Hold) -> list[RuleNumbers]:
    return [rule for rule in moved.rules if rule.hold == hold]


def _lr_order(moved: Transfer) -> tuple[LrRule, ...]:
    """Return the lr rules, the one derived for the optimizer first."""
    plain = moved.move.source.optimizer == SGD
    batch = (LrRule.LINEAR, LrRule.SQRT) if plain else (LrRule.SQRT, LrRule.LINEAR)
    depth = (LrRule.COMPLETEP, LrRule.DEPTH_MUP)
    return (LrRule.MUP, *depth, *batch, LrRule.NONE, LrRule.HORIZON, LrRule.GIVEN, LrRule.UPDATE)


def _short(moved: Transfer, rules: tuple[RuleNumbers, ...]) -> Table:
    """Return the rules in few columns; those with the same lr and number share a row."""
    target = moved.move.destination
    with_lr = any(rule.lr is not None for rule in rules)
    in_epochs = any(rule.timescale_epochs is not None for rule in rules)
    several = len({rule.hold for rule in rules}) > 1
    followed = rules[0].survival is not None
    columns = (
        Column(header="if lr is"),
        *((Column(header="holding", least=16),) if several else ()),
        *((Column(header="lr", kind=Kind.COPIED),) if with_lr else ()),
        Column(header=target.parameter, kind=Kind.COPIED, tone=Tone.VALUE),
        Column(header="timescale" if in_epochs else "decay per step", kind=Kind.READ),
        *((_LEFT,) if followed else ()),
    )
    rows = []
    for _, group in groupby(rules, key=lambda rule: (rule.lr_rule, rule.value)):
        alike = list(group)
        held = (", ".join(_HELD[rule.hold] for rule in alike),) if several else ()
        lr = (alike[0].lr,) if with_lr else ()
        row = (_lr_words(moved, alike[0].lr_rule), *held, *lr, alike[0].value)
        left = (alike[0].survival,) if followed else ()
        rows.append((*row, _pace(alike[0], in_epochs=in_epochs), *left))
    return Table(title="if lr is", columns=columns, rows=tuple(rows))


def _pace(rule: RuleNumbers, *, in_epochs: bool) -> Cell:
    """Return the timescale in epochs, or the decay per step, and whether it is the old run's."""
    number, name = (rule.timescale_epochs, "epoch") if in_epochs else (rule.shrink, "step")
    if number is None:
        return None
    unit = ("epochs" if in_epochs else "", "as now" if name in rule.kept else "")
    return Marked(content=number, unit=", ".join(filter(None, unit)))


def _lr_words(moved: Transfer, rule: LrRule) -> str:
    """Return what a rule does to lr, `× √8 (Adam)`."""
    if rule == LrRule.MUP:
        return f"÷ {heading.amount(exact(moved.move.width_ratio))} (muP)"
    if rule in OVER_DEPTH:
        return _over_depth(moved, rule)
    if rule not in {LrRule.LINEAR, LrRule.SQRT}:
        return _OTHER_LR.get(rule, "unchanged")
    old, new = moved.move.run.get("batch_size"), moved.target_run.get("batch_size")
    ratio = show(float(new / old)) if old and new else "B'/B"
    return f"× {ratio} (SGD)" if rule == LrRule.LINEAR else f"× √{ratio} (Adam)"


def _over_depth(moved: Transfer, rule: LrRule) -> str:
    """Return what a rule over depth does to lr, `÷ 2·√4 (depth-mup)`."""
    width, depth = exact(moved.move.width_ratio), exact(moved.move.depth_ratio)
    parts = [] if width == 1 else [heading.amount(width)]
    parts += [f"√{heading.amount(depth)}"] if rule is LrRule.DEPTH_MUP else []
    return f"÷ {'·'.join(parts)} ({rule})" if parts else f"unchanged ({rule})"


def _notes(moved: Transfer, rules: tuple[RuleNumbers, ...]) -> Iterator[Paragraph]:
    """Yield what happens if nothing is changed, what else moves, and the sources."""
    left = _left_alone(moved, rules)
    disputes = dict.fromkeys(rule.note for rule in rules if rule.lr_rule == LrRule.MUP)
    first = " ".join(filter(None, (left, _betas(rules), *disputes)))
    if first:
        yield Paragraph(text=first)
    yield from _conditions(rules)
    sources = dict.fromkeys(
        source.removeprefix("lr: ")
        for rule in rules
        for source in (rule.lr_rule.source, rule.hold.source)
        if source
    )
    text = f"{'; '.join(sources)} · --all shows every rule"
    yield Paragraph(text=text, tone=Tone.QUIET, apart=not first)


def _conditions(rules: tuple[RuleNumbers, ...]) -> Iterator[Paragraph]:
    """Yield what each rule that was found under conditions was found under, and its interval."""
    for rule in rules:
        if not rule.conditions:
            continue
        low, high = rule.interval
        ends = "" if low is None or high is None else f" ({show(low)} to {show(high)})"
        told = "; ".join(rule.conditions)
        yield Paragraph(text=f"{rule.name}{ends}: {told}", tone=Tone.QUIET, apart=False)


def _lacking(moved: Transfer, flag_of: Callable[[str], str]) -> Iterator[Paragraph]:
    """Yield what to give for the rules that lack a quantity."""
    groups: dict[str, dict[str, None]] = {}
    for entry in moved.unavailable:
        if entry.missing:
            needed = ", ".join(map(flag_of, entry.missing))
            what = _HELD[entry.hold] if entry.lr_rule == LrRule.NONE else f"lr {entry.lr_rule}"
            groups.setdefault(f"with {needed}", {})[what] = None
    parts = [f"{needed}: {', '.join(names)}" for needed, names in groups.items()]
    if parts:
        yield Paragraph(text=" · ".join(parts), tone=Tone.QUIET, apart=False)


def _left_alone(moved: Transfer, rules: tuple[RuleNumbers, ...]) -> str:
    """Return the timescales if the number stays as it is, empty where it is no plain factor."""
    move = moved.move
    monomial = move.source.monomial
    if move.target is not None or monomial is None or monomial.power_of("value") != 1:
        return ""
    value = float(moved.value)
    times = {
        rule.lr_rule: rule.timescale_epochs * rule.value / value
        for rule in rules
        if rule.timescale_epochs is not None and value and "epoch" in rule.kept
    }
    changed = {
        f"{show(time)} epochs (lr {_lr_words(moved, lr_rule).partition(' (')[0]})": None
        for lr_rule, time in times.items()
        if abs(time / _timescale(rules, lr_rule) - 1) > _SAME
    }
    if not changed:
        return ""
    return f"Left at {heading.amount(moved.value)}, the timescale becomes {' or '.join(changed)}."


def _timescale(rules: tuple[RuleNumbers, ...], lr_rule: LrRule) -> float:
    return next(
        rule.timescale_epochs
        for rule in rules
        if rule.lr_rule == lr_rule and rule.timescale_epochs is not None
    )


def _rules(moved: Transfer) -> Table:
    """Return every rule; those with one lr rule and the same number share a row."""
    target = moved.move.destination
    fitted = any(rule.interval != (None, None) for rule in moved.rules)
    ends = ("from", "to") if fitted else ()
    followed = moved.rules[0].survival is not None
    columns = (
        Column(header="if lr is"),
        Column(header="holding", least=16),
        Column(header="lr", kind=Kind.COPIED),
        Column(header=target.parameter, kind=Kind.COPIED, tone=Tone.VALUE),
        *(Column(header=end, kind=Kind.READ, rank=Rank.USEFUL) for end in ends),
        Column(header="decay per step", kind=Kind.READ, rank=Rank.USEFUL),
        Column(header="timescale, epochs", kind=Kind.READ, rank=Rank.USEFUL),
        Column(header="timescale / run", kind=Kind.SHARE, rank=Rank.EXTRA),
        *((_LEFT,) if followed else ()),
        Column(header="changes", least=16, rank=Rank.EXTRA, tone=Tone.QUIET),
    )
    body = []
    for _, group in groupby(moved.rules, key=lambda rule: (rule.lr_rule, rule.value)):
        alike = list(group)
        changed = ", ".join(alike[0].changed)
        left = (alike[0].survival,) if followed else ()
        body.append((*_row(moved, alike, fitted=fitted), *left, changed))
    return Table(title="if lr is", columns=columns, rows=tuple(body), note=_betas(moved.rules))


def _row(moved: Transfer, alike: list[RuleNumbers], *, fitted: bool) -> tuple[Cell, ...]:
    rule = alike[0]
    return (
        _lr_words(moved, rule.lr_rule),
        ", ".join(_HELD[each.hold] for each in alike),
        rule.lr,
        rule.value,
        *(rule.interval if fitted else ()),
        rule.shrink,
        rule.timescale_epochs,
        rule.timescale_run_fraction,
    )


def _betas(rules: tuple[RuleNumbers, ...]) -> str:
    """Return what becomes of Adam's betas and epsilon, where they are known."""
    for rule in rules:
        parts = []
        if rule.betas is not None:
            parts.append(f"betas {rule.betas[0]:.6g}, {rule.betas[1]:.6g}")
        if rule.eps is not None:
            parts.append(f"eps {rule.eps:.6g}")
        if parts:
            return f"With lr × √ also {' and '.join(parts)} (Malladi et al.)."
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
    return simple_table(title="Sources", headers=("rule", "source", "but"), rows=tuple(kept))


def _laws(projections: tuple[Projection, ...]) -> Table:
    """Return what fitted laws say of the new run."""
    headers = ("law (a fit)", "from", "to", "low", "high", "warning", "source")
    body = tuple(
        (each.law.formula, each.value, each.to_value, *each.interval, each.warning, each.law.source)
        for each in projections
    )
    return simple_table(title="Scaling laws", headers=headers, rows=body, numeric=headers[1:5])


def _unavailable(moved: Transfer, flag_of: Callable[[str], str]) -> Table:
    """Return the rules out of reach and what would bring them within it, by the reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for entry in moved.unavailable:
        needed = f"needs {', '.join(map(flag_of, entry.missing))}" if entry.missing else ""
        lr = _lr_words(moved, entry.lr_rule)
        reasons.setdefault((_HELD[entry.hold], needed or entry.message), []).append(lr)
    columns = (
        Column(header="Out of reach", least=16),
        Column(header="if lr is", least=16),
        Column(header="because", least=24, tone=Tone.QUIET),
    )
    rows = tuple((held, ", ".join(lrs), why) for (held, why), lrs in reasons.items())
    return Table(title="Out of reach", columns=columns, rows=rows)


def rows(moved: Transfer) -> list[Mapping[str, object]]:
    """Return one flat row a rule, for CSV and JSON lines."""
    target = moved.move.destination
    head = {
        "from": moved.move.source.key,
        "source_value": float(exact(moved.move.value)),
        "to": target.key,
    }
    return [{**head, **rule.to_dict()} for rule in moved.rules]
