"""Claims of every class between conventions drawn at random, by training with data gradients.

`verify` trains both sides on minibatches where their steps are claimed to agree, and on all data
where their optima are. Of a decay the claim is of a weight without gradient: here two weights that
see the same random gradients must part by that decay too, on both sides. An optimizer that is not
simulated is stood in for by Adam. DECAYCALC_FUZZ=4000 draws as many pairs (`.ci/run` does), another
number other ones.
"""

import os
import random
from collections import Counter, defaultdict
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.record import FIT, Equivalence
from decaycalc.conventions.run import Run
from decaycalc.conversion.entering import require_taken
from decaycalc.conversion.plan import plan, target_side
from decaycalc.conversion.side import Side
from decaycalc.errors import ContradictionError, MissingQuantityError, NoEquivalentError
from decaycalc.record import replace
from decaycalc.verification.pairing import Pairing
from decaycalc.verification.rules.rule import State
from decaycalc.verification.train import MODELS, free_decay
from decaycalc.verification.trials import _as_descent
from decaycalc.verification.verify import verify
from tests.verification.test_verify_catalogue import EXTRAS, named, settings_of
from tests.verification.test_verify_catalogue import value_of as larger_value_of

N_PAIRS = int(os.environ.get("DECAYCALC_FUZZ", "0"))
A_CLASS = 6


def replace_unmodelled(record):
    """Return a record whose optimizer, where it is not simulated, is stood in for by Adam."""
    return replace(record, update=record.update.replace("unmodelled(g)", "adam(g)"))


RECORDS = [replace_unmodelled(record) for record in conventions() if record.refusal is None]
SETTINGS = ({}, {"momentum": "0.9"}, {"momentum": "0.9", "nesterov": True})
RUN = {"lr": "0.05", "batch_size": 8, "dataset_size": 36, "steps": 30, "n_weights": 6}
TARGET = Run.part(lr="0.02")  # an lr belongs to an optimizer
WEIGHED = {
    "pytorch-adafactor": "the step is times the weights' size",
    "keras-adafactor": "the step is times the weights' size",
    "keras-lamb": "the step is times the weights' size",
    "mxnet-dcasgd": "the step takes a gradient at an earlier weight to the present one",
}
"""Records whose data step depends on the weight: two of them part by more than the decay."""


def settled(source, target, setting):
    """Return the two runs that a pair's claim is of, with what the pair asks for.

    Raises:
        ContradictionError: the pair does not take the setting.
        NoEquivalentError: it has no claim.
    """
    records = (source, target)
    more = [settings_of(record) for record in records if settings_of(record)]
    names = {name for record in records for name in (*dict(record.defaults), *named(record))}
    run = Run(
        **{**RUN, **setting, **(more[0] if more else {})},
        extras=tuple((name, value) for name, value in EXTRAS.items() if name in names),
    )
    try:
        way = planned(source, target, run)
    except MissingQuantityError:  # what trains a penalty
        run = replace(run, optimizer="sgd")
        way = planned(source, target, run)
    there = TARGET if needs_lr(way) else None
    require_taken(way.source, (target,), there)
    return run, there


def needs_lr(way):
    """Return whether the claim is of a target's lr that nobody said."""
    try:
        way.value(Fraction(value_of(way.source.convention)))
    except MissingQuantityError as error:
        return "to_lr" in (*error.missing, *way.missing())
    return False


def planned(source, target, run, there=None):
    """Return the plan of a pair."""
    here = Side(convention=source, run=run)
    return plan(here, target_side(here, target, there))


def value_of(record):
    """Return a number that decays so little that no momentum of the settings oscillates."""
    if record.parameter in {"half_life", "timescale"}:
        return "370"
    return "0.997" if record.parameter == "factor" else larger_value_of(record)


def draw():
    """Yield pairs with a claim, without end: class, source, target and their two runs."""
    chance = random.Random(N_PAIRS)  # noqa: S311  (no secrets)
    for _ in range(N_PAIRS or 10**6):
        source, target = chance.sample(RECORDS, 2)
        try:
            run, there = settled(source, target, chance.choice(SETTINGS))
        except (ContradictionError, NoEquivalentError):
            continue
        way = planned(source, target, run, there)
        yield way.condition or way.equivalence.value, source, target, run, there


