"""Monomials from text: what a complement may hold."""

import pytest

from decaycalc.algebra.monomial_text import parse_monomial
from decaycalc.errors import TextSyntaxError


def test_a_complement_is_of_one_quantity_alone():
    with pytest.raises(TextSyntaxError, match=r"character 18: expected '\)'"):
        parse_monomial("2*x/(1 - momentum*2)", parameter="x")


def test_a_complement_is_read_however_it_is_spaced():
    spaced = parse_monomial("2*x/( 1-momentum )", parameter="x")
    assert spaced == parse_monomial("2*x/(1 - momentum)", parameter="x")
