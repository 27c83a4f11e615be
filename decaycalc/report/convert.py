"""The answer of `convert` as a screen: the run, then decay, penalty and the numbers elsewhere."""

from collections.abc import Callable, Iterator, Mapping

from decaycalc.answers import Answer
from decaycalc.conventions import families
from decaycalc.conventions.record import Convention, Coupling
from decaycalc.conversion.decay import Decay
from decaycalc.report import elsewhere, heading, neighbours, penalty
from decaycalc.report.digits import column_texts, of_run, show
from decaycalc.report.table import Block, Cell, Column, Kind, Marked, Paragraph, Rank, Table, Tone

# What the other tables of the screen say already: forms of what they name, and the names.
_VARIANTS = frozenset(
    {
        "mean-half-l2", "sum-half-l2", "batch-sum-half-l2", "per-example-half-l2",
        "ema-timescale-epochs", "per-step-shrink",
    }
)  # fmt: skip
_RANKS = {"per run": Rank.USEFUL}
_SAID_ABOVE = _VARIANTS | {"mean-l2", "sum-l2", "batch-sum-l2"}
# What --to and --all still reach: nobody moves a decoupled decay to a solver of an objective, and
# few move anything to the frameworks of old.
_FITS, _CLASSICS = "scikit-learn and statistics", "Classics"
_MORE = "--explain why · --all the rest · --to KEY --value in scripts"


def tables(
    answer: Answer, *, flag_of: Callable[[str], str], asked: int = 0, everything: bool = False
) -> Iterator[Block]:
    """Yield the screen; `asked` is the number of targets asked for, one of them needs no table."""
    if asked == 1:
        yield from _one(answer)
        return
    yield from _heading(answer)
    if answer.decay is not None:
        yield _decay(answer.decay)
    elif answer.value is not None:
        yield Paragraph(text=_why_no_decay(answer), tone=Tone.PARTIAL)
    yield from _scheduled(answer)
    yield from _penalty(answer, everything=everything)
    yield from _numbers(answer, flag_of=flag_of, asked=asked, everything=everything)


def rows(answer: Answer) -> list[Mapping[str, object]]:
    """Return one row a conversion, for CSV and JSON lines."""
    value = None if answer.value is None else float(answer.value)
    head = {"from": answer.source.key, "source_value": value}
    return [{**head, **conversion.to_dict()} for conversion in answer.conversions]


def _heading(answer: Answer) -> Iterator[Paragraph]:
    schedule = None if answer.schedule is None else answer.schedule.schedule.text
    yield heading.heading(answer.source, answer.value)
    yield heading.setting(answer.run, assumptions=answer.assumptions, schedule=schedule)


def _one(answer: Answer) -> Iterator[Block]:
    """Yield the one conversion in two or three lines, and its numbers by layer if it has them."""
    conversion = answer.conversions[0]
    yield from elsewhere.single(conversion)
    # The frameworks' own defaults stand among the conditions already.
    defaults = dict(conversion.assumed)
    others = tuple(entry for entry in conversion.assumptions if entry.name not in defaults)
    if others:
        yield Paragraph(text=heading.assumed(others), tone=Tone.PARTIAL, apart=False)
    yield from _scheduled(answer)
    if conversion.layers:
        yield elsewhere.by_layer((conversion,))


def _decay(decay: Decay) -> Table:
    """Return what happens to an undriven weight per step, epoch and run, and how fast."""
    factors = {
        "per step": (decay.per_step_factor, decay.per_step_shrink),
        "per epoch": _factor_and_loss(decay.per_epoch_factor),
        "per run": _factor_and_loss(decay.per_run_factor),
    }
    known = {name: pair for name, pair in factors.items() if pair is not None}
    lefts = (Marked(content=left, kind=Kind.LEFT, tone=Tone.VALUE) for left, _ in known.values())
    losses = (Marked(content=loss, kind=Kind.SHARE) for _, loss in known.values())
    first, second = _durations(decay)
    body: list[tuple[Cell, ...]] = [
        ("left", *lefts, *first),
        ("taken off", *losses, *second),
    ]
    headers = (*known, "half-life", "timescale")
    columns = (
        Column(header="Decay"),
        *(
            Column(header=header, kind=Kind.READ, rank=_RANKS.get(header, Rank.KEY))
            for header in headers
        ),
    )
    share = decay.timescale_run_fraction
    lasts = "" if share is None else f"timescale {column_texts(columns[-1], [of_run(share)])[0]}"
    parts = (_beside_a_gradient(decay), lasts, neighbours.note(decay.timescale_epochs))
    note = ", ".join(filter(None, parts))
    return Table(title="Decay", columns=columns, rows=tuple(body), note=note)


