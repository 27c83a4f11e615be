"""Update rules: one line of text that says what a step does to the weights, parsed and executed.

g = g + weight_decay*w; w = w - lr*heavy_ball(g)
minimise loss + l2*sum(w**2)
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike

from decaycalc.errors import InvalidValueError
from decaycalc.verification.objective import IMPLIED, ObjectiveTerm, gradient, split_objective
from decaycalc.verification.rules.evaluate import Evaluator, Scope, Value, evaluator, shaped
from decaycalc.verification.rules.grammar import (
    GIVEN,
    error_at,
    name_of,
    names_in,
    parse_objective,
    parse_statements,
)
from decaycalc.verification.rules.optimizers import Array, Memory

Stepper = Callable[[Array, float], Array]
"""A framework's optimizer of one tensor: from gradient and lr to the weights after the step."""
_HEAVY_BALL = evaluator(ast.parse("heavy_ball(g)", mode="eval").body)
_VELOCITY = evaluator(ast.parse("velocity(lr*g)", mode="eval").body)


@dataclass(slots=True, kw_only=True)
class State:
    """What a rule keeps between steps: the step count, its names and its blocks' buffers.

    A rule whose steps a framework takes keeps that framework's optimizer as `stepper`.
    """

    t: int = 0
    values: dict[str, Value] = field(default_factory=dict)
    memories: dict[int, Memory] = field(default_factory=dict)
    stepper: Stepper | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One statement of a rule: the name that it writes, its value in a scope, what that reads."""

    name: str
    value_in: Evaluator
    reads: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class UpdateRule:
    """A parsed update rule; `parse_rule` makes them.

    An objective is descended with a momentum that lr multiplies, or with lr `inside` its buffer.
    """

    text: str
    statements: tuple[Assignment, ...] = ()
    objective: tuple[ObjectiveTerm, ...] = ()
    inside: bool = False

    @property
    def quantities(self) -> frozenset[str]:
        """The names that a step needs besides those given to every rule and its own state."""
        reads = {name for statement in self.statements for name in statement.reads}
        for term in self.objective:
            reads |= {*names_in(term.coefficient), IMPLIED.get(term.name, "w")}
        reads |= {"batch_size"} if "batch_size_now" in reads else set()
        return frozenset(reads - self._written - GIVEN)

    def step(
        self,
        state: State,
        w: ArrayLike,
        g: ArrayLike,
        *,
        names: Mapping[str, float],
        settings: Mapping[str, float] | None = None,
    ) -> Array:
        """Return the weights after one step, shaped as `w`, and advance `state`.

        `g` is the gradient of the data loss as the run reduces it. `names` holds `lr` and what
        the rule reads, and may hold `lr_peak` (else lr), `batch_size_now` (else batch_size),
        `loss_scale` (else 1) and the settings of the blocks (`momentum`, `beta1`, ...), which
        `settings` overrule even where the rule itself has them.

        Raises:
            MissingQuantityError: a name has no value.
            InvalidValueError: the weights overflowed.
        """
        state.t += 1
        scope = self._scope(state, w, g, names, settings=settings or {}, plain=False)
        after = self._after(scope, state)
        return shaped(after, np.asarray(w))

    def descent(self, w: ArrayLike, g: ArrayLike, *, names: Mapping[str, float]) -> Array:
        """Return what a step subtracts over lr, every block replaced by its long-run gain.

        For a coupled convention this is a multiple of the gradient of the penalised objective,
        and so 0 at its optimum whatever the optimizer. An objective's is that gradient itself, as
        is that of a rule which keeps state of its own beside `g`: what it makes of `g` is its own.
        Without `g` assigned to, state kept by hand is taken where it settles.

        Raises:
            MissingQuantityError: a name has no value.
            InvalidValueError: the weights overflowed.
        """
        state = State(t=1)
        scope, after = self._plainly(state, w, g, names)
        if self._keeps_state and "g" in self._written:
            return np.asarray(scope.values["g"])
        if self._keeps_state:
            once = dict(state.values)
            self._plainly(state, w, g, names)
            state.values = {name: _settled(once[name], state.values[name]) for name in once}
            scope, after = self._plainly(state, w, g, names)
        return np.asarray((np.asarray(w, float) - after) / scope.values["lr"])

    def _plainly(
        self, state: State, w: ArrayLike, g: ArrayLike, names: Mapping[str, float]
    ) -> tuple[Scope, Value]:
        """Return the scope and the weights after a step with every block's gain in its place."""
        scope = self._scope(state, w, g, names, settings={}, plain=True)
        return scope, self._after(scope, state)

    @cached_property
    def _written(self) -> frozenset[str]:
        """The names that are assigned to."""
        return frozenset(statement.name for statement in self.statements)

    @cached_property
    def _keeps_state(self) -> bool:
        """Whether a name of the rule's own is read before it is assigned to."""
        known: set[str] = {"g", "w"}
        for statement in self.statements:
            if statement.reads & (self._written - known):
                return True
            known.add(statement.name)
        return False

    def _scope(
        self,
        state: State,
        w: ArrayLike,
        g: ArrayLike,
        names: Mapping[str, float],
        *,
        settings: Mapping[str, float],
        plain: bool,
    ) -> Scope:
        """Return what the rule's expressions may read in this step."""
        values: dict[str, Value] = {name: np.float64(value) for name, value in names.items()}
        values |= {**state.values, "w": np.asarray(w, float), "g": np.asarray(g, float)}
        values["t"] = np.float64(state.t)
        values.setdefault("lr_peak", values["lr"])
        if "batch_size" in values:
            values.setdefault("batch_size_now", values["batch_size"])
        if "multiplier" not in values:
            with np.errstate(all="ignore"):
                values["multiplier"] = values["lr"] / values["lr_peak"]
        return Scope(values=values, memories=state.memories, plain=plain, settings=settings)

    def _after(self, scope: Scope, state: State) -> Value:
        """Return the weights after one step.

        Raises:
            InvalidValueError: they overflowed.
        """
        with np.errstate(all="ignore"):
            after = self._descend(scope) if self.objective else self._assign(scope, state)
        if not np.isfinite(after).all():
            raise InvalidValueError(
                "w", "above 1.8e308", f"after step {state.t}: the rule diverges"
            )
        return after

    def _descend(self, scope: Scope) -> Value:
        """Return the weights after a step of (momentum) gradient descent on the objective."""
        scope.values["g"] = gradient(self.objective, scope)
        if self.inside and not scope.plain:
            return scope.values["w"] - _VELOCITY(scope)
        direction = scope.values["g"] if scope.plain else _HEAVY_BALL(scope)
        return scope.values["w"] - scope.values["lr"] * direction

    def _assign(self, scope: Scope, state: State) -> Value:
        """Return the weights after the assignments, and keep the other names in `state`."""
        for name in self._written - scope.values.keys():
            scope.values[name] = np.zeros_like(scope.values["w"])
        for each in self.statements:
            value = scope.values[each.name] = each.value_in(scope)
            if each.name not in GIVEN:
                state.values[each.name] = value
        return scope.values["w"]


