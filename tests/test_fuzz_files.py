"""Project files, assertions and own conventions of any types: one line, and a status that is ours.

DECAYCALC_FUZZ=100000 makes it long.
"""

import contextlib
import datetime as dt
import io
import json
import math
import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decaycalc.checks import RULES_OF_SOURCES
from decaycalc.cli.command import all_options
from decaycalc.cli.main import main

N_EXAMPLES = int(os.environ.get("DECAYCALC_FUZZ", "0")) // 4 or 60
relaxed = settings(
    max_examples=N_EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="DECAYCALC_FUZZ" not in os.environ,
    database=None,
)
LIMIT = 20  # seconds for one example

WORDS = st.sampled_from(
    ["0.1", "caffe", "keras-l2", "file:/dev/zero", "/dev/zero", "cosine", "nbs=64", "(a|a)*$:wd=1",
     "DC201", "x", "", "1e400", "5e-324", "\x1b]0;x\x07", "4-3-2", "mean", "all", "csv", "lr*wd"]
)  # fmt: skip
LEAVES = st.one_of(
    WORDS,
    st.text(max_size=5),
    st.booleans(),
    st.integers(),
    st.just(...),  # an integer of 5000 digits, which hypothesis could not show
    st.floats(),
    st.dates(),
    st.times(),
    st.datetimes(min_value=dt.datetime(1, 1, 1)),  # noqa: DTZ001  (TOML's local time)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["lr", "x", ""]), inner)
    ),
    max_leaves=4,
)
FIELDS = ("value", "from", "to", "equals", "min", "max", "rtol", "quantity", "recipes", "name",
          *all_options())  # fmt: skip
RECORD = {
    "key": "my-adamw", "title": "t", "parameter": "wd", "shrink": "lr*wd/2", "source": "s",
    "coupling": "decoupled", "optimizer": "adam",
    "update": "w = w*(1 - lr*wd/2); w = w - lr*adam(g)",
}  # fmt: skip
OF_RECORDS = (*RECORD, "aliases", "defaults", "refinements", "default", "refusal", "strength",
              "buffer", "compounds", "follows", "loss", "loss_unit", "loss_kinds", "common",
              "exempt", "trap", "since", "proximal", "group", "x")  # fmt: skip


def as_toml(value):
    """Return a value as TOML writes it."""
    if isinstance(value, dict):
        inner = ", ".join(
            f"{json.dumps(key, ensure_ascii=False)} = {as_toml(part)}"
            for key, part in value.items()
        )
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if value is ...:
        return "9" * 5000
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def as_lines(table):
    return "".join(
        f"{json.dumps(key, ensure_ascii=False)} = {as_toml(value)}\n"
        for key, value in table.items()
    )


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run in a folder of its own, under an alarm that only a hang rings."""

    def hang(*_):
        raise AssertionError("an example takes too long")

    monkeypatch.chdir(tmp_path)
    before = signal.signal(signal.SIGALRM, hang)
    yield tmp_path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def close_quietly(stream):
    with contextlib.suppress(OSError):
        stream.close()


def answer(words, closed=()):
    """Run a command line, some streams closed, and check what each owes its user."""
    names = ("stdin", "stdout", "stderr")
    standard = [getattr(sys, name) for name in names]
    streams = [io.TextIOWrapper(io.BytesIO()) for _ in names]
    for name, stream in zip(names, streams, strict=True):
        setattr(sys, name, None if name in closed else stream)
    signal.alarm(LIMIT)
    try:
        status = main(words)
        for name in ("stdout", "stderr"):
            getattr(sys, name).flush()
    except OSError:  # /dev/full or a closed stream, where the process ends
        status = 2
    finally:
        signal.alarm(0)
        for name, stream in zip(names, standard, strict=True):
            if name in closed and getattr(sys, name) is not None:
                close_quietly(getattr(sys, name))  # what takes a closed stream's place
            setattr(sys, name, stream)
    out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])
    assert status in {0, 1, 2}, words
    assert "Traceback" not in err
    assert "\x1b" not in out + err
    return status, out, err


@relaxed
@given(
    st.dictionaries(st.sampled_from(all_options()) | st.text(max_size=4), VALUES, max_size=2),
    st.dictionaries(st.sampled_from(sorted(RULES_OF_SOURCES)), VALUES, max_size=1),
    st.sampled_from([["convert", "1", "--from", "caffe"], ["check", "a.yaml"],
                     ["inspect", "a.yaml"], ["arch", "4-3-2"], ["schema"]]),
    st.sampled_from([[], ["--json"], ["--show-config"]]),
)  # fmt: skip
def test_no_project_file_breaks_the_program_or_has_a_file_written(own, rules, words, more):
    with open("a.yaml", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("opt: adamw\nlr: 1e-3\nepochs: 3\nweight_decay: 0.05\nsched: cosine\n")
    with open("pyproject.toml", "w", encoding="utf-8") as file:  # noqa: PTH123
        table = f"[tool.decaycalc.check]\n{as_lines(rules)}" if rules else ""
        file.write(f"[tool.decaycalc]\n{as_lines(own)}{table}")
    before = sorted(os.listdir())  # noqa: PTH208
    answer([*words, *more])
    assert sorted(os.listdir()) == before  # noqa: PTH208


@relaxed
@given(
    st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=2), min_size=1, max_size=2),
    st.sampled_from(["json", "table", "csv", "md", "github", "junit", "sarif"]),
)
def test_no_assertion_keeps_the_others_from_their_answer(changes, format_):
    sound = {"value": "0.1", "from": "caffe", "to": "keras-l2", "equals": "0.05"}
    tables = [{**sound, **change} for change in changes]
    text = "".join(f"[c{at}]\n{as_lines(table)}" for at, table in enumerate(tables))
    with open("k.toml", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(f"{text}[last]\n{as_lines(sound)}")
    status, out, err = answer(["check", "k.toml", "--format", format_])
    if format_ == "json" and out:
        assert json.loads(out)["checks"][-1]["passed"]
    else:
        assert out or (status == 2 and "error: " in err)


@relaxed
@given(st.dictionaries(st.sampled_from(OF_RECORDS), VALUES, max_size=2), st.booleans())
def test_no_own_convention_breaks_the_program(change, as_json):
    with open("own.toml", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(f"[[convention]]\n{as_lines({**RECORD, **change})}")
    words = ["convert", "0.1", "--from", "my-adamw", "--lr", "1e-3", "--to", "pytorch-adamw"]
    answer([*words, "--conventions", "own.toml", *(["--json"] if as_json else [])])


@relaxed
@given(
    st.sets(st.sampled_from(["stdin", "stdout", "stderr"]), min_size=1),
    st.sampled_from(
        ["convert 1 --from caffe --to keras-l2 --value", "convert 1 --from x", "convert --input -",
         "check -", "inspect -", "compare - -", "arch -", "suggest", "schema", "completion bash",
         "--help", "--version", "recipes --json", "conventions caffe", "convert --bad"]
    ),
)  # fmt: skip
def test_no_closed_stream_breaks_the_program(closed, line):
    answer(line.split(), closed)
