from fractions import Fraction

import pytest

from decaycalc.architecture.treatment import NOTHING, Amount, parse_group_rule
from decaycalc.errors import InvalidValueError


def test_a_rule_has_factors_and_numbers_of_its_own():
    rule = parse_group_rule(r"layers\.(?:1|2)\.: learning_rate*1/3, weight_decay=0.1")
    assert rule.pattern == r"layers\.(?:1|2)\."
    assert rule.lr == Amount(number=Fraction(1, 3))
    assert rule.decay == Amount(number=Fraction(1, 10), is_factor=False)


def test_what_a_rule_leaves_out_is_left_alone():
    assert parse_group_rule("fc:wd*0").lr is None
    assert parse_group_rule("fc:wd*0").decay == NOTHING


def test_an_amount_is_a_multiple_or_a_number_of_its_own():
    factor, own = Amount(number=Fraction(16)), Amount(number=Fraction(3), is_factor=False)
    assert (factor.of(2), factor.of(None), factor.ratio(None)) == (32, None, 16)
    assert (own.of(None), own.ratio(2), own.ratio(None)) == (3, 1.5, None)
    assert own.times(Fraction(2)).of(7) == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fc", "must be REGEX:lr"), (":lr*2", "must be REGEX:lr"), ("fc:", "must be REGEX:lr"),
        ("fc:momentum*2", "must be REGEX:lr"), ("fc:lr*2,lr=3", "gives lr twice"),
        ("fc:lr*-1", "from 0 to"), ("fc:wd*1e7", "from 0 to"), ("fc:lr*x", "lr of group"),
        ("fc:lr*", "lr of group"), ("fc:lr*nan", "lr of group"),
    ],
)  # fmt: skip
def test_a_malformed_rule_is_refused(text, words):
    with pytest.raises(InvalidValueError, match=words):
        parse_group_rule(text)
