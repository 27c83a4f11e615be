from fractions import Fraction

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decaycalc.algebra.quantity import Monomial
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.forms import (
    BESIDE_LAMBD,
    HALF_LIFE_EPOCHS,
    HALF_LIFE_STEPS,
    PER_EPOCH_FACTOR,
    PER_RUN_FACTOR,
    PER_STEP_FACTOR,
)
from decaycalc.conventions.record import (
    ANY,
    MEASURE,
    Convention,
    Coupling,
    Follows,
    Invariant,
)
from decaycalc.errors import InvalidValueError
from tests.every_record import of_each

ONE_VALUE = Monomial.of(1, value=1)
N_STEPS = {"steps": Fraction(450450), "steps_per_epoch": Fraction(5005)}
SIZES = {"dataset_size": Fraction(1281167), "batch_size": Fraction(256)}


def record(**fields):
    known = {
        "key": "made-up", "title": "made up", "group": "Tests", "parameter": "lam",
        "source": "this test", "update": "w = w*(1 - lam)", "trap": None,
    }  # fmt: skip
    return Convention(**{**known, **fields})


def number(value):
    return mpmath.mpf(value.numerator) / value.denominator


@pytest.mark.parametrize(
    "fields",
    [{}, {"strength": ONE_VALUE, "shrink": ONE_VALUE}, {"shrink": ONE_VALUE, "refusal": "no"},
     {"form": PER_STEP_FACTOR, "strength": ONE_VALUE}],
)  # fmt: skip
def test_a_record_has_exactly_one_way(fields):
    with pytest.raises(InvalidValueError, match="one of strength, shrink, form and refusal"):
        record(**fields)


@pytest.mark.parametrize("name", ["title", "source", "update", "parameter"])
def test_a_record_must_say_where_it_comes_from(name):
    with pytest.raises(InvalidValueError, match=f"{name} '' must say something in convention"):
        record(**{name: ""}, shrink=ONE_VALUE)


def test_a_record_must_depend_on_its_number_and_on_known_quantities():
    with pytest.raises(InvalidValueError, match="must depend on its own value"):
        record(shrink=Monomial.of(1, lr=1))
    with pytest.raises(InvalidValueError, match="quantity 'rl' is unknown"):
        record(shrink=Monomial.of(1, value=1, rl=1))


def test_the_invariant_is_what_the_number_fixes():
    assert record(strength=ONE_VALUE).invariant is Invariant.STRENGTH
    assert record(shrink=ONE_VALUE).invariant is Invariant.SHRINK
    assert record(form=PER_STEP_FACTOR).invariant is Invariant.SHRINK
    assert record(refusal="no scalar").invariant is None


@pytest.mark.parametrize(
    ("fields", "strength", "shrink"),
    [
        ({"strength": ONE_VALUE}, True, True),
        ({"strength": ONE_VALUE, "optimizer": ANY}, True, True),
        ({"strength": ONE_VALUE, "optimizer": "adam"}, True, False),
        ({"shrink": ONE_VALUE}, True, True),
        ({"shrink": ONE_VALUE, "optimizer": "adam"}, False, True),
        ({"shrink": ONE_VALUE, "optimizer": MEASURE}, False, True),
        ({"form": PER_STEP_FACTOR, "optimizer": MEASURE}, False, True),
        ({"refusal": "no"}, False, False),
    ],
)
def test_no_bridge_holds_under_a_preconditioner(fields, strength, shrink):
    made = record(**fields)
    assert (made.has_strength, made.has_shrink) == (strength, shrink)


def test_the_formula_names_the_parameter():
    assert find("keras-l2").formula() == "strength = 2·l2/loss_scale"
    assert find("sklearn-logistic").formula() == "strength = 1/(N·C)"
    assert find("per-epoch-factor").formula() == "shrink = 1 - factor^(1/steps_per_epoch)"
    assert record(refusal="no").formula() == "none"


