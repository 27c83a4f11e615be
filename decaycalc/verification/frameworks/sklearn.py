"""scikit-learn's fits: they go to the optimum at once, without steps."""

from typing import Any

import numpy as np

from decaycalc.errors import InvalidValueError
from decaycalc.verification.frameworks import loading
from decaycalc.verification.pairing import Solver, StandIn
from decaycalc.verification.rules.optimizers import Array
from decaycalc.verification.train import Learner, Model


def load() -> Any:
    """Return the module sklearn, its linear models loaded.

    Raises:
        MissingFrameworkError: it is not installed.
    """
    loading.load("sklearn.linear_model", framework="sklearn", package="scikit-learn")
    return loading.load("sklearn", framework="sklearn", package="scikit-learn")


def stand_in(key: str, sklearn: Any) -> StandIn:
    """Return what takes the place of one of `KEYS`."""
    if key == "sklearn-ridge":
        return StandIn(solve=_ridge(sklearn), tolerance=1e-9, models=("least-squares",))
    return StandIn(solve=_logistic(sklearn), tolerance=1e-5, models=("softmax",))


KEYS = ("sklearn-ridge", "sklearn-logistic")


def _share(learner: Learner, model: Model) -> float:
    """Return what each example weighs: the model's examples stand for the whole data set."""
    return model.scale * learner.names["dataset_size"] / model.n_examples


def _ridge(sklearn: Any) -> Solver:
    def solve(learner: Learner, model: Model, _start: Array) -> Array:
        found = sklearn.linear_model.Ridge(
            alpha=learner.names["alpha"], fit_intercept=False, tol=1e-12
        )
        # Ridge squares errors, the model halves their squares.
        root = (learner.unit * _share(learner, model) / 2) ** 0.5
        found.fit(root * model.inputs, root * model.targets)
        return np.ravel(np.asarray(found.coef_, float))

    return solve


def _logistic(sklearn: Any) -> Solver:
    """Return multinomial regression; its optimum is laid out as the model's weights, flat.

    The solver raises InvalidValueError where a class has no example.
    """

    def solve(learner: Learner, model: Model, _start: Array) -> Array:
        found = sklearn.linear_model.LogisticRegression(
            C=learner.names["C"] * _share(learner, model),
            fit_intercept=False, tol=1e-12, solver="newton-cg", max_iter=10_000,
        )  # fmt: skip
        n_classes = model.start[0].shape[1]
        if len(np.unique(model.targets)) < n_classes:
            size = str(model.n_examples)
            raise InvalidValueError("dataset_size", size, f"must show all {n_classes} classes")
        found.fit(model.inputs, model.targets)
        return np.ravel(np.asarray(found.coef_, float).T)

    return solve
