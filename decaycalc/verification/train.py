"""Small models on generated data, and their training by update rules.

The data are drawn once from a fixed seed; a data set larger than `POOL` examples is stood in for
by that many, while the rules still see the size that the run names.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from decaycalc.errors import InvalidValueError
from decaycalc.verification.rules.optimizers import Array
from decaycalc.verification.rules.rule import State, UpdateRule

POOL = 4096
"""Most examples that are generated."""
_FEATURES, _CLASSES, _HIDDEN = 6, 3, 5  # small, so that a trial takes a moment
_NEWTON_STEPS = 60
# Steps this short, of the largest weight, that shrink no more are rounding: a tenth of what a claim
# may be off by. A weak penalty leaves the slopes so small that rounding is 5e-12 of it.
_ROUNDED = 1e-10
# Steps that no training here has.
_ENDLESS = 1e15

Rows = NDArray[np.int64]
Weights = tuple[Array, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model with its data: `inputs` (n, features), `targets` (n,) and weights to start from.

    `gradient(weights, inputs, targets)` is the gradient of their mean loss, a tensor each, and
    `scale` what the loss is multiplied by.
    """

    name: str
    inputs: Array
    targets: Array
    start: Weights
    gradient: Callable[[Weights, Array, Array], Weights]
    scale: float = 1.0

    @property
    def n_examples(self) -> int:
        """How many examples there are."""
        return len(self.inputs)

    def mean_gradient(self, weights: Weights, rows: Rows | None = None) -> Weights:
        """Return the mean loss's gradient over `rows`, over all examples without them.

        One that overflows says nothing: the step that takes it refuses the weights.
        """
        inputs, targets = self.inputs, self.targets
        if rows is not None:
            inputs, targets = inputs[rows], targets[rows]
        with np.errstate(all="ignore"):
            return tuple(self.scale * part for part in self.gradient(weights, inputs, targets))

    def scaled(self, factor: float) -> "Model":
        """Return the model with its loss multiplied by a factor."""
        return replace(self, scale=self.scale * factor)


def make_model(name: str, *, n_examples: int) -> Model:
    """Return the model `least-squares`, `softmax` or `two-layer` with its generated data.

    Raises:
        InvalidValueError: no model of that name.
    """
    if name not in _MODELS:
        raise InvalidValueError("model", name, f"must be one of {', '.join(_MODELS)}")
    random = np.random.default_rng(0)
    size = max(1, min(n_examples, POOL))
    inputs = random.normal(size=(size, _FEATURES))
    gradient, shapes, is_classifier = _MODELS[name]
    truth = inputs @ random.normal(size=(_FEATURES, _CLASSES))
    noisy = truth + random.normal(size=truth.shape)
    targets = np.argmax(noisy, axis=1).astype(float) if is_classifier else noisy[:, 0]
    start = tuple(random.normal(size=shape) for shape in shapes)
    return Model(name=name, inputs=inputs, targets=targets, start=start, gradient=gradient)


def _least_squares(weights: Weights, inputs: Array, targets: Array) -> Weights:
    """Return the gradient of the mean of half the squared error."""
    (w,) = weights
    return (inputs.T @ (inputs @ w - targets) / len(inputs),)


def _softmax(weights: Weights, inputs: Array, targets: Array) -> Weights:
    """Return the gradient of the mean cross-entropy of a linear classifier."""
    (w,) = weights
    return (inputs.T @ _residual(inputs @ w, targets) / len(inputs),)


def _two_layer(weights: Weights, inputs: Array, targets: Array) -> Weights:
    """Return the gradient of the mean cross-entropy of a network with one tanh layer."""
    first, second = weights
    hidden = np.tanh(inputs @ first)
    residual = _residual(hidden @ second, targets) / len(inputs)
    back = (residual @ second.T) * (1 - hidden * hidden)
    return inputs.T @ back, hidden.T @ residual


def _residual(scores: Array, targets: Array) -> Array:
    """Return predicted probabilities less the one-hot targets, (n, classes)."""
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    residual: Array = odds / odds.sum(axis=1, keepdims=True)
    residual[np.arange(len(scores)), targets.astype(int)] -= 1
    return residual


