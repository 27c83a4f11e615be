"""Solvers' own solutions against the record's objective, its strength, and one another."""

from functools import cache
from itertools import permutations

import numpy as np
import pytest
from fits import FITS, make_data, mean_gradient

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.conversion.side import Side
from decaycalc.errors import NoEquivalentError
from decaycalc.verification.rules.rule import parse_rule

DATA = make_data()
STRENGTH = 0.2  # beside the mean of half the squared error, or of any other loss
EXTRAS = {"target_std": float(np.std(DATA.targets)), "l1_ratio": 0}
RECORDS = {key: find(key) for key in FITS}
SMOOTH = [key for key in RECORDS if FITS[key].loss != "hinge"]


def run_for(*keys):
    """Return the run of the fits, with what only these records take."""
    records = [find(key) for key in keys]
    names = {name for record in records for name in record.monomial.names}
    names |= {name for record in records for name, _ in (*record.refinements, *record.defaults)}
    extras = tuple((name, value) for name, value in EXTRAS.items() if name in names)
    return Run(batch_size=DATA.n_examples, dataset_size=DATA.n_examples, extras=extras)


def value_of(key):
    """Return the record's number for the suite's strength."""
    halves = FITS[key].loss == "squared" and RECORDS[key].loss_unit == "squared-error"
    source = "statsmodels" if halves else "mean-half-l2"
    return convert(STRENGTH, source=source, target=RECORDS[key], run=run_for(source, key)).value


def own_unit(record):
    """Return how many times half the squared error the record's own squared error is."""
    return 2.0 if record.loss_unit == "squared-error" else 1.0


@cache
def solved(key, value):
    """Return a package's solution."""
    return FITS[key].solve(value, DATA)


@pytest.mark.parametrize("key", SMOOTH)
def test_a_solution_is_stationary_in_the_records_objective(key, record):
    found, fit = RECORDS[key], FITS[key]
    value, side = value_of(key), Side(convention=found, run=run_for(key))
    weights, intercept = solved(key, value)
    rule = parse_rule(found.update)
    scale = 1.0 if side.loss.scale is None else float(side.get(side.loss.scale))
    wanted = {name: side.get(name) for name in rule.quantities - {found.parameter}}
    names = {name: float(given) for name, given in wanted.items()}
    names |= {found.parameter: value, "lr": 1.0, "loss_scale": scale}
    gradient = own_unit(found) * mean_gradient(fit.loss, DATA, weights, intercept)
    penalty = rule.descent(weights, 0 * weights, names=names)
    rest = rule.descent(weights, scale * gradient, names=names)
    difference = np.linalg.norm(rest) / np.linalg.norm(penalty)
    record(fit.package, difference)
    assert difference <= fit.tolerance


@pytest.mark.parametrize("key", SMOOTH)
def test_a_solution_balances_the_strength_that_the_number_stands_for(key, record):
    fit = FITS[key]
    weights, intercept = solved(key, value_of(key))
    gradient = mean_gradient(fit.loss, DATA, weights, intercept)
    difference = np.linalg.norm(gradient + STRENGTH * weights) / np.linalg.norm(gradient)
    record(fit.package, difference)
    assert difference <= fit.tolerance


@pytest.mark.parametrize("key", [key for key in RECORDS if FITS[key].loss == "hinge"])
def test_a_support_vector_machine_balances_its_strength(key, record):
    from scipy.optimize import lsq_linear

    fit = FITS[key]
    weights, intercept = solved(key, value_of(key))
    margins = DATA.signs * (DATA.inputs @ weights + intercept)
    pulls = DATA.inputs * DATA.signs[:, None] / DATA.n_examples
    inside, edge = margins < 1 - 1e-5, abs(margins - 1) <= 1e-5
    rest = STRENGTH * weights - pulls[inside].sum(axis=0)
    shares = lsq_linear(pulls[edge].T, rest, bounds=(0, 1))
    difference = np.linalg.norm(shares.fun) / np.linalg.norm(STRENGTH * weights)
    record(fit.package, difference)
    assert difference <= 1e-4


def convertible(one, other):
    """Return whether the converter answers between two records."""
    try:
        convert(STRENGTH, source=RECORDS[one], target=RECORDS[other], run=run_for(one, other))
    except NoEquivalentError:
        return False
    return True


SAME_LOSS = [
    pair for pair in permutations(RECORDS, 2) if len({FITS[key].loss for key in pair}) == 1
]
# A record that serves several losses cannot know that this one is half the squared error.
UNTOLD = [
    pair for pair in SAME_LOSS if {RECORDS[k].loss_unit for k in pair} == {None, "squared-error"}
]
# A GLM's deviance is a squared error at power 0 alone: what is of that one loss is refused there.
REFUSED = [pair for pair in SAME_LOSS if "sklearn-glm" in pair and not convertible(*pair)]
PAIRS = [pair for pair in SAME_LOSS if pair not in UNTOLD and pair not in REFUSED]
UNTOLD = [pair for pair in UNTOLD if pair not in REFUSED]


def test_a_glm_is_refused_where_the_other_side_has_one_loss():
    assert REFUSED


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_packages_find_one_optimum_with_the_converted_number(one, other, record):
    value = value_of(one)
    found = convert(value, source=RECORDS[one], target=RECORDS[other], run=run_for(one, other))
    assert found.equivalence in {"same-optimum", "identical"}
    first, _ = solved(one, value)
    second, _ = solved(other, found.value)
    difference = np.linalg.norm(first - second) / np.linalg.norm(second)
    record(FITS[one].package, difference)
    assert difference <= 10 * max(FITS[one].tolerance, FITS[other].tolerance)


@pytest.mark.parametrize(("one", "other"), UNTOLD)
def test_a_number_that_half_a_squared_error_doubles_comes_with_a_note(one, other, record):
    value = value_of(one)
    found = convert(value, source=RECORDS[one], target=RECORDS[other], run=run_for(one, other))
    assert "for a loss of the squared error: for half of it, halve λ" in found.note
    whole = "squared-error"
    share = 0.5 if RECORDS[one].loss_unit == whole else 2.0
    first, _ = solved(one, value)
    second, _ = solved(other, found.value * share)
    difference = np.linalg.norm(first - second) / np.linalg.norm(second)
    record(FITS[one].package, difference)
    assert difference <= 10 * max(FITS[one].tolerance, FITS[other].tolerance)
