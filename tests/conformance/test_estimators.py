"""Estimators that step: scikit-learn's MLP and SGD models, and Vowpal Wabbit.

The data gradients are those of a linear model, written out here; the records' rules make the steps.
"""

import numpy as np
import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.verification.rules.rule import State, parse_rule

N_EXAMPLES, BATCH, LR, ALPHA = 37, 8, 0.05, 0.3
RANDOM = np.random.default_rng(13)
INPUTS = RANDOM.normal(size=(N_EXAMPLES, 4))
TARGETS = INPUTS @ [1.0, -0.5, 0.3, 0.0] + RANDOM.normal(size=N_EXAMPLES)
CLASSES = (TARGETS > 0).astype(int)
START = RANDOM.normal(size=4)
BATCHES = [range(at, min(at + BATCH, N_EXAMPLES)) for at in range(0, N_EXAMPLES, BATCH)] * 6


def difference_of(expected, path):
    """Return the largest difference, relative to the largest weight."""
    return float(np.abs(np.array(expected) - np.array(path)).max() / np.abs(path).max())


def slope(loss, score, label):
    """Return a loss's derivative in the score; classes are 0 and 1."""
    sign = 2 * label - 1
    return {
        "squared": lambda: score - label,
        "log": lambda: 1 / (1 + np.exp(-score)) - label,
        "hinge": lambda: np.where(sign * score < 1, -sign, 0.0),
        "perceptron": lambda: np.where(sign * score <= 0, -sign, 0.0),
    }[loss]()


class Predicted:
    """A linear model that a record's rule trains; a rule of its own for the free intercept."""

    def __init__(self, key, value, *, weights=START, **names):
        """Start at `weights` with no intercept."""
        self.record = find(key)
        self.rule, self.states = parse_rule(self.record.update), (State(), State())
        self.weights, self.intercept = weights, np.zeros(1)
        self.names, self.value = names, value

    def step(self, rows, loss, labels, *, intercept=True, **names):
        """Step along the mean loss's gradient on some rows and return weights and intercept."""
        slopes = slope(loss, INPUTS[rows] @ self.weights + self.intercept, labels[rows])
        gradient = INPUTS[rows].T @ slopes / len(rows)
        names = {**self.names, "batch_size_now": len(rows), "batch_size": BATCH, **names}
        one, other = ({**names, self.record.parameter: value} for value in (self.value, 0.0))
        self.weights = self.rule.step(self.states[0], self.weights, gradient, names=one)
        if intercept:
            mean = np.array([slopes.mean()])
            self.intercept = self.rule.step(self.states[1], self.intercept, mean, names=other)
        return np.append(self.weights, self.intercept)


def perceptron(kind, **settings):
    """Return scikit-learn's MLP without hidden layers, whose first weights are ours."""
    from sklearn import neural_network

    class Started(getattr(neural_network, kind)):
        def _init_coef(self, *_):
            return START[:, None].copy(), np.zeros(1)

    return Started(hidden_layer_sizes=(), alpha=ALPHA, learning_rate_init=LR, **settings)


SOLVERS = {
    "sgd": ("sklearn-mlp-sgd", {"momentum": 0.0}),
    "momentum": ("sklearn-mlp-sgd", {"momentum": 0.9, "nesterovs_momentum": False}),
    "nesterov": ("sklearn-mlp-sgd", {"momentum": 0.9}),
    "falling lr": ("sklearn-mlp-sgd", {"momentum": 0.9, "learning_rate": "invscaling"}),
    "adam": ("sklearn-mlp-adam", {}),
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("kind", "loss"), [("MLPRegressor", "squared"), ("MLPClassifier", "log")])
def test_the_mlp_takes_the_rules_steps_on_every_minibatch(kind, loss, solver, record):
    key, settings = SOLVERS[solver]
    labels = TARGETS if loss == "squared" else CLASSES
    model = perceptron(kind, solver="adam" if solver == "adam" else "sgd", **settings)
    momentum = settings.get("momentum", 0.0)
    nesterov = bool(momentum and settings.get("nesterovs_momentum", True))
    ours = Predicted(key, ALPHA, momentum=momentum, nesterov=nesterov)
    more = {"classes": [0, 1]} if loss == "log" else {}
    expected, path, seen = [], [], 0
    for rows in BATCHES:
        lr = LR / (seen + 1) ** 0.5 if solver == "falling lr" else LR
        expected.append(ours.step(rows, loss, labels, lr=lr))
        model.partial_fit(INPUTS[rows], labels[rows], **more)
        path.append(np.append(model.coefs_[0], model.intercepts_[0]))
        seen += len(rows)
    difference = difference_of(expected, path)
    record("scikit-learn", difference, key)
    assert difference <= 1e-12


