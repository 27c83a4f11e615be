import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import decaycalc
from decaycalc.cli.configuration import project_file, settings, user_file
from decaycalc.cli.main import main
from decaycalc.cli.shown_config import tables_of as config_tables
from decaycalc.errors import DecaycalcError
from decaycalc.files.toml_text import parse_toml


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with a project in it, and a user's home, both without configuration."""
    for name in list(os.environ):
        if name.startswith("DECAYCALC_"):
            monkeypatch.delenv(name)
    (tmp_path / "project" / "deep").mkdir(parents=True)
    (tmp_path / "config" / "decaycalc").mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path / "project" / "deep")
    return tmp_path


def write(home, *, project=None, user=None):
    if project is not None:
        (home / "project" / "pyproject.toml").write_text(project, encoding="utf-8")
    if user is not None:
        (home / "config" / "decaycalc" / "config.toml").write_text(user, encoding="utf-8")


def test_errors_are_json_where_the_configuration_says_so(home, monkeypatch, capsys):
    words = ["convert", "1e-4", "--from", "caffe", "--to", "keras-l3"]
    monkeypatch.setenv("DECAYCALC_FORMAT", "json")
    for line in (words, ["convrt"], ["--bogus"], ["convert", "--bogus"], ["convert", "--lr"]):
        assert main(line) == 2
        assert "error" in json.loads(capsys.readouterr().err.splitlines()[-1])
    assert main([*words, "--format", "table"]) == 2
    assert "{" not in capsys.readouterr().err
    monkeypatch.delenv("DECAYCALC_FORMAT")
    write(home, project='[tool.decaycalc]\nformat = "json"\n')
    assert main(words) == 2
    assert "error" in json.loads(capsys.readouterr().err.splitlines()[-1])


def test_errors_in_the_configuration_itself_are_json_too(home, monkeypatch, capsys):
    write(home, project="[tool.decaycalc\n")
    monkeypatch.setenv("DECAYCALC_JSON", "1")
    assert main(["convert", "1e-4", "--from", "caffe"]) == 2
    assert json.loads(capsys.readouterr().err.splitlines()[-1])["error"]["type"] == "syntax"


def test_a_help_page_asks_no_configuration(home, capsys):
    write(home, project="[tool.decaycalc\n")
    for flag in ("-h", "--help"):
        assert main(["convert", flag]) == 0
        assert "--from" in capsys.readouterr().out


def config(capsys, *words):
    assert main(["convert", "1e-4", "--from", "caffe", *words, "--show-config", "--json"]) == 0
    options = json.loads(capsys.readouterr().out)["options"]
    return {option["option"]: (option["value"], option["source"]) for option in options}


def test_the_nearest_word_wins(home, monkeypatch, capsys):
    write(
        home,
        project="[tool.decaycalc]\nlr = 0.2\nmomentum = 0.5\nbatch-size = 64\n",
        user="lr = 0.1\nmomentum = 0.1\nepochs = 9\n",
    )
    monkeypatch.setenv("DECAYCALC_LR", "0.3")
    monkeypatch.setenv("DECAYCALC_DATASET_SIZE", "1000")
    found = config(capsys, "--dataset-size", "2000")
    assert found["lr"] == ("0.3", "DECAYCALC_LR")
    assert found["momentum"][0] == "0.5"
    assert found["momentum"][1].endswith("pyproject.toml")
    assert found["batch_size"][0] == "64"
    assert found["epochs"][1].endswith("config.toml")
    assert found["dataset_size"] == ("2000", "command line")
    assert found["steps"] == (None, "default")
    assert found["from"] == ("caffe", "command line")