def _beside_a_gradient(decay: Decay) -> str:
    """Return what a step leaves where a gradient takes another branch than none."""
    factor = decay.per_step_factor_with_gradient
    return "" if factor is None else f"with a gradient {show(factor, Kind.LEFT)} per step"


def _factor_and_loss(factor: float | None) -> tuple[float, float] | None:
    return None if factor is None else (factor, 1 - factor)


def _durations(decay: Decay) -> tuple[tuple[Cell, Cell], tuple[Cell, Cell]]:
    """Return half-life and timescale in epochs and below in steps, or in steps alone."""
    in_steps = (
        _lasting(decay.half_life_steps, "steps"),
        _lasting(decay.timescale_steps, "steps"),
    )
    if decay.timescale_epochs is None:
        return in_steps, ("", "")
    half_life = _lasting(decay.half_life_epochs, "epochs")
    return (half_life, _lasting(decay.timescale_epochs, "epochs")), in_steps


def _lasting(length: float | None, unit: str) -> Cell:
    return "never" if length is None else Marked(content=length, unit=unit, tone=Tone.VALUE)


def _scheduled(answer: Answer) -> Iterator[Paragraph]:
    """Yield what the schedule makes of the run."""
    if answer.schedule is None:
        return
    decay = answer.schedule.decay
    parts = (
        ("sum of the decays", decay.sum_shrink, ""),
        ("average timescale", decay.mean_timescale_steps, " steps"),
        ("mean age of the updates", decay.mean_update_age_steps, " steps"),
    )
    text = " · ".join(
        f"{name} {show(number)}{unit}" for name, number, unit in parts if number is not None
    )
    own = answer.schedule.decay_schedule
    name = "schedule" if own is None else f"schedules (decay {own.text})"
    yield Paragraph(text=f"over the {name}: {text}", apart=False)


def _why_no_decay(answer: Answer) -> str:
    """Return why there is no decay per step."""
    if answer.source.refusal is not None:
        return answer.source.refusal
    if not answer.source.has_shrink:
        if answer.source.lr_family not in families.BY_RMS:
            return "the penalty joins the gradient: its decay per step is not known"
        return (
            "a penalty under Adam-like scaling has no decay per step; "
            "--gradient-rms gives an estimate"
        )
    if answer.source.differs_by_layer:
        known = answer.penalty is not None and answer.penalty.layers
        return f"the decay per step differs by layer{'' if known else ': give --arch'}"
    return "the decay per step needs --lr"


def _penalty(answer: Answer, *, everything: bool) -> Iterator[Table]:
    """Yield the penalty by layer where there is a network, and λ beside each kind of loss."""
    if answer.penalty is None:
        return
    if answer.penalty.layers:
        even = not answer.source.differs_by_layer
        yield penalty.by_layer(answer.penalty, even=even, everything=everything)
    beside = penalty.beside_losses(answer, answer.penalty)
    if beside is not None:
        yield beside


def _numbers(
    answer: Answer, *, flag_of: Callable[[str], str], asked: int, everything: bool
) -> Iterator[Block]:
    """Yield the numbers elsewhere, what is out of reach, and where to read on."""
    every = bool(asked or everything)
    chosen = (made for made in answer.conversions if every or _says_more(answer, made.convention))
    shown = tuple(chosen)
    if shown:
        yield elsewhere.elsewhere(answer, shown)
    layered = tuple(conversion for conversion in shown if conversion.layers)
    if layered:
        yield elsewhere.by_layer(layered)
    if everything and answer.unavailable:
        yield elsewhere.reasons(answer.unavailable, flag_of=flag_of)
    elif answer.unavailable:
        wanted = (entry for entry in answer.unavailable if _is_wanted(answer, entry.convention))
        yield from elsewhere.out_of_reach(tuple(wanted), flag_of=flag_of)
    if not every:
        lr = any("to_lr" in conversion.missing for conversion in shown)
        text = f"--to-lr its lr · {_MORE}" if lr else _MORE
        yield Paragraph(text=text, tone=Tone.QUIET, apart=False)


def _says_more(answer: Answer, target: Convention) -> bool:
    """Return whether a convention's number says more than the tables above it."""
    is_above = answer.penalty is not None and target.key in _SAID_ABOVE
    return not is_above and _is_moved_there(answer, target)


def _is_wanted(answer: Answer, target: Convention) -> bool:
    """Return whether a convention out of reach is missed by who has not asked for it by name."""
    return target.key not in _VARIANTS and _is_moved_there(answer, target)


def _is_moved_there(answer: Answer, target: Convention) -> bool:
    """Return whether people look for the source's decay there."""
    decoupled = answer.source.coupling == Coupling.DECOUPLED
    return target.group != _CLASSICS and not (decoupled and target.group == _FITS)
