"""The recipes in the common unit: published numbers, and those computed apart from this program."""

import pytest

from decaycalc.errors import InvalidValueError
from decaycalc.training.published.index import RECIPES, find
from decaycalc.training.published.measure import measure
from decaycalc.training.published.measured import recall
from decaycalc.training.published.nearest import nearest
from tests.training.measured_recipes import measured

MEASURED = measured()

# lr·λ/(1 - momentum), timescale in steps, as share of the run, in epochs, sum, exp(-sum):
# each None where the table, computed by hand-written numpy, leaves it out. TorchVision's second
# recipe, BERT and OLMo are computed anew, by what their own samplers and schedulers do.
WORKED = {
    "resnet-50-torch7": (1e-4, 10000, 0.02220, 1.9982, 16.6667),
    "resnet-50-goyal-8k": (3.2e-3, 312.5, 0.02212, 1.9982, 15.4695),
    "resnet-50-torchvision-v2": (1e-4, 10000, 0.013323, 7.9927, 37.5338),
    "wrn-28-10-cifar10": (5e-4, 2000, 0.02558, 5.1200, 14.4514),
    "resnet-18-pytorch-cifar": (5e-4, 2000, 0.02558, 5.1200, 19.6477),
    "alexnet-caffe": (5e-5, 20000, 0.04444, 3.9964, 5.55525),
    "lenet-mnist-caffe": (5e-5, 20000, 2.0, 21.333, 0.37842),
    "cifar10-full-caffe": (4e-5, 25000, 0.41667, 50.0, 2.4),
    "yolov3-darknet": (5e-6, 200000, 0.39984, None, 2.02751),
    "gpt-2-124m-nanogpt": (6e-5, 16666.7, 0.02778, 0.9066, 19.7941),
    "gpt-2-124m-build-nanogpt": (6e-5, 16666.7, 0.87384, 0.8738, 0.62732),
    "shakespeare-char-nanogpt": (1e-4, 10000, 2.0, None, 0.27459),
    "gpt-3-175b": (6e-6, 166667, 1.7778, 1.7778, 0.27560),
    "llama-1-7b": (3e-5, 33333.3, 0.13333, 0.1333, 4.12203),
    "llama-1-65b": (1.5e-5, 66666.7, 0.19048, 0.1905, 2.88601),
    "llama-2-7b": (3e-5, 33333.3, 0.06667, 0.0667, 8.24703),
    "llama-2-70b": (1.5e-5, 66666.7, 0.13333, 0.1333, 4.12351),
    "pythia-70m": (1e-4, 10000, 0.06993, 0.06993, 7.858),
    "pythia-160m": (6e-5, 16666.7, 0.11655, 0.11655, 4.715),
    "pythia-410m": (3e-5, 33333.3, 0.23310, 0.23310, 2.357),
    "pythia-1b": (2.5e-5, 40000, 0.27972, 0.27972, 1.964),
    "pythia-1.4b": (2e-5, 50000, 0.34965, 0.34965, 1.572),
    "pythia-2.8b": (1.6e-5, 62500, 0.43706, 0.43706, 1.257),
    "pythia-12b": (1.2e-5, 83333.3, 0.58275, 0.58275, 0.943),
    "bert-base": (1e-6, 1e6, 1.0, None, 0.49505),
    "convnext-t": (2e-4, 5000, 0.05342, 15.985, 9.3622),
    "deit-b": (5e-5, 20000, 0.05329, 15.985, 9.3193),
    "mae-pretrain": (1.2e-4, 8333.33, 0.03339, 26.642, 14.9761),
    "resnet-50-rsb-a1": (5e-5, 20000, 0.05325, 31.97, 9.4075),
    "resnet-50-rsb-a2": (1e-4, 10000, 0.05325, 15.985, 9.4231),
    "resnet-50-rsb-a3": (1.6e-4, 6250, 0.09984, 9.991, 5.0586),
    "celerity-271m": (4.1608e-4, 2403.39, 0.17450, 0.1745, 2.86575),
    "olmo-7b": (3e-5, 33333.3, 0.06991, 0.0699, 7.86783),
    "kimi-k2": (2e-5, 50000, 0.21613, 0.2161, None),
}
# The table has YOLOv3 without its burn-in; its ramps count from 1, ours (the frameworks') from 0.
LOOSE = {"yolov3-darknet": 3e-3, "shakespeare-char-nanogpt": 1e-3}