def test_the_mlp_and_torch_train_in_step_with_the_converted_number(record):
    torch = pytest.importorskip("torch")
    run = Run(lr=LR, momentum=0, batch_size=BATCH, dataset_size=N_EXAMPLES, drop_last=True)
    found = convert(ALPHA, source="sklearn-mlp-sgd", target="pytorch-sgd", run=run)
    assert found.equivalence == "identical"
    model = perceptron("MLPRegressor", solver="sgd", momentum=0.0)
    weights = torch.nn.Parameter(torch.tensor(START))
    free = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    groups = [
        {"params": [weights], "weight_decay": found.value},
        {"params": [free], "weight_decay": 0},
    ]
    optimizer = torch.optim.SGD(groups, lr=LR)
    inputs, targets = torch.tensor(INPUTS), torch.tensor(TARGETS)
    for rows in (rows for rows in BATCHES if len(rows) == BATCH):
        model.partial_fit(INPUTS[rows], TARGETS[rows])
        optimizer.zero_grad()
        (0.5 * (inputs[rows] @ weights + free - targets[rows]).square().mean()).backward()
        optimizer.step()
    difference = difference_of(weights.detach().numpy(), model.coefs_[0].ravel())
    record("scikit-learn", difference, "sklearn-mlp-sgd")
    assert difference <= 1e-12


LINEAR = {
    "SGDRegressor": ("squared", {"loss": "squared_error"}),
    "SGDClassifier": ("log", {"loss": "log_loss"}),
    "SGDClassifier with hinges": ("hinge", {"loss": "hinge"}),
    "Perceptron": ("perceptron", {"penalty": "l2"}),
}


@pytest.mark.parametrize("schedule", ["constant", "invscaling", "clipped"])
@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_model_decays_at_every_example(name, schedule, record):
    loss, settings = LINEAR[name]
    if name == "Perceptron":  # its lr is constant by design
        schedule = "constant" if schedule == "invscaling" else schedule
    alpha = 25.0 if schedule == "clipped" else ALPHA  # lr·alpha above 1
    path, expected = linear_path(name.split()[0], loss, alpha, schedule, settings)
    difference = difference_of(expected, path)
    record("scikit-learn", difference, "sklearn-sgd")
    assert difference <= 1e-12


def linear_path(kind, loss, alpha, schedule, settings):
    """Return the weights after each example, scikit-learn's and the rule's."""
    from sklearn import linear_model

    if kind != "Perceptron":
        kinds = {"clipped": "constant"}
        settings = {**settings, "learning_rate": kinds.get(schedule, schedule), "power_t": 0.25}
    model = getattr(linear_model, kind)(
        alpha=alpha, eta0=LR, fit_intercept=False, shuffle=False, **settings
    )
    labels = TARGETS if loss == "squared" else CLASSES
    more = {} if loss == "squared" else {"classes": [0, 1]}
    ours = Predicted("sklearn-sgd", alpha, weights=np.zeros(4))
    path, expected = [], []
    for t in range(N_EXAMPLES):
        lr = LR / (t + 1) ** 0.25 if schedule == "invscaling" else LR
        expected.append(ours.step([t], loss, labels, intercept=False, lr=lr)[:4])
        model.partial_fit(INPUTS[[t]], labels[[t]], **more)
        path.append(model.coef_.ravel().copy())
    return path, expected


@pytest.mark.parametrize(("loss", "name"), [("hinge", "hinge"), ("log", "log_loss")])
def test_the_optimal_schedule_takes_its_lr_from_alpha(loss, name, record):
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(loss=name, alpha=ALPHA, fit_intercept=False, shuffle=False)
    ours = Predicted("sklearn-sgd-optimal", ALPHA, weights=np.zeros(4), lr=1.0)
    path, expected = [], []
    for t in range(N_EXAMPLES):
        expected.append(ours.step([t], loss, CLASSES, intercept=False)[:4])
        model.partial_fit(INPUTS[[t]], CLASSES[[t]], classes=[0, 1])
        path.append(model.coef_.ravel().copy())
    difference = difference_of(expected, path)
    record("scikit-learn", difference, "sklearn-sgd-optimal")
    assert difference <= 1e-12


@pytest.mark.parametrize("l2", [0.0, 0.05, 0.4])
def test_vowpal_wabbit_decays_at_every_example(l2, record):
    vowpalwabbit = pytest.importorskip("vowpalwabbit")
    rates = f"--sgd -l {LR!r} --power_t 0 --initial_t 0"
    free = "--min_prediction -100 --max_prediction 100 --noconstant --quiet"
    space = vowpalwabbit.Workspace(f"{rates} --l2 {l2!r} {free}")
    ours = Predicted("vw-sgd", l2, weights=np.zeros(4), lr=LR)
    for t in range(N_EXAMPLES):
        features = " ".join(f"{place}:{x!r}" for place, x in enumerate(INPUTS[t].tolist()))
        space.learn(f"{float(TARGETS[t])!r} | {features}")
        gradient = 2 * (INPUTS[t] @ ours.weights - TARGETS[t]) * INPUTS[t]
        names = {"lr": LR, ours.record.parameter: l2}
        ours.weights = ours.rule.step(ours.states[0], ours.weights, gradient, names=names)
    # The stored weights lack the decay's common factor, predictions have it.
    weights = [space.predict(f"| {place}:1") for place in range(4)]
    space.finish()
    difference = difference_of(ours.weights, weights)
    record("vowpalwabbit", difference, "vw-sgd")
    assert difference <= 1e-5
