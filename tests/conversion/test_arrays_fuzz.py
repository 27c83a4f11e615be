"""Arrays answer as their elements do, whatever is an array, and never element by element."""

import random

import numpy as np
import pytest

from decaycalc import Run, convert
from decaycalc.conventions.catalogue import conventions
from decaycalc.conversion import array_request
from decaycalc.errors import DecaycalcError

COUPLED = ("pytorch-sgd", "keras-l2", "mean-l2", "sum-l2", "batch-sum-l2", "sklearn-logistic",
           "prior-std", "mxnet-nag", "keras-sgd-micro-step", "yolov5", "pytorch-asgd", "torch7-sgd",
           "mean-over-weights-l2")  # fmt: skip
DECOUPLED = ("pytorch-adamw", "tfa-adamw", "timm-adan", "adamw-normalized", "timm-corrected")
MEASURES = ("per-step-shrink", "per-step-factor", "half-life-steps", "half-life-epochs",
            "per-epoch-factor", "per-run-factor", "ema-timescale-run", "ema-timescale-epochs",
            "ema-timescale-steps", "intrinsic-lr")  # fmt: skip
SIZE = 24
RNG = np.random.default_rng(11)
CHOICES = {
    "lr": lambda: 10 ** RNG.uniform(-4, -1, SIZE),
    "momentum": lambda: RNG.choice([0, 0.5, 0.9, 0.99], SIZE),
    "dampening": lambda: RNG.choice([0, 0.1, 0.5], SIZE),
    "batch_size": lambda: RNG.integers(1, 300, SIZE),
    "grad_accum": lambda: RNG.integers(1, 5, SIZE),
    "world_size": lambda: RNG.integers(1, 3, SIZE),
    "dataset_size": lambda: RNG.integers(9000, 10**6, SIZE),
    "epochs": lambda: RNG.choice([1, 3, 0.5, 90], SIZE),
    "steps": lambda: RNG.integers(100, 10**5, SIZE),
    "n_weights": lambda: RNG.integers(1, 10**6, SIZE),
    "to_lr": lambda: 10 ** RNG.uniform(-4, 0, SIZE),
    "to_momentum": lambda: RNG.choice([0, 0.5, 0.9], SIZE),
    "to_dampening": lambda: RNG.choice([0, 0.5], SIZE),
    "to_batch_size": lambda: RNG.integers(1, 300, SIZE),
    "decay_mult": lambda: RNG.choice([0.5, 1, 2], SIZE),
    "update_share": lambda: RNG.choice([0.5, 0.1], SIZE),
}
ALWAYS = ("lr", "batch_size", "dataset_size")
BUFFER = ("momentum", "dampening", "to_momentum", "to_dampening")


def request(rng, source, target):
    """Return a value's array, quantities (arrays and numbers) and a run."""
    given = {}
    for name, made in CHOICES.items():
        if name in BUFFER and not {source, target} & set(COUPLED):
            continue
        if name.startswith("to_") and target not in COUPLED:
            continue
        if rng.random() < (0.9 if name in ALWAYS else 0.12):
            array = made()
            given[name] = array if rng.random() < 0.5 else float(array[0])
    if "epochs" in given:
        given.pop("steps", None)
    if rng.random() < 0.3:
        given["match"] = "decay"
    value = 10 ** RNG.uniform(-6, -2, SIZE)
    value = 1 - value if "factor" in source else value
    value = 1 / value if "life" in source or "timescale" in source else value
    # A shrink of more than 1 a step is the scalar's to answer.
    value = 1 + value if source == "prior-std" else value
    if rng.random() < 0.1:
        value[3] = 0
    run = Run(loss=rng.choice([None, "batch-sum"]), drop_last=rng.random() < 0.2)
    return value, given, run


def one_by_one(value, source, target, run, given):
    """Return the numbers and lrs of the elements, or the error of one of them."""
    made = []
    for place in range(SIZE):
        own = {
            name: float(part[place]) if isinstance(part, np.ndarray) else part
            for name, part in given.items()
        }
        try:
            made.append(convert(float(value[place]), source=source, target=target, run=run, **own))
        except DecaycalcError as error:
            return error, None
    return np.array([each.value for each in made]), [each.lr for each in made]


