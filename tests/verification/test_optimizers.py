"""The optimizers' directions, held against steps worked out by hand from their papers."""

from math import sqrt

import numpy as np
import pytest

from decaycalc.errors import InvalidValueError
from decaycalc.verification.rules.optimizers import BLOCKS, trust_ratio
from decaycalc.verification.rules.rule import State, parse_rule

G = np.array([0.3, -0.8, 0.05])
W = np.array([1.0, -2.5, 0.3125])


def directions(call, n_steps=3, g=G, w=None, **names):
    """Return the direction of each step under a constant gradient, the weights held still."""
    rule, state = parse_rule(f"w = w - lr*{call}"), State()
    start = np.zeros_like(g) if w is None else w
    names = {"lr": 1.0, **names}
    return np.array([start - rule.step(state, start, g, names=names) for _ in range(n_steps)])


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_no_gradient_gives_no_direction(name):
    call = f"{name}(g, 0*w)" if name == "lamb" else f"{name}(g)"
    for direction in directions(call, g=np.zeros(3), w=W, momentum=0.9):
        assert direction.tolist() == [0, 0, 0]


def test_torchs_first_buffer_is_undampened_and_mlxs_is_not():
    settings = {"momentum": 0.5, "dampening": 0.2}
    torch = directions("heavy_ball(g)", **settings)
    mlx = directions("heavy_ball_dampened(g)", **settings)
    assert torch == pytest.approx(np.outer([1, 1.3, 1.45], G))
    assert mlx == pytest.approx(np.outer([0.8, 1.2, 1.4], G))


def test_without_momentum_nothing_is_dampened():
    for name in ("heavy_ball", "heavy_ball_dampened"):
        assert directions(f"{name}(g)", dampening=0.5)[-1] == pytest.approx(G)


@pytest.mark.parametrize("name", ["heavy_ball", "heavy_ball_dampened", "velocity"])
def test_nesterov_looks_one_step_ahead(name):
    plain = directions(f"{name}(g)", momentum=0.9)
    ahead = directions(f"{name}(g)", momentum=0.9, nesterov=1)
    assert ahead == pytest.approx(G + 0.9 * plain)


def test_adam_takes_unit_steps_under_a_constant_gradient():
    for direction in directions("adam(g, eps=0)"):
        assert direction == pytest.approx(np.sign(G))


def test_epsilon_stands_outside_the_corrected_root_or_inside():
    (torch,) = directions("adam(g, eps=0.1)", 1)
    (keras,) = directions("adam(g, eps=0.1, epsilon_hat=1)", 1)
    (root,) = directions("adam(g, eps=0, eps_root=0.01)", 1)
    assert torch == pytest.approx(G / (np.abs(G) + 0.1))
    assert keras == pytest.approx(G / (np.abs(G) + 0.1 / sqrt(0.001)))
    assert root == pytest.approx(G / np.sqrt(G * G + 0.01))


def test_uncorrected_adam_starts_with_the_ratio_of_its_averages():
    (first,) = directions("adam_uncorrected(g, eps=0)", 1)
    assert first == pytest.approx(np.sign(G) * 0.1 / sqrt(0.001))


def test_nadam_looks_ahead_by_its_momentum_schedule():
    (first,) = directions("nadam(g, eps=0)", 1)
    now, soon = (0.9 * (1 - 0.5 * 0.96 ** (t * 0.004)) for t in (1, 2))
    assert first == pytest.approx(np.sign(G) * (1 + soon * 0.1 / (1 - now * soon)))


def test_radam_is_plain_momentum_until_the_variance_is_known():
    path = directions("radam(g, eps=0)", 7)
    assert path[0] == pytest.approx(G)
    assert np.abs(path[4]) == pytest.approx(np.abs(G))
    assert np.sign(path[6]) == pytest.approx(np.sign(G))
    assert np.ptp(np.abs(path[6])) == pytest.approx(0)


def test_adamax_divides_by_the_largest_gradient():
    (first,) = directions("adamax(g, eps=0.1)", 1)
    (keras,) = directions("adamax(g, eps=0, eps_root=0.1)", 1)
    assert first == pytest.approx(G / (np.abs(G) + 0.1))
    assert keras == pytest.approx(first)


