"""Trials: how far two trained sides are apart, step by step, at the optimum or undriven."""

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from decaycalc.algebra.number import exact
from decaycalc.conventions.record import FIT, Follows
from decaycalc.conversion.equivalence import falling_lr
from decaycalc.conversion.shrinks import shrink_of
from decaycalc.conversion.side import Side
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record, replace
from decaycalc.verification.pairing import ALIGNED, Pairing, StandIn, model_of
from decaycalc.verification.rules.optimizers import Array
from decaycalc.verification.rules.rule import State
from decaycalc.verification.train import Batches, Learner, Model, free_decay, optimum, train

MOST_STEPS = 20_000
CURVE_POINTS = 50  # of the printed curve
_TINY = float(np.finfo(np.float64).tiny)
SETTLING_LR, LEAST_SETTLING, MOST_SETTLING = 0.1, 100, 6000
_SETTLED = 1e-12
# The weights whose free decay is compared.
_START = np.array([1.0, -2.5, 0.375])
# Steps whose signs tell a weight that swings from one that alternates.
_FEW = 4
TOLERANCE = 1e-9
"""Relative difference within which a claim holds; rounding stays far below it."""
DECAY_TOLERANCE = 1e-6
"""The same for a decay: a small shrink is the difference of two nearly equal weights."""


class Point(Record):
    """The largest difference of the weights after a step, relative to the largest weight."""

    step: int
    difference: float


class Trial(Record):
    """One comparison: the model (or `free decay`), and how far the two sides are apart.

    Raises:
        InvalidValueError: farther than a float64 can say.
    """

    model: str
    max_difference: float
    curve: tuple[Point, ...]

    def __post_init__(self) -> None:
        if not np.isfinite(self.max_difference):
            raise InvalidValueError(
                "difference", "above 1.8e308", f"in {self.model}: the two sides diverge"
            )


class Test(Record):
    """How a claim is tested, within which tolerance, and the comparisons."""

    method: str
    tolerance: float
    trials: tuple[Trial, ...]


def trajectories(pairing: Pairing, name: str, multipliers: Array) -> Trial:
    """Return how far two trainings of one model part, step by step."""
    model, run = model_of(pairing, name), pairing.source.run
    batches = Batches(
        batch_size=float(pairing.source.get("batch_size") or 1),
        dataset_size=float(pairing.source.get("dataset_size") or 1),
        drop_last=run.drop_last or needs_whole_batches(pairing),
    )
    runs = [train(t, model, batches=batches, multipliers=multipliers) for t in pairing.learners()]
    gaps = [_gap(one, other) for one, other in zip(*runs, strict=True)]
    return Trial(model=name, max_difference=max(gaps), curve=tuple(_thinned(gaps)))


def needs_whole_batches(pairing: Pairing) -> bool:
    """Return whether the claim ends at a short last batch, which weighs less in a sum."""
    short = any("batch_size_now" in side.convention.update for side, _ in pairing.sides)
    return short or len({side.loss for side, _ in pairing.sides}) > 1


def _gap(one: tuple[Array, ...], other: tuple[Array, ...]) -> float:
    """Return the largest difference over the tensors, relative to each one's largest weight."""
    return max(_relative(a, b) for a, b in zip(one, other, strict=True))


def _relative(one: Array, other: Array) -> float:
    scale = float(np.max(np.abs(one)))
    return float(np.max(np.abs(one - other))) / scale if scale else float(np.max(np.abs(other)))


def _thinned(gaps: list[float]) -> Iterator[Point]:
    """Yield at most `CURVE_POINTS` points of a curve, the last one among them."""
    places = np.unique(np.linspace(0, len(gaps) - 1, CURVE_POINTS).round().astype(int))
    return (Point(step=int(place) + 1, difference=gaps[place]) for place in places)


MODELLED = {"squared": "least-squares", "cross-entropy": "softmax"}


def data_losses(pairing: Pairing) -> frozenset[str]:
    """Return the data losses that both sides can have, empty where they can have any."""
    stated = [
        side.convention.data_losses for side, _ in pairing.sides if side.convention.data_losses
    ]
    return frozenset.intersection(*stated) if stated else frozenset()


