"""Where a plan ends: what it refuses or asks for, and what it holds to first order only."""

import pytest

import decaycalc
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.errors import MissingQuantityError, NoEquivalentError


@pytest.mark.parametrize(("key", "own"), [("torch7-sgd", "0.9"), ("burn-sgd", "0.1")])
@pytest.mark.parametrize("turned", [False, True])
def test_a_dampening_of_its_own_beside_nesterov_is_refused(key, own, turned):
    run = {"lr": "0.05", "momentum": "0.9", "nesterov": True}
    pair = ("pytorch-sgd", key)[:: -1 if turned else 1]
    with pytest.raises(NoEquivalentError, match=f"{key} dampens by {own} beside Nesterov's step"):
        decaycalc.convert("0.01", source=pair[0], target=pair[1], **run)
    found = decaycalc.convert("0.01", source=pair[0], target=pair[1], dampening=0, **run)
    assert (found.value, found.equivalence) == (0.01, "identical")


def test_decays_that_compound_within_a_step_hold_an_objective_to_first_order():
    run = Run(lr="0.05", grad_accum=2)
    found = convert("0.01", source="keras-sgd-micro-step", target="mean-half-l2", run=run)
    assert (found.value, found.equivalence) == (0.02, "same-optimum")
    assert "to first order: several decays in a step" in found.note
    itself = convert("0.01", source="keras-sgd-micro-step", target="keras-sgd-micro-step", run=run)
    assert "first order" not in itself.note


@pytest.mark.parametrize("source", ["pytorch-optimizer-stableadamw", "lion-pytorch"])
def test_a_form_that_needs_the_targets_own_lr_asks_for_that(source):
    run = {"source": source, "target": "pytorch-asgd", "lr": "0.05"}
    with pytest.raises(MissingQuantityError) as caught:
        decaycalc.convert("0.01", **run)
    assert caught.value.missing == ("to_lr",)
    assert decaycalc.convert("0.01", to_lr="0.1", **run).value == pytest.approx(0.0049)
