"""What an optax optimizer is made of: the numbers that its functions hold, and copies with others.

An optax optimizer is a pair of functions; what it was made with stands in their closures, where
Python can read it. Nothing is written: a copy is a new function over new cells.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CellType, FunctionType, SimpleNamespace
from typing import Any

Tree = Any
Changes = Mapping[int, Mapping[str, Any]]
"""What cells of a link hold in a copy, by the link's place in memory."""

_SCALE, _SCHEDULE, _TRACE = "scale", "scale_by_schedule", "trace"
_LAMBDA, _RATE = "weight_decay", "learning_rate"
_SCALES = {_SCALE: "step_size", _SCHEDULE: "step_size_fn"}
# What comes first of a chain and only rescales or clips gradients.
_BEFORE = frozenset({"clip", "clip_by_global_norm", "clip_by_block_rms", "zero_nans", "identity",
                     "adaptive_grad_clip", "centralize", "unitwise_clip"})  # fmt: skip
_THROUGH = frozenset({"with_extra_args_support", "apply_if_finite", "flatten"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One transformation of a chain: the function that made it, and what it holds."""

    name: str
    update: Any
    values: Mapping[str, Any]


def is_transformation(thing: Any) -> bool:
    """Return whether an object has the two functions of a gradient transformation."""
    return callable(getattr(thing, "init", None)) and callable(getattr(thing, "update", None))


def plain(optimizer: Any) -> Any:
    """Return an optimizer without what only feeds it: injected hyperparameters, micro-steps."""
    optimizer = _without_micro_steps(optimizer)
    name, cells = _name(optimizer.update), _cells(optimizer.update)
    if name == "inject_hyperparams":
        return _without_injection(optimizer, cells)
    if name == "chain":
        parts = list(_parts(optimizer, cells))
        new = [plain(part) for part in parts]
        if any(one is not other for one, other in zip(parts, new, strict=True)):
            return sys.modules["optax"].chain(*new)
    return optimizer


def _without_micro_steps(optimizer: Any) -> Any:
    """Return what optax' MultiSteps holds, any other optimizer as it is."""
    held = getattr(getattr(optimizer.update, "__self__", None), "_opt", None)
    return plain(held) if is_transformation(held) else optimizer


def _without_injection(optimizer: Any, cells: Mapping[str, Any]) -> Any:
    """Return what `inject_hyperparams` makes at each step, with its numbers and schedules in it."""
    numbers = _cells(optimizer.init).get("numeric_hps", {})
    schedules = {
        name: getattr(schedule, "schedule_fn", None)
        for name, schedule in cells["sched_hps"].items()
    }
    if None in schedules.values():  # a schedule with a state of its own
        return optimizer
    return plain(cells["inner_factory"](**cells["other_hps"], **numbers, **schedules))


def links_of(optimizer: Any, small: Tree, at: int) -> Iterator[Link]:
    """Yield the transformations that a leaf's update passes, by its place `at` among the leaves."""
    optimizer = _without_micro_steps(optimizer)
    name, cells = _name(optimizer.update), _cells(optimizer.update)
    if name == "chain":
        for part in _parts(optimizer, cells):
            yield from links_of(part, small, at)
    elif name == "named_chain":
        for _, part in cells["transforms"]:
            yield from links_of(part, small, at)
    elif name in {"partition", "multi_transform"}:
        label = _of_leaf(cells["param_labels"], small, at)
        yield from links_of(cells["transforms"][label], small, at)
    elif name == "masked":
        if _of_leaf(cells["mask"], small, at):
            yield from links_of(cells["inner"], small, at)
    elif name in _THROUGH:
        yield from links_of(cells.get("tx") or cells["inner"], small, at)
    elif name != "identity":
        yield Link(name=name, update=optimizer.update, values=cells)


def _of_leaf(tree: Any, small: Tree, at: int) -> Any:
    """Return what a tree, a prefix of one, or a function of one says of a leaf."""
    jax = sys.modules["jax"]
    held = tree(small) if callable(tree) and not _is_node(jax, tree) else tree
    spread = jax.tree_util.tree_map(
        lambda value, below: jax.tree_util.tree_map(lambda _: value, below), held, small
    )
    return jax.tree_util.tree_leaves(spread)[at]


def _is_node(jax: Any, tree: Any) -> bool:
    """Return whether a callable is a tree too, as some modules are."""
    return not jax.tree_util.all_leaves([tree])


def _parts(optimizer: Any, cells: Mapping[str, Any]) -> Iterator[Any]:
    inits = _cells(optimizer.init)["init_fns"]
    for init, update in zip(inits, cells["update_fns"], strict=True):
        yield SimpleNamespace(init=init, update=update)


def _cells(function: Any) -> dict[str, Any]:
    """Return what a function's closure holds, by the names that its code has for it."""
    code = getattr(function, "__code__", None)
    cells = getattr(function, "__closure__", None) or ()
    return {} if code is None else {
        name: cell.cell_contents for name, cell in zip(code.co_freevars, cells, strict=True)
    }  # fmt: skip


def _name(function: Any) -> str:
    """Return the name of the function that made this one."""
    return str(getattr(function, "__qualname__", "")).partition(".<locals>")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The links of one leaf, and where its lr and its λ stand in them.

    `lr` and `weight_decay` are a number, a function of the count, or None where they stand nowhere.
    """

    links: tuple[Link, ...]

    @property
    def names(self) -> tuple[tuple[str, bool], ...]:
        """The links by name and whether they look ahead, without what only prepares gradients."""
        begun = False
        found = []
        for link in self.links:
            begun = begun or link.name not in _BEFORE
            if begun:
                name = _SCALE if link.name == _SCHEDULE else link.name
                found.append((name, link.values.get("nesterov") is True))
        return tuple(found)

    @property
    def decay_link(self) -> Link | None:
        """The one link that holds a λ, None where there are none or several."""
        return self._only(_LAMBDA)

    @property
    def weight_decay(self) -> Any:
        """Its λ as the link holds it; 0 where optax's links have none, None where none can tell."""
        if self.decay_link is not None:
            return self.decay_link.values[_LAMBDA]
        none = all(
            str(link.update.__module__).startswith("optax.") and not _may_decay(link.update)
            for link in self.links
        )
        return 0.0 if none else None

    @property
    def scales(self) -> tuple[tuple[Link, str], ...]:
        """The links that multiply an update by a number or a schedule, and the cell that holds it.

        Without any it is the one that holds a learning rate of its own.
        """
        found = tuple((link, _SCALES[link.name]) for link in self.links if link.name in _SCALES)
        own = None if found else self._only(_RATE)
        return found if own is None else ((own, _RATE),)

    @property
    def lr(self) -> Any:
        """The product of all scales, without its sign; a function where one is a schedule."""
        factors = [link.values.get(key) for link, key in self.scales]
        if not factors or any(factor is None for factor in factors):
            return None
        if any(map(callable, factors)):
            return lambda count: abs(_product(f(count) if callable(f) else f for f in factors))
        return abs(float(_product(factors)))

    def _only(self, key: str) -> Link | None:
        found = [link for link in self.links if link.values.get(key) is not None]
        return found[0] if len(found) == 1 else None

    @property
    def momentum(self) -> float | None:
        """What its one trace keeps of a gradient, None where it has none."""
        traces = [link for link in self.links if link.name == _TRACE]
        kept = traces[0].values.get("decay") if len(traces) == 1 else None
        return None if kept is None else float(kept)

    @property
    def nesterov(self) -> bool:
        """Whether a link looks ahead."""
        return any(looks_ahead for _, looks_ahead in self.names)

    def setter(self) -> Callable[[Any, Any], Changes]:
        """Return what makes of an lr and a λ that which the links of a copy hold.

        Signs are those of the user's own; all scales but one are bare signs.
        """
        scales = [(id(link.update), key, link.values[key]) for link, key in self.scales]
        signs = [_sign(held) for _, _, held in scales]
        first, decay = self._first_scale, self.decay_link
        own = None if decay is None else decay.values[_LAMBDA]
        turned = 1 if own is None else _sign(own)

        def changes(lr: Any, weight_decay: Any) -> Changes:
            found: dict[int, dict[str, Any]] = {}
            for at, (place, key, held) in enumerate(scales):
                value = signs[at] * (lr if at == first else 1)
                found[place] = {key: _like(held, value)}
            if decay is not None:
                cells = found.setdefault(id(decay.update), {})
                cells[_LAMBDA] = _like(own, turned * weight_decay)
            return found

        return changes

    @property
    def _first_scale(self) -> int:
        """The place of the scale that holds the lr: the first that is no bare sign."""
        factors = [link.values[key] for link, key in self.scales]
        found = (at for at, held in enumerate(factors) if callable(held) or abs(float(held)) != 1)
        return next(found, len(factors) - 1)


def _like(held: Any, value: Any) -> Any:
    """Return a value in the form of what is held: a schedule where that is one."""
    return (lambda _: value) if callable(held) else value


def _may_decay(function: Any, depth: int = 4) -> bool:
    """Return whether a function, or one that it holds, knows a λ, or holds an optimizer."""
    cells, code = _cells(function), getattr(function, "__code__", None)
    if code is None or _LAMBDA in (*code.co_varnames, *code.co_freevars):
        return True
    if any(map(is_transformation, cells.values())):
        return True
    inner = [held for held in cells.values() if callable(held)]
    return bool(inner) and (depth == 0 or any(_may_decay(each, depth - 1) for each in inner))


def _sign(factor: Any) -> int:
    """Return the sign of a scale; of a schedule that begins with 0 the first other one."""
    counts = (0, *(2**power for power in range(24)))
    values = map(factor, counts) if callable(factor) else iter((factor,))
    return next((1 if float(value) > 0 else -1 for value in values if float(value)), 1)


def _product(factors: Any) -> Any:
    whole = 1
    for factor in factors:
        whole = whole * factor
    return whole


def rebuilt(optimizer: Any, changes: Changes) -> Any:
    """Return a copy of an optimizer whose links hold other numbers; the optimizer stays."""
    return SimpleNamespace(init=optimizer.init, update=_copied(optimizer.update, changes))


def _copied(function: Any, changes: Changes) -> Any:
    """Return a copy of a function over cells of its own, and of all the functions in them."""
    if not isinstance(function, FunctionType):
        return function
    cells = {name: _below(held, changes) for name, held in _cells(function).items()}
    cells.update(changes.get(id(function), {}))
    made = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__,
        tuple(CellType(cells[name]) for name in function.__code__.co_freevars),
    )  # fmt: skip
    made.__kwdefaults__, made.__qualname__ = function.__kwdefaults__, function.__qualname__
    return made


def _below(held: Any, changes: Changes) -> Any:
    """Return what a cell holds with the transformations in it copied."""
    if is_transformation(held) and hasattr(held, "_replace"):
        return held._replace(update=_copied(held.update, changes))
    if isinstance(held, dict) and any(map(is_transformation, held.values())):
        return {name: _below(each, changes) for name, each in held.items()}
    if isinstance(held, tuple | list) and not hasattr(held, "_fields"):
        return type(held)(
            _copied(each, changes) if isinstance(each, FunctionType) else _below(each, changes)
            for each in held
        )
    return held
