"""scikit-learn snippets: an estimator with its penalty."""

from collections.abc import Callable

from decaycalc.emit.settings import SnippetSettings, assemble, call, written

Writer = Callable[[SnippetSettings], tuple[str, str]]
"""From the settings to the import line and the call of an estimator."""


def write(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return the code and its notes.

    Raises:
        NoEquivalentError: a convention that is none of the estimators'.
    """
    module, code = written(settings, "sklearn", _WRITERS)(settings)
    notes = ["scikit-learn exempts the intercepts and nothing else, whatever the mask"]
    if settings.schedule is not None:
        notes.append("scikit-learn has no such schedule: lr stays at its peak")
    return assemble(settings, (module,), [f"estimator = {code}"]), tuple(notes)


def _epochs(settings: SnippetSettings) -> str | None:
    epochs = settings.run.total_epochs
    return None if epochs is None else repr(max(round(epochs), 1))


def _mlp(settings: SnippetSettings) -> tuple[str, str]:
    is_sgd = settings.convention.key == "sklearn-mlp-sgd"
    batch = settings.run.examples_per_step
    one, two = settings.betas or (None, None)
    arguments = {
        "solver": '"sgd"' if is_sgd else '"adam"',
        "alpha": repr(settings.value),
        "batch_size": None if batch is None else repr(round(batch)),
        "learning_rate_init": repr(settings.lr),
        "momentum": repr(settings.momentum) if is_sgd else None,
        "nesterovs_momentum": repr(settings.nesterov) if is_sgd else None,
        "beta_1": None if is_sgd or one is None else repr(one),
        "beta_2": None if is_sgd or two is None else repr(two),
        "epsilon": None if is_sgd else settings.eps_text,
        "max_iter": _epochs(settings),
    }
    code = call("MLPClassifier", arguments)
    return "from sklearn.neural_network import MLPClassifier", code


def _sgd(settings: SnippetSettings) -> tuple[str, str]:
    arguments = {
        "loss": '"log_loss"',
        "penalty": '"l2"',
        "alpha": repr(settings.value),
        "learning_rate": '"constant"',
        "eta0": repr(settings.lr),
        "max_iter": _epochs(settings),
    }
    return "from sklearn.linear_model import SGDClassifier", call("SGDClassifier", arguments)


def _linear(name: str, argument: str) -> Writer:
    """Return the writer of a linear model that is told its penalty alone."""

    def write_it(settings: SnippetSettings) -> tuple[str, str]:
        code = call(name, {argument: repr(settings.value)})
        return f"from sklearn.linear_model import {name}", code

    return write_it


_WRITERS: dict[str, Writer] = {
    "sklearn-mlp-sgd": _mlp,
    "sklearn-mlp-adam": _mlp,
    "sklearn-sgd": _sgd,
    "sklearn-logistic": _linear("LogisticRegression", "C"),
    "sklearn-ridge": _linear("Ridge", "alpha"),
}
