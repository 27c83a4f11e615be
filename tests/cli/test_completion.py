import json
import shutil
import subprocess

import pytest

from decaycalc.cli import words as words_module
from decaycalc.cli.main import main
from decaycalc.cli.words import commands, lists
from decaycalc.conventions.catalogue import conventions


def script(shell, capsys):
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def needs(shell):
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


CASES = (
    (["con"], "convert"),
    (["convert", "--from", "pytorch-adamw"], "pytorch-adamw"),
    (["convert", "--to", "keras-l"], "keras-l2"),
    (["convert", "--dataset"], "--dataset-size"),
    (["convert", "--match", "d"], "decay"),
    (["convert", "--arch", "resnet1"], "resnet18"),
    (["convert", "--decay-mask", "no-b"], "no-bias"),
    (["conventions", "timm-a"], "timm-adamw"),
    (["recipes", "gpt-3"], "gpt-3-175b"),
    (["arch", "gpt2-x"], "gpt2-xl"),
    (["schema", "conv"], "convert"),
    (["completion", "z"], "zsh"),
    (["convert", "--format", "j"], "jsonl"),
)


@needs("bash")
@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_bash_completes(typed, expected, capsys):
    line = " ".join(f"'{word}'" for word in ["decaycalc", *typed])
    test = f"COMP_WORDS=({line}); COMP_CWORD={len(typed)}; _decaycalc; echo ${{COMPREPLY[@]}}"
    text = script("bash", capsys) + test
    done = subprocess.run(["bash"], input=text, capture_output=True, text=True, check=True)
    assert expected in done.stdout.split()
    assert done.stderr == ""


@needs("fish")
@pytest.mark.parametrize(("typed", "expected"), CASES[:5])
def test_fish_completes(typed, expected, capsys):
    text = script("fish", capsys) + f'complete -C "decaycalc {" ".join(typed)}"\n'
    done = subprocess.run(["fish"], input=text, capture_output=True, text=True, check=True)
    assert expected in done.stdout.split()
    assert done.stderr == ""


@needs("zsh")
def test_zsh_reads_its_script(capsys):
    text = "autoload -Uz compinit && compinit -D\n" + script("zsh", capsys)
    done = subprocess.run(["zsh", "-f"], input=text, capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_script_knows_every_convention_and_option(shell, capsys):
    text = script(shell, capsys)
    assert all(convention.key in text for convention in conventions())
    assert "dataset-size" in text
    assert "reads the help of" not in text


def test_lists_hold_plain_words():
    for names in lists().values():
        assert names
        assert all(name and not set(name) & set(" '\"$`\\\n()") for name in names)


def test_a_command_that_is_not_there_is_left_out(monkeypatch):
    def missing(_context, name):
        if name == "guide":
            raise ModuleNotFoundError
        return None if name == "verify" else original(_context, name)

    original = words_module.program.get_command
    monkeypatch.setattr(words_module.program, "get_command", missing)
    commands.cache_clear()
    names = {words.name for words in commands()}
    commands.cache_clear()
    assert {"guide", "verify"}.isdisjoint(names)
    assert "convert" in names


def test_an_unknown_shell_is_refused(capsys):
    assert main(["completion", "tcsh"]) == 2
    assert "'tcsh' is not one of" in capsys.readouterr().err


def test_the_version_has_a_form_for_machines(capsys):
    assert main(["--version", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "decaycalc.version"
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"decaycalc {document['version']}\n"
