"""What tests of a script come to, where the values in them are known."""

import ast
from collections.abc import Callable, Sequence
from fractions import Fraction
from operator import ge, gt, le, lt

from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.trainers.syntax.tree import Items, Node, Scalar

_COMPARED: dict[type[ast.cmpop], Callable[[Fraction, Fraction], bool]] = {
    ast.Gt: gt,
    ast.Lt: lt,
    ast.GtE: ge,
    ast.LtE: le,
}


def compared(first: Node, operator: ast.cmpop, second: Node) -> bool | None:
    """Return what comparing two values gives, None where that is not told."""
    if isinstance(operator, (ast.In, ast.NotIn)):
        if not isinstance(second, Items):
            return None
        is_held = plain(first) in [plain(each) for each in second.items]
        return is_held == isinstance(operator, ast.In)
    ours, theirs = plain(first), plain(second)
    if isinstance(operator, (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)):
        return (ours == theirs) == isinstance(operator, (ast.Eq, ast.Is))
    if not isinstance(ours, Fraction) or not isinstance(theirs, Fraction):
        return None
    return _COMPARED[type(operator)](ours, theirs)


def joined_truths(known: Sequence[bool | None], operator: ast.boolop) -> bool | None:
    """Return what `and` or `or` makes of truths, some of which are not known."""
    decides = isinstance(operator, ast.Or)
    if decides in known:
        return decides
    return None if None in known else not decides


def plain(node: Node) -> object:
    """Return a value as what it can be compared by."""
    if isinstance(node, Items):
        return tuple(plain(each) for each in node.items)
    text = node.text if isinstance(node, Scalar) else None
    number = None if text is None else typed_number(text)
    return text if number is None else number
