"""verify --with: the adapters' own logic, on stand-ins for the frameworks themselves."""

import json
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from decaycalc.cli.main import main
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError
from decaycalc.verification import frameworks
from decaycalc.verification.frameworks import keras as keras_adapter
from decaycalc.verification.frameworks.loading import MissingFrameworkError
from decaycalc.verification.frameworks.rule import SteppedRule
from decaycalc.verification.rules.rule import State, parse_rule
from decaycalc.verification.verify import verify

RUN = {"lr": "0.05", "batch_size": 8, "dataset_size": 36, "steps": 20}


class Tensor:
    """A tensor of the stubs: an array in a box."""

    def __init__(self, array, **_):
        self.array, self.grad = np.array(array, float), None

    def detach(self):
        return self

    def numpy(self):
        return self.array


class TorchSgd:
    """Coupled momentum descent as torch's."""

    def __init__(self, parameters, *, weight_decay, momentum, dampening, nesterov):
        assert (dampening, nesterov) == (0, False)
        (self.weights,) = parameters
        self.decay, self.momentum, self.buffer = weight_decay, momentum, None
        self.param_groups = [{}]

    def step(self):
        weights = self.weights
        gradient = weights.grad.array + self.decay * weights.array
        self.buffer = gradient if self.buffer is None else self.momentum * self.buffer + gradient
        weights.array = weights.array - self.param_groups[0]["lr"] * self.buffer


def stub_torch():
    torch = ModuleType("torch")
    torch.__version__, torch.float64 = "9.9", float
    torch.tensor = Tensor
    torch.nn = SimpleNamespace(Parameter=lambda tensor: tensor)
    torch.optim = SimpleNamespace(SGD=TorchSgd, Adam=None)
    return {"torch": torch}


class KerasOptimizer:
    """Decoupled momentum descent as Keras'."""

    def __init__(self, *, weight_decay, momentum, nesterov):
        assert not nesterov
        self.decay, self.momentum, self.velocity = weight_decay or 0, momentum, 0.0
        self.learning_rate = None

    def apply(self, gradients, variables):
        (gradient,), (weights,) = gradients, variables
        self.velocity = self.momentum * self.velocity + self.learning_rate * gradient
        shrunk = weights.array * (1 - self.learning_rate * self.decay)
        weights.array = shrunk - self.velocity


def stub_keras():
    keras = ModuleType("keras")
    keras.__version__, keras.Variable = "8.8", Tensor
    keras.optimizers = SimpleNamespace(SGD=KerasOptimizer)
    keras.regularizers = SimpleNamespace(L2=lambda l2: lambda w: l2 * np.sum(w * w))
    keras.ops = SimpleNamespace(
        convert_to_tensor=np.array,
        convert_to_numpy=lambda variable: variable.array,
    )
    return {"keras": keras}


class Transformation:
    """An optax transformation: a state to start from, and an update without state."""

    def __init__(self, update):
        self.change = update

    def init(self, _weights):
        return ()

    def update(self, gradient, state, weights):
        return self.change(gradient, weights), state


def chain(first, second):
    return Transformation(lambda g, w: second.change(first.change(g, w), w))


def stub_optax():
    optax, jax = ModuleType("optax"), ModuleType("jax")
    optax.__version__, optax.chain = "7.7", chain
    optax.add_decayed_weights = lambda decay: Transformation(lambda g, w: g + decay * w)
    optax.sgd = lambda lr, momentum, nesterov: Transformation(lambda g, _: -lr * g)  # noqa: ARG005
    optax.lion = lambda lr, b1, b2, weight_decay: Transformation(  # noqa: ARG005
        lambda g, w: -lr * (np.sign(g) + weight_decay * w)
    )
    optax.adamw = lambda lr, b1, b2, weight_decay, eps: Transformation(  # noqa: ARG005
        lambda g, w: -lr * (np.sign(g) + weight_decay * w)
    )
    optax.apply_updates = lambda weights, updates: weights + updates
    jax.numpy, jax.jit = np, lambda function: function
    jax.config = SimpleNamespace(update=lambda *_: None)
    return {"optax": optax, "jax": jax}


class Ridge:
    def __init__(self, *, alpha, fit_intercept, tol):
        assert (fit_intercept, tol) == (False, 1e-12)
        self.alpha = alpha

    def fit(self, inputs, targets):
        square = inputs.T @ inputs + self.alpha * np.eye(inputs.shape[1])
        self.coef_ = np.linalg.solve(square, inputs.T @ targets)


