"""Monomials read from text, `2*l2/loss_scale`: the reverse of `Monomial.format`."""

from fractions import Fraction

from decaycalc.algebra.quantity import QUANTITIES, Monomial, exact
from decaycalc.errors import InvalidValueError, TextSyntaxError

_TIMES, _OVER, _POWER = ("·", "*"), ("/",), ("^", "**")
_ONE_MINUS = "one_minus_"
# Far beyond any formula of the field.
_MOST_POWER, _DEEPEST = 12, 20
# Longest first, so that `sd(y)` and `B_accumulated` are not taken for something shorter.
_SYMBOLS = sorted(
    ((quantity.symbol, name) for name, quantity in QUANTITIES.items() if quantity.symbol[0] != "("),
    key=lambda pair: -len(pair[0]),
)


def parse_monomial(text: str, *, parameter: str, what: str = "formula") -> Monomial:
    """Return the monomial that a text denotes, its numbers exact.

        monomial = power {("*" | "·" | "/") power}
        power = atom [("^" | "**") exponent];  exponent = ["-"] digits ["/" digits]
        atom = decimal | name | "sqrt(" monomial ")" | "(" monomial ")" | "(1 - " name ")"

    A name is `value` or the convention's own parameter, a quantity (`dataset_size`), or its symbol
    (`N`). `what` names the text in errors.

    >>> parse_monomial("2*l2/loss_scale", parameter="l2").format({"value": "l2"})
    '2·l2/loss_scale'

    Raises:
        TextSyntaxError: the text leaves the grammar; its position is the offending character.
        InvalidValueError: a number beyond float64's range, or a division by zero.
    """
    reader = _Reader(text, parameter, what)
    monomial = reader.monomial()
    if reader.rest:
        raise reader.error("*, /, ^ or the end")
    if not monomial.coefficient:
        raise TextSyntaxError(what, text, 0, "something other than 0")
    return monomial


# Those that formulas show in brackets, `(G + eps)`.
_IN_BRACKETS = {q.symbol: name for name, q in QUANTITIES.items() if q.symbol[0] == "("}


class _Reader:
    """A text and how far it is read."""

    def __init__(self, text: str, parameter: str, what: str) -> None:
        self.text, self.parameter, self.what = text, parameter, what
        self.at, self.depth = 0, 0

    @property
    def rest(self) -> str:
        """What is not read yet, without leading spaces."""
        return self.text[self.at :].lstrip(" ")

    def error(self, expected: str) -> TextSyntaxError:
        """Return the error for the next character."""
        return TextSyntaxError(self.what, self.text, len(self.text) - len(self.rest), expected)

    def accepts(self, *tokens: str) -> bool:
        """Read one of the tokens if it comes next; `**` is no `*`."""
        rest = self.rest
        for sign in tokens:
            if rest.startswith(sign) and not (sign == "*" and rest.startswith("**")):
                self.at = len(self.text) - len(rest) + len(sign)
                return True
        return False

    def monomial(self) -> Monomial:
        """Monomial = power {("*" | "·" | "/") power}."""
        result = self.power()
        while True:
            if self.accepts(*_TIMES):
                result *= self.power()
            elif self.accepts(*_OVER):
                result /= self.divisor()
            else:
                return result

    def divisor(self) -> Monomial:
        """Return a power that is not the number zero."""
        before = self.at
        result = self.power()
        if not result.coefficient:
            self.at = before
            raise self.error("something other than 0")
        return result

    def power(self) -> Monomial:
        """Power = atom [("^" | "**") exponent]."""
        base = self.atom()
        return base ** self.exponent() if self.accepts(*_POWER) else base

    def exponent(self) -> Fraction:
        """Exponent = ["-"] digits ["/" digits], in brackets where it is a fraction."""
        bracketed, before = self.accepts("("), self.at
        sign = -1 if self.accepts("-") else 1
        top = self.digits()
        bottom = self.digits() if bracketed and self.accepts("/") else 1
        if not bottom or top > _MOST_POWER * bottom or bottom > _MOST_POWER or not top:
            self.at = before
            raise self.error(f"an exponent other than 0, up to {_MOST_POWER}")
        if bracketed and not self.accepts(")"):
            raise self.error("')'")
        return Fraction(sign * top, bottom)

    def digits(self) -> int:
        """Return the whole number that comes next."""
        text = _leading(self.rest, str.isdecimal)
        if not text or not text.isascii() or len(text) > len(str(_MOST_POWER)):
            raise self.error("a whole number")
        self.accepts(text)
        return int(text)

    def atom(self) -> Monomial:
        """Atom = decimal | name | "sqrt(" monomial ")" | "(" monomial ")" | "(1 - " name ")"."""
        if self.rest[:1].isdecimal() or self.rest[:1] == ".":
            return Monomial.of(self.decimal())
        if self.accepts("sqrt("):
            return self.bracket() ** Fraction(1, 2)
        for symbol, name in _IN_BRACKETS.items():
            if self.accepts(symbol):
                return Monomial.of(**{name: 1})
        if self.accepts("("):
            return self.complement() or self.bracket()
        return Monomial.of(**{self.name(): 1})

    def bracket(self) -> Monomial:
        """Return what stands up to the closing bracket."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error("fewer brackets")
        inside = self.monomial()
        self.depth -= 1
        if not self.accepts(")"):
            raise self.error("')'")
        return inside

    def complement(self) -> Monomial | None:
        """Return `1 - name)` as the quantity that it is, None where something else comes."""
        before = self.at
        if not (self.accepts("1") and self.accepts("-")):
            self.at = before
            return None
        place = self.at
        name = _ONE_MINUS + self.name()
        if name not in QUANTITIES:
            self.at = place
            raise self.error(" or ".join(_complements()))
        if not self.accepts(")"):
            raise self.error("')'")
        return Monomial.of(**{name: 1})

    def name(self) -> str:
        """Return the quantity, or `value` for the parameter, whose name or symbol comes next."""
        word = _leading(self.rest, lambda letter: letter.isalnum() or letter == "_")
        if word in {"value", self.parameter} and self.accepts(word):
            return "value"
        if word in QUANTITIES and self.accepts(word):
            return word
        for symbol, name in _SYMBOLS:
            if symbol.startswith(word) and word and self.accepts(symbol):
                return name
        raise self.error(f"a number, {self.parameter}, or a quantity such as lr, B, N, loss_scale")

    def decimal(self) -> Fraction:
        """Return the number that comes next."""
        rest = self.rest
        text = _leading(rest, lambda letter: letter.isdecimal() or letter == ".")
        tail = rest[len(text) :]
        if tail[:1] in {"e", "E"}:
            sign = tail[1:2] if tail[1:2] in {"+", "-"} else ""
            text += tail[0] + sign + _leading(tail[1 + len(sign) :], str.isdecimal)
        try:
            number = exact(text, name=self.what)
        except InvalidValueError as error:
            if "is not a number" in str(error):
                raise self.error("a number") from None
            raise
        self.accepts(text)
        return number


def _leading(text: str, belongs: object) -> str:
    """Return the longest beginning whose characters all belong."""
    count = 0
    while count < len(text) and belongs(text[count]):  # type: ignore[operator]
        count += 1
    return text[:count]


def _complements() -> tuple[str, ...]:
    return tuple(n.removeprefix(_ONE_MINUS) for n in QUANTITIES if n.startswith(_ONE_MINUS))
