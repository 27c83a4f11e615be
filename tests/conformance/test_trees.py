"""Trees: the leaves of XGBoost and LightGBM against the strength that their penalty stands for."""

import numpy as np
import pytest

from decaycalc.algebra.quantity import exact
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.conversion.shrinks import strength_of
from decaycalc.conversion.side import Side

N_EXAMPLES = 60
RANDOM = np.random.default_rng(17)
INPUTS = RANDOM.normal(size=(N_EXAMPLES, 3))
TARGETS = INPUTS @ [1.0, -0.5, 0.3] + RANDOM.normal(size=N_EXAMPLES)
TARGETS -= TARGETS.mean()
CLASSES = (TARGETS > 0).astype(float)


def xgboost_leaves(loss, penalty):
    """Return each example's leaf and prediction (a score) by one tree."""
    import xgboost

    objective = {"squared": "reg:squarederror", "logistic": "binary:logistic"}[loss]
    settings = {
        "objective": objective, "reg_lambda": penalty, "eta": 1.0, "max_depth": 3, "nthread": 1,
        "base_score": 0.0 if loss == "squared" else 0.5, "min_child_weight": 0, "gamma": 0,
    }  # fmt: skip
    data = xgboost.DMatrix(INPUTS, label=TARGETS if loss == "squared" else CLASSES)
    model = xgboost.train(settings, data, num_boost_round=1)
    leaves = model.predict(data, pred_leaf=True).ravel()
    return leaves, model.predict(data, output_margin=True).astype(float)


def lightgbm_leaves(loss, penalty):
    """Return each example's leaf and prediction (a score) by one tree."""
    import lightgbm

    settings = {
        "objective": {"squared": "regression", "logistic": "binary"}[loss], "lambda_l2": penalty,
        "learning_rate": 1.0, "num_leaves": 6, "min_data_in_leaf": 1, "min_data_in_bin": 1,
        "min_sum_hessian_in_leaf": 0, "boost_from_average": False, "verbose": -1,
        "num_threads": 1, "deterministic": True,
    }  # fmt: skip
    data = lightgbm.Dataset(INPUTS, label=TARGETS if loss == "squared" else CLASSES)
    model = lightgbm.train(settings, data, num_boost_round=1)
    leaves = model.predict(INPUTS, pred_leaf=True).ravel()
    return leaves, model.predict(INPUTS, raw_score=True)


def histogram_leaves(_loss, penalty):
    """Return each example's leaf and prediction (a score beside the mean) by one tree."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        l2_regularization=penalty, learning_rate=1.0, max_iter=1, max_leaf_nodes=6,
        min_samples_leaf=1, early_stopping=False,
    )  # fmt: skip
    scores = model.fit(INPUTS, TARGETS).predict(INPUTS) - TARGETS.mean()
    return np.unique(scores, return_inverse=True)[1], scores


PACKAGES = {
    "sklearn-hist-gradient-boosting": ("scikit-learn", histogram_leaves, 1e-6),
    "xgboost-gbtree": ("xgboost-cpu", xgboost_leaves, 1e-5),
    "lightgbm": ("lightgbm", lightgbm_leaves, 1e-6),
}


def newton(loss, rows, strength_at):
    """Return a leaf's score: a Newton step from 0 on the mean loss plus half of strength·w².

    `strength_at` takes what the leaf's examples weigh, their summed second derivatives.
    """
    if loss == "squared":
        slopes, curves = -TARGETS[rows], np.ones(len(rows))
    else:
        slopes, curves = 0.5 - CLASSES[rows], np.full(len(rows), 0.25)
    return -slopes.sum() / curves.sum() / (1 + strength_at(curves.sum()))


@pytest.mark.parametrize("penalty", [0.5, 1.0, 20.0])
@pytest.mark.parametrize(
    ("key", "loss"),
    [
        ("xgboost-gbtree", "squared"),
        ("xgboost-gbtree", "logistic"),
        ("lightgbm", "squared"),
        ("lightgbm", "logistic"),
        ("sklearn-hist-gradient-boosting", "squared"),
    ],
)
def test_every_leaf_is_shrunk_by_the_strength_of_its_examples(key, loss, penalty, record):
    package, grow, tolerance = PACKAGES[key]

    def strength_at(weight):
        run = Run(extras=(("n_leaf", float(weight)),))
        return float(strength_of(Side(convention=find(key), run=run), exact(penalty)))

    leaves, scores = grow(loss, penalty)
    assert len(set(leaves)) > 2
    for leaf in set(leaves):
        (rows,) = np.nonzero(leaves == leaf)
        expected = newton(loss, rows, strength_at)
        difference = abs(scores[rows] - expected).max() / np.abs(scores).max()
        record(package, difference)
        assert difference <= tolerance


def test_one_number_serves_both_packages():
    found = convert("3", source="xgboost-gbtree", target="lightgbm", run=Run())
    assert found.value == 3
