"""JAX and optax in plain Python: trees of numpy's arrays, and optimizers made of two functions."""

import contextlib
import sys
import types
from collections import namedtuple

import numpy as np
import pytest

Key = namedtuple("Key", "key")  # noqa: PYI024  (as JAX's own)


class GradientTransformation(namedtuple("GradientTransformation", "init update")):  # noqa: PYI024
    __slots__ = ()


def made(init, update):
    """Return a pair of functions that say they are optax's."""
    update.__module__ = "optax.made"
    return GradientTransformation(init, update)


def leaves_with_path(tree, path=()):
    if not isinstance(tree, dict):
        return [(path, tree)]
    return [
        each for key in sorted(tree) for each in leaves_with_path(tree[key], (*path, Key(key)))
    ]  # fmt: skip


def tree_leaves(tree):
    return [leaf for _, leaf in leaves_with_path(tree)]


def tree_map(function, first, *rest):
    if not isinstance(first, dict):
        return function(first, *rest)
    return {key: tree_map(function, first[key], *(each[key] for each in rest)) for key in first}


def tree_unflatten(structure, leaves):
    left = iter(leaves)
    return tree_map(lambda _: next(left), structure)


def tree_flatten(tree):
    return tree_leaves(tree), sort(tree)


def sort(tree):
    return {key: sort(tree[key]) for key in sorted(tree)} if isinstance(tree, dict) else tree


def chain(*parts):
    init_fns = tuple(part.init for part in parts)
    update_fns = tuple(part.update for part in parts)

    def init_fn(params):
        return tuple(init(params) for init in init_fns)

    def update_fn(updates, state, params=None):
        new = []
        for update, each in zip(update_fns, state, strict=True):
            updates, after = update(updates, each, params)
            new.append(after)
        return updates, tuple(new)

    return made(init_fn, update_fn)


def named_chain(*transforms):
    def update_fn(updates, state, params=None):
        return chain(*(part for _, part in transforms)).update(updates, state, params)

    return made(lambda params: tuple(part.init(params) for _, part in transforms), update_fn)


def add_decayed_weights(weight_decay=0.0, mask=None):
    def update_fn(updates, state, params=None):
        number = weight_decay(0) if callable(weight_decay) else weight_decay
        return tree_map(lambda u, w: u + number * w, updates, params), state

    part = made(lambda _: (), update_fn)
    return part if mask is None else masked(part, mask)


def scale(step_size):
    def update_fn(updates, state, _=None):
        return tree_map(lambda u: step_size * u, updates), state

    return made(lambda _: (), update_fn)


def scale_by_schedule(step_size_fn):
    def update_fn(updates, state, _=None):
        return tree_map(lambda u: step_size_fn(state) * u, updates), state + 1

    return made(lambda _: 0, update_fn)


def scale_by_learning_rate(learning_rate):
    if callable(learning_rate):
        return scale_by_schedule(lambda count: -learning_rate(count))
    return scale(-learning_rate)


def scale_by_adam(nesterov=False):  # noqa: FBT002  (as optax's)
    def update_fn(updates, state, _=None):
        return tree_map(lambda u: np.sign(u) * (1 + nesterov), updates), state

    return made(lambda _: (), update_fn)


def trace(decay, nesterov=False):  # noqa: FBT002  (as optax's)
    def update_fn(updates, state, _=None):
        assert not nesterov
        kept = tree_map(lambda u, s: u + decay * s, updates, state)
        return kept, kept

    return made(lambda params: tree_map(lambda w: w * 0, params), update_fn)


def clip(max_delta):
    def update_fn(updates, state, _=None):
        return tree_map(lambda u: np.clip(u, -max_delta, max_delta), updates), state

    return made(lambda _: (), update_fn)


def identity():
    def update_fn(updates, state, _=None):
        return updates, state

    return made(lambda _: (), update_fn)


def masked(inner, mask):
    def update_fn(updates, state, params=None):
        held = mask(updates) if callable(mask) else mask
        new, after = inner.update(updates, state, params)
        return tree_map(lambda m, n, u: n if m else u, held, new, updates), after

    return made(inner.init, update_fn)


