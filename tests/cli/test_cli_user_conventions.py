"""A user's own conventions on the command line, from a file or the project's pyproject.toml."""

import json

import pytest

from decaycalc.cli.main import main

RECORD = """
[[{table}]]
key = "acme-sgd"
title = "Acme's SGD(decay=)"
parameter = "decay"
strength = "2*decay/loss_scale"
update = "g = g + 2*decay*w; w = w - lr*heavy_ball(g)"
source = "acme/sgd.py, line 12"
"""
CONVERT = ("convert", "1e-4", "--from", "acme-sgd", "--to", "keras-l2", "--value")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_of_conventions_is_known_to_a_command(folder, capsys):
    (folder / "mine.toml").write_text(RECORD.format(table="convention"))
    assert main([*CONVERT, "--conventions", "mine.toml"]) == 0
    assert capsys.readouterr().out == "0.0001\n"


def test_it_may_be_the_target_too(folder, capsys):
    (folder / "mine.toml").write_text(RECORD.format(table="convention"))
    words = ("convert", "1e-4", "--from", "keras-l2", "--to", "acme-sgd", "--value")
    assert main([*words, "--conventions", "mine.toml"]) == 0
    assert capsys.readouterr().out == "0.0001\n"


def test_it_is_listed_before_the_catalogue_and_shown_whole(folder, capsys):
    (folder / "mine.toml").write_text(RECORD.format(table="convention"))
    assert main(["conventions", "--conventions", "mine.toml", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)["conventions"]
    assert records[0]["key"] == "acme-sgd"
    assert main(["conventions", "acme-sgd", "--conventions", "mine.toml"]) == 0
    assert "loss + ½λΣw², λ = 2·decay" in capsys.readouterr().out


def test_the_projects_own_are_found_from_a_folder_below(folder, monkeypatch, capsys):
    (folder / "pyproject.toml").write_text(RECORD.format(table="tool.decaycalc.convention"))
    (folder / "sub").mkdir()
    monkeypatch.chdir(folder / "sub")
    assert main(list(CONVERT)) == 0
    assert capsys.readouterr().out == "0.0001\n"


@pytest.mark.parametrize("project", ["", "[tool.decaycalc]\nquiet = true\n"])
def test_without_them_the_name_is_unknown(folder, project, capsys):
    if project:
        (folder / "pyproject.toml").write_text(project)
    assert main(list(CONVERT)) == 2
    assert "unknown convention 'acme-sgd'" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_not_there_is_named(capsys):
    assert main([*CONVERT, "--conventions", "none.toml"]) == 2
    assert "cannot read 'none.toml'" in capsys.readouterr().err
