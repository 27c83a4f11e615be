"""Moving a run: published moves, and laws that hold for every convention of the catalogue."""

from fractions import Fraction
from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decaycalc.conventions.catalogue import conventions, find
from decaycalc.conventions.run import Run
from decaycalc.conversion.shrinks import shrink_of, strength_of
from decaycalc.conversion.side import Side
from decaycalc.errors import (
    DecaycalcError,
    InvalidValueError,
    MissingQuantityError,
    NoEquivalentError,
)
from decaycalc.transfers import Hold, LrRule, transfer

GOYAL = Run(lr="0.1", momentum="0.9", batch_size=256, dataset_size=1_281_167, epochs=90)


def pick(moved, lr_rule, hold):
    (rule,) = (rule for rule in moved.rules if (rule.lr_rule, rule.hold) == (lr_rule, hold))
    return rule


@pytest.fixture(scope="module")
def goyal():
    return transfer("1e-4", source="pytorch-sgd", run=GOYAL, target_run=Run(batch_size=8192))


@pytest.mark.parametrize(
    ("lr_rule", "hold", "lr", "value"),
    [
        ("linear", "epoch", 3.2, 1e-4),
        ("linear", "objective", 3.2, 1e-4),
        ("sqrt", "epoch", 0.1 * sqrt(32), 1e-4 * sqrt(32)),
        ("none", "epoch", 0.1, 3.2e-3),
        ("none", "objective", 0.1, 1e-4),
        ("none", "step", 0.1, 1e-4),
    ],
)
def test_goyals_batch_of_8k_by_every_rule(goyal, lr_rule, hold, lr, value):
    rule = pick(goyal, lr_rule, hold)
    assert rule.lr == pytest.approx(lr, rel=1e-15)
    assert rule.value == pytest.approx(value, rel=1e-15)


def test_the_linear_rule_keeps_the_timescale_of_1_9982_epochs(goyal):
    rule = pick(goyal, "linear", "epoch")
    assert rule.timescale_epochs == pytest.approx(1.9982, abs=5e-5)
    assert rule.kept == ("objective", "epoch", "run")
    assert rule.changed == ("lr ×32", "step ×32", "normalized ×5.657")
    assert rule.formula == "to_weight_decay = weight_decay"
    assert "2405.13698" in rule.source
    assert "1706.02677" in rule.source


def test_every_applicable_rule_is_there_once(goyal):
    pairs = [(rule.lr_rule, rule.hold) for rule in goyal.rules]
    assert len(pairs) == len(set(pairs)) == 15
    assert goyal.unavailable == ()


def test_the_rules_say_where_the_literature_disagrees(goyal):
    assert "linear rule works better" in pick(goyal, "sqrt", "epoch").note
    assert "remark 1" in pick(goyal, "linear", "objective").note
    assert pick(goyal, "none", "epoch").note == ""


def adamw(**changes):
    run = Run(lr="6e-4", batch_size=500_000, dataset_size=10**10, epochs=1)
    settings = {"source": "pytorch-adamw", "run": run, "betas": ("0.9", "0.95"), "eps": "1e-8"}
    return transfer("0.1", **{**settings, **changes})


def test_adams_square_root_rule_moves_betas_and_eps_too():
    rule = pick(adamw(target_run=Run(batch_size=2_000_000)), "sqrt", "epoch")
    assert rule.lr == 0.0012
    assert rule.value == 0.2
    assert rule.betas == (0.6, 0.8)
    assert rule.eps == 5e-9
    assert rule.shrink == pytest.approx(4 * 6e-5, rel=1e-15)


def test_betas_below_zero_are_not_given():
    moved = adamw(target_run=Run(batch_size=10**7))
    assert pick(moved, "sqrt", "epoch").betas is None
    assert pick(moved, "linear", "epoch").betas is None
    assert pick(moved, "linear", "epoch").eps is None
    assert "square-root rule is the derived one" in pick(moved, "linear", "epoch").note


