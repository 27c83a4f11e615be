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


def test_a_published_batch_is_whole_and_nothing_of_it_is_assumed(run):
    words = ("convert", "--recipe", "resnet-50-he", "--to", "ema-timescale-epochs")
    assert run(*words, "--strict", "--value").status == 0
    assert "devices" not in run(*words[:3]).out
    assert "B              256 examples" in run("inspect", "resnet-50-he").out
    document = json.loads(run(*words, "--json").out)
    assert document["assumptions"] == document["conversions"][0]["assumptions"] == []
    devices = run(*words[:3], "--world-size", "8").out
    assert "B 2,048 = 256 × 1 × 8" in devices


def test_a_batch_of_ones_own_beside_a_published_run_may_be_one_of_several_devices(run):
    words = ("convert", "--recipe", "resnet-50-he", "-B", "32", "--to", "ema-timescale-epochs")
    assert "world_size 1 is assumed" in run(*words, "--value").err