def partition(transforms, param_labels):
    def update_fn(updates, state, params=None):
        new = {name: part.update(updates, state[name], params)[0]
               for name, part in transforms.items()}  # fmt: skip
        chosen = tree_map(lambda label, *each: each[list(new).index(label)], param_labels,
                          *new.values())  # fmt: skip
        return chosen, state

    return made(
        lambda params: {name: part.init(params) for name, part in transforms.items()}, update_fn
    )


def with_extra_args_support(tx):
    def update(updates, state, params=None):
        return tx.update(updates, state, params)

    return made(tx.init, update)


def sgd(learning_rate, momentum=None):
    return chain(identity() if momentum is None else trace(momentum),
                 scale_by_learning_rate(learning_rate))  # fmt: skip


def adamw(learning_rate, weight_decay=1e-4, mask=None):
    return chain(
        with_extra_args_support(scale_by_adam()), add_decayed_weights(weight_decay, mask),
        scale_by_learning_rate(learning_rate),
    )  # fmt: skip


def nadamw(learning_rate, weight_decay=1e-4):
    return chain(scale_by_adam(nesterov=True), add_decayed_weights(weight_decay),
                 scale_by_learning_rate(learning_rate))  # fmt: skip


def prodigy(learning_rate=1.0, weight_decay=0.0):
    def update_fn(updates, state, params=None):
        size = learning_rate * 1e-6
        return tree_map(lambda u, w: -size * (u + weight_decay * w), updates, params), state

    return made(lambda _: (), update_fn)


def momo(learning_rate=1.0, weight_decay=0.0):
    def update_fn(updates, state, _=None, *, value):
        return tree_map(lambda u: value * learning_rate * weight_decay * u, updates), state

    return made(lambda _: (), update_fn)


def scale_by_novograd(weight_decay=0.0):
    def add(update, weight):
        return update + weight_decay * weight

    def update_fn(updates, state, params=None):
        return tree_map(add, updates, params), state

    return made(lambda _: (), update_fn)


class MultiSteps:
    def __init__(self, opt):
        self._opt = opt

    def init(self, params):
        return self._opt.init(params)

    def update(self, *_):
        raise AssertionError("its inner optimizer is looked at")


class Wrapped:
    def __init__(self, schedule_fn):
        self.schedule_fn = schedule_fn


def inject_hyperparams(inner_factory):
    def wrapped_transform(*, mask=None, **numbers):
        other_hps = {"mask": mask}
        numeric_hps = {name: each for name, each in numbers.items() if not callable(each)}
        sched_hps = {name: each if hasattr(each, "stateful") else Wrapped(each)
                     for name, each in numbers.items() if callable(each)}  # fmt: skip

        def init_fn(params):
            return inner_factory(**other_hps, **numeric_hps).init(params)

        def update_fn(updates, state, params=None):
            inner = inner_factory(**other_hps, **numeric_hps, **sched_hps)
            return inner.update(updates, state, params)

        return made(init_fn, update_fn)

    return wrapped_transform


inject_hyperparams.__qualname__ = "inject_hyperparams"
_TREE_UTIL = types.SimpleNamespace(
    tree_flatten_with_path=lambda tree: (leaves_with_path(tree), None),
    tree_flatten=tree_flatten, tree_unflatten=tree_unflatten, tree_leaves=tree_leaves,
    tree_map=tree_map, all_leaves=lambda trees: not any(isinstance(each, dict) for each in trees),
)  # fmt: skip
JAX = types.SimpleNamespace(
    tree_util=_TREE_UTIL, numpy=np, jit=lambda function: function,
    vmap=lambda function: lambda steps: np.array([function(step) for step in steps]),
    enable_x64=lambda _: contextlib.nullcontext(),
)  # fmt: skip
OPTAX = types.ModuleType("optax")
vars(OPTAX).update(
    chain=chain, adamw=adamw, nadamw=nadamw,
    contrib=types.SimpleNamespace(prodigy=prodigy, momo=momo),
)  # fmt: skip
PARAMS = {"dense": {"bias": np.ones(4), "kernel": np.ones((5, 4))}}


@pytest.fixture
def optax(monkeypatch):
    """Put the two libraries into the process."""
    monkeypatch.setitem(sys.modules, "jax", JAX)
    monkeypatch.setitem(sys.modules, "optax", OPTAX)
