"""Explanations as tables, and as LaTeX to be pasted into a paper."""

from collections.abc import Iterable, Iterator

from decaycalc.algebra.formula import names_in
from decaycalc.algebra.latex import symbol
from decaycalc.conventions.record import Equivalence
from decaycalc.explanation.step import Explanation, Step
from decaycalc.report.table import Column, Table

_COLUMNS = (
    Column(header="step", least=12),
    Column(header="formula, reason and source", least=12, most=90),
)
_LETTERS_MEAN = {
    "strength": "the strength: the objective is the mean loss plus half of it times the sum of "
    "squared weights",
    "shrink": "the share of an undriven weight that a step removes",
    "exact_shrink": "the same, exact in the long run",
    "lr": "the peak learning rate",
    "momentum": "the momentum",
    "dampening": "the dampening",
    "B": "the examples of a step",
    "N": "the examples of the data set",
    "E": "the epochs",
    "S": "the steps of the run",
    "P": "the number of decayed weights",
    "L": "the number of decayed layers",
}


def tables(explanations: Iterable[Explanation]) -> Iterator[Table]:
    """Yield one table an explanation: a row a step, then how far it goes."""
    for explanation in explanations:
        rows = [
            (f"{place}. {step.title}", tuple(_lines(step)))
            for place, step in enumerate(explanation.steps, start=1)
        ]
        rows.append((f"how far: {_in_words(explanation.claim.name)}", tuple(_claim(explanation))))
        yield Table(
            title=f"Why: {explanation.source} to {explanation.target}",
            columns=_COLUMNS,
            rows=tuple(rows),
        )


def _lines(step: Step) -> Iterator[str]:
    yield from (step.line, step.text, f"source: {step.source}")


def _claim(explanation: Explanation) -> Iterator[str]:
    yield explanation.claim.meaning
    yield from (f"but: {text}" for text in explanation.claim.ends)


def _in_words(name: str) -> str:
    """Return a class as a screen calls it; what is said of a transfer stays as it is."""
    return Equivalence(name).words if name in set(Equivalence) else name


def to_latex_text(explanations: Iterable[Explanation]) -> str:
    """Return the derivations as `align*` environments of amsmath, each with its legend."""
    return "\n".join(map(_environment, explanations))


def _environment(explanation: Explanation) -> str:
    """Return one derivation: sources as comments, formulas, and what the letters mean."""
    lines = [f"% {explanation.source} to {explanation.target}", r"\begin{align*}"]
    last = len(explanation.steps)
    for place, step in enumerate(explanation.steps, start=1):
        lines.append(f"% {place}. {step.title}; source: {step.source}")
        left, equals, right = step.latex.partition(" = ")
        lines.append(f"{left} &{equals.rstrip()} {right}" + (r" \\" if place < last else ""))
    lines += [r"\end{align*}", _legend(explanation), _ending(explanation)]
    return "\n".join(lines) + "\n"


def _legend(explanation: Explanation) -> str:
    """Return what the letters mean that occur, as a sentence of text."""
    names = {name for step in explanation.steps for name in names_in(step.formula)}
    bare = {name.partition("(")[0].removeprefix("to_") for name in names}
    parts = [
        f"${symbol(name)}$ is {words}" for name, words in _LETTERS_MEAN.items() if name in bare
    ]
    if any(name.startswith("to_") for name in names):
        parts.append(r"the subscript $\mathrm{to}$ marks the target's run")
    return f"Here {'; '.join(parts)}."


def _ending(explanation: Explanation) -> str:
    ends = "".join(f"; but {text}" for text in explanation.claim.ends)
    return f"% {explanation.claim.name}: {explanation.claim.meaning}{ends}"
