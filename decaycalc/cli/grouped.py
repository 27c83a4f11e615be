"""What a run adds to an answer: its groups by the rules of `--group`, and its origins."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from decaycalc.cli.shown import Shown
from decaycalc.errors import UsageError
from decaycalc.record import replace
from decaycalc.training.record import PUBLISHED, TYPED

if TYPE_CHECKING:
    from decaycalc.inspection import GroupDecay
    from decaycalc.training.record import Training

More = Callable[["GroupDecay"], Mapping[str, Any]]
"""What a command has to say of a group beside its decay, by the names of JSON."""


def remarked(result: Shown, training: "Training") -> Shown:
    """Return a result in which what is told of a published run is a note, and no warning.

    So is what holds by a trainer's defaults: nobody has to mend it.
    """
    defaults = training.by_default()
    told = {*defaults, *(f"{training.source}: {text}" for text in defaults)}
    if training.kind == PUBLISHED:
        told |= {*training.told, *training.notes, *training.whole_notes}
    return replace(
        result,
        warnings=tuple(text for text in result.warnings if text not in told),
        remarks=tuple(text for text in result.warnings if text in told),
    )


def with_origins(result: Shown, training: "Training") -> Shown:
    """Return an answer from a recipe with where each quantity of the run comes from (in JSON)."""
    if training.kind == TYPED:  # the run that is shown back is all that was said
        return result
    found = [each.to_dict() for each in training.quantities]
    result = remarked(result, training)
    return replace(result, body=lambda: {**result.body(), "quantities": found})


def nothing_more(_: "GroupDecay") -> Mapping[str, Any]:
    """Return what there is to say of a group where its decay is all."""
    return {}


def with_groups(result: Shown, training: "Training", more: More = nothing_more) -> Shown:
    """Return an answer with what each group of the run gets beside it.

    Raises:
        UsageError: no VALUE to multiply.
    """
    if training.value is None:
        raise UsageError("--group needs a VALUE to multiply")
    from decaycalc.inspection import group_decays

    decays = group_decays(training)
    rows = [{**each.to_dict(), **more(each)} for each in decays]

    def tables() -> Any:
        from decaycalc.report import groups

        return (*result.tables(), groups.table(rows))

    warnings = tuple(text for each in decays for text in each.warnings)

    def body() -> dict[str, Any]:
        document: dict[str, Any] = {**result.body()}
        return {**document, "warnings": [*document["warnings"], *warnings], "groups": rows}

    return replace(
        result,
        body=body,
        tables=tables,
        rows=lambda: [flat for row in rows for flat in _flat(row)],
        warnings=(*result.warnings, *warnings),
    )


def _flat(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a group once for each of its conversions or rules, for CSV and JSON lines.

    What both have a name for is the conversion's under `to_`.
    """
    lists = (value for value in row.values() if isinstance(value, list))
    own = {name: value for name, value in row.items() if not isinstance(value, list)}
    beside: list[dict[str, Any]] = next(filter(None, lists), [{}])
    for made in beside:
        yield {**own, **{f"to_{n}" if n in own else n: value for n, value in made.items()}}
