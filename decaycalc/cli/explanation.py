"""What `--explain` adds to a result: the derivation of each of its numbers."""

from typing import TYPE_CHECKING

from decaycalc.cli.shown import Shown
from decaycalc.record import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from decaycalc.answers import Answer, Question
    from decaycalc.conversion.convert import Conversion
    from decaycalc.explanation.step import Explanation
    from decaycalc.report.table import Block


def explained(shown: Shown, explanations: "Sequence[Explanation]", *, style: str) -> Shown:
    """Return what is shown with the derivations: as tables, as JSON's `explanation`, as LaTeX."""
    from decaycalc.report import explain

    def tables() -> "Iterator[Block]":
        yield from shown.tables()
        yield from explain.tables(explanations)

    return replace(
        shown,
        body=lambda: {
            **shown.body(),
            "explanation": [explanation.to_dict() for explanation in explanations],
        },
        tables=tables,
        text=(lambda: explain.to_latex_text(explanations)) if style == "latex" else shown.text,
    )


def of_answer(question: "Question", answer: "Answer") -> "tuple[Explanation, ...]":
    """Return the derivation of each conversion that an answer holds."""
    from decaycalc.conversion.plan import plan, target_side
    from decaycalc.conversion.side import Side
    from decaycalc.explanation.conversion import explain

    source = Side(convention=answer.source, run=answer.run)

    def derived(conversion: "Conversion") -> "Explanation":
        there = target_side(source, conversion.convention, question.target_run)
        way = plan(source, there, match=question.match)
        return over_a_schedule(explain(way, answer.value, layers=conversion.layers), conversion)

    return tuple(map(derived, answer.conversions))


def over_a_schedule(explanation: "Explanation", conversion: "Conversion") -> "Explanation":
    """Return a derivation whose last step is what a schedule leaves, where the number is that."""
    from decaycalc.explanation.step import Step
    from decaycalc.survival.whole_run import FORMULA

    if conversion.formula != FORMULA:
        return explanation
    last = Step(
        title="over the schedule",
        text="lr changes from step to step: each step's own factor, multiplied",
        formula="factor",
        source="the schedule, step by step",
        result=conversion.value,
    )
    return replace(explanation, steps=(*explanation.steps, last))
