"""What an optimizer's steps showed: one row a group, then whether the catalogue agrees."""

from collections.abc import Iterator

from decaycalc.errors import escaped
from decaycalc.report.digits import show
from decaycalc.report.table import Block, Cell, Column, Kind, Marked, Paragraph, Rank, Table, Tone
from decaycalc.training.live.probe import GroupProbe, Probe

_COLUMNS = (
    Column(header="group", least=12),
    Column(header="lr", kind=Kind.COPIED, rank=Rank.USEFUL),
    Column(header="λ", kind=Kind.COPIED),
    Column(header="decay per step", tone=Tone.VALUE),
    Column(header="is", tone=Tone.VALUE),
    Column(header="acts"),
    Column(header="follows", rank=Rank.USEFUL),
    Column(header="grad 0", rank=Rank.USEFUL),
    Column(header="grad None", rank=Rank.USEFUL),
    Column(header="catalogue", least=16),
)


def tables(found: Probe) -> Iterator[Block]:
    """Yield the class, its groups, and what is to be said of the catalogue's records."""
    yield Paragraph(text=escaped(found.optimizer), tone=Tone.VALUE)
    yield Table(title="group", columns=_COLUMNS, rows=tuple(map(_row, found.groups)))
    for reason in dict.fromkeys(each.agreement.reason for each in found.groups):
        if reason:
            yield Paragraph(text=escaped(reason), tone=Tone.QUIET, apart=False)


def _row(group: GroupProbe) -> tuple[Cell, ...]:
    found = group.measured
    name = f"{escaped(group.name)}, {group.n_dims}-D"
    if found is None:
        return (name, group.lr, group.own_weight_decay, *[None] * 6, _verdict(group))
    return (
        name,
        group.lr,
        group.own_weight_decay,
        _share(group.decay_per_step),
        _formula(group),
        found.acts.value,
        None if found.follows is None else found.follows.value,
        _share(group.with_own(found.zero_gradient)),
        _share(group.with_own(found.no_gradient)),
        _verdict(group),
    )


def _share(share: float | None) -> str:
    """Return a share as a text of its own: no constant share is an answer too."""
    return "no share" if share is None else show(share)


def _formula(group: GroupProbe) -> str | None:
    """Return the share as a multiple of lr·λ, or of λ where lr is none of it: 2·lr·λ."""
    if group.factor is None:
        return None
    product = "lr·λ" if group.times_lr else "λ"
    factor = show(group.factor)
    return product if factor == "1" else f"{factor}·{product}"


def _verdict(group: GroupProbe) -> Cell:
    """Return whether the record agrees, with its key and what it expects."""
    agreement = group.agreement
    if agreement.convention is None:
        return "exempt" if agreement.agrees else "unknown"
    if agreement.agrees is None:
        return Marked(content=f"{agreement.convention}: no number", tone=Tone.QUIET)
    if agreement.agrees:
        return Marked(content=f"{agreement.convention} agrees", tone=Tone.EXACT)
    share = group.with_own(agreement.expected)
    expected = "" if share is None else f", expects {show(share)}"
    return Marked(content=f"{agreement.convention} differs{expected}", tone=Tone.REFUSED)
