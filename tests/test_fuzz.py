"""Random command lines and rows: no traceback, no nan or inf, no hang, and one answer to both.

DECAYCALC_FUZZ=100000 makes it long: as many lines, and as many rows.
"""

import csv
import io
import json
import os

import pytest

from decaycalc.algebra.quantity import TARGETS
from decaycalc.bulk.csv_rows import convert_csv
from decaycalc.bulk.fields import RESULTS, SETTINGS
from decaycalc.bulk.json_rows import convert_jsonl
from decaycalc.bulk.stream import Stream
from decaycalc.cli import COMMANDS
from tests.fuzzing import drawing, lines
from tests.fuzzing.cases import fuzzed
from tests.fuzzing.running import answer, check_answer
from tests.fuzzing.sources import SEEDS

RECORD = (
    '[[convention]]\nkey = "my-adamw"\ntitle = "t"\nparameter = "wd"\nshrink = "lr*wd/2"\n'
    'coupling = "decoupled"\noptimizer = "adam"\nsource = "s"\n'
    'update = "w = w*(1 - lr*wd/2); w = w - lr*adam(g)"\n'
)
ROWS_OF_FILES = {
    "k.toml": '[c]\nvalue = "0.1"\nfrom = "caffe"\nto = "keras-l2"\nequals = "0.05"\n',
    "own.toml": RECORD,
    "rows.jsonl": '{"value": "0.1", "from": "caffe", "to": "keras-l2"}\n{"value": 1}\n',
    "rows.csv": "value,from,to\n0.1,caffe,keras-l2\n,,\n",
    "table.csv": "step,multiplier\n0,1\n10\n",
    "net.json": '{"fc.weight": [3, 4], "fc.bias": [3], "\\ud800": [2]}',
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {**SEEDS, **ROWS_OF_FILES}.items():
        (tmp_path / name).write_text(text)
    header = b'{"fc.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}'
    data = len(header).to_bytes(8, "little") + header + b"\0\0\x80?" * 2
    (tmp_path / "net.safetensors").write_bytes(data)
    return tmp_path


def test_every_option_of_every_command_is_drawn():
    assert set(lines.WEIGHTS) == set(COMMANDS)
    declared = {lines.flag_of(each) for name in COMMANDS for each in lines.options_of(name)}
    assert lines.VALUES.keys() <= declared | {"--explain"}
    assert lines.USUAL.keys() <= declared


@fuzzed(plain=150, share=1)
def test_no_command_line_breaks_the_program(rng, folder):
    words = lines.line(rng)
    stdin = rng.choice((b"", b"", *(text.encode() for text in SEEDS.values()), b"\xff"))
    check_answer(words, answer(words, stdin=stdin))
    for name in ("out", "out.json", "out.csv", "out.md", "out.txt"):
        if os.path.exists(name):  # noqa: PTH110  (quick)
            assert "Traceback" not in (folder / name).read_text()
            (folder / name).unlink()


# Rows

NUMBERS = ("lr", "momentum", "dampening", "batch_size", "grad_accum", "world_size", "dataset_size",
           "epochs", "steps", "gradient_rms", "eps", "lr_mult", "decay_mult",
           *(f"to_{each.name}" for each in TARGETS))  # fmt: skip
_OPTIONS = {lines.flag_of(option)[2:].replace("-", "_"): option for option in
            lines.OPTIONS["convert"]}  # fmt: skip
# Fields that are flags of the command; the others that it has no option for are `--set`'s.
FLAGS = frozenset({"nesterov", "to_nesterov", "drop_last", "no_bias", "all", "strict"})
FIELDS = tuple(sorted(SETTINGS - {"from", "to"}))
UNWRITABLE = frozenset({"\ud800", "x\udfff"})


def field(rng, name):
    """Return a value of a field as a line and a row both take it."""
    if name in FLAGS:
        return True
    option = _OPTIONS.get(name)
    drawn = drawing.number(rng) if option is None else lines.value_of(rng, option)[0]
    return drawn.encode("utf-8", "replace").decode().replace("\0", "")


def settings(rng):
    """Return a row of settings that a run may have."""
    usual = {
        flag[2:].replace("-", "_"): rng.choice(values)
        for flag, values in lines.USUAL.items()
        if rng.random() < 0.5 and not flag.startswith("--to")
    }
    count = rng.choice((0, 0, 1, 1, 2, 3))
    return {**usual, **{name: field(rng, name) for name in rng.sample(FIELDS, count)}}


def row_of(rng):
    """Return a row, sound or nearly so."""
    rng.tame = rng.random() < 0.6
    names = {"value": field(rng, "value"), "from": plain_key(rng)}
    to = plain_key(rng) if rng.random() < 0.8 else [plain_key(rng), plain_key(rng)]
    return {**names, **({"to": to} if rng.random() < 0.95 else {}), **settings(rng)}


def plain_key(rng):
    return rng.choice(drawing.COMMON if rng.random() < 0.6 else drawing.KEYS)


def converted(data, convert=convert_jsonl, defaults=None):
    sink = io.BytesIO()
    tally = convert(Stream(io.BufferedReader(io.BytesIO(data)), sink), defaults or {})
    return sink.getvalue(), tally


def holds_no_nan(line):
    def refuse(name):
        raise AssertionError(f"{name} in {line}")

    return json.loads(line, parse_constant=refuse, parse_int=str)


@fuzzed(plain=160, share=0.5)
def test_no_row_of_any_type_breaks_the_stream(rng):
    names = [*FIELDS, "value", "from", "to", "x", *RESULTS, "group", "set", drawing.text(rng)]
    odd = {rng.choice(names): drawing.anything(rng, drawing.json_leaf) for _ in range(2)}
    row = {**row_of(rng), **odd} if rng.random() < 0.7 else odd
    text = written(row)
    good = b'{"value": "5e-4", "from": "caffe", "to": "keras-l2"}\n'
    out, tally = converted(text.encode("utf-8", "surrogatepass") + b"\n" + good)
    assert tally.rows == 2
    first, second, rest = out.split(b"\n")
    assert rest == b""
    assert json.loads(second)["result"] == 0.00025
    error = json.loads(first, parse_int=str).get("error", {})
    assert not isinstance(error, dict) or error.get("type") != "unforeseen", first


def written(row):
    """Return a row as JSON with integers of any size."""
    huge = 10**4000
    text = json.dumps(row, default=str, ensure_ascii=True, check_circular=False)
    return text.replace(f"{huge}", "9" * 5000) if "0" * 4000 in text else text


@fuzzed(plain=100, share=0.1)
def test_no_bytes_break_the_stream(rng):
    data = bytes(rng.choice(b'{}[]",:\\ \n\r\0ab1e-.\xff\xc3') for _ in range(rng.randrange(80)))
    convert = rng.choice((convert_jsonl, convert_csv))
    head = b"value,to\n" if convert is convert_csv else b""
    out, tally = converted(head + data, convert, {"from": "caffe"})
    assert b"Traceback" not in out
    assert b"please report" not in out, data
    assert tally.failed <= tally.rows


@fuzzed(plain=100, share=0.2)
def test_a_second_pass_over_rows_changes_nothing(rng):
    rows = [row_of(rng) for _ in range(2)]
    for row in rows:
        row |= {name: drawing.anything(rng, drawing.json_leaf) for name in rng.sample("xyz", 2)}
    if rng.random() < 0.5:
        text = "\n".join(map(written, rows)).encode("utf-8", "surrogatepass")
        convert = convert_jsonl
    else:
        text, convert = as_csv(rng, rows), convert_csv
    once, tally = converted(text, convert)
    twice, again = converted(once, convert)
    if not tally.failed:
        assert twice == once
        assert again == tally
        if convert is convert_jsonl:
            for before, after in zip(text.split(b"\n"), once.split(b"\n"), strict=False):
                assert after.startswith(before.rstrip()[:-1])


def as_csv(rng, rows):
    names = list(dict.fromkeys(name for row in rows for name in row if name != "to"))
    stream = io.StringIO()
    style = {"lineterminator": rng.choice(("\n", "\r\n")),
             "quoting": rng.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))}  # fmt: skip
    writer = csv.DictWriter(stream, [*names, "to"], restval="", **style)
    writer.writeheader()
    for row in rows:
        to = row.get("to")
        cells = {**row, "to": " ".join(to) if isinstance(to, list) else to or ""}
        writer.writerow({name: _cell(value) for name, value in cells.items()})
    return stream.getvalue().encode("utf-8", "replace")


