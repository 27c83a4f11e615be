"""What a Python statement assigns to what, and arithmetic on the numbers in it."""

import ast
import re
from collections.abc import Callable
from fractions import Fraction

from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.trainers.syntax.tree import Entries, Node, Scalar

_MOST_BITS = 4000
_LARGEST_EXPONENT = 400


_OF_BASE = re.compile(r"\{\{\s*(_base_(?:\.[A-Za-z_]\w*)+)\s*\}\}")


class OpenValueError(Exception):
    """An expression that cannot be known without running the file."""


def arithmetic(operator: ast.operator, left: Fraction, right: Fraction) -> Fraction:
    """Return `left operator right` of two numbers of bounded size."""
    try:
        match operator:
            case ast.Add():
                result = left + right
            case ast.Sub():
                result = left - right
            case ast.Mult():
                result = left * right
            case ast.Div():
                result = left / right
            case ast.FloorDiv():
                result = Fraction(left // right)
            case ast.Pow() if right.denominator == 1 and abs(right) <= _LARGEST_EXPONENT:
                result = left ** int(right)
            case _:
                raise OpenValueError
    except ZeroDivisionError:
        raise OpenValueError from None
    if max(result.numerator.bit_length(), result.denominator.bit_length()) > _MOST_BITS:
        raise OpenValueError
    return result


def computed(
    value: ast.expr, number: Callable[[ast.expr], Fraction], node: Callable[[ast.expr], Node]
) -> Fraction:
    """Return arithmetic on numbers, exactly; `number` and `node` read the parts of it.

    Raises:
        OpenValueError: a part that is no number.
    """
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        return -number(value.operand)
    if isinstance(value, ast.BinOp):
        return arithmetic(value.op, number(value.left), number(value.right))
    found = node(value)
    known = typed_number(found.text) if isinstance(found, Scalar) and found.text else None
    if known is None:
        raise OpenValueError
    return known


def assigned_to(statement: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    """Return the targets and values of an assignment, none of anything else."""
    if isinstance(statement, ast.Assign):
        return [(target, statement.value) for target in statement.targets]
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return [(statement.target, statement.value)]
    if isinstance(statement, ast.AugAssign):  # a *= 2
        whole = ast.BinOp(left=statement.target, op=statement.op, right=statement.value)
        return [(statement.target, ast.copy_location(whole, statement))]
    return []


def path_of(target: ast.expr) -> tuple[str, ...]:
    """Return the names of `a`, `a.b` or `a["b"]`, none of any other target."""
    names: list[str] = []
    while not isinstance(target, ast.Name):
        if isinstance(target, ast.Attribute):
            names.append(target.attr)
        elif (
            isinstance(target, ast.Subscript)
            and isinstance(target.slice, ast.Constant)
            and isinstance(target.slice.value, str)
        ):
            names.append(target.slice.value)
        else:
            return ()
        target = target.value
    return (target.id, *reversed(names))


def changed_in(target: ast.expr) -> tuple[str, ...]:
    """Return the path of what `a.b[0].c = ...` changes a part of, `a.b`; none without a number."""
    found: ast.expr | None = None
    while isinstance(target, (ast.Attribute, ast.Subscript)):
        if isinstance(target, ast.Subscript) and not path_of(target):
            found = target.value
        target = target.value
    return () if found is None else path_of(found)


def unbraced(value: ast.expr) -> ast.expr:
    """Return what `{{_base_.a}}` stands for, written bare or as a text; any other value as it is.

    Source: mmengine 0.10.7 config/config.py, Config._pre_substitute_base_vars.
    """
    match value:
        case ast.Set(elts=[ast.Set(elts=[inner])]):
            return inner
        case ast.Constant(value=str(word)) if found := _OF_BASE.fullmatch(word):
            return ast.copy_location(ast.parse(found[1], mode="eval").body, value)
    return value


def with_value(entries: "dict[str, Node]", path: tuple[str, ...], node: Node) -> dict[str, Node]:
    """Return the entries with the value at a path set."""
    if len(path) == 1:
        return {**entries, path[0]: node}
    below = entries.get(path[0])
    inner = dict(below.entries) if isinstance(below, Entries) else {}
    return {**entries, path[0]: Entries(entries=with_value(inner, path[1:], node), line=node.line)}
