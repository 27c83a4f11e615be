"""A configuration's settings that no option takes, and those that an error comes from."""

import json

import pytest

from decaycalc.algebra.quantity import EXTRAS
from decaycalc.cli.main import main

HALF = ["convert", "1e-4", "--from", "caffe", "--to", "keras-l2", "--value"]
FORMER = [quantity.name for quantity in EXTRAS if not quantity.flags]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configure(folder, text):
    (folder / "pyproject.toml").write_text(f"[tool.decaycalc]\n{text}\n")


@pytest.mark.parametrize("name", FORMER)
def test_a_variable_that_was_an_option_says_what_to_write_and_that_works(monkeypatch, capsys, name):
    monkeypatch.setenv(f"DECAYCALC_{name.upper()}", "1")
    assert main(HALF) == 0
    warning = f"DECAYCALC_{name.upper()} is no option; write DECAYCALC_SET='{name}=1'"
    assert capsys.readouterr() == ("5e-05\n", f"warning: {warning}\n")
    monkeypatch.delenv(f"DECAYCALC_{name.upper()}")
    monkeypatch.setenv("DECAYCALC_SET", f"{name}=1")
    # It is read; all but a group's share of the steps enter nothing here.
    assert main(HALF) == (0 if name == "update_share" else 2)
    assert ("set by DECAYCALC_SET" in capsys.readouterr().err) == (name != "update_share")


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("GROUP_MULT", "write DECAYCALC_GROUP='REGEX:wd*FACTOR'"),
        ("LEARNING_RATE", "did you mean DECAYCALC_LR?"),
        ("NUM_TRAIN_EPOCHS", "did you mean DECAYCALC_EPOCHS?"),
        ("WEIGHT_DECAY", "give VALUE, the first argument"),
        ("LRR", "did you mean DECAYCALC_LR?"),
        ("VERSION", None),
        ("HOME", None),
    ],
)
def test_a_variable_of_another_name_is_told_ours_unless_it_is_near_to_none(
    monkeypatch, capsys, variable, told
):
    monkeypatch.setenv(f"DECAYCALC_{variable}", "1")
    assert main([*HALF[:-1], "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["conversions"][0]["value"] == 5e-5
    if told is None:
        assert err == ""
    else:
        assert err.startswith(f"warning: DECAYCALC_{variable} is no option; {told}")
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nbs = 64", "'nbs' (write set = [\"nbs=64\"])"),
        ("group-mult = 'x=2'", "'group_mult' (write group = [\"REGEX:wd*FACTOR\"])"),
        ("learning-rate = 1", "'learning_rate'; did you mean 'lr'?"),
        ("weight-decay = 1", "'weight_decay'; did you mean"),
    ],
)
def test_so_is_a_file_s_key(folder, capsys, text, told):
    configure(folder, text)
    assert main(HALF) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "value"),
    [("LR", "-1"), ("TO_LR", "-1"), ("SET", "nbs=64"), ("FORMAT", "xml"), ("TO", "cafe"),
     ("DTYPE", "float31"), ("LOSS", "some")],
)  # fmt: skip
def test_an_error_says_which_variable_it_comes_from(monkeypatch, capsys, variable, value):
    monkeypatch.setenv(f"DECAYCALC_{variable}", value)
    words = ["convert", "1e-4", "--from", "caffe"]
    assert main(words) == 2
    assert f"(set by DECAYCALC_{variable})\n" in capsys.readouterr().err


def test_and_which_file_but_not_where_the_command_line_says_otherwise(folder, capsys):
    configure(folder, "momentum = 2\nlr = 0.1\nset = ['nbs=64']")
    assert main([*HALF, "--set", "nbs=1"]) == 2
    message = f"momentum 2 must be at least 0 and below 1 (set by {folder}/pyproject.toml)"
    assert capsys.readouterr().err == f"error: {message}\n"
    assert main([*HALF, "--momentum", "3", "--set", "nbs=1"]) == 2
    assert capsys.readouterr().err == "error: momentum 3 must be at least 0 and below 1\n"
    configure(folder, "set = ['nbs=64']")
    assert main(HALF) == 2
    assert capsys.readouterr().err.endswith(f"(set by {folder}/pyproject.toml)\n")
