"""Published runs through the commands that start from one: each goes through, none in silence."""

import json

import pytest

from decaycalc.training.published.index import RECIPES

WITH_A_NUMBER = [each for each in RECIPES if each.value and each.convention]


def test_a_published_run_whose_schedule_no_text_says_is_followed_as_constant_and_says_so(run):
    words = ("schedule", "--recipe", "resnet-50-he", "--curve", "2", "--json")
    alone = run(*words)
    assumed = {each["name"]: each["value"] for each in json.loads(alone.out)["assumptions"]}
    assert assumed["schedule"] == "constant"
    assert "lr schedule is not known: it is followed at a constant lr" in alone.err
    told = run(*words, "--schedule", "constant")
    assert "schedule" not in {each["name"] for each in json.loads(told.out)["assumptions"]}
    assert "not known" not in told.err
    assert "schedule constant (not given)" in " ".join(run(*words[:3]).out.split())


@pytest.mark.parametrize("recipe", WITH_A_NUMBER, ids=lambda each: each.name)
def test_every_published_run_goes_through_convert_and_schedule(run, recipe):
    more = () if recipe.schedule else ("--schedule", "constant")
    for words in (("convert", "--to", "per-step-shrink"), ("schedule", "--curve", "2", *more)):
        ran = run(*words, "--recipe", recipe.name)
        assert ran.status != 2 or " needs " in ran.err, ran.err
