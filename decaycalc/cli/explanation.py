"""What `--explain` adds to a result: the derivation of each of its numbers."""

from typing import TYPE_CHECKING

from decaycalc.cli.output import Shown
from decaycalc.record import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from decaycalc.answers import Answer, Question
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
    return tuple(
        explain(
            plan(
                source,
                target_side(source, conversion.convention, question.target_run),
                match=question.match,
            ),
            answer.value,
            layers=conversion.layers,
        )
        for conversion in answer.conversions
    )
