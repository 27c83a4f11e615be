"""Training small models by update rules."""

import numpy as np
import pytest

from decaycalc.cli.main import main
from decaycalc.errors import InvalidValueError
from decaycalc.verification.rules.rule import parse_rule
from decaycalc.verification.train import (
    MODELS,
    POOL,
    Batches,
    Learner,
    free_decay,
    make_model,
    optimum,
    train,
)

SGD = parse_rule("g = g + weight_decay*w; w = w - lr*heavy_ball(g)")
MEAN = parse_rule("minimise mean(loss) + lam*sum(w**2)")
BATCH_SUM = parse_rule("minimise batch_sum(loss) + lam*sum(w**2)")
SUM = parse_rule("minimise sum(loss) + lam*sum(w**2)")
BATCHES = Batches(batch_size=8, dataset_size=32)
SCHEDULE = np.linspace(1, 0.1, 200)


def sides():
    """Return the same training four times: by an optimizer, and by three objectives."""
    settings = {"momentum": 0.9, "batch_size": 8, "dataset_size": 32}
    return (
        Learner(rule=SGD, names={"lr": 0.1, "weight_decay": 0.02, **settings}),
        Learner(rule=MEAN, names={"lr": 0.1, "lam": 0.01, **settings}),
        Learner(
            rule=BATCH_SUM, names={"lr": 0.1 / 8, "lam": 0.08, **settings}, reduction="batch-sum"
        ),
        Learner(rule=SUM, names={"lr": 0.1 / 32, "lam": 0.32, **settings}, reduction="dataset-sum"),
    )


@pytest.mark.parametrize("name", MODELS)
def test_one_training_in_four_conventions_is_one_trajectory(name):
    model = make_model(name, n_examples=32)
    runs = [train(side, model, batches=BATCHES, multipliers=SCHEDULE) for side in sides()]
    for first, *others in zip(*runs, strict=True):
        for other in others:
            for one, two in zip(first, other, strict=True):
                assert two == pytest.approx(one, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("name", ["least-squares", "softmax"])
def test_one_objective_in_four_conventions_has_one_optimum(name):
    model = make_model(name, n_examples=32)
    first, *others = (optimum(side, model) for side in sides())
    assert np.linalg.norm(first) > 0.1
    for other in others:
        assert other == pytest.approx(first, abs=1e-13)


def test_the_optimum_of_least_squares_is_the_normal_equations():
    model = make_model("least-squares", n_examples=50)
    gram = model.inputs.T @ model.inputs / 50 + 0.02 * np.eye(6)
    expected = np.linalg.solve(gram, model.inputs.T @ model.targets / 50)
    assert optimum(sides()[0], model) == pytest.approx(expected, abs=1e-13)


def test_a_norm_that_outweighs_the_loss_has_no_smooth_optimum():
    model = make_model("least-squares", n_examples=20)
    side = Learner(rule=parse_rule("minimise loss + lam*norm(w)"), names={"lr": 0.1, "lam": 1e3})
    with pytest.raises(InvalidValueError, match="no optimum"):
        optimum(side, model)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_the_loss(name):
    model = make_model(name, n_examples=20)

    def loss(weights):
        scores = model.inputs @ weights[0]
        if name == "least-squares":
            return np.mean((scores - model.targets) ** 2) / 2
        if name == "two-layer":
            scores = np.tanh(scores) @ weights[1]
        picked = scores[np.arange(20), model.targets.astype(int)]
        return np.mean(np.log(np.exp(scores).sum(axis=1)) - picked)

    for tensor, gradient in enumerate(model.mean_gradient(model.start)):
        for index in np.ndindex(gradient.shape):
            ends = []
            for move in (1e-6, -1e-6):
                weights = [w.copy() for w in model.start]
                weights[tensor][index] += move
                ends.append(loss(weights))
            assert gradient[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


def test_batches_cover_each_epoch_once_and_end_with_a_short_one():
    draws = list(Batches(batch_size=4, dataset_size=10).draw(10, 6))
    assert [size for _, size in draws] == [4, 4, 2, 4, 4, 2]
    for epoch in (draws[:3], draws[3:]):
        assert sorted(row for rows, _ in epoch for row in rows) == list(range(10))


def test_a_dropped_last_batch_is_never_drawn():
    draws = list(Batches(batch_size=4, dataset_size=10, drop_last=True).draw(10, 4))
    assert [size for _, size in draws] == [4, 4, 4, 4]


def test_a_large_data_set_is_stood_in_for():
    model = make_model("least-squares", n_examples=10**12)
    assert model.n_examples == POOL
    draws = list(Batches(batch_size=2**22, dataset_size=10**12).draw(POOL, 2))
    assert [(len(rows), size) for rows, size in draws] == [(POOL, 2**22)] * 2


def test_free_decay_follows_the_schedule():
    side = Learner(
        rule=parse_rule("w = w*(1 - lr*weight_decay) - lr*adam(g)"),
        names={"lr": 0.1, "weight_decay": 0.5},
    )
    path = free_decay(side, np.array([2.0]), multipliers=np.array([1.0, 0.5]))
    assert path.ravel() == pytest.approx([2 * 0.95, 2 * 0.95 * 0.975])


def test_an_objective_is_trained_by_the_optimizer_that_carries_it():
    model = make_model("softmax", n_examples=32)
    adam = parse_rule("g = g + weight_decay*w; w = w - lr*adam(g)")
    coupled = Learner(rule=adam, names={"lr": 0.1, "weight_decay": 0.02})
    carried = Learner(
        rule=MEAN, names={"lr": 0.1, "lam": 0.01}, borrowed=adam, borrowed_names={"weight_decay": 0}
    )
    runs = (train(s, model, batches=BATCHES, multipliers=SCHEDULE) for s in (coupled, carried))
    for (one,), (two,) in zip(*runs, strict=True):
        assert two == pytest.approx(one, rel=1e-9)


def test_an_unknown_model_is_named():
    with pytest.raises(InvalidValueError, match="model 'cnn' must be one of least-squares"):
        make_model("cnn", n_examples=3)


def test_an_objective_beyond_float64_has_no_optimum_that_is_found(capsys):
    words = ("verify", "1.7e308", "--from", "matlab-l2", "--lr", "0.1", "-B", "256", "-N", "50000",
             "--steps", "7", "--momentum", "0.9", "--to", "pytorch-nadam")  # fmt: skip
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
