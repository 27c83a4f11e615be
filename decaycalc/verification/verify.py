"""verify: train twice by two conventions' own update rules, and compare."""

from fractions import Fraction

import numpy as np

from decaycalc.algebra.quantity import Number, exact, finite
from decaycalc.conventions.record import FIT, MEASURE, Convention, Equivalence, Invariant
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import target_over
from decaycalc.conversion.convert import check_value
from decaycalc.conversion.entering import require_taken
from decaycalc.conversion.plan import Match, Plan, plan, target_side
from decaycalc.conversion.shrinks import evaluated
from decaycalc.conversion.side import Side
from decaycalc.errors import InvalidValueError, NoEquivalentError
from decaycalc.explanation.claim import claim
from decaycalc.record import Record, Result, replace
from decaycalc.schedule import parse_schedule
from decaycalc.verification.documents import (
    DifferencePointJson,
    SideJson,
    TrialJson,
    VerificationJson,
)
from decaycalc.verification.frameworks import Loaded, stand_ins
from decaycalc.verification.pairing import Pairing
from decaycalc.verification.rules.optimizers import Array
from decaycalc.verification.train import MODELS, make_model
from decaycalc.verification.trials import (
    MODELLED,
    MOST_STEPS,
    TOLERANCE,
    Point,
    Test,
    Trial,
    convex_models,
    data_losses,
    free_trial,
    needs_whole_batches,
    optima,
    optimum_tolerance,
    trajectories,
    undriven,
)

STEPS = 1000
_SIGNS = ("sign", "lion")
_ONE_LAYER = "least-squares"


class Verification(Record, Result):
    """What a claim says, how it was put to the test, and what came out.

    `apart` shows how far the two trajectories part where the claim is not about them.
    """

    source: Side
    target: Side
    value: float
    to_value: float
    lr: float
    to_lr: float
    claim: Equivalence
    meaning: str
    method: str
    tolerance: float
    steps: int
    schedule: str
    trials: tuple[Trial, ...]
    apart: tuple[Trial, ...]
    notes: tuple[str, ...]
    frameworks: tuple[Loaded, ...] = ()

    @property
    def max_difference(self) -> float:
        """The largest difference of all comparisons."""
        return max(trial.max_difference for trial in self.trials)

    @property
    def holds(self) -> bool:
        """Whether the claim holds."""
        return self.max_difference <= self.tolerance

    def to_dict(self) -> VerificationJson:
        """Return the verification as JSON holds it, without the schema keys."""
        widest = max(self.trials, key=lambda trial: trial.max_difference)
        return {
            "source": _side(self.source, self.value, self.lr),
            "target": _side(self.target, self.to_value, self.to_lr),
            "claim": self.claim.value,
            "meaning": self.meaning,
            "method": self.method,
            "holds": self.holds,
            "max_difference": self.max_difference,
            "tolerance": self.tolerance,
            "steps": self.steps,
            "schedule": self.schedule,
            "curve": [_point(point) for point in widest.curve],
            "models": [_trial(trial) for trial in self.trials],
            "apart": [_trial(trial) for trial in self.apart],
            "notes": list(self.notes),
            "with": [framework.to_dict() for framework in self.frameworks],
        }


def _side(side: Side, value: float, lr: float) -> SideJson:
    record = side.convention
    return {**record.with_number(value), "lr": lr, "update": record.update}


def _trial(trial: Trial) -> TrialJson:
    curve = [_point(point) for point in trial.curve]
    return {"model": trial.model, "max_difference": trial.max_difference, "curve": curve}


def _point(point: Point) -> DifferencePointJson:
    return {"step": point.step, "difference": point.difference}


def verify(
    value: Number,
    *,
    source: Convention,
    target: Convention,
    run: Run | None = None,
    target_run: Run | None = None,
    to_value: Number | None = None,
    match: Match = Match.OPTIMUM,
    schedule: str = "constant",
    models: tuple[str, ...] = (),
    frameworks: tuple[str, ...] = (),
) -> Verification:
    """Return how a conversion stands the test of training by both conventions' update rules.

    `identical` is tested by the weights after every step, `same-optimum` by the optima, and
    `same-decay` by the decay without data gradient. `to_value` puts another number to the test
    than the converted one. What the run leaves open of lr, B and N is assumed, and noted.
    `frameworks` (torch, keras, optax, sklearn) take the place of the rules that are theirs.

    Raises:
        MissingQuantityError: a quantity that does not cancel is unknown.
        NoEquivalentError: there is no claim to test.
        InvalidValueError: a value out of its domain, a training that diverges, or a framework
            that has neither convention.
        MissingFrameworkError: a framework is not installed.
    """
    given = run or Run()
    layer = _layer(source, target)
    models = _one_layer(models) if layer else models
    full, notes = _complete(given, layer)
    here = Side(convention=source, run=full if layer else given, layer=layer)
    there = replace(target_side(here, target, target_run), layer=layer)
    require_taken(here, (target,), target_run)
    way = plan(here, there, match=match)
    number = check_value(value, source)
    converted = way.value(number) if to_value is None else check_value(to_value, target)
    real, loaded = stand_ins(frameworks, (source.key, target.key))
    pairing = Pairing(
        way=way,
        source=Side(convention=source, run=full, layer=layer),
        target=_trained_target(way, full, target_run, layer),
        values=(float(number), finite(converted, target.parameter)),
        stand_ins=real,
    )
    condition = (way.condition,) if way.condition else ()
    notes = (*notes, *condition, *_stood_in(pairing), *map(_noted, loaded))
    found = _tested(pairing, schedule=schedule, models=models, notes=notes)
    return replace(found, frameworks=loaded)


