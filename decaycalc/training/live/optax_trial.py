"""A trial of an optax optimizer: its own functions, over a small tree like the user's."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from decaycalc.errors import InvalidValueError
from decaycalc.training.live.apart import in_doubles, kept_random
from decaycalc.training.live.optax_like import ParameterLeaf, Read, framework
from decaycalc.training.live.optax_links import rebuilt
from decaycalc.training.live.trial import CopyTrial, Steps, numbers, small_shape

_WARM = 12  # steps that fill the moments before anything is measured
# How far two decays that agree differ, what is none, and what of a step comes back in the next.
_EXACT, _NOISE, _CARRIED = 1e-3, 1e-12, 0.05
_NOWHERE = math.inf  # the share of a step in which nothing moves
_MISSING = "optax has no gradient that is missing"


def trial_of(found: Read, at: int) -> CopyTrial:
    """Return the trial of one leaf's updates, by its place `at`; all others stay where they are."""
    leaf = found.leaves[at]
    momentum = leaf.chain.momentum
    return CopyTrial(
        name="optax",
        shape=small_shape(leaf.shape),
        take=_Copy(found=found, at=at, step=_step(found.base, leaf)).take,
        options={} if momentum is None else {
            "momentum": momentum, "nesterov": leaf.chain.nesterov
        },
    )  # fmt: skip


def _step(base: Any, leaf: ParameterLeaf) -> Callable[..., Any]:
    """Return a step of a copy with any lr and λ, compiled once."""
    jax, numbers_of = framework(), leaf.chain.setter()

    def step(lr: Any, weight_decay: Any, gradients: Any, state: Any, weights: Any) -> Any:
        copied = rebuilt(base, numbers_of(lr, weight_decay))
        updates, state = copied.update(gradients, state, weights)
        return jax.tree_util.tree_map(lambda w, u: w + u, weights, updates), state

    compiled: Callable[..., Any] = jax.jit(step)
    return compiled


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """An optimizer's functions in a step, and which leaf of a small tree is looked at."""

    found: Read
    at: int
    step: Callable[..., Any]

    def take(self, steps: Steps) -> list[Sequence[float]]:
        """Return the leaf's weights after each step of a copy."""
        with in_doubles(), kept_random():
            return list(self._stepped(steps))

    def _stepped(self, steps: Steps) -> Iterator[Sequence[float]]:
        jax = framework()
        weights = self._with_leaf(self.found.small, steps.start)
        state = self.found.base.init(weights)
        nothing = jax.tree_util.tree_map(lambda leaf: leaf * 0, weights)
        for gradient, weight_decay in steps.pairs:
            if gradient is None:
                raise ValueError(_MISSING)
            gradients = self._with_leaf(nothing, gradient)
            weights, state = self.step(steps.lr, weight_decay, gradients, state, weights)
            leaf = jax.tree_util.tree_leaves(weights)[self.at]
            yield leaf.reshape(-1).tolist()

    def _with_leaf(self, tree: Any, values: Sequence[float]) -> Any:
        jax = framework()
        leaves, structure = jax.tree_util.tree_flatten(tree)
        leaves[self.at] = jax.numpy.asarray(list(values)).reshape(leaves[self.at].shape)
        return jax.tree_util.tree_unflatten(structure, leaves)


def shares_of(found: Read) -> tuple[float | None, ...]:
    """Return what a step takes off each leaf, None where it is no constant share of it.

    Nothing of the optimizer need be known: two updates that differ by the weights' signs alone
    differ by the decay.
    """
    jax, small = framework(), found.small
    try:
        with in_doubles(), kept_random():
            update, state = jax.jit(found.base.update), found.base.init(small)
            shares = [_by_signs(update, state, small, seed=3)]
            moves = [False] * len(shares[0])
            for seed in range(_WARM):
                moved, state = update(_gradients(small, seed=20 + seed), state, small)
                moves = [
                    each or not _is_still(leaf)
                    for each, leaf in zip(moves, jax.tree_util.tree_leaves(moved), strict=True)
                ]
            shares.append(_by_signs(update, state, small, seed=4))
    except Exception as error:  # a framework may raise anything
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        text = f"cannot be stepped on a small copy: {said}"
        raise InvalidValueError("optimizer", "optax", text) from error
    return tuple(_agreed(*found) for found in zip(*shares, moves, strict=True))


def _by_signs(
    update: Callable[..., Any], state: Any, small: Any, *, seed: int
) -> list[float | None]:
    """Return each leaf's share, None where it is none or where the next step repeats some of it."""
    tree = framework().tree_util
    first, second = _gradients(small, seed=seed), _gradients(small, seed=seed + 1)
    turned = tree.tree_map(lambda leaf: -leaf, small)
    ones, others = (update(first, state, weights) for weights in (small, turned))
    later = [update(second, after, small)[0] for _, after in (ones, others)]
    columns = (ones[0], others[0], *later, small)
    return [
        _NOWHERE if _is_still(one) and _is_still(other) else
        None if _is_carried(_flat(one - other), _flat(next_one - next_other))
        else _share(_flat((other - one) / (2 * weight)))
        for one, other, next_one, next_other, weight in zip(
            *map(tree.tree_leaves, columns), strict=True
        )
    ]  # fmt: skip


def _flat(leaf: Any) -> list[float]:
    flat: list[float] = leaf.reshape(-1).tolist()
    return flat


def _is_still(update: Any) -> bool:
    """Return whether an update leaves a leaf where it is."""
    return not any(_flat(update))


def _is_carried(now: list[float], later: list[float]) -> bool:
    return max(map(abs, later)) > _CARRIED * max(map(abs, now)) + _NOISE


def _gradients(small: Any, *, seed: int) -> Any:
    jax = framework()
    leaves, structure = jax.tree_util.tree_flatten(small)
    drawn = [
        jax.numpy.asarray(numbers(leaf.shape, seed=seed + at)).reshape(leaf.shape)
        for at, leaf in enumerate(leaves)
    ]
    return jax.tree_util.tree_unflatten(structure, drawn)


def _share(parts: list[float]) -> float | None:
    middle = sum(parts) / len(parts)
    if max(parts) - min(parts) > _EXACT * abs(middle) + _NOISE:
        return None
    return 0.0 if abs(middle) < _NOISE else middle


def _agreed(one: float | None, other: float | None, moves: bool) -> float | None:  # noqa: FBT001
    """Return the share of two steps; one that goes nowhere says it of a frozen weight alone."""
    if _NOWHERE in {one, other}:
        return None if moves else 0.0
    return _same(one, other)


def _same(one: float | None, other: float | None) -> float | None:
    if one is None or other is None or abs(one - other) > _EXACT * abs(one) + _NOISE:
        return None
    return other
