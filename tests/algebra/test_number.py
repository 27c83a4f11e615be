import re
from decimal import Decimal, localcontext
from fractions import Fraction
from math import inf, isfinite, nan

import mpmath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from decaycalc.algebra.number import about, exact, exact_root, finite, plain, root_of
from decaycalc.errors import InvalidValueError

digits = st.text("0123456789", min_size=1, max_size=12)
decimals = st.builds(
    lambda whole, part, power: f"{whole}.{part}e{power}", digits, digits, st.integers(-250, 250)
)


@given(decimals)
def test_a_typed_decimal_is_exactly_what_was_typed(text):
    assert exact(text) == Fraction(Decimal(text))


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**30))
def test_a_typed_fraction_is_exactly_what_was_typed(top, bottom):
    assert exact(f"{top}/{bottom}") == Fraction(top, bottom)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(1.7976931348623157e308)
@example(-0.0)
def test_a_float_counts_as_its_shortest_decimal_and_comes_back(number):
    assert exact(number) == Fraction(repr(number))
    assert float(exact(number)) == number


def test_what_is_exact_already_stays():
    assert exact(3) == 3
    assert exact(Fraction(1, 3)) == Fraction(1, 3)
    assert exact(10**300) == 10**300


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", Fraction(1, 10000)), (" 5e-4\n", Fraction(5, 10000)), ("+.5", Fraction(1, 2)),
        ("5.", Fraction(5)), ("1E3", Fraction(1000)), ("1 / 3", Fraction(1, 3)),
        ("0.5/1e-3", Fraction(500)), ("-0", Fraction(0)), ("0e-99999999999", Fraction(0)),
        ("-2/3", Fraction(-2, 3)), ("0/7", Fraction(0)), ("1e308/1e300", Fraction(10**8)),
    ],
)  # fmt: skip
def test_decimals_and_fractions_are_read(text, value):
    assert exact(text) == value


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\N{MINUS SIGN}1e-4", "-1e-4"), ("1e\N{EN DASH}4", "1e-4"), ("lr = 0.1", "0.1"),
        ("90%", "0.9"), ("1e-4 %", "1e-06"), ("5\N{MULTIPLICATION SIGN}10^-4", "5e-4"),
        ("5*10**-4", "5e-4"), ("10^-4", "1e-4"), ("1.5D-4", "1.5e-4"), ("--lr=1e-3", "1e-3"),
    ],
)  # fmt: skip
def test_a_number_in_another_spelling_is_refused_with_how_to_write_it(text, written):
    with pytest.raises(InvalidValueError, match="is not a number such as") as caught:
        exact(text, name="lr")
    assert str(caught.value).endswith(f"; write {written}")
    assert exact(written)


@pytest.mark.parametrize("text", ["nan%", "1e999%", "0%", "x=y"])
def test_what_is_no_number_in_any_spelling_has_no_hint(text):
    with pytest.raises(InvalidValueError, match=r"1e-3 or 1/3$"):
        exact(text, name="lr")


@pytest.mark.parametrize(
    "text",
    ["", " ", "abc", "1_", "_000.5", "١", "１", "²", "0x10", "1e", "e5", "1 2", "--1",
     "1/2/3", "/2", "2/", "1/x", "½", "1e5.5", "1\x00"],
)  # fmt: skip
def test_what_is_no_plain_number_is_refused(text):
    with pytest.raises(InvalidValueError) as caught:
        exact(text, name="lr")
    assert str(caught.value) == f"lr {text!r} is not a number such as 0.001, 1e-3 or 1/3"


@pytest.mark.parametrize(
    "given",
    ["nan", "inf", "-Infinity", "1e400", "-1e309", "1e999999999", "1e308/1e-308", "1/1e-309",
     nan, inf, -inf, 10**309, Fraction(10**400, 3)],
)  # fmt: skip
def test_what_is_beyond_float64_is_refused_in_no_time(given):
    with pytest.raises(InvalidValueError, match=r"must be finite, below 1\.8e308"):
        exact(given)


@pytest.mark.parametrize(
    "given", ["1e-400", "-1e-999999999", "1e-300/1e300", "0.0e1/1e-999", Fraction(1, 10**400)]
)
def test_what_float64_would_round_to_zero_is_refused(given):
    with pytest.raises(InvalidValueError, match="below float64's range"):
        exact(given)


@pytest.mark.parametrize("given", [[0.1, 0.2], {}, object(), (1,)])
def test_what_is_not_one_number_is_refused(given):
    kind = type(given).__name__
    with pytest.raises(InvalidValueError, match=f"^lr '{kind}' must be one number; convert takes"):
        exact(given, name="lr")


