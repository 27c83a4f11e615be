"""Objectives (`minimise` rules), taken apart into terms whose gradients are known.

An objective is a sum of the data loss and of penalties, each times a number, and so its gradient
is the same sum of their gradients.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from decaycalc.verification.rules.evaluate import Evaluator, Scope, Value, evaluator, look_up
from decaycalc.verification.rules.grammar import error_at
from decaycalc.verification.rules.optimizers import Array


@dataclass(frozen=True, kw_only=True)
class ObjectiveTerm:
    """One term of an objective, as it is written, and the expression of its coefficient."""

    name: str
    coefficient: ast.expr

    @cached_property
    def coefficient_in(self) -> Evaluator:
        """The coefficient's value in a scope."""
        return evaluator(self.coefficient)


def split_objective(text: str, node: ast.expr, offset: int) -> tuple[ObjectiveTerm, ...]:
    """Return the terms of a checked expression that begins at `offset` of the text.

    Raises:
        TextSyntaxError: it is not a sum of known terms times numbers.
    """
    terms = _split(text, node, offset)
    if not terms:
        raise error_at(text, offset, "at least one of loss, sum(w**2), mean(w**2), norm(w)")
    return terms


def gradient(terms: tuple[ObjectiveTerm, ...], scope: Scope) -> Array:
    """Return the gradient of an objective, shaped as the weights.

    `scope` holds `g`, the minibatch gradient of the data loss as the run reduces it, and
    `loss_scale`, what that reduction multiplies the mean by (1, batch_size or dataset_size).

    Raises:
        MissingQuantityError: a name has no value.
    """
    total: Array = np.zeros_like(scope.values["w"])
    for term in terms:
        total = total + term.coefficient_in(scope) * _GRADIENTS[term.name](scope)
    return total


def _split(text: str, node: ast.expr, offset: int) -> tuple[ObjectiveTerm, ...]:
    """Return the terms in `node`, none when it is a number."""
    source = ast.unparse(node)
    if source in _GRADIENTS:
        return (ObjectiveTerm(name=source, coefficient=ast.Constant(1.0)),)
    match node:
        case ast.Constant():
            return ()
        case ast.Name() if source not in {"w", "g"}:
            return ()
        case ast.UnaryOp():
            return _scaled(_split(text, node.operand, offset), ast.Mult(), ast.Constant(-1.0))
        case ast.BinOp():
            return _split_operation(text, node, offset)
        case ast.Call() if not any(_split(text, part, offset) for part in node.args):
            return ()
        case _:
            raise error_at(text, node.col_offset + offset, f"numbers and {', '.join(_GRADIENTS)}")


def _split_operation(text: str, node: ast.BinOp, offset: int) -> tuple[ObjectiveTerm, ...]:
    """Return the terms of an operation: terms may be added, and scaled by numbers."""
    left, right = (_split(text, side, offset) for side in (node.left, node.right))
    match node.op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left + _scaled(right, ast.Mult(), ast.Constant(-1.0))
        case ast.Mult() if not left:
            return _scaled(right, ast.Mult(), node.left)
        case (ast.Mult() | ast.Div()) as operation if not right:
            return _scaled(left, operation, node.right)
        case ast.Pow() if not left + right:
            return ()
        case _:
            raise error_at(text, node.col_offset + offset, "terms times numbers only")


def _scaled(
    terms: tuple[ObjectiveTerm, ...], operation: ast.operator, factor: ast.expr
) -> tuple[ObjectiveTerm, ...]:
    """Return the terms with `operation factor` applied to each coefficient."""
    return tuple(
        ObjectiveTerm(name=term.name, coefficient=ast.BinOp(term.coefficient, operation, factor))
        for term in terms
    )


def _mean_loss(scope: Scope) -> Value:
    """Return the gradient of the mean loss."""
    return scope.values["g"] / scope.values.get("loss_scale", 1.0)


def _unit(scope: Scope) -> Value:
    """Return the gradient of norm(w), 0 where w is."""
    norm = np.linalg.norm(scope.values["w"])
    return scope.values["w"] / norm if norm else scope.values["w"]


def _n_weights(scope: Scope) -> Value:
    """Return the number of weights that a mean goes over: the run's, else this tensor's."""
    return scope.values.get("n_weights", np.float64(np.size(scope.values["w"])))


def _quantity(name: str, scope: Scope) -> Value:
    """Return a quantity that a loss reduction implies."""
    return look_up(name, scope)


_GRADIENTS: Mapping[str, Callable[[Scope], Value]] = {
    "loss": lambda scope: scope.values["g"],
    "mean(loss)": _mean_loss,
    "batch_sum(loss)": lambda scope: _mean_loss(scope) * _quantity("batch_size_now", scope),
    "sum(loss)": lambda scope: _mean_loss(scope) * _quantity("dataset_size", scope),
    "sum(w ** 2)": lambda scope: 2 * scope.values["w"],
    "mean(w ** 2)": lambda scope: 2 * scope.values["w"] / _n_weights(scope),
    "norm(w)": _unit,
}
"""The gradient of each term, by how `ast` writes it."""

IMPLIED: Mapping[str, str] = {"batch_sum(loss)": "batch_size", "sum(loss)": "dataset_size"}
"""The quantities that the loss reductions read."""
