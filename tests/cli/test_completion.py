import json
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import BashComplete

from decaycalc.cli.group import program
from decaycalc.cli.main import main

CASES = (
    ("con", "convert"),
    ("convert --from pytorch-adamw", "pytorch-adamw"),
    ("convert --to keras-l", "keras-l2"),
    ("transfer --from keras-l", "keras-l2"),
    ("convert --dataset", "--dataset-size"),
    ("convert --match d", "decay"),
    ("convert --arch resnet1", "resnet18"),
    ("convert --decay-mask no-b", "no-bias"),
    ("convert --recipe gpt-3", "gpt-3-175b"),
    ("convert --schedule cos", "cosine"),
    ("convert --dtype bf", "bfloat16"),
    ("convert --init gl", "glorot"),
    ("convert --loss b", "batch-sum"),
    ("convert --to-loss d", "dataset-sum"),
    ("convert --optimizer s", "sgd"),
    ("convert --rounding m", "master"),
    ("verify --model two", "two-layer"),
    ("verify --with to", "torch"),
    ("check --explain DC3", "DC301"),
    ("check --select DC1", "DC101"),
    ("convert --emit ker", "keras"),
    ("convert --format j", "jsonl"),
    ("convert --set nb", "nbs="),
    ("convert --kind dark", "darknet"),
    ("conventions timm-a", "timm-adamw"),
    ("recipes gpt-3", "gpt-3-175b"),
    ("arch gpt2-x", "gpt2-xl"),
    ("schema conv", "convert"),
    ("guide founding", "founding-question"),
    ("completion z", "zsh"),
)


def completed(line):
    """Return the words that the program offers a shell for the last word of a line."""
    *words, incomplete = line.split(" ")
    completer = BashComplete(program, {}, "decaycalc", "_DECAYCALC_COMPLETE")
    return [(item.type, item.value) for item in completer.get_completions(words, incomplete)]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_names_complete_where_they_may_stand(line, expected):
    assert ("plain", expected) in completed(line)


@pytest.mark.parametrize("line", ["convert --recipe ./run", "convert -o out", "check dec"])
def test_what_is_no_name_completes_as_a_file(line):
    assert completed(line) == [("file", line.split()[-1])]


def test_no_file_is_offered_for_a_mask():
    assert completed("convert --decay-mask nothing-like-it") == []


def test_the_users_own_conventions_complete(tmp_path, monkeypatch):
    table = (
        'key = "acme-adamw"\ntitle = "ours"\nparameter = "wd"\nshrink = "lr*wd/2"\n'
        'coupling = "decoupled"\noptimizer = "adam"\nsource = "trainer.py"\n'
        'update = "w = w*(1 - lr*wd/2); w = w - lr*adam(g)"\n'
    )
    own = tmp_path / "own.toml"
    own.write_text(f"[[convention]]\n{table}")
    assert ("plain", "acme-adamw") in completed(f"convert --conventions {own} --from acm")
    (tmp_path / "pyproject.toml").write_text(f"[[tool.decaycalc.convention]]\n{table}")
    monkeypatch.chdir(tmp_path)
    assert ("plain", "acme-adamw") in completed("convert --to acm")


def test_a_broken_configuration_stops_no_completion(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text("[tool.decaycalc\n")
    monkeypatch.chdir(tmp_path)
    assert ("plain", "--dataset-size") in completed("convert --dataset")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell, capsys):
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert "_DECAYCALC_COMPLETE" in text
    assert f"{shell}_complete" in text


def needs(shell):
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


@needs("bash")
def test_bash_asks_the_program(tmp_path, capsys):
    program_file = tmp_path / "decaycalc"
    program_file.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m decaycalc "$@"\n')
    program_file.chmod(0o755)
    assert main(["completion", "bash"]) == 0
    text = capsys.readouterr().out + (
        f"COMP_WORDS=(decaycalc convert --to keras-l); COMP_CWORD=3\n"
        f"_decaycalc_completion {program_file}; echo ${{COMPREPLY[@]}}\n"
    )
    done = subprocess.run(["bash"], input=text, capture_output=True, text=True, check=True)
    assert "keras-l2" in done.stdout.split()
    assert done.stderr == ""


@needs("zsh")
def test_zsh_reads_its_script(capsys):
    main(["completion", "zsh"])
    text = "autoload -Uz compinit && compinit -D\n" + capsys.readouterr().out
    done = subprocess.run(["zsh", "-f"], input=text, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_an_unknown_shell_is_refused(capsys):
    assert main(["completion", "tcsh"]) == 2
    assert "'tcsh' is not one of" in capsys.readouterr().err


def test_the_version_has_a_form_for_machines(capsys):
    assert main(["--version", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "decaycalc.version"
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"decaycalc {document['version']}\n"
