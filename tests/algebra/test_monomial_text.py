"""Monomials from text: what a complement may hold."""

import pytest

from decaycalc.algebra.monomial_text import parse_monomial
from decaycalc.algebra.quantity import Monomial
from decaycalc.errors import TextSyntaxError


def test_a_complement_is_of_one_quantity_alone():
    with pytest.raises(TextSyntaxError, match=r"character 18: expected '\)'"):
        parse_monomial("2*x/(1 - momentum*2)", parameter="x")


def test_a_complement_is_read_however_it_is_spaced():
    spaced = parse_monomial("2*x/( 1-momentum )", parameter="x")
    assert spaced == parse_monomial("2*x/(1 - momentum)", parameter="x")


def test_numbers_and_exponents_are_read_without_brackets():
    assert parse_monomial("2e-3*x*lr^2", parameter="x") == Monomial.of("2e-3", value=1, lr=2)
    assert parse_monomial("x*lr^12", parameter="x") == Monomial.of(value=1, lr=12)
    with pytest.raises(TextSyntaxError, match="up to 12"):
        parse_monomial("x*lr^13", parameter="x")
