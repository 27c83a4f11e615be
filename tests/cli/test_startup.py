"""What a start imports is what it costs: a fresh process says what it has loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_PROBE = """
import io, json, sys
from decaycalc.cli.main import main
out, sys.stdout = sys.stdout, io.StringIO()
status = main(sys.argv[1:])
sys.stdout = out
print(json.dumps([status, sorted(sys.modules)]))
"""
_QUICK = ("5e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--to", "pytorch-sgd")
_TRANSFER = (
    "transfer", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--batch-size", "256",
    "--to-batch-size", "1024", "--dataset-size", "1e6",
)  # fmt: skip
_SLOW = {
    "numpy", "rich", "difflib", "dataclasses", "pathlib", "tempfile", "csv", "decimal",
    "unittest", "asyncio", "ssl", "sqlite3", "email", "http", "urllib", "xml",
    "importlib.metadata",
}  # fmt: skip


def imported(*words):
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *words], capture_output=True, text=True, check=True
    )
    status, names = json.loads(done.stdout)
    assert status == 0
    return set(names)


def named(value):
    return " ".join(value[:1] + value[-1:]) if isinstance(value, tuple) else ""


@pytest.fixture(scope="module")
def floor():
    """What Python and click import by themselves."""
    text = "import json, sys, click, fractions; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "words",
    [
        ("convert", *_QUICK, "--json"),
        ("convert", *_QUICK, "--value"),
        ("--help",),
        ("convert", "--help"),
        ("--version",),
        ("schema", "convert"),
        ("guide",),
    ],
    ids=named,
)
def test_a_quick_start_imports_nothing_slow(floor, words):
    assert not (imported(*words) - floor) & _SLOW


@pytest.mark.parametrize(
    "words",
    [
        ("conventions", "--json"),
        ("recipes", "--json"),
        ("arch", "784-300-10", "--json"),
        (*_TRANSFER, "--json"),
        ("completion", "bash"),
        ("convert", *_QUICK, "--emit", "pytorch"),
        ("convert", "--recipe", "gpt-2-124m-nanogpt", "--to", "composer-adamw", "--value"),
        ("recipes", "resnet-50-he", "--emit", "keras"),
    ],
    ids=named,
)
def test_what_draws_no_table_imports_neither_numpy_nor_rich(words):
    assert not imported(*words) & {"numpy", "rich"}


@pytest.mark.parametrize(
    "words",
    [
        ("convert", *_QUICK),
        ("convert", "5e-4", "--from", "caffe", "--arch", "784-300-10"),
        ("conventions",),
        ("recipes",),
        ("schedule", "--list"),
        ("arch", "resnet18"),
        _TRANSFER,
    ],
    ids=named,
)
def test_what_computes_no_schedule_imports_no_numpy(words):
    assert "numpy" not in imported(*words)


def test_help_imports_no_command():
    ours = {name for name in imported("--help") if name.startswith("decaycalc.cli.")}
    assert "decaycalc.cli.convert" not in ours


def test_a_value_takes_no_report():
    names = imported("convert", *_QUICK, "--value")
    assert not {name for name in names if name.startswith("decaycalc.report")}


def test_little_is_loaded_before_the_entry_answers_interrupts():
    """Until then an interrupt is Python's own traceback; typing would be most of that time."""
    words = ["import sys", "import decaycalc", "print('typing' in sys.modules)"]
    done = subprocess.run(
        [sys.executable, "-S", "-c", "; ".join(words)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout == "False\n"
