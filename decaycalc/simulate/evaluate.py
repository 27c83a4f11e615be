"""The value of an update rule's expression, in float64."""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from decaycalc.errors import MissingQuantityError
from decaycalc.simulate.blocks import BLOCKS, Array, Block, Memory

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


def evaluate(node: ast.expr, scope: Scope) -> Value:  # noqa: PLR0911 - one return a kind of node
    """Return the value of a checked expression.

    Raises:
        MissingQuantityError: a name has no value.
    """
    match node:
        case ast.Constant(value=value):
            return np.float64(float(value))  # type: ignore[arg-type]
        case ast.Name(id=name):
            return _look_up(name, scope)
        case ast.UnaryOp():
            return -evaluate(node.operand, scope)
        case ast.BinOp():
            left, right = evaluate(node.left, scope), evaluate(node.right, scope)
            return _OPERATIONS[type(node.op)](left, right)
        case ast.Compare(ops=[comparison], comparators=[right_side]):
            left, right = evaluate(node.left, scope), evaluate(right_side, scope)
            return _OPERATIONS[type(comparison)](left, right)
        case ast.IfExp():
            return _choose(node, scope)
        case ast.Call(func=ast.Name(id=name)) if name in BLOCKS:
            return _run_block(BLOCKS[name], node, scope)
        case ast.Call(func=ast.Name(id="sign")) if scope.plain:
            return evaluate(node.args[0], scope)
        case ast.Call(func=ast.Name(id=name)):
            return _FUNCTIONS[name](*(evaluate(part, scope) for part in node.args))
    raise AssertionError(ast.dump(node))  # pragma: no cover - the grammar lets nothing else pass


def _look_up(name: str, scope: Scope) -> Value:
    """Return a name's value."""
    try:
        return scope.values[name]
    except KeyError:
        raise MissingQuantityError("the update rule", (name,)) from None


def _choose(node: ast.IfExp, scope: Scope) -> Value:
    """Return one branch for a scalar condition, an elementwise choice for an array."""
    condition = evaluate(node.test, scope)
    if np.ndim(condition) == 0:
        return evaluate(node.body if condition else node.orelse, scope)
    return np.where(condition, evaluate(node.body, scope), evaluate(node.orelse, scope))


def _run_block(block: Block, node: ast.Call, scope: Scope) -> Array:
    """Return a block's direction: settings from keywords, then names, then defaults."""
    shape = np.shape(scope.values["w"])
    inputs = tuple(np.broadcast_to(evaluate(part, scope), shape) for part in node.args)
    settings = _settings(block, node, scope)
    if scope.plain:
        total: Array = np.sum(inputs, axis=0)
        return block.gain(settings) * total
    if block.weighted:
        inputs = (*inputs, scope.values["w"])
    return block(scope.memories.setdefault(node.col_offset, {}), inputs, settings)


def _settings(block: Block, node: ast.Call, scope: Scope) -> dict[str, float]:
    """Return a block's settings for this call, and the step's lr."""
    settings = dict(block.defaults)
    settings |= {name: float(scope.values[name]) for name in block.names & scope.values.keys()}
    settings |= {str(part.arg): float(evaluate(part.value, scope)) for part in node.keywords}
    settings |= {name: scope.settings[name] for name in block.names & scope.settings.keys()}
    return {**settings, "lr": float(scope.values["lr"])}


def _fold(combine: Callable[[Value, Value], Value], values: tuple[Value, ...]) -> Value:
    """Return the elementwise extreme of two or more values."""
    result = values[0]
    for value in values[1:]:
        result = combine(result, value)
    return result