def test_without_betas_none_are_moved():
    rule = pick(adamw(target_run=Run(batch_size=10**6), betas=None, eps=None), "sqrt", "step")
    assert rule.betas is None
    assert rule.eps is None


def test_nanochats_rule_keeps_its_constant():
    run = Run(lr="0.02", batch_size=2**19, dataset_size=10**9)
    target = Run(batch_size=2**21, dataset_size=16 * 10**9)
    rule = pick(
        transfer("0.2", source="pytorch-adamw", run=run, target_run=target), "sqrt", "epoch"
    )
    assert rule.value == 0.025
    assert rule.lr == 0.04
    before = 2**19 / (0.02 * 0.2 * 10**9)
    assert 2**21 / (rule.lr * rule.value * 16 * 10**9) == pytest.approx(before, rel=1e-15)


@pytest.mark.parametrize(("ratio", "value"), [(2, 0.2), (4, 0.4), ("1/2", 0.05)])
def test_width_divides_lr_and_multiplies_the_decay(ratio, value):
    rule = pick(adamw(width_ratio=ratio), "muP", "step")
    assert rule.value == value
    assert rule.lr == pytest.approx(6e-4 * 0.1 / value, rel=1e-15)
    assert "λ ∝ √width" in rule.note


def test_a_longer_run_needs_less_decay_to_keep_its_share():
    moved = adamw(target_run=Run(epochs=4))
    assert pick(moved, "none", "run").value == 0.025
    assert pick(moved, "none", "normalized").value == 0.05
    assert pick(moved, "none", "epoch").value == 0.1
    assert pick(moved, "none", "run").timescale_run_fraction == pytest.approx(
        pick(moved, "none", "epoch").timescale_run_fraction * 4, rel=1e-12
    )


def test_steps_count_where_they_are_given():
    run = Run(lr="1e-3", steps=1000)
    moved = transfer("0.1", source="pytorch-adamw", run=run, target_run=Run(steps=4000))
    assert pick(moved, "none", "run").value == 0.025
    assert pick(moved, "none", "normalized").value == 0.05
    both = Run(lr="1e-3", batch_size=10, dataset_size=100, epochs=10, steps=100)
    moved = transfer("0.1", source="pytorch-adamw", run=both, target_run=Run(dataset_size=400))
    assert pick(moved, "none", "run").value == 0.025
    assert moved.target_run.total_steps == 400


def test_a_given_lr_is_the_only_lr_rule():
    run = Run(lr="2e-3")
    moved = transfer("0.2", source="pytorch-adamw", run=run, target_run=Run(lr="2e-4"))
    assert {rule.lr_rule for rule in moved.rules} == {LrRule.GIVEN}
    assert pick(moved, "given", "step").value == 2.0
    assert pick(moved, "given", "step").lr == 2e-4


def test_adamw_to_lion_at_a_tenth_of_lr():
    run = Run(lr="2e-3")
    moved = transfer(
        "0.2", source="pytorch-adamw", target="adamw-paper", run=run, target_run=Run(lr="2e-4"),
        holds=[Hold.STEP],
    )  # fmt: skip
    assert moved.rules[0].value == pytest.approx(4e-4, rel=1e-15)
    assert moved.to_dict()["target"]["convention"] == "adamw-paper"


def test_the_source_itself_may_be_named_as_target():
    assert adamw(target="pytorch-adamw").rules[0].value == 0.1


def test_a_scaled_loss_scales_lr():
    run = Run(lr="0.1", batch_size=128, dataset_size=50_000)
    moved = transfer(
        "5e-4", source="pytorch-sgd", run=run, target_run=Run(loss="batch-sum", batch_size=256)
    )
    assert pick(moved, "linear", "objective").lr == pytest.approx(0.2 / 256, rel=1e-15)
    assert pick(moved, "linear", "objective").value == pytest.approx(5e-4 * 256, rel=1e-15)
    assert pick(moved, "none", "objective").lr == pytest.approx(0.1 / 256, rel=1e-15)