def convex_models(pairing: Pairing) -> tuple[str, ...]:
    """Return the models that have one optimum, and a data loss that both sides really have.

    A loss that none of the models has (a hinge) is stood in for by them all.
    """
    losses = data_losses(pairing)
    found = tuple(model for loss, model in MODELLED.items() if loss in losses)
    return found or tuple(MODELLED.values())


def optima(pairing: Pairing, name: str) -> Trial:
    """Return how far the optima of the two penalised objectives are apart."""
    model, plain = model_of(pairing, name), replace(pairing, stand_ins={})
    ours = [optimum(_settled(learner, side), model) for learner, (side, _) in _both(plain)]
    one, other = (
        own if stand_in is None else _solved(stand_in, (learner, side), model, start)
        for (learner, (side, _)), stand_in, own, start in zip(
            _both(pairing), pairing.replaced, ours, ours[::-1], strict=True
        )
    )
    gap = _relative(one, other)
    return Trial(model=name, max_difference=gap, curve=(Point(step=0, difference=gap),))


def _solved(stand_in: StandIn, trained: tuple[Learner, Side], model: Model, start: Array) -> Array:
    """Return the optimum that a framework finds, begun at the other side's."""
    learner, side = trained
    if stand_in.solve is None:
        return optimum(_settled(learner, side), model)
    size = float(learner.names.get("batch_size", 1.0))
    calm = SETTLING_LR / (learner.scale(size) * model.scale)
    return stand_in.solve(_settled(learner, side, lr=calm), model, start)


def settle(learner: Learner, model: Model, start: Array) -> Array:
    """Return where an optimizer's full-batch steps lead from weights to start from, flat.

    A large epsilon lets adaptive steps shrink as the gradient does, so that an optimizer stays
    at an optimum.
    """
    (shape,) = (part.shape for part in model.start)
    size = float(learner.names.get("batch_size", 1.0))
    still = dataclasses.replace(learner, settings={**ALIGNED, "eps": 1.0})
    state, weights = State(), start.reshape(shape)
    for step in range(MOST_SETTLING):
        (gradient,) = model.mean_gradient((weights,))
        before = weights
        weights = still.step(state, weights, gradient, multiplier=1.0, size=size)
        if step > LEAST_SETTLING and _relative(weights, before) < _SETTLED:
            break
    return weights.ravel()


def _both(pairing: Pairing) -> Iterator[tuple[Learner, tuple[Side, float]]]:
    return zip(pairing.learners(), pairing.sides, strict=True)


def optimum_tolerance(pairing: Pairing) -> float:
    """Return within what the optima must agree: to the shrink where decays of a step compound."""
    slack = [
        float(shrink_of(side, exact(value)))
        for side, value in pairing.sides
        if side.convention.compounds
    ]
    return max(TOLERANCE, *slack, 0.0)


def _settled(learner: Learner, side: Side, *, lr: float = 1.0) -> Learner:
    """Return the learner for its fixed point: any lr serves where the decay is times lr too."""
    record = side.convention
    free = record.follows in {Follows.LR, Follows.LR_SQUARED} and not record.compounds
    names: Mapping[str, float] = {**learner.names, "lr": lr} if free else learner.names
    return Learner(rule=learner.rule, names=names, reduction=learner.reduction, unit=learner.unit)


def undriven(pairing: Pairing, multipliers: Array) -> Trial:
    """Return how far undriven weights are apart after each step."""
    one, other = (_decayed(learner, side, multipliers) for learner, (side, _) in _both(pairing))
    gaps = [_relative(a, b) for a, b in zip(one, other, strict=True)]
    return Trial(model="free decay", max_difference=max(gaps), curve=tuple(_thinned(gaps)))


