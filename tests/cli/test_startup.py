"""What a start imports is what it costs: the exact modules are held here, by a fresh process."""

import json
import subprocess
import sys

import pytest

_PROBE = """
import io, json, sys
from decaycalc.cli.main import main
out, sys.stdout = sys.stdout, io.StringIO()
status = main(sys.argv[1:])
sys.stdout = out
print(json.dumps([status, sorted(sys.modules)]))
"""
_FLOOR = """
import json, sys, click, fractions, io
print(json.dumps(sorted(sys.modules)))
"""
_QUICK = ("5e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--to", "pytorch-adamw")
_CORE = {
    "decaycalc", "decaycalc.cli", "decaycalc.cli.command", "decaycalc.cli.group",
    "decaycalc.cli.main", "decaycalc.cli.configuration", "decaycalc.errors", "decaycalc.record",
}  # fmt: skip
_SLOW = {
    "numpy", "rich", "difflib", "dataclasses", "inspect", "pathlib", "tempfile", "csv", "decimal",
    "unittest", "asyncio", "ssl", "sqlite3", "email", "http", "urllib", "xml",
    "importlib.metadata",
}  # fmt: skip


def imported(*words):
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *words], capture_output=True, text=True, check=True
    )
    status, names = json.loads(done.stdout)
    return status, set(names)


@pytest.fixture(scope="module")
def quick():
    """The modules of the two quickest ways to convert, and of the help pages."""
    return {
        "json": imported("convert", *_QUICK, "--json"),
        "value": imported("convert", *_QUICK, "--value"),
        "help": imported("--help"),
        "convert help": imported("convert", "--help"),
        "version": imported("--version"),
    }


@pytest.mark.parametrize("way", ["json", "value", "help", "convert help", "version"])
def test_a_quick_start_imports_nothing_slow(quick, floor, way):
    status, names = quick[way]
    assert status == 0
    brought = names - floor
    assert not brought & _SLOW
    if way in {"json", "value"}:  # click translates the headings of help
        assert not brought - ours(names)


def imported_by_click():
    done = subprocess.run(
        [sys.executable, "-c", _FLOOR],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(json.loads(done.stdout))


def ours(names):
    return {name for name in names if name.partition(".")[0] == "decaycalc"}


def test_help_and_version_import_the_program_alone(quick):
    for way in ("help", "version"):
        assert ours(quick[way][1]) == _CORE


def test_a_value_takes_no_report(quick):
    names = ours(quick["value"][1])
    assert not {name for name in names if name.startswith("decaycalc.report")}


@pytest.fixture(scope="module")
def floor():
    """What Python and click import by themselves."""
    return imported_by_click()


def test_json_takes_the_document_writer_besides(quick):
    more = ours(quick["json"][1]) - ours(quick["value"][1])
    assert more == {"decaycalc.report", "decaycalc.report.document"}


_RICH_FLOOR = """
import json, sys, click, rich.console, rich.table, fractions, io
print(json.dumps(sorted(sys.modules)))
"""
_TRANSFER = (
    "transfer", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--batch-size", "256",
    "--to-batch-size", "1024", "--dataset-size", "1e6",
)  # fmt: skip
# A narrow terminal breaks the headers of tables.
_TABLES = {"textwrap"}
_HELP = {
    "_locale", "click._textwrap", "encodings.ascii", "locale", "textwrap",
}  # fmt: skip


@pytest.fixture(scope="module")
def rich_floor():
    """What Python, click and rich's console and tables import by themselves."""
    done = subprocess.run(
        [sys.executable, "-c", _RICH_FLOOR], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("words", "foreign"),
    [
        (("convert", *_QUICK), _TABLES),
        (("convert", "5e-4", "--from", "caffe", "--arch", "784-300-10"), _TABLES),
        (("convert", *_QUICK, "--format", "csv"), {"csv", "_csv"}),
        (("conventions",), _TABLES),
        (("conventions", "caffe"), _TABLES),
        (("conventions", "--json"), set()),
        (("recipes",), _TABLES),
        (("recipes", "--json"), set()),
        (("arch", "resnet18"), _TABLES),
        (("arch", "784-300-10", "--json"), set()),
        (_TRANSFER, _TABLES),
        ((*_TRANSFER, "--json"), set()),
        (("schema", "convert"), set()),
        (("guide",), _HELP),
        (("convert", "--help"), _HELP),
        (("schedule", "--help"), _HELP),
        (("verify", "--help"), _HELP),
    ],
    ids=lambda value: " ".join(value[:1] + value[-1:]) if isinstance(value, tuple) else "",
)
def test_each_command_imports_nothing_that_it_does_not_use(floor, rich_floor, words, foreign):
    status, names = imported(*words)
    assert status == 0
    brought = names - (rich_floor if "rich" in names else floor) - ours(names)
    assert {name for name in brought if not name.startswith("rich._unicode_data")} <= foreign
