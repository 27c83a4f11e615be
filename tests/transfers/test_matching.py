"""From AdamW to Muon or Lion: lr by the update's size, the decay of a step held, an estimate."""

from math import sqrt

import numpy as np
import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError, MissingQuantityError, NoEquivalentError
from decaycalc.explanation.transfer import explain_rule
from decaycalc.transfers import Hold, LrRule, transfer
from decaycalc.transfers.matching import match_update
from decaycalc.transfers.records import Move

ADAM_RMS = sqrt(0.1 / 1.9)


def matched(target, *, source="pytorch-adamw", value="0.1", run=Run(lr="3e-4"), **more):  # noqa: B008
    other = None if target is None else find(target)
    (rule,) = match_update(
        Move(value=value, source=find(source), target=other, run=run, **more)
    ).rules
    return rule


@pytest.mark.parametrize(
    ("target", "rms"), [("keras-lion", 1), ("keras-muon", 0.2), ("pytorch-muon", 0.2)]
)
def test_lr_goes_by_the_update_s_rms_and_a_step_decays_alike(target, rms):
    rule = matched(target)
    assert rule.lr == pytest.approx(3e-4 * ADAM_RMS / rms)
    assert rule.lr * rule.value == pytest.approx(3e-5)
    assert rule.shrink == pytest.approx(3e-5)
    assert (rule.equivalence, rule.name) == ("estimate", "update")


def test_adam_s_update_in_noise_has_that_rms():
    noise = np.random.default_rng(0)
    mean, square, sizes = np.zeros(4000), np.ones(4000), []
    for _ in range(400):
        gradient = noise.normal(size=4000)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        sizes.append(np.mean(mean**2 / square))
    assert np.sqrt(np.mean(sizes[100:])) == pytest.approx(ADAM_RMS, rel=0.02)


def test_there_and_back_is_the_same_number():
    there = matched("keras-lion")
    back = matched(
        "pytorch-adamw", source="keras-lion", value=str(there.value), run=Run(lr=there.lr)
    )
    assert (back.lr, back.value) == (pytest.approx(3e-4), pytest.approx(0.1))


def test_a_decay_without_lr_stays_as_it_is():
    assert matched("llm-foundry-lion").value == pytest.approx(3e-5)


def test_another_beta1_is_taken_and_an_unsaid_one_is_told():
    given = matched("keras-lion", betas=("0.8", "0.99"))
    assert given.lr == pytest.approx(3e-4 * sqrt(0.2 / 1.8))
    assert "β1 0.8" in given.conditions[1]
    assert "β1 0.9 (not given)" in matched("keras-lion").conditions[1]
    assert len(matched("keras-muon", source="keras-lion").conditions) == 2


def test_muon_s_scale_is_said():
    assert "match_rms_adamw" in matched("pytorch-muon").conditions[-1]
    assert "scales its update to RMS 0.2" in matched("keras-muon").conditions[-1]
    assert "depends on the tensor's shape" in matched("muon-keller").conditions[-1]


def test_timescales_are_those_of_the_new_run():
    run = Run(lr="3e-4", batch_size=10, dataset_size=1000, epochs=3)
    assert matched("keras-lion", run=run).timescale_epochs == pytest.approx(1 / 3e-5 / 100)
    assert matched("keras-lion").timescale_epochs is None


@pytest.mark.parametrize("target", ["pytorch-adam", "dion-muon-cautious", "optax-lamb", "dion"])
def test_an_update_of_unknown_size_is_refused(target):
    with pytest.raises(NoEquivalentError):
        matched(target)


def test_nothing_else_changes_in_a_match():
    with pytest.raises(InvalidValueError, match="match first, then move the run"):
        matched("keras-lion", width_ratio=2)
    with pytest.raises(InvalidValueError, match="match first, then move the run"):
        matched("keras-lion", target_run=Run(batch_size=8))


def test_a_match_needs_lr_and_a_target():
    with pytest.raises(MissingQuantityError):
        matched("keras-lion", run=Run())
    with pytest.raises(MissingQuantityError):
        matched(None)
    with pytest.raises(InvalidValueError, match="beta1"):
        matched("keras-lion", betas=(1, 0.9))


def test_the_derivation_ends_at_the_number():
    moved = match_update(
        Move(value="0.1", source=find("pytorch-adamw"), target=find("keras-lion"), run=Run(lr=1))
    )
    why = explain_rule(moved, moved.rules[0])
    assert why.steps[0].line.startswith("to_lr = lr·0.229416/1")
    assert why.steps[-1].result == moved.rules[0].value
    assert why.claim.name == "estimate"


def test_the_api_matches_by_the_lr_rule_update():
    words = {"source": "pytorch-adamw", "target": "keras-lion", "run": Run(lr="3e-4")}
    (rule,) = transfer("0.1", **words, lr_rules=[LrRule.UPDATE], holds=[Hold.STEP]).rules
    assert rule == matched("keras-lion")
    for more in ({"holds": [Hold.RUN]}, {"lr_rules": [LrRule.UPDATE, LrRule.NONE]}):
        with pytest.raises(InvalidValueError, match="is alone"):
            transfer("0.1", **{**words, "lr_rules": [LrRule.UPDATE], **more})
