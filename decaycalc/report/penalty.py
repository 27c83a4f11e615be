"""The penalty's scale: by layer with a network, and the λ that stands beside each kind of loss."""

from math import exp, inf
from typing import TYPE_CHECKING

from decaycalc.answers import Answer
from decaycalc.architecture.penalty import LayerPenalty, Penalty, add
from decaycalc.conversion.convert import convert
from decaycalc.errors import DecaycalcError
from decaycalc.report.digits import show
from decaycalc.report.table import Cell, Column, Kind, Rank, Table, Tone

if TYPE_CHECKING:
    from decaycalc.report.fold import Fold

_MOST_ROWS = 6
_EVEN = "The penalty grows with the number of weights, the decay of a weight does not."
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

    `even` says that all layers share one λ; many layers are folded but for `everything`.
    """
    layers = penalty.layers
    rows = [_row(layer.name, [layer]) for layer in layers] if everything else _folded(layers)
    priced = penalty.value is not None
    columns = (
        Column(header="Penalty"),
        Column(header="weights", kind=Kind.READ),
        Column(header="at init" if priced else "Σw² at init", kind=Kind.READ, rank=Rank.USEFUL),
        Column(header="share", kind=Kind.SHARE, rank=Rank.USEFUL),
        Column(header="decay per step", kind=Kind.READ, tone=Tone.VALUE),
        *((Column(header="with λ/(L·weights)", kind=Kind.READ),) if even else ()),
    )
    whole = penalty.value if priced else penalty.sum_of_squares
    rows.append(("all", penalty.n_weights, whole, "", "", ""))
    cut = tuple(row[: len(columns)] for row in rows)
    text = f"{_of_loss(penalty)}{_EVEN if even else _UNEVEN}"
    return Table(title="Penalty", columns=columns, rows=cut, note=text)


def _of_loss(penalty: Penalty) -> str:
    """Return how large the penalty is against the loss of a uniform guess, empty if unknown."""
    share, loss = penalty.share_of_initial_loss, penalty.initial_loss
    if share is None or loss is None:
        return ""
    return f"It is {show(share, Kind.SHARE)} of the initial loss, ln {show(exp(loss))}. "


def _folded(layers: tuple[LayerPenalty, ...]) -> list[tuple[Cell, ...]]:
    """Return few rows: names that differ by a number share one, the smallest ones the last."""
    # Imported here: most answers have no network.
    from decaycalc.report.fold import fold_names  # noqa: PLC0415

    alike = [(layer.n_weights, layer.value, layer.per_step_shrink) for layer in layers]
    folds = fold_names([layer.name for layer in layers], alike)
    sizes = {fold.name: _size(fold, layers) for fold in folds}
    largest = sorted(folds, key=lambda fold: -sizes[fold.name])[:_MOST_ROWS]
    shown = folds if len(folds) <= _MOST_ROWS + 1 else [f for f in folds if f in largest]
    rows = [_row(fold.name, [layers[place] for place in fold.members]) for fold in shown]
    rest = [layers[place] for fold in folds if fold not in shown for place in fold.members]
    return [*rows, _row(f"{len(rest)} smaller ones", rest)] if rest else rows


def _size(fold: "Fold", layers: tuple[LayerPenalty, ...]) -> int:
    return sum(layers[place].n_weights for place in fold.members)


def _row(name: str, layers: list[LayerPenalty]) -> tuple[Cell, ...]:
    """Return the row of one layer, or of several that lose the same share a step."""
    first = layers[0]
    alike = len({layer.per_step_shrink_if_normalized for layer in layers}) == 1
    return (
        name,
        sum(layer.n_weights for layer in layers),
        add(layer.sum_of_squares if layer.value is None else layer.value for layer in layers),
        add(layer.share for layer in layers),
        first.per_step_shrink if len({layer.per_step_shrink for layer in layers}) == 1 else "",
        first.per_step_shrink_if_normalized if alike else "",
    )
