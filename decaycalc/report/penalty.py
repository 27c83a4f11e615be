"""The penalty's scale: by layer with a network, and the λ that stands beside each kind of loss."""

import re
from collections.abc import Iterable, Sequence
from math import exp, inf

from decaycalc.answers import Answer
from decaycalc.architecture.penalty import LayerPenalty, Penalty, add
from decaycalc.conversion.convert import convert
from decaycalc.errors import DecaycalcError
from decaycalc.report.digits import show
from decaycalc.report.table import Cell, Column, Kind, Rank, Table, Tone

# Of more rows than these the widest and the narrowest layer stand for all: between them lies what
# dividing λ by a layer's weights does, and the screen of a network stays below 34 rows.
_MOST_ROWS = 3
_NAME = 18  # columns of a layer's name that leave the headers one line of 80
_EVEN = "The penalty grows with the number of weights, the decay of a weight does not."
_EVEN_OF_LOSS = "More weights: more penalty, same decay."
_UNEVEN = "Divided by the number of its weights, a wide layer's λ decays each of them less."
# The kinds of loss, with the keys of λΣw² and ½λΣw² beside each.
_LOSSES = (
    ("a mean", "mean-l2", "coefficient_mean_loss"),
    ("summed over a minibatch", "batch-sum-l2", "coefficient_batch_sum"),
    ("summed over the data set", "sum-l2", "coefficient_dataset_sum"),
)


def beside_losses(answer: Answer, penalty: Penalty) -> Table | None:
    """Return λ beside each kind of loss, full batch and minibatch; None where it is unknown."""
    rows: list[tuple[Cell, ...]] = []
    own = None if answer.run.lr is None else float(answer.run.lr)
    for title, key, name in _LOSSES:
        coefficient = getattr(penalty, name)
        if coefficient is not None:
            halved = 2 * coefficient if 2 * coefficient < inf else "beyond 1.8e308"
            rows.append((title, coefficient, halved, _lr_beside(answer, key, own), key))
    if not rows:
        return None
    columns = (
        Column(header="λ beside a loss that is"),
        Column(header="of λΣw²", kind=Kind.COPIED, tone=Tone.VALUE),
        Column(header="of ½λΣw²", kind=Kind.COPIED, tone=Tone.VALUE),
        *(() if own is None else (Column(header="lr", kind=Kind.READ),)),
        Column(header="key", rank=Rank.USEFUL, tone=Tone.QUIET),
    )
    kept = rows if own is not None else [(*row[:3], row[4]) for row in rows]
    return Table(title="λ beside a loss that is", columns=columns, rows=tuple(kept))


def _lr_beside(answer: Answer, key: str, own: float | None) -> float | None:
    """Return the lr beside another loss, the run's own where they are of one scale."""
    for made in answer.conversions:
        if made.convention.key == key:
            return made.lr or own
    if own is None or answer.value is None or key == answer.source.key:
        return own
    try:
        return convert(answer.value, source=answer.source, target=key, run=answer.run).lr or own
    except DecaycalcError:  # below float64's range
        return None


def by_layer(penalty: Penalty, *, even: bool, everything: bool) -> Table:
    """Return the penalty by layer, and what each weight loses with λ as it is and normalised.

    `even` says that all layers share one λ; two of many are shown, but with `everything` all.
    """
    layers = penalty.layers
    shown = [(layer.name, [layer]) for layer in layers] if everything else _folded(layers)
    is_whole = sum(len(members) for _, members in shown) == len(layers)
    priced = penalty.value is not None
    columns = (
        Column(header="Penalty"),
        Column(header="weights", kind=Kind.READ),
        Column(header="at init" if priced else "Σw² at init", kind=Kind.READ, rank=Rank.USEFUL),
        *((Column(header="share", kind=Kind.SHARE, rank=Rank.USEFUL),) if is_whole else ()),
        Column(header="decay per step", kind=Kind.READ, tone=Tone.VALUE),
        *((Column(header="if λ/(L·weights)", kind=Kind.READ),) if even else ()),
    )
    rows = [_row(*each, share=is_whole, normalized=even) for each in shown]
    whole = "all" if is_whole else f"all {len(layers)} layers"
    rows.append(_row(whole, layers, share=is_whole, normalized=even))
    return Table(title="Penalty", columns=columns, rows=tuple(rows), note=_note(penalty, even=even))


def _note(penalty: Penalty, *, even: bool) -> str:
    """Return what grows with the weights, and the penalty against a uniform guess's loss."""
    share, loss = penalty.share_of_initial_loss, penalty.initial_loss
    if share is None or loss is None:
        return _EVEN if even else _UNEVEN
    of_loss = f"{show(share, Kind.SHARE)} of the initial loss, ln {show(exp(loss))}"
    return f"{of_loss}. {_EVEN_OF_LOSS if even else _UNEVEN}"


def _folded(layers: tuple[LayerPenalty, ...]) -> list[tuple[str, Sequence[LayerPenalty]]]:
    """Return few names of layers: those that differ by a number share one; of many, two."""
    # Imported here: most answers have no network.
    from decaycalc.report.fold import fold_names  # noqa: PLC0415

    alike = [(layer.n_weights, layer.value, layer.per_step_shrink) for layer in layers]
    folds = fold_names([layer.name for layer in layers], alike)
    if len(folds) > _MOST_ROWS:
        sizes = [layers[fold.members[0]].n_weights for fold in folds]
        ends = {sizes.index(min(sizes)), sizes.index(max(sizes))}  # one where all are alike
        folds = tuple(folds[place] for place in sorted(ends))
    return [(_brief(fold.name), [layers[place] for place in fold.members]) for fold in folds]


def _brief(name: str) -> str:
    """Return the last parts of a long name, `…attention.output.dense`."""
    if len(name) <= _NAME:
        return name
    return f"…{re.split('[._]', name[-_NAME:], maxsplit=1)[-1]}"


def _row(
    name: str, layers: Sequence[LayerPenalty], *, share: bool, normalized: bool
) -> tuple[Cell, ...]:
    """Return the row of some layers; a decay per step is told where it is the same in all."""
    divided = _shared(layer.per_step_shrink_if_normalized for layer in layers)
    return (
        name,
        sum(layer.n_weights for layer in layers),
        add(layer.sum_of_squares if layer.value is None else layer.value for layer in layers),
        *((add(layer.share for layer in layers),) if share else ()),
        _shared(layer.per_step_shrink for layer in layers),
        *((divided,) if normalized else ()),
    )


def _shared(numbers: Iterable[float | None]) -> Cell:
    """Return the number that all are, an empty cell where they differ."""
    first, *others = dict.fromkeys(numbers)
    return "" if others else first
