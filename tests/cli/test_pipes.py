import csv
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import decaycalc

ROOT = str(Path(decaycalc.__file__).parent.parent)
PROGRAM = f"{sys.executable} -m decaycalc"
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")


def shell(line, stdin=None):
    """Run a line in bash with `decaycalc` in it, and return its output."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("decaycalc", PROGRAM)],
        input=stdin, capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip
    return done.stdout


@needs_jq
def test_jq_reads_a_document():
    out = shell(
        "decaycalc convert 5e-4 --from caffe --json"
        " | jq -r '.conversions[] | select(.convention == \"keras-l2\") | .value'"
    )
    assert float(out) == 0.00025


@needs_jq
def test_jq_makes_rows_and_takes_results():
    out = shell(
        "jq -nc '[1e-4, 5e-4, 0.1][] | {value: ., name: \"λ \\(.)\"}'"
        " | decaycalc convert --from caffe --to keras-l2 --input -"
        " | jq -r '[.name, .result] | @tsv'"
    )
    rows = [line.split("\t") for line in out.splitlines()]
    assert [float(row[1]) for row in rows] == [5e-5, 2.5e-4, 0.05]
    assert all(row[0].startswith("λ ") for row in rows)


@needs_jq
def test_jq_picks_the_bad_rows():
    out = shell(
        "printf '{\"value\": 1}\\nnonsense\\n' | (decaycalc convert --from caffe --to keras-l2"
        " --input - || true) | jq -c 'select(.error) | [.line, .error.type]'"
    )
    assert json.loads(out) == [2, "bad-row"]


@needs_jq
def test_jq_reads_errors_from_stderr():
    out = shell(
        "(decaycalc convert 1 --from cafe --json 2>&1 >/dev/null || true)"
        " | tail -n 1 | jq -r '.error.suggestions[0]'"
    )
    assert out.strip() == "caffe"


def test_the_bare_number_fits_into_a_shell():
    assert shell('echo "wd=$(decaycalc convert 5e-4 --from caffe --to keras-l2 --value)"') == (
        "wd=0.00025\n"
    )


def test_csv_goes_through_awk_untouched_but_for_its_new_columns():
    text = 'name,value\n"Müller, A.",1e-4\nplain,5e-4\n'
    out = shell("decaycalc convert --from caffe --to keras-l2 --input - --input-format csv", text)
    assert [
        line.startswith(old) for line, old in zip(out.splitlines(), text.splitlines(), strict=True)
    ] == [True] * 3
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["name"] for row in rows] == ["Müller, A.", "plain"]
    assert [float(row["result"]) for row in rows] == [5e-5, 2.5e-4]


def test_output_goes_on_while_head_has_seen_enough():
    rows = '{"value": 1e-4}\n' * 20_000
    line = "(decaycalc convert --from caffe --to keras-l2 --input - || true) | head -n 2"
    assert len(shell(line, rows).splitlines()) == 2