def free_trial(pairing: Pairing) -> Test:
    """Return how far the long-run decays per step of an undriven weight are apart.

    Under momentum a claim to first order may be off by the shrink over 1 - momentum.
    """
    momentum = max(float(side.get("momentum") or 0) for side, _ in pairing.sides)
    constant = np.ones(min(MOST_STEPS, round(40 / (1 - momentum))))
    paths = [
        np.concatenate([_START[:1], _decayed(learner, side, constant)[:, 0]])
        for learner, (side, _) in _both(pairing)
    ]
    lasting = min(_lasting(np.abs(path)) for path in paths)
    losses = [_losses(path[:lasting]) for path in paths]
    one, other = (loss[-min(map(len, losses)) :] for loss in losses)
    gaps = [float(gap) for gap in np.abs(one - other) / np.maximum(np.abs(one), 1e-300)]
    linear = all(side.is_linear for side, _ in pairing.sides)
    slack = 0.0 if linear or pairing.way.exactly else 2 * float(abs(one[-1])) / (1 - momentum)
    rounding = sum(each.factor_error for each in pairing.stand_ins.values())
    slack += rounding / max(float(abs(one[-1])), 1e-300)
    gap = gaps[-1]  # in the end: a buffer fills first, some decay from a later step on
    if linear and any(falling_lr(side.convention) for side, _ in pairing.sides):
        first, second = (float(loss[np.flatnonzero(loss)[:1]].sum()) for loss in losses)
        gap = abs(first - second) / max(abs(first), 1e-300)  # an lr that falls is right at first
    return Test(
        method="decay per step without data gradient, in the long run",
        tolerance=max(DECAY_TOLERANCE, slack),
        trials=(Trial(model="free decay", max_difference=gap, curve=tuple(_thinned(gaps))),),
    )


def _losses(path: Array) -> Array:
    """Return the share of a weight that each step takes; past the threshold, of its swing.

    A weight that swings, `r^n*cos(n*a + b)`, loses another share in every step, yet its
    `w[n]^2 - w[n+1]*w[n-1]`, positive throughout, loses `1 - r^2` of itself in each.
    """
    turns = np.diff(np.signbit(path))
    if turns.any() and len(path) > _FEW and not turns[-_FEW:].all():
        triples = np.stack([path[:-2], path[1:-1], path[2:]])
        sizes = np.abs(triples).max(axis=0)
        before, here, after = triples / sizes
        squares = here**2 - after * before
        if (squares > 0).all():
            return _lost(np.log(squares) / 2 + np.log(sizes))
    return _lost(np.log(np.abs(path)))


def _lost(logs: Array) -> Array:
    """Return the share that each step takes of what the logarithms are of."""
    shares: Array = -np.expm1(np.diff(logs))
    return shares


def _lasting(sizes: Array) -> int:
    """Return for how many steps there is something left of a weight, to the digits of a float64.

    Raises:
        InvalidValueError: for fewer than two, which give no rate.
    """
    gone = np.flatnonzero(sizes < _TINY)
    if gone.size and gone[0] < 2:  # noqa: PLR2004
        raise InvalidValueError("w", f"{sizes[gone[0]]:.4g}", "leaves nothing to compare")
    return int(gone[0]) if gone.size else len(sizes)


def _decayed(learner: Learner, side: Side, multipliers: Array) -> Array:
    """Return undriven weights after each step, (n_steps, 3)."""
    size = float(side.get("batch_size") or 1)
    if side.convention.optimizer == FIT:
        learner = _as_descent(learner, size)
    return free_decay(learner, _START, multipliers=multipliers, size=size)


def _as_descent(learner: Learner, size: float) -> Learner:
    """Return a fit's objective for plain descent: scaled until its data loss is the run's.

    A solver minimises any multiple of its objective (`C*sum(loss) + ...`), a step does not.
    """
    names = {**learner.names, "loss_scale": learner.scale(size)}
    zero, one = np.zeros(1), np.ones(1)
    still, moved = (learner.rule.descent(zero, g, names=names) for g in (zero, one))
    lr = float(learner.names["lr"]) / float((moved - still)[0])
    return dataclasses.replace(learner, names={**learner.names, "lr": lr})
