"""The answer of `convert` as three tables, and as rows."""

from collections.abc import Callable, Iterator, Mapping

from decaycalc.answers import Answer
from decaycalc.architecture.penalty import Penalty
from decaycalc.conversion.convert import Conversion
from decaycalc.report import neighbours
from decaycalc.report.table import Cell, Table


def tables(answer: Answer, *, flag_of: Callable[[str], str]) -> Iterator[Table]:
    """Yield the tables Decay, Penalty scale (with its layers) and Conversions, as far as known."""
    if answer.value is not None:
        yield _decay(answer)
    if answer.penalty is not None:
        yield _penalty(answer.penalty)
        if answer.penalty.layers:
            yield _layers(answer.penalty, even=not _differs_by_layer(answer))
    if answer.conversions:
        yield _conversions(answer)
    if any(conversion.layers for conversion in answer.conversions):
        yield _by_layer(answer)
    if answer.unavailable:
        yield _unavailable(answer, flag_of)


def rows(answer: Answer) -> list[Mapping[str, object]]:
    """Return one row a conversion, for CSV and JSON lines."""
    value = None if answer.value is None else float(answer.value)
    head = {"from": answer.source.key, "source_value": value}
    return [{**head, **conversion.to_dict()} for conversion in answer.conversions]


def _decay(answer: Answer) -> Table:
    """Return what happens to an undriven weight per step, epoch and run."""
    decay = answer.decay
    value = None if answer.value is None else float(answer.value)
    setting: list[tuple[Cell, ...]] = [(f"{answer.source.parameter} ({answer.source.key})", value)]
    if decay is None:
        reason = _why_no_decay(answer)
        return Table(title="Decay", headers=("", "value"), rows=tuple(setting), note=reason)
    shown: list[tuple[Cell, ...]] = [
        ("strength λ* (mean loss + ½λ*Σw²)", answer.strength),
        ("shrink per step, first order", decay.first_order_shrink),
        ("shrink per step, exact", decay.per_step_shrink),
        ("factor per step", decay.per_step_factor),
        ("factor per epoch", decay.per_epoch_factor),
        (
            "factor per run, under the schedule" if answer.schedule else "factor per run",
            decay.per_run_factor,
        ),
        ("half-life, steps", decay.half_life_steps),
        ("half-life, epochs", decay.half_life_epochs),
        ("timescale, steps", decay.timescale_steps),
        ("timescale, epochs", decay.timescale_epochs),
        ("timescale, fraction of the run", decay.timescale_run_fraction),
        *_scheduled(answer),
    ]
    known = tuple(row for row in (*setting, *shown) if row[1] is not None)
    return Table(
        title="Decay",
        headers=("", "value"),
        rows=known,
        numeric=("value",),
        note=neighbours.note(decay.timescale_epochs),
    )


def _scheduled(answer: Answer) -> list[tuple[Cell, ...]]:
    """Return what the schedule makes of the run."""
    if answer.schedule is None:
        return []
    decay = answer.schedule.decay
    return [
        ("shrink summed over the run", decay.sum_shrink),
        ("timescale averaged over the run, steps", decay.mean_timescale_steps),
        ("mean age of the final weights' updates, steps", decay.mean_update_age_steps),
    ]


def _why_no_decay(answer: Answer) -> str:
    """Return why there is no shrink per step."""
    if answer.source.refusal is not None:
        return answer.source.refusal
    if not answer.source.has_shrink:
        return (
            "a penalty under Adam-like scaling has no shrink per step; "
            "--gradient-rms gives an estimate"
        )
    if _differs_by_layer(answer):
        known = answer.penalty is not None and answer.penalty.layers
        return f"the shrink per step differs by layer{'' if known else ': give --arch'}"
    return "the shrink per step is unknown: give --lr"


