"""Whole-number arithmetic as shells write it, `$((A * 8 / B))`: a small recursive descent."""

import re
from collections.abc import Callable
from fractions import Fraction

_TOKEN = re.compile(r"\s*(?:(\d+)|\$?\{?([A-Za-z_]\w*)\}?|([-+*/%()]))")
_MOST_TOKENS = 200  # longer than anybody writes in a shell
_MOST_BITS = 200

Lookup = Callable[[str], str | None]


def calculate(text: str, lookup: Lookup) -> Fraction | None:
    """Return the value of `sum = product { ("+" | "-") product }`, None where it is unknown.

    >>> calculate("2 * (3 + N) / 2", {"N": "5"}.get)
    Fraction(8, 1)
    """
    tokens = _tokens(text)
    if not tokens:
        return None
    try:
        parser = _Parser(tokens, lookup)
        value = parser.sum(0)
    except _UnknownError:
        return None
    return Fraction(value) if parser.at == len(tokens) else None


class _UnknownError(Exception):
    """An expression whose value is not known."""


def _tokens(text: str) -> list[str]:
    """Return the tokens, none where something else stands in the text."""
    tokens: list[str] = []
    at = 0
    bare = text.rstrip()
    while at < len(bare):
        match = _TOKEN.match(bare, at)
        if match is None or len(tokens) >= _MOST_TOKENS:
            return []
        tokens.append(match[1] or match[2] or match[3])
        at = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str], lookup: Lookup) -> None:
        self.tokens, self.lookup, self.at = tokens, lookup, 0

    def accept(self, symbols: str) -> str:
        """Step over one of the symbols and return it, empty if none comes."""
        if self.at < len(self.tokens) and self.tokens[self.at] in tuple(symbols):
            self.at += 1
            return self.tokens[self.at - 1]
        return ""

    def sum(self, depth: int) -> int:
        """Sum = product { ("+" | "-") product }."""
        value = self.product(depth)
        while sign := self.accept("+-"):
            other = self.product(depth)
            value = value + other if sign == "+" else value - other
        return value

    def product(self, depth: int) -> int:
        """Product = factor { ("*" | "/" | "%") factor }; division is cut towards zero."""
        value = self.factor(depth)
        while sign := self.accept("*/%"):
            other = self.factor(depth)
            if sign == "*":
                value *= other
            elif not other:
                raise _UnknownError
            else:
                quotient = abs(value) // abs(other) * (1 if value * other >= 0 else -1)
                value = quotient if sign == "/" else value - other * quotient
            if value.bit_length() > _MOST_BITS:
                raise _UnknownError
        return value

    def factor(self, depth: int) -> int:
        """Factor = digits | name | "(" sum ")" | "-" factor."""
        if depth > _MOST_TOKENS or self.at >= len(self.tokens):
            raise _UnknownError
        if self.accept("-"):
            return -self.factor(depth + 1)
        if self.accept("("):
            value = self.sum(depth + 1)
            if not self.accept(")"):
                raise _UnknownError
            return value
        token = self.tokens[self.at]
        self.at += 1
        text = token if token.isdecimal() else self.lookup(token) or ""
        if not (text.isascii() and text.isdecimal() and len(text) < _MOST_BITS):
            raise _UnknownError
        return int(text)
