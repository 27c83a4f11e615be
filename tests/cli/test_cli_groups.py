"""Groups of a run on `convert`: an lr and a number of their own."""

import json

import pytest

from decaycalc.cli.main import main

BASE = ("convert", "0.01", "--from", "pytorch-adamw", "--lr", "2e-4")


@pytest.fixture
def run(capsys):
    def call(*words):
        status = main([*map(str, words)])
        out, err = capsys.readouterr()
        return status, out, err

    return call


def groups_of(run, *words):
    status, out, _ = run(*BASE, *words, "--json")
    assert status == 0
    return json.loads(out)["groups"]


def test_without_a_network_each_rule_is_a_group_beside_the_rest(run):
    rest, second = groups_of(run, "--group", "lora_B:lr*16", "--to", "per-step-shrink")
    assert (rest["name"], rest["lr"], rest["weight_decay"]) == ("others", 2e-4, 0.01)
    assert (rest["lr_mult"], rest["decay_mult"], rest["n_tensors"]) == (1, 1, None)
    assert (second["name"], second["lr"], second["lr_mult"]) == ("lora_B", 0.0032, 16)
    assert second["shrink"] == pytest.approx(3.2e-5)
    assert second["conversions"] == [{"convention": "per-step-shrink", "value": 3.2e-5}]


def test_a_networks_tensors_are_counted_and_exempt_ones_do_not_decay(run):
    rows = groups_of(run, "-a", "784-300-10", "--group", "fc1:wd=0.1")
    assert [(row["name"], row["n_tensors"], row["n_weights"]) for row in rows] == [
        ("fc1", 1, 235_200), ("decayed", 1, 3000), ("exempt", 2, 310),
    ]  # fmt: skip
    assert [row["shrink"] for row in rows] == [pytest.approx(2e-5), pytest.approx(2e-6), 0]
    assert rows[0]["decay_mult"] == 10
    assert rows[2]["conversions"] == []


def test_a_group_without_an_lr_keeps_the_runs(run):
    words = ("convert", "0.01", "--from", "pytorch-adamw", "--group", "x:wd*2", "--json")
    rows = json.loads(run(*words)[1])["groups"]
    assert [(row["lr"], row["weight_decay"]) for row in rows] == [(None, 0.01), (None, 0.02)]


def test_the_screen_shows_the_groups_with_their_numbers(run):
    out = run(*BASE, "--group", "B:lr*16", "--to", "per-step-shrink", "--to", "half-life-steps")[1]
    assert "Groups" in out
    assert "others" in out
    assert "3.2e-5" in out
    assert "weights" in run(*BASE, "--group", "fc1:lr*2", "-a", "784-10")[1]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--group", "B:lr*16", "--to", "per-step-shrink", "--value"), "leave out --value"),
        (("--group", "B:lr*16", "--emit", "pytorch"), "leave out --input and --emit"),
        (("--group", "B"), "must be REGEX:lr"),
        (("--group", "conv:lr*2", "-a", "784-10"), "fits no tensor"),
    ],
)
def test_a_group_that_cannot_be_answered_is_refused(run, words, text):
    status, out, err = run(*BASE, *words)
    assert (status, out) == (2, "")
    assert text in err


def test_a_group_needs_a_value(run):
    status, _, err = run("convert", "--from", "pytorch-adamw", "--group", "B:lr*16")
    assert status == 2
    assert "needs a VALUE" in err
