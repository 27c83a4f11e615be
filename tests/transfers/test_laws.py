"""The fits: their exponents, and that a coefficient is never ours."""

import pytest

from decaycalc.errors import InvalidValueError
from decaycalc.transfers.laws import BATCH, CRITICAL_BATCH, LAWS, TIMESCALE, weight_decay_for


@pytest.mark.parametrize(("ratio", "expected"), [(2, 1.3041), (10, 2.4155)])
def test_the_optimal_batch_grows_with_the_tokens(ratio, expected):
    assert BATCH.carry(1.0, variable=1e9, to_variable=ratio * 1e9) == pytest.approx(
        expected, abs=5e-5
    )


@pytest.mark.parametrize(
    ("tpp", "expected"),
    [(1, 1.084), (20, 0.22356), (80, 0.10767), (140, 0.08017), (1000, 0.02845)],
)
def test_the_timescale_falls_with_tokens_per_parameter(tpp, expected):
    assert TIMESCALE.at(tpp, coefficient=1.084) == pytest.approx(expected, rel=2e-4)


def test_a_reference_run_gives_the_coefficient():
    direct = TIMESCALE.at(80, coefficient=1.084)
    carried = TIMESCALE.carry(TIMESCALE.at(20, coefficient=1.084), variable=20, to_variable=80)
    assert carried == pytest.approx(direct, rel=1e-14)


def test_outside_its_range_a_fit_warns():
    assert TIMESCALE.warning(20) == ""
    assert "outside the fitted range 20 to 1280" in TIMESCALE.warning(2000)
    assert CRITICAL_BATCH.warning(1e30) == ""


def test_every_law_names_its_source():
    assert all(law.source and law.formula for law in LAWS)


def test_the_decay_is_linear_in_the_batch():
    settings = {"lr": 0.016, "dataset_size": 12.2e9}
    tau = TIMESCALE.at(20, coefficient=1.084)
    one = weight_decay_for(tau, batch_size=63 * 2048, **settings)
    assert one == pytest.approx(0.002957, abs=5e-7)
    assert weight_decay_for(tau, batch_size=504 * 2048, **settings) == pytest.approx(8 * one)


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
def test_what_is_no_positive_number_is_refused(bad):
    with pytest.raises(InvalidValueError):
        weight_decay_for(bad, lr=1, batch_size=1, dataset_size=1)
    with pytest.raises(InvalidValueError):
        BATCH.carry(1, variable=bad, to_variable=1)
    with pytest.raises(InvalidValueError):
        BATCH.at(1, coefficient=bad)
