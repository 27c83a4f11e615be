"""A factor of the whole run is what the run's schedule leaves, step by step."""

import json
from math import cos, pi, prod

import pytest

ADAMW = ("convert", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3", "--steps", "1000")
TO = ("--to", "per-run-factor")
LEFT = prod(1 - 1e-4 * (1 + cos(pi * step / 1000)) / 2 for step in range(1000))
RISING = prod(1 - 1e-4 * (1 + 9 * (1 - cos(pi * step / 1000)) / 2) for step in range(1000))


@pytest.mark.parametrize(
    ("schedule", "left"),
    [
        (("--schedule", "cosine"), LEFT),
        (("--schedule", "constant"), (1 - 1e-4) ** 1000),
        (("--decay-schedule", "cosine:final=10"), RISING),
        ((), (1 - 1e-4) ** 1000),
    ],
)
def test_the_factor_of_a_run_follows_its_schedule(run, tmp_path, schedule, left):
    ran = run(*ADAMW, *TO, *schedule, "--value")
    assert (ran.status, float(ran.out)) == (0, pytest.approx(left, rel=1e-12))
    body = json.loads(run(*ADAMW, *TO, *schedule, "--json").out)
    assert body["conversions"][0]["value"] == pytest.approx(body["decay"]["per_run_factor"])
    row = json.dumps({"value": 0.1, "from": "pytorch-adamw", "lr": 1e-3, "steps": 1000,
                      "to": "per-run-factor", **_fields(schedule)})  # fmt: skip
    rows = tmp_path / "rows.jsonl"
    rows.write_text(row)
    again = json.loads(run("convert", "--input", rows).out)
    assert again["result"] == pytest.approx(left, rel=1e-12)


def _fields(schedule):
    return {schedule[0].lstrip("-").replace("-", "_"): schedule[1]} if schedule else {}


def test_the_bare_factor_follows_a_recipe_s_own_schedule(run):
    left = json.loads(run("inspect", "resnet-50-goyal-8k", "--json").out)["survival"]
    bare = run("convert", "--recipe", "resnet-50-goyal-8k", *TO, "--value")
    assert float(bare.out) == left
    assert "--match decay" not in bare.err
    body = run("convert", "--recipe", "resnet-50-goyal-8k", *TO, "--json").out
    assert json.loads(body)["conversions"][0]["note"] == ""


def test_the_derivation_ends_with_the_schedule_s_product(run):
    plain = json.loads(run(*ADAMW, *TO, "--explain", "--json").out)["explanation"][0]["steps"]
    body = json.loads(run(*ADAMW, *TO, "--schedule", "cosine", "--explain", "--json").out)
    steps = body["explanation"][0]["steps"]
    assert len(steps) == len(plain) + 1
    assert steps[-1]["result"] == pytest.approx(LEFT)


def test_a_factor_of_a_constant_lr_is_refused_under_another_schedule(run):
    words = ("convert", "0.5", "--from", "per-run-factor", "--lr", "1e-3", "--steps", "1000",
             "--to", "pytorch-adamw")  # fmt: skip
    assert run(*words, "--schedule", "constant").status == 0
    refused = run(*words, "--schedule", "cosine")
    assert (refused.status, refused.out) == (1, "")
    assert "its factor is that of a constant lr" in refused.err


def test_other_conventions_beside_a_factor_of_the_run_are_said_to_be_of_value_itself(run):
    rising = ("--decay-schedule", "cosine:final=10")
    assert "VALUE itself" not in run(*ADAMW, *TO, *rising).err
    assert "VALUE itself" in run(*ADAMW, *TO, "--to", "optax-adamw", *rising).err