def test_rmsprop_divides_by_a_running_root():
    (first,) = directions("rmsprop(g, eps=0)", 1)
    assert first == pytest.approx(np.sign(G) / sqrt(0.01))
    plain, moving = (directions("rmsprop(g, eps=0)", 2, momentum=m) for m in (0, 0.5))
    assert moving[1] == pytest.approx(plain[1] + 0.5 * plain[0])
    (centered,) = directions("rmsprop(g, eps=0, centered=1)", 1)
    assert centered == pytest.approx(np.sign(G) / sqrt(0.01 - 0.0001))


def test_adagrad_divides_by_the_root_of_the_sum():
    path = directions("adagrad(g, eps=0, lr_decay=1)", 2)
    assert path[1] == pytest.approx(np.sign(G) / sqrt(2) / 2)
    (keras,) = directions("adagrad(g, eps=0, initial_accumulator=0.1)", 1)
    assert keras == pytest.approx(G / np.sqrt(0.1 + G * G))


def test_adadelta_keeps_the_units_of_the_weights():
    (first,) = directions("adadelta(g)", 1)
    assert first == pytest.approx(G * sqrt(1e-6) / np.sqrt(0.1 * G * G + 1e-6))


def test_lion_takes_signs():
    assert directions("lion(g)")[-1] == pytest.approx(np.sign(G))


def test_adan_under_a_constant_gradient_is_adam():
    for direction in directions("adan(g, eps=0)"):
        assert direction == pytest.approx(np.sign(G))


def test_adafactor_is_relative_to_the_weights():
    (first,) = directions("adafactor(g)", 1, w=W)
    assert first == pytest.approx(np.sign(G) * np.sqrt(np.mean(W * W)))
    path = directions("adafactor(g, scale_parameter=0)", 4, w=W)
    assert path[3] == pytest.approx(np.sign(G) / 2)
    path = directions("adafactor(g, scale_parameter=0, relative_step=0)", 4, w=W)
    assert path[3] == pytest.approx(np.sign(G))


def test_adafactor_factors_the_second_moment_of_matrices():
    rows, columns = np.array([[1.0], [2.0]]), np.array([[0.5, 0.25, 1.0]])
    (first,) = directions("adafactor(g, scale_parameter=0)", 1, g=rows * columns)
    assert first == pytest.approx(np.ones((2, 3)))


@pytest.mark.parametrize("shape", [(4, 4), (3, 6), (6, 3)])
def test_muon_makes_about_orthogonal_matrices(shape):
    g = np.random.default_rng(0).normal(size=shape)
    (first,) = directions("muon(g)", 1, g=g)
    values = np.linalg.svd(first, compute_uv=False) / max(1, shape[0] / shape[1]) ** 0.5
    assert 0.6 < values.min() <= values.max() < 1.3


def test_muon_has_the_scale_of_adam_where_asked():
    g = np.random.default_rng(0).normal(size=(6, 3))
    plain, scaled = (directions(f"muon(g, {s})", 1, g=g) for s in ("nesterov=0", "rms_scale=0.2"))
    assert scaled[0] == pytest.approx(plain[0] * 0.2 * sqrt(6) / sqrt(2))


def test_muons_momentum_may_be_a_sum():
    for nesterov in (0, 1):
        mean, total = (
            directions(f"muon(g, sum_momentum={s}, nesterov={nesterov})", 2) for s in (0, 1)
        )
        assert total == pytest.approx(mean)


def test_lamb_stretches_the_direction_to_the_weights_norm():
    (first,) = directions("lamb(g, weight_decay*w)", 1, w=W, weight_decay=0.1, eps=0)
    direction = np.sign(G) + 0.1 * W
    assert first == pytest.approx(direction * np.linalg.norm(W) / np.linalg.norm(direction))


def test_the_trust_ratio_is_one_where_a_norm_is_zero():
    assert trust_ratio(W, 0 * W) == trust_ratio(0 * W, W) == 1
    assert trust_ratio(W, 2 * W) == pytest.approx(0.5)


def test_an_optimizer_that_is_not_simulated_says_so():
    with pytest.raises(InvalidValueError, match="not simulated"):
        directions("unmodelled(g)")


def test_radam_steps_plainly_up_to_its_threshold():
    # beta2 1/2: the longest average is 3 steps, the first one's 3 - 2·(1/2)/(1/2) = 1.
    assert directions("radam(g, beta2=0.5, threshold=1.0)", n_steps=1)[0] == pytest.approx(G)
