"""The option `--explain`: the derivation of a result, on any command that converts."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.output import Shown
from decaycalc.record import replace

if TYPE_CHECKING:
    from decaycalc.answer import Answer, Question
    from decaycalc.derivation import Explanation
    from decaycalc.report.table import Table

_HELP = "Derive each number step by step; --explain latex writes the formulas for a paper."


class _Style(click.Choice[str]):
    """`text` or `latex`; a VALUE caught by the option is named as such."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the style.

        Raises:
            click.BadParameter: neither of the two.
        """
        if value not in self.choices:
            self.fail(f"{value!r} is neither text nor latex; put --explain last", param, ctx)
        return super().convert(value, param, ctx)


def explain_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--explain`; the command receives `explain`, `text`, `latex` or None."""
    declare = click.option(
        "--explain", is_flag=False, flag_value="text", type=_Style(("text", "latex")),
        metavar="[text|latex]", help=_HELP,
    )  # fmt: skip
    return declare(command)


def explained(shown: Shown, explanations: "Sequence[Explanation]", *, style: str) -> Shown:
    """Return what is shown with the derivations: as tables, as JSON's `explanation`, as LaTeX."""
    from decaycalc.report import explain

    def tables() -> "Iterator[Table]":
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
    from decaycalc.bridge import Side
    from decaycalc.explain import explain
    from decaycalc.plan import plan, target_side

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