def _trained_target(way: Plan, run: Run, target_run: Run | None, layer: Fraction | None) -> Side:
    """Return the target's side of the training: a whole run, with the lr that it trains at."""
    other = replace(target_over(target_run, run), lr=_target_lr(way, run, target_run))
    return Side(convention=way.target.convention, run=other, layer=layer, is_target=True)


def _stood_in(pairing: Pairing) -> tuple[str, ...]:
    """Return the note that no model here has the data loss of the two sides, where none has."""
    losses = data_losses(pairing)
    if not losses or losses & MODELLED.keys() or pairing.way.held != Invariant.STRENGTH:
        return ()
    return (f"no model here has their data loss ({' or '.join(sorted(losses))}): others stand in",)


def _noted(framework: Loaded) -> str:
    """Return what of a verification a framework did."""
    return f"{framework.name} {framework.version} stands in for {', '.join(framework.conventions)}"


def _layer(*records: Convention) -> Fraction | None:
    """Return the weights of the one layer of a model, for a number that each layer has anew."""
    if not any(record.differs_by_layer for record in records):
        return None
    return exact(make_model(_ONE_LAYER, n_examples=1).start[0].size)


def _one_layer(models: tuple[str, ...]) -> tuple[str, ...]:
    """Return the model of one layer.

    Raises:
        InvalidValueError: another one is asked for.
    """
    if set(models) - {_ONE_LAYER}:
        raise InvalidValueError(
            "model", ", ".join(models), f"must be {_ONE_LAYER}, which has one layer: each has its "
            "own number",
        )  # fmt: skip
    return (_ONE_LAYER,)


def _complete(run: Run, layer: Fraction | None) -> tuple[Run, tuple[str, ...]]:
    """Return the run with lr, B and N assumed where it leaves them open, and a note of each.

    So is the number of layers where it counts.
    """
    size, batch = run.get("dataset_size"), run.get("batch_size")
    assumed: dict[str, Number] = {}
    if run.lr is None:
        assumed["lr"] = "0.05"
    if batch is None:
        assumed["batch_size"] = 8 if size is None else min(exact(8), size)
    if size is None:
        # A short last batch belongs to the test.
        examples = exact(batch or 8)
        assumed["dataset_size"] = 4 * examples + max(1, int(examples / 2))
    if layer and run.get("n_layers") is None:
        assumed["n_layers"] = 1
    notes = tuple(f"assumed: {name} {float(exact(value)):g}" for name, value in assumed.items())
    if layer:
        notes = (*notes, f"for a layer of {float(layer):g} weights, the model's")
    return Run.part(**assumed).over(run) if assumed else run, notes


def _target_lr(way: Plan, run: Run, target_run: Run | None) -> Number:
    """Return the target's lr: given, or the source's rescaled by the loss scales."""
    if target_run is not None and target_run.lr is not None:
        return target_run.lr
    ratio = way.target.lr / way.source.lr
    side = Side(convention=way.source.convention, run=run)
    return evaluated(side, ratio) * exact(run.lr or 1)


def _tested(
    pairing: Pairing, *, schedule: str, models: tuple[str, ...], notes: tuple[str, ...]
) -> Verification:
    """Return the outcome of the test that suits the claim."""
    n_steps, more = _n_steps(pairing.source.run)
    per_epoch = pairing.source.run.epoch_ratio
    rate = parse_schedule(schedule, total_steps=n_steps, steps_per_epoch=per_epoch)
    multipliers = rate.multiplier(np.arange(n_steps, dtype=float))
    test = _test(pairing, models, multipliers)
    stated = claim(pairing.way)
    return Verification(
        source=pairing.source,
        target=pairing.target,
        value=pairing.values[0],
        to_value=pairing.values[1],
        lr=float(pairing.source.run.lr or 0),
        to_lr=float(pairing.target.run.lr or 0),
        claim=pairing.claim,
        meaning=stated.meaning,
        method=test.method,
        tolerance=max([test.tolerance, *(each.tolerance for each in pairing.stand_ins.values())]),
        steps=n_steps,
        schedule=schedule,
        trials=test.trials,
        apart=_apart(pairing, multipliers),
        notes=(*notes, *more, *_whole(pairing), *stated.ends),
    )


