"""The value of an update rule's expression, in float64.

A training takes the same few expressions through thousands of steps, so the syntax tree is walked
once: what comes of it is a function of the scope.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from decaycalc.errors import MissingQuantityError
from decaycalc.verification.rules.optimizers import BLOCKS, Array, Memory

Value = Any
"""A float64 scalar or an array shaped as the weights."""

_OPERATIONS: Mapping[type, Callable[[Value, Value], Value]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "norm": lambda values: np.linalg.norm(np.ravel(values)),
    "sum": np.sum,
    "mean": np.mean,
    "max": lambda *values: _fold(np.maximum, values),
    "min": lambda *values: _fold(np.minimum, values),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an expression may read: names, and the memories of its blocks by their position.

    `plain` replaces every block by its long-run gain and drops signs, which turns an optimizer
    into gradient descent. `settings` overrule those of all blocks.
    """

    values: dict[str, Value]
    memories: dict[int, Memory]
    plain: bool = False
    settings: Mapping[str, float] = field(default_factory=dict)


Evaluator = Callable[[Scope], Value]
"""An expression's value in a scope.

Raises:
    MissingQuantityError: a name has no value.
"""


def evaluator(node: ast.expr) -> Evaluator:  # noqa: PLR0911 - one return a kind of node
    """Return the function that gives a checked expression's value."""
    match node:
        case ast.Constant(value=value):
            number = np.float64(float(value))  # type: ignore[arg-type]
            return lambda _: number
        case ast.Name(id=name):
            return lambda scope: look_up(name, scope)
        case ast.UnaryOp():
            operand = evaluator(node.operand)
            return lambda scope: -operand(scope)
        case ast.BinOp():
            return _combined(node.op, node.left, node.right)
        case ast.Compare(ops=[comparison], comparators=[right]):
            return _combined(comparison, node.left, right)
        case ast.IfExp():
            return _choice(node)
        case ast.Call(func=ast.Name(id=name)):
            return _run_of_block(name, node) if name in BLOCKS else _call(name, node)
    raise AssertionError(ast.dump(node))  # pragma: no cover - the grammar lets nothing else pass


def look_up(name: str, scope: Scope) -> Value:
    """Return a name's value.

    Raises:
        MissingQuantityError: it has none.
    """
    try:
        return scope.values[name]
    except KeyError:
        raise MissingQuantityError("the update rule", (name,)) from None


def _combined(sign: ast.operator | ast.cmpop, left: ast.expr, right: ast.expr) -> Evaluator:
    """Return an operation of two expressions."""
    operation, one, other = _OPERATIONS[type(sign)], evaluator(left), evaluator(right)
    return lambda scope: operation(one(scope), other(scope))


def _choice(node: ast.IfExp) -> Evaluator:
    """Return one branch for a scalar condition, an elementwise choice for an array."""
    test, body, orelse = (evaluator(part) for part in (node.test, node.body, node.orelse))

    def choose(scope: Scope) -> Value:
        condition = test(scope)
        if np.ndim(condition) == 0:
            return body(scope) if condition else orelse(scope)
        return np.where(condition, body(scope), orelse(scope))

    return choose


def _call(name: str, node: ast.Call) -> Evaluator:
    """Return a stateless function of its arguments."""
    function, arguments = _FUNCTIONS[name], [evaluator(part) for part in node.args]
    if name == "sign":
        (argument,) = arguments
        return lambda scope: argument(scope) if scope.plain else function(argument(scope))
    return lambda scope: function(*(argument(scope) for argument in arguments))


def _run_of_block(name: str, node: ast.Call) -> Evaluator:
    """Return a block's direction: settings from keywords, then names, then defaults."""
    block, position = BLOCKS[name], node.col_offset
    arguments = [evaluator(part) for part in node.args]
    keywords = {str(part.arg): evaluator(part.value) for part in node.keywords}
    defaults = {each: block.defaults[each] for each in block.names - keywords.keys()}

    def settings_in(scope: Scope) -> dict[str, float]:
        settings = {
            each: float(scope.values.get(each, default)) for each, default in defaults.items()
        }
        settings |= {each: float(keyword(scope)) for each, keyword in keywords.items()}
        settings |= {each: scope.settings[each] for each in settings.keys() & scope.settings.keys()}
        settings["lr"] = float(scope.values["lr"])
        return settings

    def run(scope: Scope) -> Array:
        w = scope.values["w"]
        inputs = tuple(shaped(argument(scope), w) for argument in arguments)
        settings = settings_in(scope)
        if scope.plain:
            total: Array = np.sum(inputs, axis=0)
            return block.gain(settings) * total
        if block.weighted:
            inputs = (*inputs, w)
        return block(scope.memories.setdefault(position, {}), inputs, settings)

    return run


def shaped(value: Value, w: Array) -> Array:
    """Return a value in the weights' shape."""
    if isinstance(value, np.ndarray) and value.shape == w.shape:
        return value
    return np.broadcast_to(value, w.shape)


def _fold(combine: Callable[[Value, Value], Value], values: tuple[Value, ...]) -> Value:
    """Return the elementwise extreme of two or more values."""
    result = values[0]
    for value in values[1:]:
        result = combine(result, value)
    return result
