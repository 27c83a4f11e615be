"""Choices that a command declares without reading the domain: a start is faster for it."""

from decaycalc.cli import check, suggest, transfer
from decaycalc.findings.options import FAIL_ON
from decaycalc.transfers.records import Hold, LrRule
from decaycalc.transfers.suggestions import RULES


def test_the_rules_of_a_transfer_can_all_be_chosen():
    assert (*transfer._LR_RULES, LrRule.UPDATE) == tuple(LrRule)
    assert tuple(Hold) == transfer._HOLDS


def test_the_rules_of_a_suggestion_can_all_be_chosen():
    assert tuple(RULES) == suggest._RULES


def test_the_levels_that_fail_a_check_are_those_of_findings():
    assert check._LEVELS == FAIL_ON