@pytest.mark.parametrize("name", WORKED)
def test_the_worked_table_is_reproduced(name):
    shrink, steps, share, epochs, total = WORKED[name]
    found = MEASURED[name]
    assert found.shrink == pytest.approx(shrink, rel=1e-5)
    assert found.timescale_steps == pytest.approx(steps, rel=1e-5)
    assert found.timescale_run_fraction == pytest.approx(share, rel=5e-4)
    if epochs is not None:
        assert found.timescale_epochs == pytest.approx(epochs, rel=5e-4)
    if total is not None:
        assert found.sum_shrink == pytest.approx(total, rel=LOOSE.get(name, 3e-4))


def test_celerity_states_its_own_timescales():
    assert MEASURED["celerity-271m"].timescale_run_fraction == pytest.approx(0.1745, abs=5e-6)
    assert MEASURED["celerity-271m-tau4"].timescale_run_fraction == pytest.approx(0.698, abs=5e-6)
    ratio = MEASURED["celerity-271m-tau4"].shrink / MEASURED["celerity-271m"].shrink
    assert ratio == pytest.approx(1 / 4, rel=1e-12)


def test_goyals_two_runs_have_the_same_timescale_in_epochs():
    small, large = MEASURED["resnet-50-goyal-256"], MEASURED["resnet-50-goyal-8k"]
    assert small.timescale_epochs == large.timescale_epochs
    assert small.timescale_epochs == pytest.approx(1.9982, abs=5e-5)


@pytest.mark.parametrize(
    ("names", "share"),
    [
        (("deit-b", "convnext-t"), 0.05336),
        (("resnet-50-rsb-a1", "resnet-50-rsb-a2"), 0.05325),
        (("llama-1-7b", "llama-2-70b"), 0.1333),
    ],
)
def test_recipes_that_look_unlike_share_a_timescale(names, share):
    for name in names:
        assert MEASURED[name].timescale_run_fraction == pytest.approx(share, abs=8e-5)


def test_power_lines_family_sees_each_token_once():
    found = MEASURED["celerity-271m"]
    assert found.timescale_epochs == pytest.approx(found.timescale_run_fraction, rel=1e-12)


@pytest.mark.parametrize("name", MEASURED)
def test_every_recipe_is_measured_or_says_why_not(name):
    found = MEASURED[name]
    if found.shrink is None:
        recipe = found.recipe
        assert None in {recipe.value, recipe.convention, recipe.lr}
    else:
        assert 0 < found.shrink < 0.02
    if found.sum_shrink is not None:
        assert 0 <= found.survival < 1


def test_a_value_without_lr_has_no_shrink():
    recipe = find("llama-1-7b")
    without = type(recipe)(**{**vars(recipe), "lr": None})
    assert measure(without).shrink is None


def test_the_document_is_plain():
    document = MEASURED["hlb-cifar10"].to_dict()
    assert document["run"]["loss"] == "batch-sum"
    assert document["value"] == 0.6847488
    assert MEASURED["chinchilla-70b"].to_dict()["value"] is None
    assert MEASURED["clip-vit-l-14"].to_dict()["betas"] == [0.9, 0.98]
    assert MEASURED["clip-vit-l-14"].to_dict()["eps"] == 1e-6


@pytest.mark.parametrize("recipe", RECIPES, ids=list(MEASURED))
def test_the_stored_figures_are_those_that_are_computed(recipe):
    stored, computed = recall(recipe).figures(), MEASURED[recipe.name].figures()
    assert [value is None for value in stored] == [value is None for value in computed]
    for one, other in zip(stored, computed, strict=True):
        if other is not None:
            assert one == pytest.approx(other, rel=1e-9)


def test_the_nearest_recipe_is_nearest_by_ratio():
    known = [found.timescale_epochs for found in MEASURED.values() if found.timescale_epochs]
    assert nearest(2.0)[0].name == "resnet-50-he"
    assert len(nearest(2.0)) == 3
    assert nearest(1e9, most=1)[0].timescale_epochs == max(known)
    assert nearest(1e-9, most=1)[0].timescale_epochs == min(known)


@pytest.mark.parametrize("bad", [0, -1, float("inf"), float("nan")])
def test_nothing_is_near_to_no_timescale(bad):
    with pytest.raises(InvalidValueError):
        nearest(bad)