def _settled(once: Value, twice: Value) -> Value:
    """Return where a name ends that starts at 0 and moves by a constant factor of its last move.

    A momentum kept by hand does: it is `momentum` times itself plus what a constant gradient adds.
    """
    first, second = np.asarray(once, float), np.asarray(twice, float)
    factor = np.zeros_like(first + second)
    np.divide(second - first, first, out=factor, where=first != 0)
    return np.where(np.abs(factor) < 1, first / (1 - np.where(factor == 1, 0, factor)), second)


@lru_cache(maxsize=512)
def parse_rule(text: str) -> UpdateRule:
    """Return the rule that `text` says.

    >>> rule = parse_rule("g = g + weight_decay*w; w = w - lr*heavy_ball(g)")
    >>> sorted(rule.quantities)
    ['weight_decay']
    >>> rule.step(State(), [1.0, -2.0], [0.0, 0.0], names={"lr": 0.1, "weight_decay": 0.5})
    array([ 0.95, -1.9 ])

    Raises:
        TextSyntaxError: the text leaves the grammar; its position is the offending character.
    """
    parsed = parse_objective(text)
    if parsed is not None:
        return UpdateRule(text=text, objective=split_objective(text, *parsed))
    statements = parse_statements(text)
    for statement in statements:
        for part in ast.walk(statement.value):
            if isinstance(part, ast.Name) and part.id in {"loss", "batch_sum"}:
                raise error_at(text, part.col_offset, "g (loss belongs after 'minimise')")
    return UpdateRule(text=text, statements=tuple(map(_assignment, statements)))


def _assignment(statement: ast.Assign) -> Assignment:
    """Return a checked statement, ready to be executed."""
    return Assignment(
        name=name_of(statement),
        value_in=evaluator(statement.value),
        reads=frozenset(names_in(statement.value)),
    )