@cache
def sample():
    """Return claims by class, `A_CLASS` of each."""
    found = defaultdict(list)
    for kind, *claim in draw():
        if N_PAIRS or len(found[kind]) < A_CLASS:
            found[kind].append(claim)
        if not N_PAIRS and len(found) == len(CLASSES) and min(map(len, found.values())) == A_CLASS:
            break
    return found


TRAINED = {*MODELS, "least-squares optimum"}
CLASSES = ("identical", "exact at momentum 0", "same-optimum", "same-decay", "estimate")


@pytest.mark.parametrize("kind", CLASSES)
def test_claims_hold_where_both_sides_train_with_data_gradients(kind):
    ran = Counter()
    for source, target, run, there in sample()[kind]:
        try:
            check(source, target, run, there)
        except BaseException as error:
            error.add_note(f"{source.key} to {target.key}: {run}, {there}")
            raise
        ran[kind] += 1
    assert ran[kind] >= (1 if N_PAIRS else A_CLASS)


def test_what_is_the_same_beside_a_summed_loss_trains_alike():
    """Of each record: an adaptive optimizer may feel the scale of the loss, by an epsilon."""
    source = find("sum-half-l2")
    for target in RECORDS if N_PAIRS else RECORDS[::20]:
        try:
            run, there = settled(source, target, {})
        except (ContradictionError, NoEquivalentError):
            continue
        way = planned(source, target, run, there)
        if way.equivalence == Equivalence.IDENTICAL and not way.condition:
            settings = {"source": source, "target": target, "run": run, "target_run": there}
            assert verify(value_of(source), **settings).holds, target.key


@pytest.mark.parametrize(
    ("source", "target", "equivalence"),
    [
        ("sum-half-l2", "pytorch-optimizer-ademamix", "identical"),  # an epsilon in the update
        ("sum-half-l2", "torch-optimizer-adabelief", "same-optimum"),  # one added in each step
        ("prior-std", "timm-sgdw-corrected", "same-optimum"),  # a weak penalty, slopes near 0
        ("pytorch-asgd", "adv-optm-adopt", "same-decay"),  # an lr that falls, a step without decay
    ],
)
def test_claims_at_their_edges_hold(source, target, equivalence):
    source, target = find(source), replace_unmodelled(find(target))
    run, there = settled(source, target, {})
    assert planned(source, target, run, there).equivalence == equivalence
    check(source, target, run, there)


def check(source, target, run, there):
    """Hold a claim against a training of both sides."""
    way = planned(source, target, run, there)
    settings = {"source": source, "target": target, "run": run, "target_run": there}
    if way.equivalence == Equivalence.ESTIMATE:
        with pytest.raises(NoEquivalentError, match="makes no claim that a training could test"):
            verify(value_of(source), **settings)
        return
    found = verify(value_of(source), **settings)
    assert found.holds
    if way.equivalence == Equivalence.SAME_DECAY and not way.condition:
        parted(found, way)
    else:
        assert {trial.model for trial in found.trials} <= TRAINED


def parted(found, way):
    """Hold both sides' decay between two weights that see the same gradients."""
    sides = {"source": found.source, "target": found.target}
    pairing = Pairing(way=way, values=(found.value, found.to_value), **sides)
    for learner, (side, _) in zip(pairing.learners(), pairing.sides, strict=True):
        if side.convention.key in WEIGHED:
            continue
        size = float(side.get("batch_size"))
        as_steps = _as_descent(learner, size) if side.convention.optimizer == FIT else learner
        one, other = (driven(as_steps, start, size) for start in (STARTS[0], STARTS[1]))
        gap = STARTS[0] - STARTS[1]
        alone = free_decay(as_steps, gap, multipliers=np.ones(N_STEPS), size=size)
        assert np.abs(one - other - alone).max() <= 1e-9 * np.abs(gap).max(), side.convention.key


N_STEPS = 50
STARTS = np.array([[1.0, -2.5, 0.375], [-0.5, 0.7, 1.2]])


def driven(learner, weights, size):
    """Return the weights after each step of random gradients, always the same."""
    chance, state, path = np.random.default_rng(5), State(), []
    for _ in range(N_STEPS):
        gradient = chance.normal(size=3)
        weights = learner.step(state, weights, gradient, multiplier=1.0, size=size)
        path.append(weights)
    return np.array(path)