class Logistic:
    """Newton's method on the multinomial regression."""

    def __init__(self, *, C, fit_intercept, **_):  # noqa: N803
        assert not fit_intercept
        self.strength = C

    def fit(self, inputs, targets):
        classes, w = np.eye(3)[targets.astype(int)], np.zeros((inputs.shape[1], 3))
        for _ in range(20_000):
            odds = np.exp(inputs @ w)
            share = odds / odds.sum(axis=1, keepdims=True)
            w = w - 0.02 * (inputs.T @ (share - classes) + w / self.strength)
        self.coef_ = w.T


def stub_sklearn():
    sklearn, linear = ModuleType("sklearn"), ModuleType("sklearn.linear_model")
    sklearn.__version__, sklearn.linear_model = "6.6", linear
    linear.Ridge, linear.LogisticRegression = Ridge, Logistic
    return {"sklearn": sklearn, "sklearn.linear_model": linear}


STUBS = {
    "torch": stub_torch, "keras": stub_keras, "optax": stub_optax, "sklearn": stub_sklearn,
}  # fmt: skip


@pytest.fixture(autouse=True)
def stubs(monkeypatch):
    """Put stubs in the frameworks' places."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    for make in STUBS.values():
        for name, module in make().items():
            monkeypatch.setitem(sys.modules, name, module)


def proof(framework, value, source, target, *, to_value=None, models=(), **settings):
    run = Run(**{**RUN, **settings})
    return verify(
        value, source=find(source), target=find(target), run=run, to_value=to_value,
        frameworks=(framework,), models=models,
    )  # fmt: skip


CASES = [
    ("torch", "1e-2", "mean-l2", "pytorch-sgd", {"momentum": "0.9"}),
    ("torch", "1e-2", "pytorch-sgd", "keras-sgd", {"momentum": "0.9"}),
    ("torch", "1e-2", "pytorch-sgd", "per-step-shrink", {}),
    ("keras", "1e-2", "pytorch-sgd", "keras-sgd", {"momentum": "0.9"}),
    ("keras", "1e-2", "pytorch-sgd", "keras-sgd", {}),
    ("keras", "1e-2", "keras-l2", "pytorch-sgd", {}),
    ("keras", "1e-2", "keras-l2", "mean-l2", {"momentum": "0.9"}),
    ("keras", "1", "keras-l2", "sklearn-ridge", {}),
    ("optax", "1e-2", "pytorch-sgd", "optax-sgd", {}),
    ("optax", "1e-2", "pytorch-sgd", "optax-decay-after-lr", {}),
    ("optax", "0.1", "optax-lion", "half-life-steps", {}),
    ("optax", "0.1", "optax-adamw", "half-life-steps", {}),
    ("sklearn", "1", "sklearn-ridge", "statsmodels", {}),
    ("sklearn", "1", "keras-l2", "sklearn-ridge", {}),
    ("sklearn", "0.1", "pytorch-sgd", "sklearn-logistic", {}),
    ("sklearn", "1", "sklearn-ridge", "sklearn-ridge", {}),
]


@pytest.mark.parametrize(("framework", "value", "source", "target", "settings"), CASES)
def test_claims_hold_and_wrong_numbers_do_not(framework, value, source, target, settings):
    found = proof(framework, value, source, target, **settings)
    assert found.holds
    (loaded,) = found.frameworks
    assert f"{framework} {loaded.version} stands in for" in " ".join(found.notes)
    wrong = proof(framework, value, source, target, to_value=found.to_value * 0.7, **settings)
    assert not wrong.holds


def test_settings_become_the_frameworks_arguments():
    names = {"beta1": 0.9, "beta2": 0.99, "rho": 0.5, "eps": 1.0, "weight_decay": 0.0}
    torch = frameworks.torch._arguments(("betas", "eps", "alpha"), names)
    assert torch == {"weight_decay": 0.0, "betas": (0.9, 0.99), "eps": 1.0, "alpha": 0.5}
    assert keras_adapter._arguments(("beta_1",), names) == {"weight_decay": None, "beta_1": 0.9}


def test_what_the_framework_refuses_is_one_line():
    def refuse(_weights, _settings):
        raise ValueError("Nesterov momentum\nrequires zero dampening")

    rule = SteppedRule(text="torch.optim.SGD", make=refuse)
    with pytest.raises(InvalidValueError, match="is refused: Nesterov momentum requires zero"):
        rule.step(State(), [1.0], [1.0], names={"lr": 1.0})


def test_a_training_that_diverges_is_refused():
    rule = SteppedRule(text="x", make=lambda _w, _s: lambda g, lr: g * lr * np.inf)
    with pytest.raises(InvalidValueError, match="the training diverges"):
        rule.step(State(), [1.0], [1.0], names={"lr": 1.0})
    assert parse_rule("w = w - lr*g").step(State(), [1.0], [1.0], names={"lr": 1.0}) == [0.0]


@pytest.mark.parametrize(
    ("framework", "module", "target", "package"),
    [
        ("torch", "torch", "pytorch-sgd", "torch"),
        ("keras", "keras", "keras-sgd", "keras"),
        ("optax", "optax", "optax-sgd", "optax"),
        ("optax", "jax", "optax-sgd", "jax"),
        ("sklearn", "sklearn.linear_model", "sklearn-ridge", "scikit-learn"),
    ],
)
def test_a_missing_framework_is_named(monkeypatch, framework, module, target, package):
    monkeypatch.setitem(sys.modules, module, None)
    expected = f"--with {framework} needs {package}; pip install {package}"
    with pytest.raises(MissingFrameworkError, match=expected):
        proof(framework, "1e-3", "mean-l2", target)


@pytest.mark.parametrize(("installed", "backend"), [((), "torch"), (("jax",), "jax")])
def test_keras_runs_on_an_installed_backend(monkeypatch, installed, backend):
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(keras_adapter, "find_spec", lambda name: name in installed)
    assert keras_adapter.load().__version__ == "8.8"
    assert keras_adapter.os.environ.get("KERAS_BACKEND") == backend


def test_a_framework_with_neither_side_is_refused():
    with pytest.raises(InvalidValueError, match=r"neither side \(pytorch-sgd to mean-l2\)"):
        proof("keras", "1e-3", "pytorch-sgd", "mean-l2")
    with pytest.raises(InvalidValueError, match="must be one of torch, keras, optax, sklearn"):
        proof("mlx", "1e-3", "pytorch-sgd", "mean-l2")


def test_a_fit_of_another_model_or_too_few_classes_is_refused():
    with pytest.raises(InvalidValueError, match="has another data loss than they"):
        proof("sklearn", "1", "sklearn-logistic", "liblinear", models=("two-layer",))
    with pytest.raises(InvalidValueError, match="must show all 3 classes"):
        proof("sklearn", "1", "sklearn-logistic", "liblinear", dataset_size=2, batch_size=1)


WORDS = ("1e-3", "--from", "keras-l2", "--to", "pytorch-sgd", "--steps", "30", "--lr", "0.1")


def test_the_document_names_the_frameworks(capsys):
    words = (*WORDS, "--with", "torch", "--with", "keras", "--json")
    assert main(["verify", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["with"] == [
        {"name": "torch", "version": "9.9", "conventions": ["pytorch-sgd"]},
        {"name": "keras", "version": "8.8", "conventions": ["keras-l2"]},
    ]


def test_a_framework_of_neither_side_ends_with_status_2(capsys):
    assert main(["verify", *WORDS, "--with", "optax"]) == 2
    assert "neither side" in capsys.readouterr().err


def test_differences_are_drawn_in_the_terminal_and_saved(capsys, tmp_path):
    pytest.importorskip("plotext")
    pytest.importorskip("matplotlib")
    path = tmp_path / "differences.svg"
    assert main(["verify", *WORDS, "--plot", "--save", str(path)]) == 0
    assert "difference of the weights, least-squares" in capsys.readouterr().out
    assert path.read_text().startswith("<?xml")


def test_optima_have_one_point_to_draw(capsys):
    pytest.importorskip("plotext")
    words = ("1", "--from", "sklearn-ridge", "--to", "statsmodels", "-N", "36", "--plot")
    assert main(["verify", *words]) == 0
    assert "difference of the weights, least-squares" in capsys.readouterr().out


def test_a_plot_is_not_mixed_with_json(capsys):
    assert main(["verify", *WORDS, "--plot", "--json"]) == 2
    assert "--plot draws below tables" in capsys.readouterr().err