def _whole(pairing: Pairing) -> tuple[str, ...]:
    """Return the note that a short last batch is left out, where there is one that matters."""
    run, per_epoch = pairing.source.run, pairing.source.run.epoch_ratio
    short = per_epoch is not None and per_epoch % 1 and not run.drop_last
    stepped = pairing.claim == Equivalence.IDENTICAL and _is_simulated(pairing)
    if not (short and stepped and needs_whole_batches(pairing)):
        return ()
    return ("whole batches only: a short last one weighs less in a sum than in a mean",)


def _test(pairing: Pairing, models: tuple[str, ...], multipliers: Array) -> Test:
    """Return the test that suits the claim, carried out.

    Raises:
        NoEquivalentError: an estimate claims nothing that could be tested.
    """
    kind = pairing.claim
    if kind == Equivalence.ESTIMATE:
        one, other = (side.convention.key for side, _ in pairing.sides)
        raise NoEquivalentError(one, other, "an estimate makes no claim that a training could test")
    if kind == Equivalence.SAME_OPTIMUM or _is_fitted(pairing):
        trials = tuple(optima(pairing, name) for name in _fitted_models(pairing, models))
        within = optimum_tolerance(pairing)
        return Test(method="optima of the full data", tolerance=within, trials=trials)
    if kind == Equivalence.SAME_DECAY:
        return free_trial(pairing)
    if not _is_simulated(pairing):
        trials = (undriven(pairing, multipliers),)
        method = "weights after every step, without data gradient"
    else:
        trials = tuple(trajectories(pairing, name, multipliers) for name in models or MODELS)
        trials += _beside_signs(pairing)
        method = "weights after every step"
    return Test(method=method, tolerance=TOLERANCE, trials=trials)


def _beside_signs(pairing: Pairing) -> tuple[Trial, ...]:
    """Return the optima's distance too where steps are signs, which small errors do not turn."""
    signs = any(
        f"{name}(" in side.convention.update for side, _ in pairing.sides for name in _SIGNS
    )
    if not signs or pairing.way.held != Invariant.STRENGTH:
        return ()
    return (replace(optima(pairing, "least-squares"), model="least-squares optimum"),)


def _is_fitted(pairing: Pairing) -> bool:
    """Return whether a framework fits a side at once, without steps to compare."""
    return any(stand_in.rule is None for stand_in in pairing.stand_ins.values())


def _fitted_models(pairing: Pairing, models: tuple[str, ...]) -> tuple[str, ...]:
    """Return the models whose optima are compared: those asked for, or all that suit.

    Raises:
        InvalidValueError: one asked for has another data loss, or a framework's fit is of none.
    """
    fitted = [set(each.models) for each in pairing.stand_ins.values() if each.models]
    suited = tuple(name for name in convex_models(pairing) if all(name in some for some in fitted))
    for name in models:
        if name not in suited and (fitted or data_losses(pairing)):
            text = f"has another data loss than they have; {' or '.join(suited)} has theirs"
            raise InvalidValueError("model", name, text)
    return models or suited


def _is_simulated(pairing: Pairing) -> bool:
    """Return whether both optimizers' directions are simulated."""
    return not any("unmodelled" in side.convention.update for side, _ in pairing.sides)


def _apart(pairing: Pairing, multipliers: Array) -> tuple[Trial, ...]:
    """Return how far the trajectories part, where that is not what the claim is about."""
    stepless = {side.convention.optimizer for side, _ in pairing.sides} & {FIT, MEASURE}
    if pairing.claim == Equivalence.IDENTICAL or stepless or not _is_simulated(pairing):
        return ()
    return (trajectories(pairing, "least-squares", multipliers),)


def _n_steps(run: Run) -> tuple[int, tuple[str, ...]]:
    """Return how many steps to train, and a note where that is less than the run."""
    total = run.total_steps
    if total is None:
        return STEPS, ()
    steps = max(1, int(total))
    if steps <= MOST_STEPS:
        return steps, ()
    return STEPS, (f"trained for {STEPS} steps of the run's {steps}, the schedule compressed",)


def check_models(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of models, all known.

    Raises:
        InvalidValueError: no model of that name.
    """
    for name in names:
        if name not in MODELS:
            raise InvalidValueError("model", name, f"must be one of {', '.join(MODELS)}")
    return names