def test_without_lr_the_number_is_still_known_where_lr_cancels():
    rule = pick(
        transfer(
            "0.1", source="pytorch-adamw", run=Run(batch_size=1), target_run=Run(batch_size=4)
        ),
        "sqrt",
        "epoch",
    )
    assert (rule.lr, rule.value, rule.shrink) == (None, 0.2, None)
    assert rule.timescale_epochs is None


def test_an_objective_is_held_without_any_decay():
    run = Run(batch_size=32, dataset_size=100)
    moved = transfer("1", source="sklearn-logistic", run=run, target_run=Run(dataset_size=1000))
    assert pick(moved, "none", "objective").value == pytest.approx(0.1, rel=1e-15)


def test_what_a_convention_lacks_is_out_of_reach():
    moved = transfer("0.01", source="pytorch-adam", run=Run(lr="1e-3"))
    assert [rule.hold for rule in moved.rules] == [Hold.OBJECTIVE]
    assert all("adaptive optimizer" in entry.message for entry in moved.unavailable)
    kinds = {entry.hold for entry in adamw(target_run=Run(batch_size=10**6)).unavailable}
    assert kinds == {Hold.OBJECTIVE}


def test_missing_quantities_are_named():
    run = Run(lr="1e-3")
    moved = transfer("0.1", source="pytorch-adamw", run=run, target_run=Run(batch_size=64))
    entry = next(entry for entry in moved.unavailable if entry.hold == "epoch")
    assert entry.missing == ("batch_size",)
    assert entry.to_dict()["missing"] == ["batch_size"]
    assert pick(moved, "none", "step").value == 0.1
    with pytest.raises(MissingQuantityError) as caught:
        transfer("0.1", source="pytorch-adamw", run=run, target_run=Run(batch_size=64),
                 lr_rules=[LrRule.NONE], holds=[Hold.EPOCH])  # fmt: skip
    assert caught.value.missing == ("batch_size",)


def test_a_convention_without_any_scalar_is_refused():
    with pytest.raises(NoEquivalentError):
        transfer("0.1", source="l2-norm", run=Run(lr=1))


def test_a_target_that_shares_nothing_is_refused():
    with pytest.raises(NoEquivalentError):
        transfer("0.1", source="pytorch-adamw", target="pytorch-adam", run=Run(lr="1e-3"))


def test_a_number_by_layer_is_refused():
    with pytest.raises(DecaycalcError):
        transfer("0.1", source="mean-l2", target="layer-mean-l2", run=Run(lr="1e-3", batch_size=8))


@pytest.mark.parametrize("width", [0, -1, "nan"])
def test_a_width_that_is_none_is_refused(width):
    with pytest.raises(InvalidValueError):
        adamw(width_ratio=width)


def test_a_decay_of_a_whole_weight_is_out_of_reach():
    run = Run(lr="1", batch_size=1, dataset_size=100)
    moved = transfer("0.5", source="pytorch-adamw", run=run, target_run=Run(batch_size=100))
    assert any("must stay below 1" in entry.message for entry in moved.unavailable)


def test_named_forms_move_through_their_shrink():
    run = Run(lr="1", batch_size=10, dataset_size=1000, epochs=1)
    moved = transfer("1000", source="half-life-steps", run=run, target_run=Run(batch_size=20))
    rule = pick(moved, "none", "epoch")
    assert rule.formula == "to_shrink = to_B/B·shrink"
    assert isclose(rule.value, 500, rel_tol=1e-3)


def test_the_document_has_every_key():
    moved = adamw(target_run=Run(batch_size=10**6))
    document = moved.to_dict()
    assert document["source"] == {
        "convention": "pytorch-adamw", "parameter": "weight_decay", "value": 0.1,
    }  # fmt: skip
    keys = {"lr_rule", "hold", "lr", "value", "shrink", "timescale_epochs",
            "timescale_run_fraction", "kept", "changed", "source"}  # fmt: skip
    assert all(keys <= set(rule) for rule in document["rules"])
    sqrt_rule = next(rule for rule in document["rules"] if rule["lr_rule"] == "sqrt")
    assert sqrt_rule["betas"] == [0.8, 0.9]
    assert document["unavailable"]


