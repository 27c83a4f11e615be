import random
from fractions import Fraction

import pytest

from decaycalc import Run, convert
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conversion import by_name, kept_plans
from decaycalc.conversion.convert import convert as convert_anew
from decaycalc.conversion.plan import Match
from decaycalc.errors import DecaycalcError, InvalidValueError

COMMON = ("pytorch-sgd", "pytorch-adamw", "keras-l2", "sum-l2", "tfa-adamw", "prior-std",
          "yolov5", "half-life-steps", "sklearn-logistic", "torch7-sgd", "pytorch-adam",
          "l2-norm")  # fmt: skip


def outcome(function, *args, **given):
    try:
        return function(*args, **given)
    except DecaycalcError as error:
        return type(error), str(error)


def anew(value, *, source, target, given):
    """Return the conversion with every memory emptied."""
    kept_plans._KEPT.clear()
    kept_plans._SIDES.clear()
    extras = tuple((name, given[name]) for name in ("lr_mult",) if name in given)
    names = given.keys() - {"lr_mult", "to_lr"}
    return convert_anew(
        value,
        source=source,
        target=target,
        run=Run(**{name: given[name] for name in names}, extras=extras),
        target_run=Run.part(lr=given["to_lr"]) if "to_lr" in given else None,
    )


def test_a_warm_call_answers_as_one_with_every_memory_emptied():
    rng = random.Random(5)  # noqa: S311  (no secrets)
    choices = {
        "lr": lambda: rng.choice([0.1, "1e-3", Fraction(1, 3), 10 ** rng.uniform(-4, 2)]),
        "momentum": lambda: rng.choice([0, 0.9, 0.99, 1, rng.random()]),
        "batch_size": lambda: rng.choice([1, 64, rng.randrange(1, 999)]),
        "dataset_size": lambda: rng.choice([10, 50000, 1e6]),
        "nesterov": lambda: rng.choice([True, False]),
        "loss": lambda: rng.choice(["mean", "batch-sum"]),
        "grad_accum": lambda: rng.choice([1, 2, 2.5]),
        "lr_mult": lambda: rng.choice([1, 3]),
        "to_lr": lambda: 0.2,
    }
    found = 0
    for number in range(500):
        source, target = rng.choice(COMMON), rng.choice(COMMON)
        if number % 5 == 0:
            target = rng.choice(conventions()).key
        value = rng.choice([1e-4, "5e-4", "1/3", 0, 1, 3, -1, 1e-300, 10 ** rng.uniform(-6, 1)])
        given = {name: made() for name, made in choices.items() if rng.random() < 0.4}
        warm = outcome(convert, value, source=source, target=target, **given)
        cold = outcome(anew, value, source=source, target=target, given=given)
        assert warm == cold, (value, source, target, given)
        found += not isinstance(warm, tuple)
    assert found > 40


def test_calls_are_kept_within_bounds(monkeypatch):
    monkeypatch.setattr(by_name, "_MOST", 2)
    by_name._KEPT.clear()
    for target in ("keras-l2", "mean-l2", "half-life-steps", "sum-l2", "keras-l2"):
        convert(1e-4, source="pytorch-sgd", target=target, lr=0.1, dataset_size=10)
    assert len(by_name._KEPT) <= 2


def test_the_formula_alone_a_given_run_and_an_odd_number_go_the_whole_way():
    run = Run(lr=0.1)
    assert convert(None, source="pytorch-adamw", target="tfa-adamw", lr=0.1).value is None
    assert convert(1, source="pytorch-adamw", target="tfa-adamw", run=run).value == 0.1
    given = {"source": "pytorch-adamw", "target": "tfa-adamw"}
    assert convert(1, **given, lr="1e-90").value == 1e-90
    assert convert(1, **given, lr=0.1, momentum=None, match="decay").value == 0.1
    with pytest.raises(InvalidValueError, match="colour"):
        convert(1, **given, lr=0.1, colour="red")
    with pytest.raises(
        InvalidValueError, match="none of a run's; did you mean 'batch_size' or 'to_"
    ):
        convert(1, **given, lr=0.1, batchsize=3)
    with pytest.raises(InvalidValueError, match="lr"):
        by_name.convert_named(
            1, source=find("pytorch-adamw"), target=find("tfa-adamw"), run=None, target_run=None,
            match=Match.OPTIMUM, quantities={"lr": "nan"},
        )  # fmt: skip


def test_a_target_s_lr_that_follows_and_one_that_does_not_have_plans_of_their_own():
    rng = random.Random(7)  # noqa: S311  (no secrets)
    keys = ("pytorch-sgd", "keras-sgd", "sum-l2", "pytorch-adamw", "tfa-adamw", "batch-sum-l2")
    calls = []
    for _ in range(250):
        source, target = rng.choice(keys), rng.choice(keys)
        batch, lr = rng.choice((32, 64)), rng.choice((0.1, 0.2))
        runs = {
            "run": Run(
                lr=lr, batch_size=batch, dataset_size=640, optimizer=rng.choice((None, "sgd"))
            ),
            "target_run": Run.part(
                lr=rng.choice((0.1, 0.2, lr / batch, lr / 640)),
                batch_size=rng.choice((None, 32, 64)),
                loss=rng.choice((None, "batch-sum")),
            ),
        }
        call = {"source": source, "target": target, **runs}
        calls.append((call, outcome(convert_anew, 0.01, **call)))
    for call, warm in calls:
        for memory in (kept_plans._KEPT, kept_plans._SIDES, kept_plans._IMPLIED):
            memory.clear()
        assert warm == outcome(convert_anew, 0.01, **call), call


def test_lrs_that_follow_are_kept_within_bounds(monkeypatch):
    monkeypatch.setattr(kept_plans, "_MOST", 1)
    for target in ("keras-sgd", "caffe"):
        for lr in (None, 0.1):
            call = {"source": "pytorch-sgd", "target": target, "lr": lr, "to_lr": 0.1}
            assert convert(0.01, **call).equivalence
    assert len(kept_plans._IMPLIED) <= 1