def test_the_error_shows_a_long_number_short():
    with pytest.raises(InvalidValueError, match=r"^value '1.000e\+400' must be finite"):
        exact(10**400)
    with pytest.raises(InvalidValueError, match=r"^value '0.3{18}\.\.\.' has too many digits$"):
        exact("0." + "3" * 5000)


@pytest.mark.parametrize("text", ["1/0", "1/0.0", "0/0", "1/-0"])
def test_division_by_zero_is_named(text):
    with pytest.raises(InvalidValueError, match="divides by zero"):
        exact(text)


@given(st.fractions())
def test_finite_is_the_nearest_float(value):
    assert finite(value, "x") == value.numerator / value.denominator


@pytest.mark.parametrize(
    "value", [Fraction(10) ** 309, -(Fraction(10) ** 309), Fraction(10) ** -400]
)
def test_a_result_beyond_float64_is_named_with_its_size(value):
    with pytest.raises(
        InvalidValueError, match=r"^lam '-?1.000e[+-]\d+' is beyond float64's range"
    ):
        finite(value, "lam")
    assert finite(Fraction(0), "x") == 0


@given(st.fractions().filter(bool))
def test_about_is_right_to_four_digits(value):
    assert isfinite(float(about(value)))
    assert abs(Fraction(about(value)) / value - 1) <= Fraction(1, 1000)


def test_plain_shows_whole_numbers_without_a_point():
    assert repr(plain(Fraction(60000))) == "60000"
    assert repr(plain(Fraction(1, 4))) == "0.25"
    assert repr(plain(Fraction(10**20))) == "1e+20"


positive = st.fractions(min_value=Fraction(1, 10**40), max_value=10**40).filter(bool)


@given(positive, st.integers(2, 5))
def test_a_power_has_its_root_exactly(value, degree):
    assert root_of(value**degree, degree) == value
    assert exact_root(value**degree, degree) == value


@given(positive, st.integers(2, 5))
@example(Fraction(2), 2)
@example(Fraction(1, 450450), 2)
def test_a_root_rounds_to_the_nearest_float(value, degree):
    with mpmath.workdps(80):
        right = mpmath.root(mpmath.mpf(value.numerator) / value.denominator, degree)
        assert float(root_of(value, degree)) == float(right)


@given(positive, st.integers(2, 4))
def test_a_root_is_right_to_sixty_digits(value, degree):
    with localcontext() as context:
        context.prec = 80
        root = root_of(value, degree)
        assert abs(root**degree / value - 1) < Fraction(1, 10**58)


def test_roots_that_are_irrational_are_told_apart():
    assert exact_root(Fraction(2), 2) is None
    assert exact_root(Fraction(4, 9), 2) == Fraction(2, 3)
    assert exact_root(Fraction(4, 3), 2) is None
    assert root_of(Fraction(0), 3) == 0
    assert root_of(Fraction(1), 7) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("60k", 60_000), ("60K", 60_000), ("1.28M", 1_280_000), ("7B", 7 * 10**9),
        ("15T", 15 * 10**12), ("2.5 G", 25 * 10**8), ("60_000", 60_000),
        ("1_0.2_5", Fraction(41, 4)),
        ("1/60k", Fraction(1, 60_000)), ("0k", 0), ("-1k", -1000), ("1e3k", 10**6),
        (".5k", 500),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_type_them(text, value):
    assert exact(text) == value


@pytest.mark.parametrize(
    "text", ["k", "1kk", "1m", "1g", "1t", "1_", "_1", "1__0", "1_k", "1k_0", "1._5", "k1", "1 k 2"]
)
def test_what_might_mean_something_else_is_no_number(text):
    with pytest.raises(InvalidValueError, match="is not a number"):
        exact(text)


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("60,000", "write 60000, or 60.000 if that is meant"),
        ("0,01", "write 0.01"),
        ("1,5", "write 1.5"),
        ("0,001", "write 0.001"),
        ("1,281,167", "write 1281167"),
        ("1,2,3", "write one number, with a point"),
        ("1e-4,1e-3", "write one number, with a point"),
        ("0.1,0.2", "write one number, with a point"),
    ],
)
def test_a_comma_is_refused_with_the_way_to_write_it(text, way):
    with pytest.raises(InvalidValueError, match=f"has a comma: {re.escape(way)}$"):
        exact(text)


def test_a_suffix_may_not_carry_a_number_beyond_the_floats():
    with pytest.raises(InvalidValueError, match="finite"):
        exact("1e308k")
