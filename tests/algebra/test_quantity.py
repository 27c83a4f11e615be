from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from decaycalc.algebra.number import root_of
from decaycalc.algebra.quantity import ONE, QUANTITIES, ZERO, Monomial, Quantity, symbol_of
from decaycalc.errors import InvalidValueError, MissingQuantityError

NAMES = ("lr", "batch_size", "dataset_size", "epochs", "value")
VALUES = {
    "lr": Fraction(1, 10), "batch_size": Fraction(128), "dataset_size": Fraction(50000),
    "epochs": Fraction(3, 2), "value": Fraction(5, 10000),
}  # fmt: skip

coefficients = st.fractions(min_value=Fraction(1, 50), max_value=50, max_denominator=50)
powers = st.dictionaries(st.sampled_from(NAMES), st.integers(-3, 3), max_size=4)
rational = st.builds(lambda c, e: Monomial.of(c, **e), coefficients, powers)
monomials = st.builds(
    lambda c, e, root: Monomial.of(c, root=root, **e), coefficients, powers, st.integers(1, 4)
)
exponents = st.fractions(min_value=-3, max_value=3, max_denominator=3)


@given(rational, rational)
def test_a_product_has_the_product_of_the_values_exactly(one, other):
    assert (one * other).evaluate(VALUES) == one.evaluate(VALUES) * other.evaluate(VALUES)
    assert (one / other).evaluate(VALUES) == one.evaluate(VALUES) / other.evaluate(VALUES)


@given(rational, st.integers(-4, 4))
def test_a_whole_power_has_the_power_of_the_value_exactly(monomial, power):
    assert (monomial**power).evaluate(VALUES) == monomial.evaluate(VALUES) ** power


@given(monomials, monomials, monomials)
def test_multiplication_is_commutative_and_associative(one, two, three):
    assert one * two == two * one
    assert (one * two) * three == one * (two * three)


@given(monomials, monomials)
def test_a_quotient_undoes_a_product(one, other):
    assert one * other / other == one
    assert one / one == Monomial.of(1)
    assert hash(one * other / other) == hash(one)


@given(monomials, exponents, exponents)
def test_powers_add_and_multiply(monomial, one, other):
    assert monomial**one * monomial**other == monomial ** (one + other)
    assert (monomial**one) ** other == monomial ** (one * other)


@given(monomials, exponents.filter(bool))
def test_a_root_undoes_a_power(monomial, power):
    assert (monomial**power) ** (1 / power) == monomial


@given(monomials)
def test_a_root_is_that_of_the_value(monomial):
    inside = Monomial(monomial.coefficient, monomial.exponents).evaluate(VALUES)
    assert monomial.evaluate(VALUES) == root_of(inside, monomial.root)


@given(monomials)
def test_a_monomial_is_in_lowest_terms_and_sorted(monomial):
    assert all(power for _, power in monomial.exponents)
    assert list(monomial.names) == sorted(monomial.names)
    assert monomial == Monomial.of(
        monomial.coefficient, root=monomial.root, **dict(monomial.exponents)
    )


@given(monomials)
def test_the_formula_read_back_has_the_same_value(monomial):
    text = monomial.format(dict.fromkeys(NAMES, "") | {name: name for name in NAMES})
    python = text.replace("·", "*").replace("^", "**").replace("sqrt(", "root_2(")
    names = {name: float(value) for name, value in VALUES.items()}
    value = eval(python, {"root_2": lambda x: x**0.5}, names)  # noqa: S307  (our own text)
    assert value == pytest.approx(float(monomial.evaluate(VALUES)), rel=1e-12)


@given(monomials, monomials)
def test_substitution_puts_a_monomial_in_place_of_a_quantity(monomial, put):
    assume("lr" not in put.names)
    replaced = monomial.substitute({"lr": put})
    rest = monomial / Monomial.of(lr=1) ** monomial.power_of("lr")
    assert replaced == rest * put ** monomial.power_of("lr")


