"""`--set NAME=NUMBER`: what only some conventions take."""

import json

import pytest

from decaycalc.algebra.quantity import EXTRAS, GIVEN, QUANTITIES, TARGETS
from decaycalc.cli.convert import command
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import RUN_FIELDS, TARGET_FIELDS
from decaycalc.conversion.entering import own_quantities

FLAGS = {flag for option in command.params for flag in option.opts}


def test_a_rare_quantity_is_set_by_its_name(run):
    ran = run("convert", "0.01", "--from", "sklearn-sgd", "--to", "mean-l2", "--set",
              "l1_ratio=0.5", "--json")  # fmt: skip
    assert json.loads(ran.out)["run"]["l1_ratio"] == 0.5


def test_several_are_set_by_repeating_it(run):
    ran = run("convert", "1e-4", "--from", "yolov5", "--lr", "0.01", "-B", "16", "--set", "nbs=32",
              "--set", "decay-mult=2", "--json")  # fmt: skip
    known = json.loads(ran.out)["run"]
    assert (known["nbs"], known["decay_mult"]) == (32, 2)


def test_rows_take_what_is_set_for_all_of_them(run, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text("value,l1_ratio\n1,\n1,0.25\n")
    ran = run("convert", "--from", "sklearn-elastic-net", "--to", "mean-half-l2", "--input", rows,
              "--set", "l1_ratio=0.5")  # fmt: skip
    assert [line.split(",")[2] for line in ran.out.splitlines()] == ["result", "0.5", "0.75"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nbs", "'nbs' is not of the form NAME=NUMBER"),
        ("nsb=3", "unknown quantity 'nsb'; did you mean 'nbs'?"),
        ("lr=3", "lr has an option of its own: --lr"),
        ("nbs=x", "nbs 'x' is not a number"),
    ],
)
def test_what_cannot_be_set_is_refused(run, text, complaint):
    ran = run("convert", "1e-4", "--from", "yolov5", "-B", "16", "--set", text)
    assert ran.status == 2
    assert complaint in ran.err


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("yolov5", ("nbs",)),
        ("sklearn-elastic-net", ("l1_ratio",)),
        ("gal-dropout", ("keep_probability", "length_scale")),
        ("keras-l2", ()),
    ],
)
def test_what_a_convention_takes_is_named_where_it_is_shown(run, key, names):
    assert own_quantities(find(key)) == names
    shown = run("conventions", key).out
    assert (", ".join(names) in shown) if names else ("takes" not in shown)


def test_the_command_and_the_run_know_every_quantity_that_is_declared():
    for quantity in QUANTITIES.values():
        assert set(quantity.flags) <= FLAGS
        assert bool(quantity.flags) == (quantity in GIVEN) or quantity in EXTRAS
    assert {f"--to-{quantity.name.replace('_', '-')}" for quantity in TARGETS} <= FLAGS
    assert {*RUN_FIELDS, "n_weights", "n_layers", "extras"} == set(Run._fields)
    assert set(TARGET_FIELDS) < set(RUN_FIELDS)
