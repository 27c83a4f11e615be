"""Width and horizon: rules that are fits, by hand, with their conditions and where they end."""

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.errors import NoEquivalentError
from decaycalc.transfers import Hold, LrRule, transfer
from decaycalc.transfers.fits import covers
from decaycalc.transfers.laws import BATCH, TIMESCALE, project


def wider(hold, source="pytorch-adamw", lr_rule=LrRule.MUP):
    (rule,) = transfer(
        "0.1", source=source, run=Run(lr="1e-3"), width_ratio=4, lr_rules=[lr_rule], holds=[hold]
    ).rules
    return rule


def longer(source="pytorch-adamw", *, run=None, new=None, **more):
    run = run or Run(lr="4e-4", steps=1000)
    return transfer("0.1", source=source, run=run, target_run=new or Run(steps=4000), **more)


@pytest.mark.parametrize(
    ("hold", "value", "name"),
    [
        (Hold.STEP, 0.4, "mup"),
        (Hold.SQRT_WIDTH, 0.2, "sqrt-width"),
        (Hold.INDEPENDENT, 0.1, "independent"),
    ],
)
def test_three_rules_over_width_have_three_numbers(hold, value, name):
    rule = wider(hold)
    assert (rule.lr, rule.value) == (pytest.approx(2.5e-4), pytest.approx(value))
    assert rule.name == name
    assert rule.conditions


def test_a_fit_is_an_estimate_and_what_it_holds_by_algebra_is_not():
    assert wider(Hold.SQRT_WIDTH).equivalence == "estimate"
    assert wider(Hold.STEP).equivalence is None


def test_in_independent_form_the_shrink_itself_falls():
    assert wider(Hold.INDEPENDENT, "tfa-adamw").value == pytest.approx(0.1 / 4)


def test_a_law_over_width_is_refused_outside_of_what_it_was_found_for():
    with pytest.raises(NoEquivalentError, match="AdamW's"):
        wider(Hold.SQRT_WIDTH, "pytorch-sgd")
    with pytest.raises(NoEquivalentError, match="muP"):
        wider(Hold.SQRT_WIDTH, lr_rule=LrRule.NONE)
    assert wider(Hold.INDEPENDENT, "pytorch-muon").value == pytest.approx(0.1)


def test_without_a_change_of_width_none_is_shown():
    assert not any(rule.hold in {"sqrt-width", "independent"} for rule in longer().rules)


def test_a_longer_run_takes_the_root_off_lr_and_decay():
    (rule,) = (rule for rule in longer().rules if rule.lr_rule == "horizon")
    assert (rule.lr, rule.value) == (pytest.approx(2e-4), pytest.approx(0.05))
    assert rule.name == "horizon"
    assert rule.lr_interval == (pytest.approx(2e-4), pytest.approx(4e-4 * 4**-0.32))
    assert rule.interval == (pytest.approx(0.1 * 4**-0.68), pytest.approx(0.05))


def test_another_convention_or_an_unknown_lr_has_no_interval():
    unknown = longer(run=Run(steps=1000), lr_rules=[LrRule.HORIZON], holds=[Hold.RUN]).rules[0]
    assert (unknown.lr, unknown.interval) == (None, (None, None))
    moved = longer(target="per-step-shrink", lr_rules=[LrRule.HORIZON], holds=[Hold.RUN]).rules[0]
    assert moved.interval == (None, None)


def test_the_horizon_is_adamw_s():
    assert all(rule.lr_rule != "horizon" for rule in longer("pytorch-sgd").rules)
    with pytest.raises(NoEquivalentError, match="horizon is AdamW's"):
        longer("pytorch-sgd", lr_rules=[LrRule.HORIZON])


def test_an_exponent_s_interval_is_the_number_s():
    carried = project(TIMESCALE, 0.2, variable=20, to_variable=200)
    assert carried.interval == (pytest.approx(0.2 * 10**-0.529), pytest.approx(0.2 * 10**-0.507))
    assert carried.interval[0] < carried.to_value < carried.interval[1]
    batch = project(BATCH, 1, variable=1, to_variable=2)
    assert batch.interval == (batch.to_value, batch.to_value)


def test_what_is_held_by_choice_is_held_by_algebra_alone():
    assert [rule.lr_rule for rule in longer(holds=[Hold.RUN]).rules] == [LrRule.NONE]


def test_a_fit_covers_the_optimizers_of_its_own_family():
    assert covers(find("pytorch-adamw"), Hold.STEP)
    assert not covers(find("pytorch-adam"), Hold.STEP)
    assert not covers(find("lion-pytorch"), Hold.INDEPENDENT)
    assert covers(find("muon-keller"), Hold.INDEPENDENT)
    assert not covers(find("muon-keller"), Hold.STEP)


def test_the_document_has_both_ends_of_an_interval():
    (rule,) = longer().rules[:1]
    ends = rule.to_dict()
    assert (ends["lr_low"], ends["lr_high"]) == rule.lr_interval
    wide = wider(Hold.INDEPENDENT).to_dict()
    assert (wide["low"], wide["high"]) == wider(Hold.INDEPENDENT).interval


def deeper(lr_rule, *, source="pytorch-adamw", **more):
    (rule,) = transfer(
        "0.1", source=source, run=Run(lr="1e-3"), depth_ratio=4, lr_rules=[lr_rule],
        holds=[Hold.DEPTH], **more,
    ).rules  # fmt: skip
    return rule


@pytest.mark.parametrize(
    ("lr_rule", "width", "lr", "value"),
    [
        (LrRule.COMPLETEP, 1, 1e-3, 0.1),
        (LrRule.COMPLETEP, 2, 5e-4, 0.2),
        (LrRule.DEPTH_MUP, 1, 5e-4, 0.1),
        (LrRule.DEPTH_MUP, 2, 2.5e-4, 0.2),
    ],
)
def test_depth_moves_lr_and_leaves_the_number_to_the_width(lr_rule, width, lr, value):
    rule = deeper(lr_rule, width_ratio=width)
    assert (rule.lr, rule.value) == (pytest.approx(lr), pytest.approx(value))
    assert (rule.name, rule.equivalence) == (lr_rule.value, "estimate")
    assert any("in the code, not in the paper" in condition for condition in rule.conditions)


def test_in_independent_form_the_decay_falls_with_the_root_of_the_depth():
    assert deeper(LrRule.DEPTH_MUP, source="tfa-adamw").value == pytest.approx(0.05)


def test_a_rule_over_depth_is_refused_outside_of_what_it_was_found_for():
    with pytest.raises(NoEquivalentError, match="AdamW's"):
        deeper(LrRule.COMPLETEP, source="pytorch-sgd")
    with pytest.raises(NoEquivalentError, match="completep and depth-mup"):
        deeper(LrRule.NONE)
    moved = transfer("0.1", source="pytorch-sgd", run=Run(lr="0.1"), depth_ratio=4)
    assert {rule.lr_rule for rule in moved.rules} == {"none"}


def test_a_deeper_network_shows_its_two_rules():
    moved = transfer("0.1", source="pytorch-adamw", run=Run(lr="1e-3"), depth_ratio=4)
    assert {rule.name for rule in moved.rules} == {None, "completep", "depth-mup"}
    assert moved.to_dict()["depth_ratio"] == 4.0
