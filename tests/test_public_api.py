import gc
import importlib
import os
import subprocess
import sys

import pytest

import decaycalc


@pytest.mark.parametrize("name", decaycalc.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert name in dir(decaycalc)
    assert getattr(decaycalc, name).__doc__


def test_what_is_not_public_is_not_there():
    with pytest.raises(AttributeError, match="no_such_name"):
        decaycalc.no_such_name  # noqa: B018  (the access is the test)


def test_the_founding_conversions_through_python():
    assert decaycalc.convert("5e-4", source="caffe", target="keras-l2").value == 0.00025
    run = decaycalc.Run(dataset_size=60000)
    assert decaycalc.convert(0.001, source="mean-l2", target="sum-l2", run=run).value == 60


def test_importing_the_package_imports_nothing_of_it():
    code = "import sys, decaycalc; print([n for n in sys.modules if n.startswith('decaycalc.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def entry(monkeypatch):
    """Return the program's entry, whose hard exit only raises here."""

    def leave(status):
        raise SystemExit(status)

    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["decaycalc", "--version"])
    return importlib.import_module("decaycalc.__main__").main


def test_the_module_runs_as_a_program(entry, capsys):
    with pytest.raises(SystemExit) as ended:
        entry()
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"decaycalc {decaycalc.__version__}\n"


def test_an_interrupt_while_the_program_loads_is_said(entry, monkeypatch, capsys):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr("decaycalc.cli.main.main", interrupt)
    with pytest.raises(SystemExit) as ended:
        entry()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_an_output_that_nobody_takes_has_a_status_of_its_own(entry, monkeypatch):
    def gone():
        raise BrokenPipeError

    monkeypatch.setattr(sys.stderr, "flush", gone)
    with pytest.raises(SystemExit) as ended:
        entry()
    assert ended.value.code == 1
