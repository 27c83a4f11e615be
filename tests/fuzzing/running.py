"""A command line run in this process, and what every one of them owes its user."""

import contextlib
import csv
import io
import json
import re
import sys

import pytest

from decaycalc.cli.main import main

NAMES = ("stdin", "stdout", "stderr")
_NO_NUMBER = re.compile(r"(?<![\w.\-/'\"])[-+]?(nan|inf)(?![\w.\-/'\"])")


def answer(words, closed=(), stdin=b""):
    """Return a line's status, stdout and stderr; `closed` streams are none at all."""
    standard = [getattr(sys, name) for name in NAMES]
    streams = [io.TextIOWrapper(io.BytesIO(stdin if name == "stdin" else b"")) for name in NAMES]
    for name, stream in zip(NAMES, streams, strict=True):
        setattr(sys, name, None if name in closed else stream)
    try:
        status = main(words)
        for name in NAMES[1:]:
            getattr(sys, name).flush()
    except OSError:  # /dev/full or a closed stream, where the process ends
        status = 2
    finally:
        for name, stream in zip(NAMES, standard, strict=True):
            if name in closed and getattr(sys, name) is not None:
                with contextlib.suppress(OSError):
                    getattr(sys, name).close()  # what takes a closed stream's place
            setattr(sys, name, stream)
    out, err = (stream.buffer.getvalue().decode() for stream in streams[1:])
    return status, out, err


def check_answer(words, answered, *, numbers=True):
    """Hold what a line answered against what is promised.

    Without `numbers` a file may hold nan or inf as a text, which may be shown.
    """
    status, out, err = answered
    assert status in {0, 1, 2}, words
    assert "Traceback" not in out + err, words
    assert "\x1b" not in out + err, words
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(errors) <= 1, err
    # What is wrong in a file of checks stands among its results, which `-o` writes elsewhere.
    elsewhere = words[:1] == ["check"] and {"-o", "--output"} & set(words)
    if status == 2 and not out and not elsewhere:
        assert errors or "Usage: " in err, (words, err)
    if errors:
        assert errors[0].isprintable(), err
        assert len(errors[0]) < 1000, err
    asked = _format(words)
    if out and asked == "json":
        for line in [out] if "jsonl" not in words else out.splitlines():
            json.loads(line, parse_constant=pytest.fail)
    elif out and asked == "csv":
        rows = list(csv.reader(io.StringIO(out)))
        assert len({len(row) for row in rows}) <= 1, out[:500]
    if numbers and not any(re.search("nan|inf", word, re.IGNORECASE) for word in words):
        found = _NO_NUMBER.search(out)
        assert not found, (words, found, out[:500])


def _format(words):
    """Return the format that a line asks for, where it does so plainly."""
    if any(word in words for word in ("-h", "--help", "--emit", "--groups", "--show-config")):
        return None
    if "--input" in words or "-o" in words or "--output" in words:
        return None
    if "--json" in words and "--format" not in words and "--value" not in words:
        return "json"
    if words.count("--format") == 1 and "--value" not in words:
        return words[words.index("--format") + 1]
    return None