_MODELS: Mapping[
    str, tuple[Callable[[Weights, Array, Array], Weights], list[tuple[int, ...]], bool]
]
_MODELS = {
    "least-squares": (_least_squares, [(_FEATURES,)], False),
    "softmax": (_softmax, [(_FEATURES, _CLASSES)], True),
    "two-layer": (_two_layer, [(_FEATURES, _HIDDEN), (_HIDDEN, _CLASSES)], True),
}
MODELS = tuple(_MODELS)
"""The names of the models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """The minibatches of a run: shuffled each epoch, the last one short or dropped."""

    batch_size: float
    dataset_size: float
    drop_last: bool = False
    seed: int = 0

    def draw(self, n_examples: int, n_steps: int) -> Iterator[tuple[Rows, float]]:
        """Yield `n_steps` pairs of rows among `n_examples` and the examples they stand for."""
        random = np.random.default_rng(self.seed)
        order = random.permutation(n_examples)
        place = 0
        for step in range(n_steps):
            size = self._size(step)
            count = max(1, min(n_examples, round(size)))
            if place + count > n_examples or step % self._per_epoch == 0:
                order, place = random.permutation(n_examples), 0
            yield order[place : place + count], size
            place += count

    @property
    def _per_epoch(self) -> int:
        """Steps in an epoch, at least one; more than anyone trains for where they are endless."""
        ratio = min(self.dataset_size / self.batch_size, _ENDLESS)
        return max(1, floor(ratio) if self.drop_last else ceil(ratio))

    def _size(self, step: int) -> float:
        """Return the examples of a step, fewer in the last one of an epoch."""
        last = (step + 1) % self._per_epoch == 0
        rest = self.dataset_size - (self._per_epoch - 1) * self.batch_size
        return rest if last and not self.drop_last else self.batch_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """One side of a comparison: its rule, what its names stand for, and how its loss is reduced.

    `names` holds the peak lr. `reduction` is 'mean', 'batch-sum', 'dataset-sum', or what the loss
    is of the mean loss. An objective may be trained by another rule's optimizer, as a penalty in
    the loss is by whatever optimizer the user takes: `borrowed`, whose own decay `borrowed_names`
    switches off.
    `unit` weighs the data loss: 2 where the record's squared error is twice the model's.
    `settings` overrule those of the rules' blocks.
    """

    rule: UpdateRule
    names: Mapping[str, float]
    reduction: str | float = "mean"
    borrowed: UpdateRule | None = None
    borrowed_names: Mapping[str, float] | None = None
    unit: float = 1.0
    settings: Mapping[str, float] | None = None

    def step(
        self, state: State, w: Array, mean_gradient: Array, *, multiplier: float, size: float
    ) -> Array:
        """Return the weights after one step from the mean loss's gradient over `size` examples."""
        scale = self.scale(size)
        gradient = self.unit * scale * mean_gradient
        peak = float(self.names["lr"])
        now = {"lr": multiplier * peak, "lr_peak": peak, "multiplier": multiplier}
        now |= {"loss_scale": scale, "batch_size_now": size}
        names = {**self.names, **now}
        if self.borrowed is None:
            return self.rule.step(state, w, gradient, names=names, settings=self.settings)
        penalised = self.rule.descent(w, gradient, names={**names, "lr": 1.0})
        names = {**(self.borrowed_names or {}), **now}
        return self.borrowed.step(state, w, penalised, names=names, settings=self.settings)

    def residual(self, w: Array, mean_gradient: Array) -> Array:
        """Return a multiple of the penalised objective's full-batch gradient."""
        scale = self.scale(float(self.names.get("batch_size", 1.0)))
        names = {**self.names, "loss_scale": scale}
        return self.rule.descent(w, self.unit * scale * mean_gradient, names=names) / scale

    def scale(self, size: float) -> float:
        """Return what the loss over `size` examples is of their mean loss."""
        if isinstance(self.reduction, float):
            return self.reduction
        scale = {"mean": 1.0, "batch-sum": size}.get(self.reduction)
        return float(self.names["dataset_size"]) if scale is None else scale


def train(
    learner: Learner, model: Model, *, batches: Batches, multipliers: Array
) -> Iterator[Weights]:
    """Yield the weights after each step, `len(multipliers)` times.

    `multipliers` (n_steps,) is the schedule, lr over peak lr.

    Raises:
        MissingQuantityError: the rule reads a name that has no value.
        InvalidValueError: the training diverges.
    """
    weights = model.start
    states = tuple(State() for _ in weights)
    draws = batches.draw(model.n_examples, len(multipliers))
    for multiplier, (rows, size) in zip(multipliers, draws, strict=True):
        gradients = model.mean_gradient(weights, rows)
        weights = tuple(
            learner.step(state, w, g, multiplier=float(multiplier), size=size)
            for state, w, g in zip(states, weights, gradients, strict=True)
        )
        yield weights


def free_decay(learner: Learner, w: Array, *, multipliers: Array, size: float = 1.0) -> Array:
    """Return the weights after each step without any data gradient, (n_steps, *w.shape).

    Raises:
        MissingQuantityError: the rule reads a name that has no value.
        InvalidValueError: the weights overflow.
    """
    state, weights, path = State(), w, []
    for multiplier in multipliers:
        zero = np.zeros_like(w)
        weights = learner.step(state, weights, zero, multiplier=float(multiplier), size=size)
        path.append(weights)
    return np.array(path)


def optimum(learner: Learner, model: Model) -> Array:
    """Return the weights at which the full-batch penalised objective is stationary, flat.

    Newton's method with differences for the second derivatives, from zero; for convex models.

    Raises:
        InvalidValueError: it does not converge (the objective is not convex).
    """
    (start,) = model.start

    def residual(flat: Array) -> Array:
        w = flat.reshape(start.shape)
        return learner.residual(w, model.mean_gradient((w,))[0]).ravel()

    point, move = np.zeros(start.size), np.inf
    for _ in range(_NEWTON_STEPS):
        with np.errstate(over="ignore", invalid="ignore"):
            here = residual(point)
            slopes = [
                (residual(point + e) - residual(point - e)) / 2e-4
                for e in 1e-4 * np.eye(start.size)
            ]
        if not np.isfinite([here, *slopes]).all():  # LAPACK would write its own complaint
            break
        step = np.linalg.lstsq(np.array(slopes).T, here, rcond=None)[0]
        point, before = point - step, move
        move = float(np.max(np.abs(step)))
        largest = np.max(np.abs(point))
        if move <= 1e-15 * largest or (move < _ROUNDED * largest and move >= before):
            return point
    raise InvalidValueError("model", model.name, "has no optimum that Newton's method finds")
