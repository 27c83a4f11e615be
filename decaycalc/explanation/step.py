"""Step and Explanation: a derivation's parts, and a step made from its formula and its numbers."""

from collections.abc import Callable
from fractions import Fraction
from typing import TypedDict

from decaycalc.algebra.formula import fill, names_in, number_text
from decaycalc.algebra.latex import to_latex
from decaycalc.algebra.quantity import QUANTITIES, symbol_of
from decaycalc.explanation.claim import Claim
from decaycalc.record import Record

_QUANTITY_OF = {symbol_of(name): name for name in QUANTITIES}


class StepJson(TypedDict):
    """One line of a derivation: as a formula, filled with numbers, and as LaTeX."""

    title: str
    text: str
    formula: str | None
    filled: str | None
    latex: str | None
    numbers: dict[str, float]
    result: float | None
    source: str


class ClaimJson(TypedDict):
    """What the equivalence means, and where it ends."""

    name: str
    meaning: str
    ends: list[str]


# `from` is a word of Python's own.
_From = TypedDict("_From", {"from": str})


class ExplanationJson(_From):
    """A number's derivation, the last step of which gives it."""

    to: str
    steps: list[StepJson]
    equivalence: ClaimJson


class Step(Record):
    """One step of a derivation.

    `text` says in words what the formula does. `filled` is the formula's right-hand side with the
    numbers put in and `result` its value, where all numbers are known; `numbers` are the names of
    the formula that have one.
    """

    title: str
    text: str
    formula: str
    source: str
    filled: str = ""
    result: float | None = None
    numbers: tuple[tuple[str, float], ...] = ()

    @property
    def line(self) -> str:
        """The formula with its numbers, `strength = 2·l2 = 2·0.0001 = 0.0002`."""
        text = f"{self.formula} = {self.filled}" if self.filled else self.formula
        if self.result is None or self.filled == number_text(self.result):
            return text
        # Of several equations the first one's left-hand side is the result.
        left = f", {text.partition(' = ')[0]}" if "," in text else ""
        return f"{text}{left} = {number_text(self.result)}"

    @property
    def latex(self) -> str:
        """The line as LaTeX for math mode."""
        return to_latex(self.line)

    def to_dict(self) -> StepJson:
        """Return the step as JSON's `explanation` holds it."""
        return {
            "title": self.title,
            "text": self.text,
            "formula": self.formula,
            "filled": self.filled or None,
            "latex": self.latex,
            "numbers": dict(self.numbers),
            "result": self.result,
            "source": self.source,
        }


class Explanation(Record):
    """A conversion's derivation: its steps, the last of which gives the number, and its claim."""

    source: str
    target: str
    steps: tuple[Step, ...]
    claim: Claim

    def to_dict(self) -> ExplanationJson:
        """Return the explanation as an entry of JSON's `explanation`."""
        return {
            "from": self.source,
            "to": self.target,
            "steps": [step.to_dict() for step in self.steps],
            "equivalence": {
                "name": self.claim.name,
                "meaning": self.claim.meaning,
                "ends": list(self.claim.ends),
            },
        }


def make_step(
    title: str,
    formula: str,
    *,
    text: str,
    source: str,
    number: Callable[[str], Fraction | None],
    result: Fraction | None = None,
) -> Step:
    """Return a step; `number` gives what stands behind a name of the formula, where it is known."""
    right = formula.partition(" = ")[2]
    shown = names_in(right)
    known = ((name, number(name)) for name in shown)
    names = {name: value for name, value in known if value is not None}
    whole = result is not None and len(names) == len(shown) and "," not in right
    texts = {name: number_text(value) for name, value in names.items()}
    return Step(
        title=title,
        text=text,
        formula=formula,
        source=source,
        filled=fill(right, texts) if whole and names else "",
        result=None if result is None else float(result),
        numbers=tuple((name, float(value)) for name, value in names.items()),
    )


def quantity_of(symbol: str) -> str | None:
    """Return the quantity that a symbol of a formula stands for, its `to_` kept, None for others.

    >>> quantity_of("N"), quantity_of("to_B"), quantity_of("l2")
    ('dataset_size', 'to_batch_size', None)
    """
    quantity = _QUANTITY_OF.get(symbol.removeprefix("to_"))
    return f"to_{quantity}" if quantity and symbol.startswith("to_") else quantity