def test_defaults_take_part_in_the_answer(home, capsys):
    write(home, project='[tool.decaycalc]\nlr = 0.1\nto = ["keras-l2", "mean-l2"]\nquiet = true\n')
    assert main(["convert", "1e-4", "--from", "pytorch-sgd", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["run"]["lr"] == 0.1
    assert [made["convention"] for made in document["conversions"]] == ["keras-l2", "mean-l2"]


def test_a_table_of_one_command_goes_before_what_holds_for_all(home, capsys):
    write(home, project="[tool.decaycalc]\nlr = 0.1\n[tool.decaycalc.convert]\nlr = 0.2\n")
    assert config(capsys)["lr"][0] == "0.2"


def test_a_format_typed_beats_a_format_configured(home, monkeypatch, capsys):
    monkeypatch.setenv("DECAYCALC_FORMAT", "json")
    words = ["convert", "1e-4", "--from", "caffe", "--to", "keras-l2"]
    assert main([*words, "--value"]) == 0
    assert capsys.readouterr().out == "5e-05\n"
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)
    monkeypatch.setenv("DECAYCALC_VALUE", "1")
    monkeypatch.delenv("DECAYCALC_FORMAT")
    assert main([*words, "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("from,")
    target = home / "x.json"
    assert main([*words, "-o", str(target)]) == 0
    assert json.loads(target.read_text())


@pytest.mark.usefixtures("home")
def test_a_repeated_option_is_a_list_of_words_in_the_environment(monkeypatch, capsys):
    monkeypatch.setenv("DECAYCALC_TO", "keras-l2 mean-l2")
    assert config(capsys)["to"] == (["keras-l2", "mean-l2"], "DECAYCALC_TO")


@pytest.mark.usefixtures("home")
def test_what_no_option_takes_is_shown_as_unused(monkeypatch, capsys):
    monkeypatch.setenv("DECAYCALC_COLOUR", "blue")
    assert config(capsys)["colour"] == ("blue", "DECAYCALC_COLOUR (unused here)")
    assert main(["convert", "--show-config", "--to", "keras-l2"]) == 0
    out, err = capsys.readouterr()
    assert "Configuration" in out
    assert err == ""


@pytest.mark.usefixtures("home")
def test_only_what_has_a_value_is_shown_and_the_rest_is_counted(capsys):
    assert main(["convert", "--show-config", "--lr", "0.1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("lr" in line and "0.1" in line and "command line" in line for line in lines)
    assert not any("momentum" in line for line in lines)
    shown = sum(line.endswith(("default", "command line")) for line in lines)
    assert main(["convert", "--show-config", "--lr", "0.1", "--json"]) == 0
    n_options = len(json.loads(capsys.readouterr().out)["options"])
    note = f"{n_options - shown} more options have no value (--json lists them)"
    assert lines[-1] == note


@pytest.mark.parametrize("shown", [[], [{"option": "lr", "value": None, "source": "default"}]])
def test_nothing_is_counted_where_all_is_shown(shown):
    rows = [*shown, {"option": "to", "value": ["caffe"], "source": "default"}]
    (table,) = config_tables(rows)
    assert table.rows == (("to", "caffe", "default"),)
    assert bool(table.note) == bool(shown)


@pytest.mark.parametrize(
    ("project", "error"),
    [
        ("lrr = 1", "unknown key in {}: 'lrr'; did you mean 'lr'"),
        ("batch-sise = 1", "unknown key in {}: 'batch_sise'; did you mean 'batch_size'"),
        ("[tool.decaycalc.convert]\nlrr = 1", "unknown key in {}: 'lrr'; did you mean 'lr'"),
        ("[tool.decaycalc.convrt]\nlr = 1", "unknown table in {}: 'convrt'; did you mean 'conver"),
    ],
)
def test_an_unknown_key_is_refused_with_its_file(home, capsys, project, error):
    write(home, project=f"[tool.decaycalc]\n{project}\n")
    assert main(["convert", "1e-4", "--from", "caffe", "--to", "keras-l2", "--value"]) == 2
    path = home / "project" / "pyproject.toml"
    assert capsys.readouterr().err.startswith(f"error: {error.format(path)}")


def test_a_key_in_the_user_s_file_is_refused_too(home, capsys):
    write(home, user="weigth = 1\n")
    assert main(["conventions", "--json"]) == 2
    assert "config.toml: 'weigth'" in capsys.readouterr().err


def test_another_command_s_options_and_conventions_are_known_keys(home, capsys):
    record = "[[tool.decaycalc.convention]]\nkey = 'x'\n"
    write(home, project=f"[tool.decaycalc]\nlr-rule = 'linear'\n{record}")
    assert "lr_rule" in config(capsys)
    assert "convention" not in config(capsys)


@pytest.mark.usefixtures("home")
def test_a_misspelt_variable_is_warned_of_and_a_foreign_one_is_not(monkeypatch, capsys):
    monkeypatch.setenv("DECAYCALC_BATCHSIZE", "8")
    monkeypatch.setenv("DECAYCALC_ELSE", "1")
    words = ["convert", "1e-4", "--from", "caffe", "--to", "keras-l2", "--value"]
    assert main(words) == 0
    warning = "warning: DECAYCALC_BATCHSIZE is no option; did you mean DECAYCALC_BATCH_SIZE?\n"
    assert capsys.readouterr() == ("5e-05\n", warning)
    assert main([*words, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("home")
def test_a_bad_default_is_refused_like_a_typed_one(monkeypatch, capsys):
    monkeypatch.setenv("DECAYCALC_LR", "fast")
    assert main(["convert", "1e-4", "--from", "caffe"]) == 2
    assert "lr 'fast'" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[tool.decaycalc\n", "tool.decaycalc = \xff"])
def test_a_broken_file_is_named(home, text, capsys):
    (home / "project" / "pyproject.toml").write_bytes(text.encode("latin-1"))
    assert main(["convert", "1e-4", "--from", "caffe"]) == 2
    assert "pyproject.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["[tool]\ndecaycalc = 1 # tool.decaycalc\n", "tool = 1 # tool.decaycalc"]
)
def test_a_file_with_something_else_in_our_place_says_nothing(home, text):
    write(home, project=text)
    assert settings("convert", {}, str(home / "project")) == {}


def test_checks_are_no_options(home):
    write(home, project="[tool.decaycalc.check.a]\nlr = 1\n[tool.decaycalc]\nquiet = true\n")
    assert list(settings("check", {}, str(home / "project"))) == ["quiet"]


def test_files_are_looked_for_upwards_and_at_home(home):
    assert project_file(str(home / "project" / "deep")) is None
    assert project_file("/") is None
    write(home, project="[tool.other]\n", user="lr = 1\n")
    assert project_file(str(home / "project" / "deep")) is None
    assert user_file({}) is None
    assert user_file({"HOME": str(home / "nowhere")}) is None
    assert user_file({"XDG_CONFIG_HOME": str(home / "config")})


def test_a_file_that_cannot_be_read_is_refused(home, monkeypatch):
    from decaycalc.cli import configuration as config_module

    write(home, project="[tool.decaycalc]\n")
    monkeypatch.setattr(config_module.os.path, "isfile", lambda path: path.endswith("toml"))
    with pytest.raises(DecaycalcError, match="No such file"):
        project_file(str(home / "nowhere"))


@pytest.mark.usefixtures("home")
def test_a_folder_that_is_gone_has_no_configuration(monkeypatch, capsys):
    def gone():
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    assert main(["convert", "1e-4", "--from", "caffe", "--to", "keras-l2", "--value"]) == 0
    capsys.readouterr()


@pytest.mark.usefixtures("home")
def test_without_configuration_no_toml_reader_is_loaded():
    script = (
        "import sys\nfrom decaycalc.cli.main import main\n"
        "main('convert 1e-4 --from caffe --to keras-l2 --value'.split())\n"
        "assert 'tomllib' not in sys.modules\n"
    )
    root = str(Path(decaycalc.__file__).parent.parent)
    subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": root},
    )


@pytest.mark.parametrize(
    ("text", "error", "shown"),
    [
        ("a = 1\nb == 2\n", "x.toml:2:4: not TOML: Invalid value", "b == 2\n   ^"),
        ("a =\n", "x.toml:1:4: not TOML: Invalid value", "a =\n   ^"),
        ("a = " + "[" * 5000, "cannot read 'x.toml': it is nested too deeply", ""),
        ("a = " + "1" * 5000, "cannot read 'x.toml': an integer in it has thousands", ""),
        ("\tb = \x7f" + "#" * 99, "x.toml:1:6: not TOML: Inv", " b =  " + "#" * 54 + "\n     ^"),
        ("#" * 70 + "\nabc = 1 # " + "x" * 90 + "\x00", "x.toml:2:101: not TOML: Found",
         "x" * 30 + " \n" + " " * 30 + "^"),
    ],
)  # fmt: skip
def test_what_is_no_toml_is_named_with_its_place(text, error, shown):
    with pytest.raises(DecaycalcError) as raised:
        parse_toml(text, "x.toml")
    assert str(raised.value).startswith(error)
    assert "\n" not in str(raised.value)
    if shown:
        assert raised.value.caret() == shown