@pytest.mark.parametrize("seed", range(3))
def test_arrays_answer_as_their_elements_whatever_is_an_array(seed, monkeypatch):
    rng = random.Random(seed)  # noqa: S311  (no secrets)
    asked = []
    element = array_request.ArrayRequest.element

    def counted(self, place):
        asked.append(place)
        return element(self, place)

    monkeypatch.setattr(array_request.ArrayRequest, "element", counted)
    every = [record.key for record in conventions() if record.refusal is None]
    found = 0
    for number in range(120):
        family = rng.choice([(*COUPLED, *MEASURES), (*DECOUPLED, *MEASURES)])
        pool = every if number % 10 == 0 else family
        source, target = rng.choice(pool), rng.choice(pool)
        value, given, run = request(rng, source, target)
        asked.clear()
        expected, lrs = one_by_one(value, source, target, run, given)
        if isinstance(expected, DecaycalcError):
            with pytest.raises(DecaycalcError):
                convert(value, source=source, target=target, run=run, **given)
            continue
        result = convert(value, source=source, target=target, run=run, **given)
        what = f"{source} to {target} with {given}"
        # Near 1 a factor holds few digits of the shrink.
        rtol = 1e-8 if "factor" in source else 5e-11
        np.testing.assert_allclose(result.value, expected, rtol=rtol, err_msg=what)
        if result.lr is not None and None not in lrs:
            np.testing.assert_allclose(result.lr, lrs, rtol=1e-12, err_msg=what)
        assert len(asked) <= 4, what
        found += 1
    assert found > 30


def test_a_target_s_lr_is_given_where_only_some_elements_differ():
    given = {"lr": np.array([0.1, 0.1, 0.2]), "to_lr": np.array([0.1, 0.3, 0.2])}
    result = convert([1e-4] * 3, source="pytorch-sgd", target="keras-sgd", **given)
    np.testing.assert_allclose(result.lr, given["to_lr"])
    alone = convert([1e-4] * 2, source="pytorch-sgd", target="keras-sgd", lr=0.1, to_lr=[0.1, 0.3])
    np.testing.assert_allclose(alone.lr, [0.1, 0.3])


def test_numbers_that_leave_float64_are_refused_and_their_like_are_not():
    with pytest.raises(DecaycalcError, match="float64"):
        convert([0.1, 1e-200], source="pytorch-adamw", target="tfa-adamw", lr=[0.1, 1e-200])
    result = convert([0.1, 1e-300], source="caffe", target="keras-l2")
    assert list(result.value) == [0.05, 5e-301]


def test_a_shrink_of_one_or_more_is_the_scalar_s():
    values = np.array([0.1, 0.2, 3.0, 0.5])
    result = convert(values, source="pytorch-adamw", target="per-epoch-factor", lr=0.5,
                     batch_size=5, dataset_size=10)  # fmt: skip
    expected = [
        convert(value, source="pytorch-adamw", target="per-epoch-factor", lr=0.5, batch_size=5,
                dataset_size=10).value
        for value in values.tolist()
    ]  # fmt: skip
    np.testing.assert_allclose(result.value, expected, rtol=1e-12)


def test_a_decay_that_grows_is_the_scalar_s():
    given = {"source": "pytorch-sgd", "target": "per-step-shrink", "lr": 1, "momentum": 0.5}
    values = np.array([0.01, 0.4, 2.9])
    result = convert(values, match="decay", **given)
    expected = [convert(value, match="decay", **given).value for value in values.tolist()]
    np.testing.assert_allclose(result.value, expected, rtol=1e-12)


def test_a_target_s_run_may_differ_in_numbers_where_the_source_s_are_arrays():
    lr, value = np.array([0.1, 0.2]), np.array([1e-4, 1e-3])
    given = {"source": "per-step-shrink", "target": "pytorch-sgd", "batch_size": 4}
    there = Run.part(momentum=0.9)
    result = convert(value, target_run=there, momentum=np.array([0, 0.5]), lr=lr, **given)
    expected = [
        convert(one, target_run=there, momentum=momentum, lr=rate, **given).value
        for one, momentum, rate in zip(value.tolist(), (0, 0.5), lr.tolist(), strict=True)
    ]
    np.testing.assert_allclose(result.value, expected, rtol=1e-13)
    with pytest.raises(DecaycalcError, match="needs"):
        convert(value, source="pytorch-adamw", target="per-epoch-factor", lr=lr)
    alone = convert(value, source="pytorch-adamw", target="tfa-adamw", lr=lr, drop_last=True,
                    dataset_size=np.array([10, 20]))  # fmt: skip
    np.testing.assert_allclose(alone.value, value * lr)
    steps = convert(value, source="yolov5", target="mean-l2", nbs=np.array([64, 32]), batch_size=16)
    single = [convert(one, source="yolov5", target="mean-l2", nbs=nbs, batch_size=16).value
              for one, nbs in zip(value.tolist(), (64, 32), strict=True)]  # fmt: skip
    np.testing.assert_allclose(steps.value, single, rtol=1e-14)


def test_a_target_s_number_is_the_source_s_own_in_some_elements_only():
    there = Run.part(lr=0.1)
    result = convert(
        [1e-3] * 2, source="pytorch-adamw", target="pytorch-adamw", lr=np.array([0.1, 0.2]),
        target_run=there,
    )  # fmt: skip
    np.testing.assert_allclose(result.value, [1e-3, 2e-3])
    alone = convert(
        [1e-3] * 2, source="pytorch-adamw", target="pytorch-adamw", lr=[0.1, 0.2], to_lr=0.1
    )
    np.testing.assert_allclose(alone.value, [1e-3, 2e-3])
