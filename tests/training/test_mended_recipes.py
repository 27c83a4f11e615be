"""Recipes whose steps or schedules differed from what their own code does, and the new ones."""

import re

import pytest

from decaycalc.training.published.index import RECIPES, find
from decaycalc.training.published.measure import measure


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("hlb-cifar10", 581),
        ("airbench94", 476),
        ("vit-s-16-big-vision", 111_476),
        ("resnet-50-torchvision-v2", 600 * 1251),
        ("modernbert-base", 364_303),
    ],
)
def test_whole_batches_and_held_out_examples_count(name, steps):
    assert find(name).run().total_steps == steps


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("deit-b", 9.3193),  # once an epoch, one late, warm-up inside the cosine
        ("resnet-18-pytorch-cifar", 19.6477),  # once an epoch
        ("yolov5s", 22.085),  # once an epoch, warm-up by step towards the current value
        ("dinov2-vit-l-16", 51.1655),  # the decay rises from 0.04 to 0.4 by a cosine
        ("dinov3-vit-l-16", 51.1655),  # the same numbers by another rule
        ("dinov3-vit-7b-16", 15.2),  # constant after its warm-up
        ("bert-base", 0.49505),  # the line falls from the first step on, the warm-up lies over it
        ("olmo-1b", 16.26522),  # its warm-up begins at a tenth of lr
        ("modernbert-base", 3.639845),  # 1e-5 times the schedule, not times lr
    ],
)
def test_a_schedule_is_laid_as_its_code_lays_it(name, total):
    assert measure(find(name)).sum_shrink == pytest.approx(total, rel=1e-5)


def test_a_recipe_says_what_its_numbers_were_read_in_again():
    for recipe in RECIPES:
        assert re.search(
            r"@[0-9a-f]{7}$|^(paper|card), not opened$|, in a copy of its text$", recipe.checked
        )
    assert sum("@" in recipe.checked for recipe in RECIPES) >= 61


def test_alexnets_biases_do_not_decay():
    assert find("alexnet-2012").mask == "no-bias"


def test_a_cautious_recipe_is_no_plain_muon():
    assert find("nanochat-d12").convention == "nanochat-muon"
    assert measure(find("nanochat-d12")).shrink == pytest.approx(0.37 * 0.02 * 0.28)
