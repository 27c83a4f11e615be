"""The equilibrium that a scheduled run predicts, against the worked numbers of the literature."""

from fractions import Fraction

import numpy as np
import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.side import Side
from decaycalc.survival.equilibrium import predict_equilibrium


def settled(key, value, **run):
    return predict_equilibrium(Side(convention=find(key), run=Run(**run)), Fraction(value))


@pytest.mark.parametrize(
    ("lr", "value", "rms", "rotation"),
    [("6e-4", "0.1", 0.0547723, 2.51312e-3), ("4e-3", "0.05", 0.2, 4.58831e-3),
     ("1e-3", "0.05", 0.1, 2.29416e-3), ("3e-4", "0.1", 0.0387298, 1.77705e-3)],
)  # fmt: skip
def test_adamw_settles_at_the_worked_numbers(lr, value, rms, rotation):
    found = settled("pytorch-adamw", value, lr=lr)
    assert found.rms == pytest.approx(rms, rel=1e-5)
    assert found.rotation == pytest.approx(rotation, rel=1e-5)


def test_the_same_decay_in_another_convention_settles_alike():
    torch = settled("pytorch-adamw", "0.1", lr="6e-4")
    assert settled("tfa-adamw", "6e-5", lr="6e-4") == torch


def test_momentum_rotates_by_the_worked_numbers():
    resnet = settled("pytorch-sgd", "1e-4", lr="0.1", momentum="0.9")
    assert resnet.rotation == pytest.approx(3.24443e-3, rel=1e-5)
    assert resnet.relaxation_steps == pytest.approx(2500)
    decoupled = settled("keras-sgd", "1e-3", lr="0.1", momentum="0.9")
    assert decoupled.rotation == pytest.approx(resnet.rotation)


def test_lion_has_a_rotation():
    assert (
        settled("pytorch-adamw", "1", lr="1e-4").rotation
        != settled("optax-lion", "1", lr="1e-4").rotation
    )


@pytest.mark.parametrize(
    ("key", "value", "run"),
    [
        ("pytorch-adamw", "0", {"lr": "0.1"}),
        ("ema-timescale-steps", "100", {}),
        ("mean-l2", "1e-3", {"lr": "0.1"}),
        ("keras-adagrad", "0.1", {"lr": "0.1"}),
        ("pytorch-adam", "0.1", {"lr": "0.1"}),
    ],
)
def test_nothing_is_predicted_without_a_model(key, value, run):
    assert settled(key, value, **run) is None


def test_muon_scaled_to_adamw_s_update_settles_at_the_worked_size():
    found = settled("keras-muon", "0.1", lr="1e-3")
    assert found.rms == pytest.approx(0.2 * 0.005**0.5 * 39**0.5)
    assert found.rotation == pytest.approx((2e-4 / 39) ** 0.5)
    assert "0.78 to 1.0" in found.label


def test_muon_of_another_scale_has_a_rotation_and_no_size():
    found = settled("pytorch-muon", "0.1", lr="1e-3", momentum="0.9")
    assert found.rms is None
    assert found.rotation == pytest.approx((2e-4 / 19) ** 0.5)
    assert found.relaxation_steps == pytest.approx(5000)
    assert "momentum = 0.9" in found.label


@pytest.mark.parametrize("key", ["nanochat-muon", "heavyball-muon-adamw", "scion-lions", "dion"])
def test_what_was_not_simulated_as_muon_has_no_equilibrium(key):
    assert settled(key, "0.1", lr="1e-3") is None


def test_beyond_a_hundredth_a_step_muon_was_not_simulated():
    assert settled("keras-muon", "0.1", lr="0.1") is not None
    assert settled("keras-muon", "0.1001", lr="0.1") is None


@pytest.mark.parametrize("key", ["pytorch-adamw", "optax-lion", "keras-muon"])
def test_the_norm_of_a_network_is_that_of_all_its_decayed_weights(key):
    found = settled(key, "0.1", lr="1e-3", n_weights=400)
    assert found.norm == pytest.approx(20 * found.rms)
    assert settled(key, "0.1", lr="1e-3").norm is None
    assert settled("pytorch-sgd", "1e-4", lr="0.1", n_weights=400).norm is None


def test_a_norm_beyond_float64_is_open():
    found = settled("pytorch-adamw", "1e-300", lr="1e306", n_weights="1e18")
    assert found is None or found.norm is None


@pytest.mark.parametrize("key", ["pytorch-sgd", "keras-sgd"])
@pytest.mark.parametrize("momentum", ["0", "0.9"])
def test_the_scale_of_the_loss_turns_no_weight_faster(key, momentum):
    whole = settled(key, "0.01", lr="0.1", momentum=momentum)
    summed = settled(key, "0.01", lr="0.1", momentum=momentum, loss=8)
    assert (summed.rotation, summed.relaxation_steps) == pytest.approx(
        (whole.rotation, whole.relaxation_steps)
    )


def test_a_loop_of_sgd_turns_as_predicted_whatever_the_loss_is_of_a_mean():
    draw = np.random.default_rng(20261127)
    predicted = settled("pytorch-sgd", "0.01", lr="0.1", momentum="0.9", loss=8).rotation
    weight, buffer, squares = draw.normal(size=500), np.zeros(500), []
    weight *= (0.1 * 8**2 / (2 * 0.01 * 0.1)) ** 0.25 / np.linalg.norm(weight)
    for step in range(600):
        gradient = draw.normal(size=500)
        gradient -= weight * (gradient @ weight) / (weight @ weight)
        gradient *= 8 / np.linalg.norm(gradient) / np.linalg.norm(weight)
        buffer = 0.9 * buffer + gradient + 0.01 * weight
        old, weight = weight, weight - 0.1 * buffer
        if step > 100:
            cosine = old @ weight / np.linalg.norm(old) / np.linalg.norm(weight)
            squares.append(np.arccos(cosine) ** 2)
    assert predicted == pytest.approx(np.mean(squares) ** 0.5, rel=0.02)


def test_a_group_s_own_lr_sets_the_size_of_its_weights():
    group = settled("pytorch-adamw", "0.1", lr="1e-3", extras=(("lr_mult", 4),))
    alone = settled("pytorch-adamw", "0.1", lr="4e-3")
    assert (group.rms, group.rotation) == pytest.approx((alone.rms, alone.rotation))
    assert settled("tfa-adamw", "0.1", lr="1e-3", extras=(("lr_mult", 0),)) is None
