"""Formulas as text (`C = 1/(2·N·l2)`): their names, numbers put in, and their tree.

The language is what `Monomial.format` and a `Form` write:

    formula = sum {(" = " | ", ") sum};  sum = product {(" + " | " - ") product}
    product = ["-"] power {("·" | "/") power};  power = atom ["^" power]
    atom = number | name | "ln" atom | "sqrt" atom | "(" sum ")"

A name may carry the convention that it belongs to, as in `lam(keras-l2)`.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import takewhile

from decaycalc.errors import TextSyntaxError
from decaycalc.record import Record

FUNCTIONS = ("ln", "sqrt")
# Characters of a number within a formula; significant digits of a longer one.
_LONGEST, _DIGITS = 12, 8
_SIGNS = "+-·/^()=,"


class Leaf(Record):
    """A number or a name."""

    text: str


class Call(Record):
    """A function of one argument, `ln` or `sqrt`."""

    name: str
    argument: "Node"


class Power(Record):
    """A base and its exponent."""

    base: "Node"
    exponent: "Node"


class Product(Record):
    """Factors above and below a fraction's line, with a sign, `-` or nothing."""

    sign: str
    above: tuple["Node", ...]
    below: tuple["Node", ...]


class Sum(Record):
    """Terms with the sign that stands before each; the first one's is empty."""

    terms: tuple[tuple[str, "Node"], ...]


Node = Leaf | Call | Power | Product | Sum


def names_in(formula: str) -> tuple[str, ...]:
    """Return the names that occur, in order, each once.

    >>> names_in("C = 1/(2·N·lam(keras-l2))")
    ('C', 'N', 'lam(keras-l2)')
    """
    found = (token for token in _tokens(formula) if token[0].isalpha() and token not in FUNCTIONS)
    return tuple(dict.fromkeys(found))


def fill(formula: str, numbers: Mapping[str, str]) -> str:
    """Return the formula with names replaced by the texts of their numbers.

    >>> fill("1/(2·N·l2)", {"N": "60000", "l2": "0.0001"})
    '1/(2·60000·0.0001)'
    """
    return "".join(numbers.get(token, token) for token in _tokens(formula))


def number_text(number: Fraction | float) -> str:
    """Return a number's shortest decimal, or eight significant digits where that is long.

    >>> number_text(0.0005), number_text(60000), number_text(1 / 3)
    ('0.0005', '60000', '0.33333333')
    """
    shortest = repr(float(number)).removesuffix(".0")
    return shortest if len(shortest) <= _LONGEST else f"{float(number):.{_DIGITS}g}"


def parse_formula(text: str) -> tuple[tuple[str, Node], ...]:
    """Return the sums of a formula, each with the sign (`=`, `,`, or nothing) before it.

    Raises:
        TextSyntaxError: the text does not follow the grammar.
    """
    return _Reader(text).formula()


def _tokens(text: str) -> Iterator[str]:
    """Yield numbers, names, signs and spaces.

    Raises:
        TextSyntaxError: a character that belongs to none of them.
    """
    position = 0
    while position < len(text):
        token = _token_at(text, position)
        position += len(token)
        yield token


def _token_at(text: str, position: int) -> str:
    rest = text[position:]
    if rest[0] in _SIGNS or rest[0] == " ":
        return rest[0]
    if rest[0].isdigit():
        return _number_at(rest)
    if not rest[0].isalpha():
        raise TextSyntaxError("formula", text, position, "a number, a name or a sign")
    name = "".join(takewhile(lambda character: character.isalnum() or character == "_", rest))
    owner, closed, _ = rest[len(name) + 1 :].partition(")")
    is_owned = rest[len(name) :].startswith("(") and closed and name not in FUNCTIONS
    return f"{name}({owner})" if is_owned else name


def _number_at(rest: str) -> str:
    """Return the decimal that the text begins with, its exponent included."""
    digits = "".join(takewhile(lambda character: character.isdigit() or character == ".", rest))
    tail = rest[len(digits) :]
    if not tail.startswith(("e+", "e-")):
        return digits
    return digits + tail[:2] + "".join(takewhile(str.isdigit, tail[2:]))


class _Reader:
    """A recursive-descent reader of formulas."""

    def __init__(self, text: str) -> None:
        self.text = text
        starts, position = [], 0
        for token in _tokens(text):
            starts.append((position, token))
            position += len(token)
        self.tokens = [pair for pair in starts if pair[1] != " "]
        self.place = 0

    @property
    def next(self) -> str:
        """The token to be read, empty at the end."""
        return self.tokens[self.place][1] if self.place < len(self.tokens) else ""

    def take(self) -> str:
        """Return the next token and step over it."""
        token = self.next
        self.place += 1
        return token

    def refusal(self, expected: str) -> TextSyntaxError:
        """Return the error that names what should stand at the next token."""
        here = self.tokens[self.place :]
        position = here[0][0] if here else len(self.text)
        return TextSyntaxError("formula", self.text, position, expected)

    def formula(self) -> tuple[tuple[str, Node], ...]:
        """Read `sum {("=" | ",") sum}`."""
        parts = [("", self.sum())]
        while self.next in {"=", ","}:
            parts.append((self.take(), self.sum()))
        if self.next:
            raise self.refusal("the end")
        return tuple(parts)

    def sum(self) -> Node:
        """Read `product {("+" | "-") product}`."""
        terms = [("", self.product())]
        while self.next in {"+", "-"}:
            terms.append((self.take(), self.product()))
        return terms[0][1] if len(terms) == 1 else Sum(terms=tuple(terms))

    def product(self) -> Node:
        """Read `["-"] power {("·" | "/") power}`."""
        sign = self.take() if self.next == "-" else ""
        sides: dict[str, list[Node]] = {"·": [self.power()], "/": []}
        while self.next in sides:
            side = sides[self.take()]
            side.append(self.power())
        above, below = (_flat(sides["·"]), _flat(sides["/"]))
        if not sign and not below and len(above) == 1:
            return above[0]
        return Product(sign=sign, above=above, below=below)

    def power(self) -> Node:
        """Read `atom ["^" power]`."""
        base = self.atom()
        if self.next != "^":
            return base
        self.take()
        return Power(base=base, exponent=self.power())

    def atom(self) -> Node:
        """Read `number | name | function atom | "(" sum ")"`."""
        if self.next != "(" and not self.next[:1].isalnum():
            raise self.refusal("a number, a name or (")
        word = self.take()
        if word in FUNCTIONS:
            return Call(name=word, argument=self.atom())
        if word != "(":
            return Leaf(text=word)
        inner = self.sum()
        if self.next != ")":
            raise self.refusal("a closing parenthesis")
        self.take()
        return inner


def _flat(factors: list[Node]) -> tuple[Node, ...]:
    """Return the factors, those of a plain product within them among them."""
    flat: list[Node] = []
    for factor in factors:
        plain = isinstance(factor, Product) and not factor.below and not factor.sign
        flat += factor.above if isinstance(factor, Product) and plain else (factor,)
    return tuple(flat)
