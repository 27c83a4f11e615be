"""Fits: solvers that go to the optimum of a convex problem, behind a common face.

`solve(value, data)` returns the weights and the intercept that the package finds for its own
number on `data.inputs`, `data.targets` (real), and `data.signs` (-1 and 1).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Data:
    """A regression and a two-class problem on the same inputs, with centred columns."""

    inputs: np.ndarray
    targets: np.ndarray
    signs: np.ndarray

    @property
    def n_examples(self):
        """How many examples there are."""
        return len(self.inputs)


def make_data(n_examples=40, seed=5):
    """Return data whose columns and real targets have mean zero, so that intercepts are."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(n_examples, 4)) * [0.5, 1.0, 2.0, 1.3]
    inputs -= inputs.mean(axis=0)
    targets = inputs @ [1.0, -0.5, 0.3, 0.0] + random.normal(size=n_examples)
    signs = np.where(targets + random.normal(size=n_examples) > 0, 1.0, -1.0)
    return Data(inputs=inputs, targets=targets - targets.mean(), signs=signs)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A package's solver: its loss (`squared`, `logistic`, `hinge`, `squared-hinge`)."""

    package: str
    loss: str
    solve: Callable
    tolerance: float = 1e-6
    penalises_intercept: bool = False


def mean_gradient(loss, data, weights, intercept):
    """Return the mean loss's gradient in the weights; squares are halved, squared hinges not."""
    scores = data.inputs @ weights + intercept
    if loss == "squared":
        slopes = scores - data.targets
    elif loss == "logistic":
        slopes = -data.signs / (1 + np.exp(data.signs * scores))
    else:
        slopes = -2 * data.signs * np.maximum(0, 1 - data.signs * scores)
    return data.inputs.T @ slopes / data.n_examples


def sklearn_linear(name, parameter, *, signs, **fixed):
    """Return `solve` for a linear model of scikit-learn."""

    def solve(value, data):
        from sklearn import linear_model, svm

        model = getattr(linear_model, name, None) or getattr(svm, name)
        found = model(**{parameter: value}, **fixed)
        found.fit(data.inputs, data.signs if signs else data.targets)
        return np.ravel(found.coef_), float(np.ravel(found.intercept_)[0])

    return solve


def kernel_ridge(value, data):
    """Return the weights of a linear kernel's ridge regression."""
    from sklearn.kernel_ridge import KernelRidge

    found = KernelRidge(alpha=value, kernel="linear").fit(data.inputs, data.targets)
    return data.inputs.T @ found.dual_coef_, 0.0


def statsmodels_ols(value, data):
    """Return statsmodels' penalised least squares, without constant."""
    from statsmodels.api import OLS

    found = OLS(data.targets, data.inputs).fit_regularized(alpha=value, L1_wt=0.0)
    return np.asarray(found.params), 0.0


def glmnet(name, *, signs):
    """Return `solve` for python-glmnet, on the scale of the inputs as they are."""

    def solve(value, data):
        import glmnet

        path = np.array([value * 4, value * 2, value])
        model = getattr(glmnet, name)(
            alpha=0.0, lambda_path=path, standardize=False, n_splits=0, tol=1e-12
        )
        found = model.fit(data.inputs, data.signs > 0 if signs else data.targets)
        intercept = np.ravel(found.intercept_path_)[-1]
        return found.coef_path_[..., -1].ravel(), float(intercept)

    return solve


def liblinear(value, data):
    """Return liblinear's L2-regularised logistic regression, its bias not regularised (-R)."""
    from liblinear.liblinearutil import train

    settings = f"-s 0 -c {value!r} -e 1e-12 -B 1 -R -q"
    model = train(data.signs.tolist(), data.inputs.tolist(), settings)
    weights = np.array([model.w[place] for place in range(data.inputs.shape[1] + 1)])
    weights *= 1 if model.get_labels()[0] == 1 else -1
    return weights[:-1], float(weights[-1])


def perceptron_lbfgs(value, data):
    """Return scikit-learn's multilayer perceptron without hidden layers, fitted in full batches."""
    from sklearn.neural_network import MLPRegressor

    settings = {"solver": "lbfgs", "tol": 1e-15, "max_iter": 10_000, "max_fun": 100_000}
    model = MLPRegressor(hidden_layer_sizes=(), alpha=value, random_state=0, **settings)
    found = model.fit(data.inputs, data.targets)
    return found.coefs_[0].ravel(), float(found.intercepts_[0][0])


def tweedie(value, data):
    """Return scikit-learn's generalised linear model of a normal target."""
    from sklearn.linear_model import TweedieRegressor

    model = TweedieRegressor(power=0, alpha=value, solver="newton-cholesky", tol=1e-12)
    found = model.fit(data.inputs, data.targets)
    return found.coef_, float(found.intercept_)


