import gc
import importlib
import os
import subprocess
import sys

import numpy as np
import pytest

import decaycalc
from decaycalc.errors import InvalidValueError


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

    # Mended before the test ends: pytest 8.0 flushes the stream of a test that is over.
    with monkeypatch.context() as patch:
        patch.setattr(sys.stderr, "flush", gone)
        with pytest.raises(SystemExit) as ended:
            entry()
    assert ended.value.code == 1


def test_what_the_commands_say_is_there_in_python():
    found = decaycalc.compare(decaycalc.inspect("resnet-50-he"), "resnet-50-goyal-8k")
    assert found.sides[0].training.source == "resnet-50-he"
    assert len(decaycalc.recipes()) > len(decaycalc.recipes("llama")) > 0
    moved = decaycalc.transfer(
        0.1, source="pytorch-adamw", target="tfa-adamw", run=decaycalc.Run(lr=6e-4),
        batch_size=512, to_batch_size=2048,
    )  # fmt: skip
    assert moved.rules
    found = decaycalc.verify(
        0.1, source="pytorch-adamw", target="tfa-adamw", lr=1e-3, to_value=0.2, match="decay"
    )
    assert not found.holds


def test_a_suggestion_takes_the_quantities_of_one_run():
    run = decaycalc.Run(lr="2e-4")
    found = decaycalc.suggest(run=run, steps=1000, epochs=None, rules=["short-run"])
    assert found.suggestions[0].rule == "short-run"
    with pytest.raises(decaycalc.DecaycalcError, match="to_lr"):
        decaycalc.suggest(lr=1e-3, to_lr=1)


def test_what_is_said_of_a_network_needs_one():
    with pytest.raises(decaycalc.DecaycalcError, match="mask needs a network: give architecture"):
        decaycalc.answer(1, source="caffe", mask="all")


ENDS = {"source": "pytorch-sgd", "target": "keras-sgd", "momentum": "0.9"}


@pytest.mark.parametrize("name", ["nesterov", "to_nesterov", "drop_last"])
@pytest.mark.parametrize("word", ["no", "False", 3, np.array([True, False])])
def test_what_is_on_or_off_is_no_text_that_would_count_as_on(name, word):
    with pytest.raises(InvalidValueError, match="must be true or false"):
        decaycalc.convert(1, **ENDS, **{name: word})


def test_true_and_false_may_be_numpys_or_numbers():
    for on, off in ((True, False), (np.True_, np.False_), (1, 0)):
        assert decaycalc.Run(momentum=0.9, nesterov=on, drop_last=on).to_dict()["nesterov"] is True
        assert decaycalc.Run(nesterov=off, drop_last=off).to_dict()["drop_last"] is False


@pytest.mark.parametrize("convention", [None, 3, ["keras-l2"], {}])
def test_what_is_no_convention_is_named(convention):
    for source, target in ((convention, "caffe"), ("caffe", convention)):
        with pytest.raises(InvalidValueError, match="must be one key, or a Convention"):
            decaycalc.convert(1, source=source, target=target)


def test_a_match_of_another_name_is_refused_with_those_that_there_are():
    with pytest.raises(InvalidValueError, match="match 'decya' must be one of optimum, decay"):
        decaycalc.convert(1, **ENDS, match="decya")


def test_one_name_may_stand_where_several_may():
    (made,) = decaycalc.answer(1e-4, source="caffe", targets="keras-l2").conversions
    assert made.value == 5e-5
    (made,) = decaycalc.answer(1e-4, source="caffe", targets=made.convention).conversions
    assert made.convention.key == "keras-l2"
    (found,) = decaycalc.suggest(lr=2e-4, steps=1000, rules="short-run").suggestions
    assert found.rule == "short-run"
    verified = decaycalc.verify(
        1, source="caffe", target="keras-l2", lr=0.1, models="least-squares"
    )
    assert verified.holds
    with pytest.raises(InvalidValueError, match="did you mean 'targets'"):
        decaycalc.answer(1e-4, source="caffe", target="keras-l2")


def test_gaps_in_an_array_are_not_passed_over():
    gaps = np.ma.array([1e-4, 1e-3], mask=[False, True])
    with pytest.raises(InvalidValueError, match="has gaps"):
        decaycalc.convert(gaps, source="caffe", target="keras-l2")
    whole = np.ma.array([1e-4, 1e-3])
    assert decaycalc.convert(whole, source="caffe", target="keras-l2").value.tolist() == [
        5e-5,
        5e-4,
    ]


@pytest.mark.parametrize(
    "call",
    [
        lambda: decaycalc.convert(1, **ENDS, run={"lr": 1}),
        lambda: decaycalc.convert([1.0], **ENDS, run={"lr": 1}),
        lambda: decaycalc.answer(1, source="caffe", target_run={"lr": 1}),
        lambda: decaycalc.inspect("resnet-50-he", run={"lr": 1}),
        lambda: decaycalc.transfer(1, source="pytorch-sgd", run={"lr": 1}),
    ],
)
def test_what_is_no_run_is_refused(call):
    with pytest.raises(InvalidValueError, match=r"run 'dict' must be a decaycalc\.Run"):
        call()
