"""verify --with: the frameworks' own steps and fits hold what the conversions claim."""

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.verification.frameworks import FRAMEWORKS
from decaycalc.verification.verify import verify

RUN = {"lr": "0.05", "batch_size": 8, "dataset_size": 36, "steps": 60}
MOMENTUM = {"momentum": "0.9"}
NESTEROV = {"momentum": "0.9", "nesterov": True}
PACKAGES = {"sklearn": "scikit-learn"}

CASES = [
    ("torch", "1e-3", "mean-l2", "pytorch-sgd", MOMENTUM),
    ("torch", "1e-3", "keras-l2", "pytorch-sgd", NESTEROV),
    ("torch", "0.1", "pytorch-adamw", "composer-adamw", {}),
    ("torch", "0.1", "pytorch-adamw", "tfa-adamw", {}),
    ("torch", "1e-2", "keras-l2", "pytorch-adam", {}),
    ("torch", "1e-2", "keras-l2", "pytorch-nadam", {}),
    ("torch", "1e-2", "keras-l2", "pytorch-radam", {}),
    ("torch", "1e-2", "keras-l2", "pytorch-adamax", {}),
    ("torch", "1e-2", "keras-l2", "pytorch-rmsprop", {}),
    ("torch", "1e-2", "keras-l2", "pytorch-adagrad", {}),
    ("torch", "1e-2", "keras-l2", "pytorch-adadelta", {}),
    ("torch", "1e-2", "pytorch-adadelta", "pytorch-sgd", MOMENTUM),
    ("torch", "1e-2", "pytorch-adam", "pytorch-rmsprop", {}),
    ("keras", "1e-3", "pytorch-sgd", "keras-sgd", {}),
    ("keras", "1e-3", "pytorch-sgd", "keras-sgd", MOMENTUM),
    ("keras", "5e-4", "caffe", "keras-l2", MOMENTUM),
    ("keras", "0.1", "pytorch-adamw", "keras-adamw", {}),
    ("keras", "0.1", "pytorch-adamw", "keras-adam", {}),
    ("keras", "0.1", "optax-lion", "keras-lion", {}),
    ("keras", "0.999", "per-step-factor", "keras-lion", {}),
    ("keras", "0.1", "keras-nadam", "pytorch-adamw", {}),
    ("keras", "0.1", "keras-adamax", "optax-adamaxw", {}),
    ("optax", "1e-3", "pytorch-sgd", "optax-sgd", NESTEROV),
    ("optax", "0.1", "pytorch-adamw", "optax-adamw", {}),
    ("optax", "0.1", "lion-pytorch", "optax-lion", {}),
    ("optax", "0.1", "optax-adamaxw", "keras-adamax", {}),
    ("optax", "1e-3", "pytorch-sgd", "optax-decay-after-lr", MOMENTUM),
    ("sklearn", "0.1", "pytorch-sgd", "sklearn-logistic", {}),
    ("sklearn", "2", "prior-std", "sklearn-logistic", {}),
    ("sklearn", "1", "sklearn-ridge", "sklearn-elastic-net", {"extras": (("l1_ratio", 0),)}),
    ("sklearn", "0.1", "keras-l2", "sklearn-ridge", {}),
]


def proof(case, to_value=None):
    framework, value, source, target, settings = case
    run = Run(**{**RUN, **settings})
    return verify(
        value, source=find(source), target=find(target), run=run, to_value=to_value,
        schedule="cosine:final=0.1", frameworks=(framework,),
    )  # fmt: skip


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case[0]}: {case[2]} to {case[3]} {case[4]}"
)
def test_the_framework_holds_the_claim_and_not_a_wrong_one(case, record):
    framework = case[0]
    pytest.importorskip(framework)
    found = proof(case)
    record(PACKAGES.get(framework, framework), found.max_difference)
    assert found.holds
    wrong = proof(case, found.to_value * 0.7)
    assert not wrong.holds


def test_every_framework_is_run():
    assert {case[0] for case in CASES} == set(FRAMEWORKS)
