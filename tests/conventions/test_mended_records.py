"""Records whose number differed from what their framework does, each with its measured value."""

import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.errors import NoEquivalentError


def shrink(key, value="0.37", **run):
    """Return what a number takes off a weight in one step, to first order."""
    return convert(value, source=key, target="per-step-shrink", run=Run(**run)).value


def test_a_constructor_that_divides_the_lr_is_in_the_number():
    # pytorch_optimizer 4.1.0 at lr 0.0173 leaves 0.9978663 of a weight.
    assert 1 - shrink("pytorch-optimizer-grokfastadamw", lr="0.0173") == pytest.approx(0.9978663)


def test_apex_novograd_decouples_its_decay_by_default():
    assert shrink("apex-fused-novograd", lr="0.0173") == pytest.approx(0.006401)


@pytest.mark.parametrize(("momentum", "expected"), [(None, 1e-5), ("0", 1e-5), ("0.9", 9e-5)])
def test_burn_dampens_where_it_has_a_momentum(momentum, expected):
    assert shrink("burn-sgd", "1e-4", lr="0.1", momentum=momentum) == pytest.approx(expected)


def test_burn_takes_another_dampening_when_it_is_given():
    assert shrink("burn-sgd", "1e-4", lr="0.1", momentum="0.9", dampening=0) == 1e-4


def test_timm_gives_its_sgd_a_momentum_unasked():
    assert shrink("timm-sgd", "1e-4", lr="0.1") == 1e-4
    assert shrink("timm-sgd", "1e-4", lr="0.1", momentum=0) == 1e-5
    note = convert("1e-4", source="timm-sgd", target="per-step-shrink", run=Run(lr="0.1")).note
    assert "counts as 0" not in note


@pytest.mark.parametrize("key", ["timm-sgdw", "timm-sgdw-corrected"])
def test_a_decoupled_sgd_becomes_a_penalty_by_the_momentum_that_its_framework_presets(key):
    def penalty(**run):
        return convert("1e-4", source=key, target="pytorch-sgd", run=Run(lr="0.1", **run)).value

    assert penalty() == penalty(momentum="0.9") == 1e-5
    assert penalty(momentum=0) == 1e-4


@pytest.mark.parametrize(
    ("key", "run"), [("paddle-momentum", {}), ("sklearn-mlp-sgd", {"batch_size": 1})]
)
def test_a_buffer_that_a_framework_presets_multiplies_the_decay(key, run):
    assert shrink(key, "1e-4", lr="0.1", **run) == pytest.approx(1e-4, rel=1e-12)
    assert shrink(key, "1e-4", lr="0.1", momentum=0, **run) == 1e-5


def test_a_release_that_drops_the_decay_has_a_record_of_its_own():
    with pytest.raises(NoEquivalentError, match=r"tinygrad 0\.13\.0 drops the number"):
        shrink("tinygrad-muon-0-13", lr="0.1")
    run = Run(lr="0.1")
    answer = convert("0.1", source="tinygrad-muon", target="pytorch-muon", run=run)
    assert "tinygrad-muon holds since tinygrad 0.14.0" in answer.note


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("keras-sgd-micro-step", "until keras 3.4.1"),
        ("tinygrad-muon-0-13", "since tinygrad 0.13.0 until tinygrad 0.13.0"),
        ("pytorch-sgd", None),
    ],
)
def test_a_record_says_which_releases_it_holds_for(key, words):
    assert find(key).releases == words


def test_mxnets_large_batch_sgd_is_its_sgd():
    assert convert("1e-4", source="mxnet-lbsgd", target="mxnet-sgd").value == 1e-4
