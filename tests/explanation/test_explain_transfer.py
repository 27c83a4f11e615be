"""Explanations of a transfer's rules: the last step gives the rule's number."""

import json

import pytest

from decaycalc.cli.main import main
from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.run import Run
from decaycalc.errors import DecaycalcError
from decaycalc.explanation.transfer import explain_rule
from decaycalc.transfers import Hold, LrRule, transfer

RUN = Run(
    lr="0.01", momentum="0.9", batch_size=100, dataset_size=60000, epochs=10, n_weights=1000,
    n_layers=3,
    extras=(
        ("target_std", 2), ("keep_probability", "0.9"), ("length_scale", "0.1"), ("n_leaf", 100),
        ("gradient_rms", "0.1"), ("lr_initial", "0.01"), ("lr_max", "0.01"),
    ),
)  # fmt: skip
NEW = Run.part(batch_size=400, dataset_size=120000)
VALUES = {"factor": "0.5", "half_life": "50", "timescale": "50", "C": "100", "sigma": "0.1"}


def one(value, source, *, lr_rule, hold, **more):
    moved = transfer(value, source=source, lr_rules=(lr_rule,), holds=(hold,), **more)
    return explain_rule(moved, moved.rules[0])


@pytest.mark.parametrize(
    "record", [*conventions()[::16], find("pytorch-asgd")], ids=lambda record: record.key
)
def test_the_last_step_gives_the_rules_number(record):
    value = VALUES.get(record.parameter, "0.0001")
    try:
        moved = transfer(value, source=record, run=RUN, target_run=NEW, lr_rules=(LrRule.SQRT,))
    except DecaycalcError:
        return
    for rule in moved.rules:
        explanation = explain_rule(moved, rule)
        assert explanation.steps[-1].result == rule.value
        assert explanation.steps[-1].filled
        assert all(step.latex for step in explanation.steps)


def test_the_steps_are_meaning_lr_rule_held_quantity_and_result():
    run = Run(lr="0.1", momentum="0.9", batch_size=256, dataset_size=1000000)
    shown = one(
        "1e-4", "pytorch-sgd", run=run, target_run=Run.part(batch_size=1024), target="keras-l2",
        lr_rule=LrRule.LINEAR, hold=Hold.EPOCH,
    )  # fmt: skip
    assert [step.line for step in shown.steps[:5]] == [
        "strength = weight_decay = 0.0001",
        "shrink = lr·strength/(1 - momentum) = 0.1·0.0001/(1 - 0.9) = 0.0001",
        "to_lr = lr·to_B/B = 0.1·1024/256 = 0.4",
        "to_shrink = shrink·to_B/B = 0.0001·1024/256 = 0.0004",
        "to_weight_decay = weight_decay = 0.0001",
    ]
    assert shown.steps[-1].line == "l2 = weight_decay/2 = 0.0001/2 = 5e-05"
    assert shown.claim.ends[0] == "lr ×4"


def test_holding_the_objective_needs_no_bridge():
    shown = one(
        "1e-4", "keras-l2", run=Run(batch_size=8), target_run=Run.part(batch_size=16),
        lr_rule=LrRule.NONE, hold=Hold.OBJECTIVE,
    )  # fmt: skip
    assert [step.formula for step in shown.steps] == [
        "strength = 2·l2", "to_strength = strength", "to_l2 = l2",
    ]  # fmt: skip


def test_a_given_lr_has_no_rule_to_explain():
    shown = one(
        "0.1", "pytorch-adamw", run=Run(lr="0.1"), target_run=Run.part(lr="0.2"),
        lr_rule=LrRule.GIVEN, hold=Hold.STEP,
    )  # fmt: skip
    assert shown.steps[-1].line == "to_weight_decay = lr·weight_decay/to_lr = 0.1·0.1/0.2 = 0.05"


def test_a_form_and_an_estimate_are_explained_too():
    shown = one(
        "50", "half-life-epochs", run=Run(batch_size=256, dataset_size=1000000),
        target_run=Run.part(batch_size=1024), lr_rule=LrRule.NONE, hold=Hold.STEP,
    )  # fmt: skip
    assert shown.steps[-1].result == 200
    assert "ln(1 - 3.5489073e-06)·1024/1000000" in shown.steps[-1].filled
    shown = one("0.1", "pytorch-adam", run=RUN, target_run=NEW, lr_rule=LrRule.SQRT, hold=Hold.STEP)
    assert "Kingma" in shown.steps[1].source
    shown = one(
        "1e-4", "per-step-shrink", run=RUN, target_run=NEW, lr_rule=LrRule.NONE, hold=Hold.EPOCH
    )
    assert shown.steps[0].formula == "shrink = shrink(per-step-shrink)"


def test_without_lr_the_formulas_stand_without_numbers():
    shown = one(
        "0.1", "pytorch-adamw", run=Run(batch_size=8), target_run=Run.part(batch_size=32),
        lr_rule=LrRule.SQRT, hold=Hold.EPOCH,
    )  # fmt: skip
    assert shown.steps[0].result is None
    assert shown.steps[-1].result == 0.2


def test_transfer_explains_on_the_command_line(capsys):
    line = "transfer 0.1 --from pytorch-adamw --lr 6e-4 -B 256 --to-batch-size 1024"
    line = f"{line} --lr-rule sqrt --hold epoch".split()
    assert main([*line, "--explain"]) == 0
    assert "to_weight_decay = weight_decay·sqrt(to_B/B)" in capsys.readouterr().out
    assert main([*line, "--json", "--explain"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["explanation"][0]["steps"][-1]["result"] == document["rules"][0]["value"]
    assert main([*line, "--explain", "latex"]) == 0
    assert r"\sqrt{\frac{B_{\mathrm{to}}}{B}}" in capsys.readouterr().out