@pytest.mark.parametrize(
    ("monomial", "text"),
    [
        (Monomial.of(1), "1"),
        (Monomial.of(2, value=1, loss_scale=-1), "2·value/loss_scale"),
        (Monomial.of("1/2", value=-1, dataset_size=-1), "1/(2·N·value)"),
        (Monomial.of(1, value=-2, dataset_size=-1), "1/(N·value^2)"),
        (Monomial.of(Fraction(3, 2), lr=1), "3·lr/2"),
        (Monomial.of(1, value=2, batch_size=1, dataset_size=-1, epochs=-1, root=2),
         "value·sqrt(B/(N·E))"),
        (Monomial.of(1, dataset_size=-1, value=-1, root=2), "sqrt(1/(N·value))"),
        (Monomial.of(1, value=-2, epochs=1, root=2), "sqrt(E)·1/value"),
        (Monomial.of(4, value=1, root=2), "2·sqrt(value)"),
        (Monomial.of(2, value=3, root=3), "value·(2)^(1/3)"),
        (Monomial.of(1, to_one_minus_momentum=-1, to_batch_size=1), "to_B/(1 - to_momentum)"),
    ],
)  # fmt: skip
def test_formulas_are_written_as_people_write_them(monomial, text):
    assert monomial.format() == text
    assert repr(monomial) == f"Monomial({text!r})"


def test_names_may_be_replaced_in_the_formula():
    assert Monomial.of(2, value=1).format({"value": "l2"}) == "2·l2"


def test_a_missing_quantity_is_named():
    with pytest.raises(MissingQuantityError, match="this formula needs dataset_size, lr"):
        Monomial.of(1, lr=1, dataset_size=-1, value=1).evaluate({"value": ONE, "lr": None})


def test_a_zero_that_divides_is_named():
    with pytest.raises(InvalidValueError, match="value 0 divides here and must not be zero"):
        Monomial.of(1, value=-1).evaluate({"value": ZERO})
    assert Monomial.of(1, value=2).evaluate({"value": ZERO}) == 0


def test_the_decimals_that_were_typed_stay_exact():
    typed = Monomial.of("1e-4") * Monomial.of(3)
    assert float(typed.evaluate({})) == 0.0003
    assert 1e-4 * 3 != 0.0003


@pytest.mark.parametrize("quantity", QUANTITIES.values(), ids=QUANTITIES)
def test_every_quantity_has_a_help_text_and_a_sound_default(quantity):
    assert quantity.help
    assert quantity.symbol
    if quantity.default is not None:
        assert quantity.check(quantity.default) == quantity.default


def test_symbols_are_told_apart_so_that_formulas_are():
    symbols = [quantity.symbol for quantity in QUANTITIES.values()]
    assert len(set(symbols)) == len(symbols)
    assert symbol_of("to_batch_size") == "to_B"
    assert symbol_of("alpha") == "alpha"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("lr", 0, "lr 0 must be positive"),
        ("lr", -1, "lr -1 must be positive"),
        ("momentum", 1, "momentum 1 must be at least 0 and below 1"),
        ("momentum", Fraction(-1, 2), "momentum -0.5 must be at least 0 and below 1"),
        ("grad_accum", Fraction(3, 2), "grad_accum 1.5 must be a whole number"),
        ("keep_probability", 2, "keep_probability 2 must be positive and at most 1"),
    ],
)
def test_a_value_outside_its_domain_is_refused(name, value, text):
    with pytest.raises(InvalidValueError) as caught:
        QUANTITIES[name].check(Fraction(value))
    assert str(caught.value) == text


def test_what_rounds_to_the_end_of_an_open_domain_is_outside_it():
    with pytest.raises(InvalidValueError, match="below 1"):
        QUANTITIES["momentum"].check(1 - Fraction(1, 10**17))


def test_a_domain_may_begin_anywhere():
    quantity = Quantity(name="t", symbol="t", unit="", help="", low=2.0)
    with pytest.raises(InvalidValueError, match="t 1 must be above 2"):
        quantity.check(ONE)
    assert quantity.check(Fraction(3)) == 3
    assert QUANTITIES["keep_probability"].check(ONE) == 1
