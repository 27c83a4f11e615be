"""Records of solvers against the weights that their own packages found."""

import json
from pathlib import Path

import numpy as np
import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from tests.conformance import fits

FOLDER = Path(__file__).parents[1] / "conformance"
FITTED = json.loads((FOLDER / "fitted.json").read_text())

TOLERANCE = {"spark-linear-svc": 0.02, "r-nnet": 1e-6, "sklearn-huber": 1e-3, "spark-als": 1e-5}
WHOLE = {"whole-squared": 2.0, "scaled-squared": 2.0}
"""By how much a loss that is not halved has a larger gradient than its half."""


def data_of(case):
    """Return the data of a fit: its own, or those of fits.py."""
    if "inputs" not in case:
        return fits.make_data()
    targets = np.array(case["targets"])
    return fits.Data(inputs=np.array(case["inputs"]), targets=targets, signs=np.sign(targets))


def hinge_gradient(data, weights, intercept, pull):
    """Return the hinge's mean subgradient that comes nearest to `-pull`, bias included."""
    margins = data.signs * (data.inputs @ weights + intercept)
    columns = -data.signs[:, None] * np.column_stack([data.inputs, np.ones(data.n_examples)])
    columns /= data.n_examples
    inside, at = margins < 1 - 0.01, np.abs(margins - 1) <= 0.01
    rest = columns[inside].sum(axis=0) + np.append(pull, 0.0)
    shares = np.clip(np.linalg.lstsq(columns[at].T, -rest, rcond=None)[0], 0, 1)
    return (columns[inside].sum(axis=0) + shares @ columns[at])[:-1]


@pytest.mark.parametrize("key", FITTED)
def test_what_a_solver_found_is_stationary_for_what_its_record_says(key):
    case, data = FITTED[key], data_of(FITTED[key])
    run = Run(dataset_size=data.n_examples, extras=tuple(case["names"].items()))
    found = convert(case["value"], source=key, target="mean-half-l2", run=run)
    weights, intercept = np.array(case["weights"]), case["intercept"]
    pull = found.value * weights
    if case["loss"] == "hinge":
        slope = hinge_gradient(data, weights, intercept, pull)
    else:
        loss = "logistic" if case["loss"] == "logistic" else "squared"
        slope = WHOLE.get(case["loss"], 1.0) * fits.mean_gradient(loss, data, weights, intercept)
    slope = slope / case.get("scale", 1.0)
    assert np.abs(slope + pull).max() <= TOLERANCE.get(key, 1e-6) * np.abs(pull).max()
    assert np.abs(pull).max() > 1e-3


@pytest.mark.parametrize("key", FITTED)
def test_a_fitted_record_names_the_release_that_was_run(key):
    assert find(key).verification == f"executed: {FITTED[key]['release']}"