EXTRAS = (("keep_probability", "0.5"), ("length_scale", 1), ("n_leaf", 10), ("target_std", 2))
BEFORE = Run(
    lr="0.01", momentum="0.5", batch_size=32, dataset_size=4096, epochs=8, n_weights=1000,
    n_layers=4, extras=EXTRAS,
)  # fmt: skip
AFTER = Run(batch_size=128, dataset_size=8192, epochs=2)


def kind(record):
    """Return what a transfer can tell records apart by: one of each kind is moved."""
    return (
        record.monomial, record.form, record.coupling, record.follows, record.is_adaptive,
        record.proximal, record.compounds, record.defaults, record.has_momentum, record.loss,
    )  # fmt: skip


MOVABLE = list(
    {
        kind(record): record.key
        for record in conventions()
        if record.refusal is None and record.key != "layer-mean-l2"
    }.values()
)


def value_in(record):
    return Fraction(999, 1000) if record.parameter == "factor" else Fraction(5)


@pytest.mark.parametrize("key", MOVABLE)
def test_every_convention_keeps_what_it_holds(key):
    record = find(key)
    value = value_in(record)
    try:
        moved = transfer(value, source=record, run=BEFORE, target_run=AFTER)
    except (InvalidValueError, MissingQuantityError):
        value /= 1000
        try:
            moved = transfer(value, source=record, run=BEFORE, target_run=AFTER)
        except MissingQuantityError as error:
            assert error.missing  # noqa: PT017  (which quantities is the record's own affair)
            return
    here = Side(convention=record, run=BEFORE)
    for rule in moved.rules:
        run = Run(lr=rule.lr, momentum="0.5", batch_size=128, dataset_size=8192, epochs=2,
                  n_weights=1000, n_layers=4, extras=EXTRAS)  # fmt: skip
        there = Side(convention=record, run=run)
        new = Fraction(rule.value)
        if rule.hold is Hold.OBJECTIVE and strength_of(here, value) is not None:
            assert float(strength_of(there, new)) == pytest.approx(
                float(strength_of(here, value)), rel=1e-12
            )
        if rule.hold is Hold.OBJECTIVE or not here.has_shrink:
            continue
        ratio = float(shrink_of(there, new) / shrink_of(here, value))
        expected = {Hold.STEP: 1, Hold.EPOCH: 2, Hold.RUN: 8, Hold.NORMALIZED: sqrt(8)}[rule.hold]
        # Half the epochs' examples at four times the batch: 1024 steps before, 128 after.
        assert ratio == pytest.approx(expected, rel=1e-9)


@given(
    batch=st.integers(1, 1000), to_batch=st.integers(1, 1000), value=st.floats(1e-6, 1e-2),
    lr=st.floats(1e-5, 1e-2),
)  # fmt: skip
def test_there_and_back_is_where_it_was(batch, to_batch, value, lr):
    for lr_rule in (LrRule.LINEAR, LrRule.SQRT):
        there = transfer(
            value, source="pytorch-adamw", run=Run(lr=lr, batch_size=batch),
            target_run=Run(batch_size=to_batch), lr_rules=[lr_rule], holds=[Hold.EPOCH],
        ).rules[0]  # fmt: skip
        back = transfer(
            there.value, source="pytorch-adamw", run=Run(lr=there.lr, batch_size=to_batch),
            target_run=Run(batch_size=batch), lr_rules=[lr_rule], holds=[Hold.EPOCH],
        ).rules[0]  # fmt: skip
        assert back.value == pytest.approx(value, rel=1e-12)
        assert back.lr == pytest.approx(lr, rel=1e-12)


def test_a_decay_of_exactly_a_whole_weight_is_out_of_reach_too():
    run = Run(lr="1", batch_size=1, dataset_size=100)
    moved = transfer("0.5", source="pytorch-adamw", run=run, target_run=Run(batch_size=2))
    texts = [entry.message for entry in moved.unavailable]
    assert any(text.startswith("shrink '1' leaves nothing of a weight") for text in texts)
