"""A bare number, and --strict: what is left out of them, and what they refuse."""

import pytest


def test_a_bare_number_does_not_follow_a_recipes_schedule(run):
    words = ("convert", "--recipe", "gpt-2-124m-nanogpt", "--to", "composer-adamw")
    bare, whole = run(*words, "--value"), run(*words)
    assert bare.status == whole.status == 0
    assert float(bare.out) > 0
    assert "over the schedule" in whole.out


def test_a_bare_number_needs_the_targets_own_lr(run):
    ran = run("convert", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--to", "pytorch-adamw",
              "--value")  # fmt: skip
    assert (ran.status, ran.out) == (2, "")
    assert "--to-lr" in ran.last_error


@pytest.mark.parametrize("form", [("--value",), ("--json",), ("--emit", "keras")])
def test_what_is_taken_for_granted_is_refused_where_that_is_asked_for(run, form):
    words = ("convert", "1e-4", "--from", "pytorch-sgd", "--to", "keras-sgd", "--lr", "0.1")
    ran = run(*words, "--strict", *form)
    assert (ran.status, ran.out) == (2, "")
    assert "--momentum" in ran.err


def test_and_what_is_said_is_not(run):
    ran = run("convert", "5e-4", "--from", "caffe", "--to", "keras-l2", "--strict", "--value")
    assert (ran.status, ran.out, ran.err) == (0, "0.00025\n", "")
