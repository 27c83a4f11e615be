"""The published recipes: complete, checked against themselves, and found by name."""

import pytest

from decaycalc.conventions.run import Loss
from decaycalc.errors import InvalidValueError, UnknownNameError
from decaycalc.training.published.index import RECIPES, Recipe, find
from decaycalc.training.published.nearest import nearest

NAMES = [recipe.name for recipe in RECIPES]


def test_every_name_is_there_once():
    assert len(NAMES) == len(set(NAMES)) >= 66


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_every_recipe_has_a_source_and_a_run_without_contradiction(recipe):
    assert recipe.source
    assert recipe.run().to_dict()["loss"] == recipe.loss.value
    assert recipe.unit in {"examples", "tokens"}


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_a_recipe_without_value_or_convention_says_why(recipe):
    if recipe.value is None or recipe.convention is None:
        assert recipe.note


def test_a_name_is_found_whatever_its_case_and_hyphens():
    assert find(" ResNet_50_He ").name == "resnet-50-he"


def test_an_unknown_name_is_answered_with_its_neighbours():
    with pytest.raises(UnknownNameError) as caught:
        find("resnet-50-hee")
    assert "resnet-50-he" in caught.value.suggestions


def test_a_recipe_without_source_is_refused():
    with pytest.raises(InvalidValueError, match="source"):
        Recipe(name="mine", title="mine", convention="caffe", source="")


@pytest.mark.parametrize("name", ["Mine", "my recipe", "my_recipe", ""])
def test_a_name_that_is_no_slug_is_refused(name):
    with pytest.raises(InvalidValueError, match="recipe name"):
        Recipe(name=name, title="mine", convention="caffe", source="here")


def test_summed_losses_keep_the_product_of_lr_and_decay():
    summed = find("cifar10-fast")
    assert summed.loss is Loss.BATCH_SUM
    assert float(summed.lr) * float(summed.value) == pytest.approx(0.4 * 5e-4, rel=1e-15)
    hlb = find("hlb-cifar10")
    assert float(hlb.lr) * float(hlb.value) == pytest.approx(0.002039535, rel=1e-6)


def test_airbench_is_stated_per_kilostep():
    recipe = find("airbench94")
    kilostep = 1024 * (1 + 1 / (1 - 0.85))
    numerator, denominator = recipe.value.split("/")
    value = float(numerator) / float(denominator)
    assert float(recipe.lr) == pytest.approx(11.5 / kilostep, rel=1e-14)
    assert value == pytest.approx(1.362365, rel=1e-6)
    assert float(recipe.lr) * value == pytest.approx(1.995652e-3, rel=1e-6)


def test_celerity_sees_each_token_once():
    run = find("celerity-271m").run()
    assert run.total_steps == 13773
    assert run.epoch_ratio == 13773


def test_the_nearest_run_is_nearest_by_ratio():
    # 2.1 and 4.0 epochs are published: 2.95 is 0.82 and 1.05 from them, but 1.38 and 1.35 times.
    (near,) = nearest(2.95, most=1)
    assert near.timescale_epochs == pytest.approx(3.996356446895682)