def _penalty(penalty: Penalty) -> Table:
    """Return the penalty's coefficients and, with a network, its size against the loss."""
    shown: tuple[tuple[Cell, ...], ...] = (
        ("coefficient of Σw² beside the mean loss", penalty.coefficient_mean_loss),
        ("... beside the loss summed over a minibatch", penalty.coefficient_batch_sum),
        ("... beside the loss summed over the data set", penalty.coefficient_dataset_sum),
        ("... of the mean square of all weights", penalty.per_weight_coefficient),
        ("decayed weights", penalty.n_weights),
        ("expected Σw² at initialisation", penalty.sum_of_squares),
        ("penalty at initialisation", penalty.value),
        ("initial loss, ln C", penalty.initial_loss),
        ("penalty / initial loss", penalty.share_of_initial_loss),
    )
    known = tuple(row for row in shown if row[1] is not None)
    return Table(title="Penalty scale", headers=("", "value"), rows=known, numeric=("value",))


def _differs_by_layer(answer: Answer) -> bool:
    monomial = answer.source.monomial
    return monomial is not None and "layer_weights" in monomial.names


def _layers(penalty: Penalty, *, even: bool) -> Table:
    """Return the penalty by layer, and what each weight loses with λ as it is and normalised."""
    headers = (
        "layer", "weights", "Σw²", "penalty", "share", "shrink per step",
        "shrink if λ/(L·weights)",
    )  # fmt: skip
    body = tuple(
        (
            layer.name,
            layer.n_weights,
            layer.sum_of_squares,
            layer.value,
            layer.share,
            layer.per_step_shrink,
            layer.per_step_shrink_if_normalized,
        )
        for layer in penalty.layers
    )
    note = (
        "the penalty grows with the number of weights, each weight's decay does not: "
        "every weight loses the same share per step"
        if even
        else "divided by the number of its weights, a wide layer's λ decays each of them less"
    )
    return Table(
        title="Penalty by layer", headers=headers, rows=body, numeric=headers[1:], note=note
    )


def _conversions(answer: Answer) -> Table:
    """Return the number in other conventions; notes stand numbered below."""
    notes = _Notes()
    with_lr = any(conversion.lr is not None for conversion in answer.conversions)
    hidden = {"" if with_lr else "lr", "value" if answer.value is None else ""}
    if not any(_said(conversion) for conversion in answer.conversions):
        hidden.add("note")
    headers = ("convention", "value", "lr", "equivalence", "note", "formula")
    body = [
        (
            conversion.convention.key,
            "by layer" if conversion.layers else conversion.value,
            conversion.lr,
            conversion.equivalence.value,
            notes.marks(_said(conversion)),
            conversion.formula,
        )
        for conversion in answer.conversions
    ]
    kept = [place for place, header in enumerate(headers) if header not in hidden]
    return Table(
        title="Conversions",
        headers=tuple(headers[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in body),
        numeric=("value", "lr"),
        note=notes.text(),
    )


def _by_layer(answer: Answer) -> Table:
    """Return the numbers of the conventions that have one a layer."""
    body = tuple(
        (conversion.convention.key, name, value)
        for conversion in answer.conversions
        for name, value in conversion.layers
    )
    headers = ("convention", "layer", "value")
    return Table(title="Conversions by layer", headers=headers, rows=body, numeric=("value",))


def _said(conversion: Conversion) -> str:
    """Return a conversion's notes, the framework's defaults that it assumes among them."""
    defaults = (f"{name} = {value:g}, its default" for name, value in conversion.assumed)
    return "; ".join(filter(None, (conversion.note, *defaults)))


class _Notes:
    """Numbers the notes of a table in the order in which they occur."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def marks(self, note: str) -> str:
        """Return the numbers of a conversion's notes, `1 3`."""
        texts = note.split("; ") if note else []
        numbers = (self._numbers.setdefault(text, len(self._numbers) + 1) for text in texts)
        return " ".join(map(str, numbers))

    def text(self) -> str:
        """Return the numbered notes, one a line."""
        return "\n".join(f"{number} {text}" for text, number in self._numbers.items())


def _unavailable(answer: Answer, flag_of: Callable[[str], str]) -> Table:
    """Return the conventions out of reach and what would bring them within it."""
    body = tuple(
        (
            entry.convention.key,
            f"give {', '.join(map(flag_of, entry.missing))}" if entry.missing else entry.message,
        )
        for entry in answer.unavailable
    )
    return Table(title="Out of reach", headers=("convention", "why"), rows=body)
