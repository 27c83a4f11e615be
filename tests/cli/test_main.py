"""The program's edges: no arguments, commands without examples, streams that cannot be written."""

import errno
import math
import os
from pathlib import Path

import pytest

from decaycalc.cli.main import main
from decaycalc.cli.output import guarded_stdout
from decaycalc.errors import UnreadableFileError


def test_without_arguments_the_help_is_shown_and_the_status_is_2(capsys):
    assert main([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_code_is_no_number(capsys):
    words = ("convert", "1e-4", "--from", "caffe", "--lr", "0.1", "--emit", "pytorch", "--value")
    assert main(list(words)) == 2
    assert "--value has no single number here" in capsys.readouterr().err


def test_a_reader_that_went_away_stays_a_broken_pipe():
    with pytest.raises(BrokenPipeError), guarded_stdout():
        raise BrokenPipeError


def test_a_full_disk_behind_stdout_is_said(monkeypatch):
    with Path(os.devnull).open("w", encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        with pytest.raises(UnreadableFileError, match="No space left"), guarded_stdout():
            raise OSError(errno.ENOSPC, "No space left on device")
        monkeypatch.undo()


@pytest.mark.parametrize("words", [["-o", "\ud800.json"], ["--input", "\ud800", "-o", "a.csv"]])
def test_half_a_character_names_no_file(words, capsys):
    assert main(["convert", "1", "--from", "caffe", "--to", "keras-l2", *words]) == 2
    assert "no file can have this name" in capsys.readouterr().err


def test_a_text_that_cannot_be_encoded_elsewhere_is_a_fault(monkeypatch):
    fault = UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
    monkeypatch.setattr("decaycalc.cli.main._run", lambda *_: (_ for _ in ()).throw(fault))
    with pytest.raises(UnicodeEncodeError):
        main(["recipes", "--list"])


def test_a_command_behind_two_dashes_is_found_by_the_group(capsys):
    assert main(["schema", "convert"]) == 0
    direct = capsys.readouterr()
    assert main(["--", "schema", "convert"]) == 0
    assert capsys.readouterr() == direct
    assert main(["--", "--schema"]) == 2
    assert "--schema" in capsys.readouterr().err


def test_what_lies_beyond_float64_is_told_in_words(capsys):
    run = "--batch-size 256 --dataset-size 1000 --epochs 3"
    assert main(f"convert 1e308 --from sum-l2 {run}".split()) == 0
    assert "beyond 1.8e308" in capsys.readouterr().out
    words = "--from pytorch-adamw --to keras-l2 --lr 0.1 --to-lr 0.7 --to-loss 5e-324 --value"
    assert main(f"convert 0.006 {words}".split()) in {1, 2}
    assert capsys.readouterr().err.count("error: ") == 1
    run = "--lr 1e-300 --loss 1e300 --to-loss 1e-300"
    assert main(f"verify 1e300 --from pytorch-sgd --to keras-l2 {run}".split()) == 2
    assert "difference 'above 1.8e308'" in capsys.readouterr().err


@pytest.mark.parametrize("output", [(), ("--json",), ("--format", "md")])
def test_an_answer_that_no_float64_holds_is_refused_in_every_shape(monkeypatch, capsys, output):
    monkeypatch.setattr("decaycalc.conversion.decay.factor_over", lambda *_, **__: math.inf)
    words = ("convert", "1e-4", "--from", "caffe", "--lr", "0.1", "-N", "1000", "-B", "10")
    assert main([*words, "--epochs", "2", *output]) == 2
    assert "a number of the answer 'above 1.8e308'" in capsys.readouterr().err
