"""Who works in a folder need not have written its pyproject.toml: it may not reach elsewhere."""

import json
import os
from importlib import import_module

import click
import pytest

from decaycalc.cli import COMMANDS
from decaycalc.cli.command import options_of
from decaycalc.cli.configuration import READING, WRITING
from decaycalc.cli.main import main
from decaycalc.cli.names import Named

WORDS = ["convert", "5e-4", "--from", "caffe", "--to", "keras-l2"]
# What an option's value is called where it is something else than a number, a name or a choice.
ELSEWHERE = {"FILE", "SOURCE", "DIR", "PATH", "MODULE:CALLABLE"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith("DECAYCALC_"):
            monkeypatch.delenv(name)
    (tmp_path / "project").mkdir()
    (tmp_path / "config" / "decaycalc").mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


def project(home, text):
    (home / "project" / "pyproject.toml").write_text(f"[tool.decaycalc]\n{text}\n")


def own(home, text):
    (home / "config" / "decaycalc" / "config.toml").write_text(f"{text}\n")


@pytest.mark.parametrize("name", sorted(WRITING | READING))
def test_a_project_may_not_say_what_is_read_or_written(home, name, capsys):
    target = home / "victim"
    target.write_text("mine\n")
    project(home, f'{name} = "{target}"')
    assert main(WORDS) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {name} may not be set in {home}")
    assert f"--{name.replace('_', '-')}" in err
    assert target.read_text() == "mine\n"


def test_nor_for_one_command(home, capsys):
    project(home, '[tool.decaycalc.convert]\noutput = "../victim.json"')
    assert main(WORDS) == 2
    assert "output may not be set" in capsys.readouterr().err
    assert not (home / "victim.json").exists()


@pytest.mark.parametrize("name", ["schedule", "decay_schedule"])
@pytest.mark.parametrize(
    "text",
    ["file:/etc/passwd", " file:/etc/passwd", "FILE:/etc/passwd", "file : /etc/passwd",
     "constant:until=3+file:/etc/passwd", "constant:until=3 + File:path=/etc/passwd", "file"],
)  # fmt: skip
def test_nor_a_schedule_that_is_read_from_a_file(home, name, text, capsys):
    project(home, f'{name} = "{text}"')
    assert main([*WORDS, "--lr", "1", "--steps", "9"]) == 2
    assert f"{name} may not be set" in capsys.readouterr().err


def test_the_users_own_file_may_name_what_is_read(home, capsys):
    own(home, 'arch = "784-300-10"')
    assert main([*WORDS, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["penalty"]["n_weights"] == 238200


@pytest.mark.parametrize("name", sorted(WRITING))
def test_but_not_what_is_written(home, name, capsys):
    own(home, f'{name} = "x.json"')
    assert main(WORDS) == 2
    assert f"{name} may not be set" in capsys.readouterr().err


def test_the_configuration_that_is_shown_tells_what_is_not_allowed(home, capsys):
    project(home, 'output = "../victim.json"\nlr = 0.1')
    assert main([*WORDS, "--show-config", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["options"]
    found = [row for row in rows if row["value"] == "../victim.json"]
    assert [row["source"].endswith("(not allowed there)") for row in found] == [True]
    assert not (home / "victim.json").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_that_names_a_file_is_known_to_do_so(command):
    for name, option in options_of(import_module(f"decaycalc.cli.{command}").command).items():
        completes_files = isinstance(option.type, Named) and option.type.files
        reaches = completes_files or option.metavar in ELSEWHERE
        reaches = reaches or isinstance(option.type, click.Path | click.File)
        assert not reaches or name in WRITING | READING, name


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nesterov = [1]", "nesterov [1] must be true or false"),
        ("quiet = [true]", "quiet [True] must be true or false"),
        ("json = 1979-05-27", "json datetime.date(1979, 5, 27) must be true or false"),
        ("lr = [0.1]", "lr ['0.1'] must be a number or a text"),
        ("lr = true", "lr True must be a number or a text"),
        ("to = [[1]]", "to [[1]] must be a text or a list of texts"),
        ("to = true", "to True must be a text or a list of texts"),
        ("drop_last = []", "drop_last [] must be true or false"),
    ],
)
def test_a_value_of_another_kind_is_refused_in_one_line(home, text, complaint, capsys):
    project(home, text)
    assert main(WORDS) == 2
    assert capsys.readouterr().err.startswith(f"error: {complaint} (")


@pytest.mark.parametrize("text", ["lr = 1979-05-27", "set = [07:32:00]", "to = [[inf]]"])
def test_what_json_does_not_know_is_a_text_in_the_error_object(home, text, capsys):
    project(home, text)
    assert main([*WORDS, "--json"]) == 2
    *_, error = capsys.readouterr().err.splitlines()
    assert json.loads(error)["error"]["type"] == "invalid-value"


@pytest.mark.parametrize("more", [[], ["--json"], ["--format", "csv"]])
def test_a_date_for_an_option_of_another_command_is_shown(home, more, capsys):
    project(home, "search = 1979-05-27T07:32:00Z\nnear = [07:32:00]")
    assert main([*WORDS, "--show-config", *more]) == 0
    assert "1979-05-27 07:32:00+00:00" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--help"], ["guide"], ["schema"], ["completion", "bash"],
                                   ["convert", "-h"], ["convert", "--help"]])  # fmt: skip
def test_a_broken_configuration_stops_nothing_that_has_no_use_for_it(home, words, capsys):
    project(home, "x = [")
    assert main(words) == 0
    assert capsys.readouterr().err == ""


def test_a_relative_configuration_folder_counts_as_none(home, monkeypatch, capsys):
    own(home, "weigth = 1")
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_CONFIG_HOME", "config")
    monkeypatch.setenv("HOME", str(home / "nobody"))
    assert main([*WORDS, "--value"]) == 0
    assert capsys.readouterr().out == "0.00025\n"
