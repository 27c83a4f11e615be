"""What each parameter group of a run gets: the rules of `--group` on `convert`."""

from typing import TYPE_CHECKING, Any

from decaycalc.cli.output import Shown
from decaycalc.errors import UsageError
from decaycalc.record import replace

if TYPE_CHECKING:
    from decaycalc.answers import Question
    from decaycalc.architecture.treatment import Treatment
    from decaycalc.report.documents import ConvertedGroupJson, GroupNumberJson

Counted = tuple["Treatment", int | None, int | None]
"""What a group gets, and how many tensors and weights it has, where a network is known."""


def with_groups(result: Shown, question: "Question", texts: tuple[str, ...]) -> Shown:
    """Return an answer with what each group of the run gets beside it.

    Raises:
        UsageError: no VALUE to multiply.
        InvalidValueError: a rule that is malformed, or fits no tensor.
        ContradictionError: a rule without effect.
    """
    if question.value is None:
        raise UsageError("--group needs a VALUE to multiply")
    rows = [_row(question, *counted) for counted in _counted(question, texts)]

    def tables() -> Any:
        from decaycalc.report import groups

        return (*result.tables(), groups.table(rows))

    return replace(result, body=lambda: {**result.body(), "groups": rows}, tables=tables)


def _counted(question: "Question", texts: tuple[str, ...]) -> list[Counted]:
    """Return what the groups get: all of a network's, else the rest and each rule by itself."""
    from decaycalc.architecture.treatment import Treatment, parse_group_rule

    rules = tuple(map(parse_group_rule, texts))
    rest = Treatment(name="others")
    if question.architecture is None:
        return [(each, None, None) for each in (rest, *(rule.applied(rest) for rule in rules))]
    from decaycalc.architecture.groups import Choice, group_tensors, treatments
    from decaycalc.architecture.masks import DEFAULT_MASK

    choice = Choice(mask=question.mask or DEFAULT_MASK, groups=rules)
    made = treatments(question.architecture, choice)
    groups = group_tensors(question.architecture, made)
    return [(each.treatment, len(each.tensors), each.n_weights) for each in groups]


def _row(
    question: "Question", treatment: "Treatment", n_tensors: int | None, n_weights: int | None
) -> "ConvertedGroupJson":
    """Return one group's object of the JSON document; an exempt one has no conversions."""
    from decaycalc.answers import answer

    lr = treatment.lr.of(question.run.lr)
    row: ConvertedGroupJson = {
        "name": treatment.name,
        "lr": None if lr is None else float(lr),
        "weight_decay": 0.0,
        "lr_mult": treatment.lr.ratio(question.run.lr),
        "decay_mult": treatment.decay.ratio(question.value),
        "n_tensors": n_tensors,
        "n_weights": n_weights,
        "shrink": 0.0,
        "conversions": [],
    }
    if treatment.is_exempt:
        return row
    run = question.run if lr is None else replace(question.run, lr=lr)
    found = answer(replace(question, run=run, value=treatment.decay.of(question.value)))
    made: list[GroupNumberJson] = [
        {"convention": each.convention.key, "value": each.value} for each in found.conversions
    ]
    return {
        **row,
        "weight_decay": None if found.value is None else float(found.value),
        "shrink": found.shrink,
        "conversions": made if question.targets else [],
    }