def libsvm(value, data):
    """Return libsvm's linear support vector machine."""
    from libsvm.svmutil import svm_train

    model = svm_train(
        data.signs.tolist(), data.inputs.tolist(), f"-s 0 -t 0 -c {value!r} -e 1e-10 -q"
    )
    vectors = np.array([[v.get(i + 1, 0.0) for i in range(4)] for v in model.get_SV()])
    weights = np.ravel(model.get_sv_coef()) @ vectors
    sign = 1 if model.get_labels()[0] == 1 else -1
    return weights * sign, -float(model.rho[0]) * sign


def xgboost_linear(value, data):
    """Return XGBoost's linear booster."""
    import xgboost

    matrix = xgboost.DMatrix(data.inputs, label=data.targets)
    settings = {
        "booster": "gblinear", "reg_lambda": value, "reg_alpha": 0, "eta": 0.5, "base_score": 0.0,
        "updater": "coord_descent", "nthread": 1, "tolerance": 0,
    }  # fmt: skip
    found = xgboost.train(settings, matrix, num_boost_round=3000)
    (*weights,) = map(float, found.get_dump()[0].split()[3:])
    return np.array(list(weights)), float(found.get_dump()[0].split()[1])


def vw_bfgs(value, data):
    """Return Vowpal Wabbit's batch solver's weights, without constant."""
    import tempfile

    from vowpalwabbit import Workspace

    lines = [
        f"{target!r} | " + " ".join(f"{place}:{x!r}" for place, x in enumerate(row.tolist()))
        for target, row in zip(data.targets.tolist(), data.inputs, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/data.txt"
        with open(path, "w") as file:  # noqa: PTH123 - three lines
            file.write("\n".join(lines) + "\n")
        solver = f"--bfgs --l2 {value!r} --passes 200 --termination 0 --holdout_off"
        space = Workspace(f"-d {path} --cache_file {path}.cache -k --noconstant --quiet {solver}")
        weights = [space.get_weight_from_name(str(place), " ") for place in range(4)]
        space.finish()
    return np.array(weights), 0.0


FITS = {
    "sklearn-ridge": Fit(
        package="scikit-learn",
        loss="squared",
        solve=sklearn_linear("Ridge", "alpha", signs=False, tol=1e-12),
        tolerance=1e-9,
    ),
    "sklearn-kernel-ridge": Fit(
        package="scikit-learn", loss="squared", solve=kernel_ridge, tolerance=1e-9
    ),
    "sklearn-mlp-lbfgs": Fit(
        package="scikit-learn", loss="squared", solve=perceptron_lbfgs, tolerance=1e-4
    ),
    "sklearn-glm": Fit(package="scikit-learn", loss="squared", solve=tweedie),
    "sklearn-elastic-net": Fit(
        package="scikit-learn",
        loss="squared",
        solve=sklearn_linear(
            "ElasticNet", "alpha", signs=False, l1_ratio=0.0, tol=1e-14, max_iter=100_000
        ),
    ),
    "sklearn-logistic": Fit(
        package="scikit-learn",
        loss="logistic",
        solve=sklearn_linear(
            "LogisticRegression", "C", signs=True, tol=1e-12, solver="newton-cholesky"
        ),
    ),
    "sklearn-linear-svc": Fit(
        package="scikit-learn",
        loss="squared-hinge",
        solve=sklearn_linear(
            "LinearSVC", "C", signs=True, tol=1e-12, fit_intercept=False, max_iter=100_000
        ),
        tolerance=1e-4,
    ),
    "sklearn-svc": Fit(
        package="scikit-learn",
        loss="hinge",
        solve=sklearn_linear("SVC", "C", signs=True, tol=1e-10, kernel="linear"),
        tolerance=1e-6,
    ),
    "statsmodels": Fit(
        package="statsmodels", loss="squared", solve=statsmodels_ols, tolerance=1e-8
    ),
    "glmnet-gaussian": Fit(
        package="python_glmnet",
        loss="squared",
        solve=glmnet("ElasticNet", signs=False),
        tolerance=1e-5,
    ),
    "glmnet-binomial": Fit(
        package="python_glmnet",
        loss="logistic",
        solve=glmnet("LogitNet", signs=True),
        tolerance=1e-5,
    ),
    "liblinear": Fit(
        package="liblinear-official", loss="logistic", solve=liblinear, tolerance=1e-4
    ),
    "libsvm": Fit(package="libsvm-official", loss="hinge", solve=libsvm, tolerance=1e-6),
    "xgboost-gblinear": Fit(
        package="xgboost-cpu", loss="squared", solve=xgboost_linear, tolerance=1e-4
    ),
    "vw-bfgs": Fit(package="vowpalwabbit", loss="squared", solve=vw_bfgs, tolerance=1e-3),
}
