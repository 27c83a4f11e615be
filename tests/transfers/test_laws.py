"""The fits: their exponents, and that a coefficient is never ours."""

import pytest

from decaycalc.errors import InvalidValueError
from decaycalc.transfers.laws import BATCH, TIMESCALE


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
    carried = TIMESCALE.carry(1.084, variable=1, to_variable=tpp)
    assert carried == pytest.approx(expected, rel=2e-4)


def test_outside_its_range_a_fit_warns():
    assert TIMESCALE.warning(20) == ""
    assert "outside the fitted range 20 to 1280" in TIMESCALE.warning(2000)
    assert BATCH.warning(1e30) == ""


def test_every_law_names_its_source():
    assert all(law.source and law.formula for law in (TIMESCALE, BATCH))


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
def test_what_is_no_positive_number_is_refused(bad):
    with pytest.raises(InvalidValueError):
        BATCH.carry(1, variable=bad, to_variable=1)
    with pytest.raises(InvalidValueError):
        BATCH.carry(bad, variable=1, to_variable=1)
