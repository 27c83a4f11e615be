"""Measure what solvers that fit no common environment find: `python measure_fits.py [KEY]...`.

It writes fitted.json: the weights at each package's own number on the data of fits.py, or, where
one row of a factorisation or one leaf of a tree is solved, that row's own data. The tests ask
whether the objective that the record says is stationary there.
"""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from fits import make_data

FILE = Path(__file__).parent / "fitted.json"
DATA = make_data()


def row(inputs, targets, weights, **names):
    """Return a fit on data of its own, without an intercept."""
    return {
        "inputs": np.asarray(inputs, dtype=float).tolist(),
        "targets": np.asarray(targets, dtype=float).tolist(),
        "weights": np.asarray(weights, dtype=float).tolist(),
        "intercept": 0.0,
        "names": names,
    }


def spark_session():
    """Return a session of Spark on this machine alone."""
    from pyspark.sql import SparkSession

    found = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    return found.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()


def spark(name, *, signs, **fixed):
    """Return the fit of one of Spark's linear models."""

    def solve(value):
        from pyspark.ml import classification, regression
        from pyspark.ml.linalg import Vectors

        labels = (DATA.signs > 0).astype(float) if signs else DATA.targets
        rows = [(Vectors.dense(x), float(y)) for x, y in zip(DATA.inputs, labels, strict=True)]
        frame = spark_session().createDataFrame(rows, ["features", "label"])
        kind = getattr(classification if signs else regression, name)
        model = kind(regParam=value, standardization=False, maxIter=1000, tol=1e-14, **fixed)
        found = model.fit(frame)
        names = {} if signs else {"target_std": float(DATA.targets.std(ddof=1))}
        return {
            "weights": found.coefficients.toArray().tolist(),
            "intercept": float(found.intercept),
            "names": names,
        }

    return solve


def ratings():
    """Return a user by item matrix of ratings, all of them given."""
    return np.random.default_rng(11).normal(3, 1, size=(7, 6))


def spark_als(value):
    """Return the first user's factors of Spark's ALS, solved last, and his items'."""
    from pyspark.ml.recommendation import ALS

    table = [
        (u, i, float(r))
        for u, line in enumerate(ratings())
        for i, r in enumerate(line)
        if (u, i) != (0, 0)
    ]
    frame = spark_session().createDataFrame(table, ["user", "item", "rating"])
    model = ALS(rank=2, maxIter=5, regParam=value, seed=1).fit(frame)
    items = {line["id"]: line["features"] for line in model.itemFactors.collect()}
    users = {line["id"]: line["features"] for line in model.userFactors.collect()}
    inputs = [items[i] for i in range(1, 6)]
    return row(inputs, ratings()[0, 1:], users[0])


def implicit_als(value):
    """Return the last solved row of implicit's ALS, an item's, each pair weighed by 1."""
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    matrix = (ratings() > 3).astype(float)  # confidence 1 in every pair, given or not
    model = AlternatingLeastSquares(
        factors=2, regularization=value, alpha=1.0, iterations=3, use_cg=False, dtype=np.float64,
        random_state=1, num_threads=1,
    )  # fmt: skip
    model.fit(csr_matrix(matrix), show_progress=False)
    return row(model.user_factors, matrix[:, 0], model.item_factors[0])


def catboost(value):
    """Return the value of one leaf of a tree of depth 0 of CatBoost."""
    from catboost import CatBoostRegressor

    inputs = np.repeat([[0.0], [1.0]], 20, axis=0)
    model = CatBoostRegressor(
        iterations=1, depth=1, learning_rate=1.0, l2_leaf_reg=value, boost_from_average=False,
        bootstrap_type="No", random_strength=0, verbose=False, allow_writing_files=False,
        leaf_estimation_iterations=1,
    )  # fmt: skip
    model.fit(inputs, DATA.targets[:40])
    leaf = model.predict(inputs[20:21])
    return row(np.ones((20, 1)), DATA.targets[20:40], leaf, n_leaf=20)


def huber(value):
    """Return scikit-learn's Huber regression, its scale beside it, where no error is an outlier."""
    from sklearn.linear_model import HuberRegressor

    model = HuberRegressor(epsilon=30.0, alpha=value, max_iter=10_000, tol=1e-10)
    found = model.fit(DATA.inputs, DATA.targets)
    return {
        "weights": found.coef_.tolist(),
        "intercept": float(found.intercept_),
        "scale": float(found.scale_),
        "names": {},
    }


def r_nnet(value):
    """Return the weights of R's nnet without hidden units, the biases decayed like them."""
    columns = ", ".join(f"c({', '.join(map(repr, each.tolist()))})" for each in DATA.inputs.T)
    targets = ", ".join(map(repr, DATA.targets.tolist()))
    script = (
        f"library(nnet); x <- cbind({columns}); y <- c({targets});"
        f"f <- nnet(x, y, size=0, skip=TRUE, linout=TRUE, decay={value!r}, maxit=5000,"
        "reltol=1e-15, abstol=1e-15, trace=FALSE); cat(format(f$wts, digits=17))"
    )
    found = subprocess.run(["Rscript", "-e", script], capture_output=True, check=True, text=True)
    intercept, *weights = map(float, found.stdout.split())
    return {"weights": weights, "intercept": intercept, "names": {}}


def r_version():
    """Return the release of R's nnet."""
    command = ["Rscript", "-e", "cat(as.character(packageVersion('nnet')))"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


SOLVED = {
    "spark-linear": ("pyspark", "squared", spark("LinearRegression", signs=False, solver="l-bfgs")),
    "spark-logistic": ("pyspark", "logistic", spark("LogisticRegression", signs=True)),
    "spark-linear-svc": ("pyspark", "hinge", spark("LinearSVC", signs=True)),
    "spark-als": ("pyspark", "squared", spark_als),
    "implicit-als": ("implicit", "whole-squared", implicit_als),
    "catboost": ("catboost", "squared", catboost),
    "sklearn-huber": ("scikit-learn", "scaled-squared", huber),
    "r-nnet": ("nnet", "whole-squared", r_nnet),
}
"""Key to package, data loss and solver."""
VALUE = 0.37


def main(keys):
    """Measure what can be, and write the file."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    for key, (package, loss, solve) in SOLVED.items():
        if keys and key not in keys:
            continue
        try:
            release = r_version() if package == "nnet" else version(package)
            found = solve(VALUE)
        except Exception as error:  # noqa: BLE001 - a package that is not there
            print(f"{key}: {type(error).__name__}: {str(error)[:300]}")
            continue
        known[key] = {"release": f"{package} {release}", "value": VALUE, "loss": loss, **found}
        print(f"{key}: measured")
    lines = (f" {json.dumps(key)}: {json.dumps(known[key])}" for key in sorted(known))
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