def test_the_record_as_json():
    shown = find("pytorch-adamw").to_dict()
    assert shown["key"] == "pytorch-adamw"
    assert shown["invariant"] == "shrink"
    assert shown["formula"] == "shrink = lr·weight_decay"
    assert shown["default"] == 0.01
    assert shown["follows_schedule"] == Follows.LR == "lr"
    assert shown["coupling"] == Coupling.DECOUPLED == "decoupled"
    assert shown["loss"] is None
    assert find("keras-sgd").to_dict()["default"] is None
    assert find("mean-l2").to_dict()["loss"] == "mean"
    assert find("l2-norm").to_dict()["invariant"] is None
    assert find("l2-norm").to_dict()["default"] is None


# Forms, against mpmath at fifty digits.

positive = st.fractions(min_value=Fraction(1, 10**6), max_value=10**12)
factors = st.one_of(
    st.fractions(min_value=Fraction(1, 10**9), max_value=1),
    st.integers(1, 10**9).map(lambda n: 1 - Fraction(1, 10**9 * n)),
)


ALL = {**N_STEPS, **SIZES}


@pytest.mark.parametrize("form", [PER_EPOCH_FACTOR, PER_RUN_FACTOR, PER_STEP_FACTOR])
@given(value=factors)
def test_a_factor_comes_back_from_its_shrink(form, value):
    back = form.from_shrink(form.to_shrink(value, ALL), ALL)
    assert float(back) == pytest.approx(float(value), rel=1e-12)


@pytest.mark.parametrize("form", [HALF_LIFE_STEPS, HALF_LIFE_EPOCHS])
@given(value=st.fractions(min_value=Fraction(1, 100), max_value=10**12))
def test_a_half_life_comes_back_from_its_shrink(form, value):
    back = form.from_shrink(form.to_shrink(value, ALL), ALL)
    assert float(back) == pytest.approx(float(value), rel=1e-14)


@given(positive)
def test_half_lives_are_right_at_fifty_digits(steps):
    with mpmath.workdps(60):
        shrink = HALF_LIFE_STEPS.to_shrink(steps, {})
        left = mpmath.power(2, -1 / number(steps))
        assert abs(number(shrink) / (1 - left) - 1) < 1e-15
        epochs = steps * SIZES["batch_size"] / SIZES["dataset_size"]
        assert HALF_LIFE_EPOCHS.to_shrink(epochs, SIZES) == shrink


@given(factors.filter(lambda factor: factor < 1))
def test_factors_of_a_run_are_right_at_fifty_digits(factor):
    with mpmath.workdps(60):
        shrink = PER_RUN_FACTOR.to_shrink(factor, N_STEPS)
        right = 1 - mpmath.root(number(factor), 450450)
        assert abs(number(shrink) / right - 1) < 2e-15


@pytest.mark.parametrize(
    "shrink",
    [
        Fraction(1, 10**30),
        Fraction(1, 10**400),
        1 - Fraction(1, 10**20),
        1 - Fraction(1, 10**400),
    ],
)
def test_a_half_life_is_right_at_both_ends_of_the_range(shrink):
    with mpmath.workdps(500):
        right = -mpmath.log(2) / mpmath.log(1 - number(shrink))
        half_life = number(HALF_LIFE_STEPS.from_shrink(shrink, {}))
        assert abs(half_life / right - 1) < 1e-15


def test_a_factor_that_no_float_holds_is_refused():
    with pytest.raises(InvalidValueError) as caught:
        PER_RUN_FACTOR.from_shrink(Fraction(1, 2), N_STEPS)
    assert str(caught.value) == ("factor '(1 - 5.000e-1)^4.504e+5' is below float64's range")


def test_a_half_life_of_almost_nothing_leaves_nothing():
    assert HALF_LIFE_STEPS.to_shrink(Fraction(1, 10**6), {}) == 1


def test_asgds_own_decay_comes_on_top():
    quantities = {"lr": Fraction(1, 100), "lambd": Fraction(1, 10**4)}
    assert BESIDE_LAMBD.to_shrink(Fraction(0), quantities) == Fraction(1, 10**6)
    assert BESIDE_LAMBD.from_shrink(Fraction(3, 10**6), quantities) == Fraction(2, 10**4)
    assert BESIDE_LAMBD.zero_is_sound


@of_each(conventions())
def test_every_record_can_say_what_it_means(convention):
    assert convention.formula()
    assert convention.to_dict()["key"] == convention.key