def _cell(value):
    if value is True:
        return "true"
    return value if isinstance(value, str) else json.dumps(value)[:200]


@fuzzed(plain=120, share=0.2)
def test_a_row_answers_as_the_command_does(rng):
    row = row_of(rng)
    if any(isinstance(value, str) and not value.strip() for value in row.values()):
        return  # to a row, what is empty is not given
    words = ["convert", "--json"]
    for name, value in row.items():
        words += [] if name == "value" else _words(name, value)
    status, out, err = answer([*words, "--", row["value"]])
    before = {**row, "value": "1e-5"}  # its plan is shared by the next
    data = "\n".join(map(json.dumps, (before, row))).encode()
    found = holds_no_nan(converted(data)[0].splitlines()[1])
    error = found.get("error")
    if error is not None and error.get("missing") == ["to_lr"] and not status:
        return  # a row wants a number, where the command shows the formula
    assert (error is not None) == (status != 0), (words, found, err)
    if status:
        return  # which of several faults is named first may differ
    made = json.loads(out)
    assert found["result_warnings"] == made["warnings"], words
    if "conversions" in found:
        assert found["conversions"] == made["conversions"], words
    else:
        assert found["result"] == made["conversions"][0]["value"], words
        assert found["result_equivalence"] == made["conversions"][0]["equivalence"], words


def _words(name, value):
    flag = f"--{name.replace('_', '-')}"
    if name in FLAGS:
        return [flag]
    if name == "to" and isinstance(value, list):
        return [word for key in value for word in (flag, key)]
    return [f"{flag}={value}"] if name in _OPTIONS or name in {"from", "to"} else [
        "--set", f"{name}={value}"]  # fmt: skip
