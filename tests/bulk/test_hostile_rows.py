"""No row, whatever it holds, may cost another its answer or change another column."""

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decaycalc.bulk.csv_records import LONGEST_CELL
from decaycalc.bulk.csv_rows import convert_csv
from decaycalc.bulk.fields import RESULTS, SETTINGS
from decaycalc.bulk.json_rows import convert_jsonl
from decaycalc.bulk.stream import Stream
from decaycalc.cli.main import main

GOOD = '{"value":"5e-4","from":"caffe","to":"keras-l2"}'


class Drops(io.BytesIO):
    """A source that gives one byte at a time."""

    def read1(self, _size):
        return super().read1(1)


def bytes_of(data, convert=convert_jsonl, source=io.BytesIO, defaults=None):
    sink = io.BytesIO()
    tally = convert(Stream(source(data), sink), defaults or {})
    return sink.getvalue(), tally


def lines_of(rows, convert=convert_jsonl, **more):
    out, tally = bytes_of("\n".join([*rows, ""]).encode(), convert, **more)
    return out.decode().split("\n")[:-1], tally


# Rows of JSON

HUGE = "\ue000"
SURROGATES = st.text(st.characters(codec=None), max_size=5)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.just(HUGE), st.floats(allow_nan=False),
    SURROGATES, st.sampled_from(["\ud800", "", "1/0", "-", "1e-400", "9" * 400]),
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SURROGATES, inner, max_size=2),
    max_leaves=4,
)


def written(row):
    """Return a row as JSON; HUGE stands for an integer of more digits than Python converts."""
    return json.dumps(row).replace(json.dumps(HUGE), "9" * 5000)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(sorted({*SETTINGS - {"schedule", "arch"}, *RESULTS, "value", "x"})),
            ANYTHING,
            max_size=3,
        ),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_no_row_of_any_json_type_ends_a_run(changes, is_whole):
    base = json.loads(GOOD)
    rows = [written({**base, **change} if is_whole else change) for change in changes]
    out, tally = lines_of([text for row in rows for text in (row, GOOD)])
    assert tally.rows == len(out) == 2 * len(rows)
    for line in out[1::2]:
        assert json.loads(line)["result"] == 0.00025
    for line in out[::2]:
        assert "Traceback" not in line
        assert json.loads(line, parse_int=str).get("error", {}).get("type") != "unforeseen", line


@pytest.mark.parametrize(
    "member",
    [
        '"nesterov":{}', '"to_nesterov":[[]]', '"drop_last":{}', '"no_bias":[[]]', '"all":{}',
        *(f'"{name}":"\\ud800"' for name in ("from", "to", "arch", "schedule", "dtype", "init",
                                             "decay_mask", "loss", "value", "match")),
        '"to":[["keras-l2"]]', '"to":[{}]', '"lr":1e999', f'"lr":{"9" * 5000}',
        '"lr":"1e-3","momentum":"0.99999999999999999"',
    ],
)  # fmt: skip
def test_a_hostile_member_makes_a_bad_row_and_leaves_the_next(member):
    bad = GOOD[:-1] + "," + member + "}"
    out, tally = lines_of([bad, GOOD])
    assert json.loads(out[1])["result"] == 0.00025
    assert tally.rows == len(out) == 2
    assert json.loads(out[0]).get("error", {}).get("type") != "unforeseen"


@pytest.mark.parametrize("value", ["1/3/3", "1/2/3/4", "1//3", "/3", "1/"])
@pytest.mark.parametrize("name", ["value", "lr"])
def test_a_fraction_of_fractions_is_not_a_number_after_sound_rows_either(name, value):
    base = {"value": "1/3", "from": "pytorch-adamw", "to": "tfa-adamw", "lr": "1/3"}
    lines, _ = lines_of([written(base), written({**base, name: value}), written(base)])
    assert json.loads(lines[0])["result"] == json.loads(lines[2])["result"] == 1 / 9
    assert "is not a number" in json.loads(lines[1])["error"]["message"]


_SAID = {"decay_mask": "all", "init": "he", "no_bias": True, "classes": "10"}


@pytest.mark.parametrize("name", _SAID)
def test_what_is_said_of_a_network_needs_one_as_in_the_command(name):
    row = {"value": "1", "from": "caffe", "to": "keras-l2"}
    told = {**row, name: _SAID[name]}
    lines, _ = lines_of([written(row), written(told), written({**told, "arch": "4-3-2"})])
    assert ["error" in json.loads(line) for line in lines] == [False, True, False]
    assert json.loads(lines[1])["error"]["message"] == f"{name} needs a network: give arch"


def test_a_fault_of_ours_is_an_error_of_its_row_alone(monkeypatch):
    from decaycalc.bulk import converter

    def broken(*_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(converter.Converter, "row_text", broken)
    out, tally = lines_of([GOOD, GOOD])
    assert (tally.rows, tally.failed) == (2, 2)
    assert "please report it: ZeroDivisionError" in json.loads(out[0])["error"]["message"]
    out, tally = lines_of(["value,from,to", "1,caffe,keras-l2"], convert_csv)
    assert tally.failed == 1
    assert "please report it" in out[1]


# A second pass


@pytest.mark.parametrize(
    "row",
    [
        '{"value":"5e-4","from":"caffe","to":"keras-l2","a":0.1000000000000000055511,"b": 1E5}',
        '{"a":1,"a":-0,"value":5E-4 , "from":"caffe","to":["keras-l2"],"c":[1,{"x":"}"}]}',
        '{ "from":"caffe","to":"keras-l2","value":5e-4, "n":1e400 }',
        '{"value":5e-4,"from":"caffe","to":"keras-l2","s":"\\ud800","n":' + "9" * 5000 + "}",
    ],
)
def test_a_second_pass_over_json_lines_changes_nothing(row):
    (first,), _ = lines_of([row])
    assert first.startswith(row[:-1])
    assert lines_of([first])[0] == [first]


def test_an_earlier_result_is_replaced_wherever_it_stands():
    row = '{"result": 7,"value":5e-4, "conversions":[] ,"from":"caffe", "to":"keras-l2"}'
    (line,), _ = lines_of([row])
    assert line.startswith('{"value":5e-4,"from":"caffe", "to":"keras-l2", "result": 0.00025')
    (line,), _ = lines_of(['{"result": 7}'], defaults={**json.loads(GOOD)})
    assert line.startswith('{"result": 0.00025')


def test_a_second_pass_over_csv_changes_nothing():
    rows = [
        "name,value,from,to",
        '"a ""b"", c",1E-4,caffe,keras-l2',
        "x,2e-4,pytorch-sgd,keras-l2",
        "y,bad,caffe,keras-l2",
        "z,1e-4,caffe,half-life-steps",
    ]
    first, tally = lines_of(rows, convert_csv)
    again, second = lines_of(first, convert_csv)
    assert again == first
    assert (tally.failed, second.failed) == (2, 2)
    carriage, _ = bytes_of(("\r\n".join([*rows, ""])).encode(), convert_csv)
    assert bytes_of(carriage, convert_csv)[0] == carriage
    short, _ = lines_of([first[0], "x,1"], convert_csv)
    assert "2 fields where the header has 12" in short[1]


# CSV's quotes


def table_of(lines):
    return list(csv.reader(io.StringIO("\n".join(lines), newline="")))


def test_a_stray_quote_takes_no_other_row_with_it():
    rows = ["name,value,from,to", *[f"r{n},1e-4,caffe,keras-l2" for n in range(20_000)]]
    rows[11] = '"oops,1e-4,caffe,keras-l2'
    rows[15_000] = 'x"y,1e-4,caffe,keras-l2'
    rows[15_001] = '"two\nlines",1e-4,caffe,keras-l2'
    out, tally = lines_of(rows, convert_csv)
    assert (tally.rows, tally.failed) == (20_000, 1)
    table = table_of(out)
    assert len(table) == 20_001
    assert {len(row) for row in table} == {12}
    assert table[11][0] == rows[11]
    assert table[11][-1].startswith("line 12: not CSV: a quoted field does not end")
    assert table[15_001][0] == "two\nlines"


def test_two_stray_quotes_name_their_own_lines():
    rows = ["name,value", 'a,"1', "b,2e-4", '"c,3e-4', "d,x", "e,5e-4"]
    defaults = {"from": "caffe", "to": "keras-l2"}
    out, tally = lines_of(rows, convert_csv, defaults=defaults)
    table = table_of(out)
    assert tally.rows == 5
    assert [row[-1].partition(":")[0] for row in table[1:]] == [
        "line 2",
        "",
        "line 4",
        "line 5",
        "",
    ]


def test_a_quote_that_closes_in_a_row_of_another_width_takes_no_row_with_it():
    rows = ["name,value", '"a,1e-4', 'b,2e-4"', "c,3e-4"]
    out, tally = lines_of(rows, convert_csv, defaults={"from": "caffe", "to": "keras-l2"})
    assert tally.rows == 3
    assert table_of(out)[3][2] == "0.00015"


def test_a_cell_of_any_length_on_one_line_is_sound():
    long = "x" * (2 * LONGEST_CELL)
    rows = ["name,value", f'"{long}",1e-4']
    out, tally = lines_of(rows, convert_csv, defaults={"from": "caffe", "to": "keras-l2"})
    assert tally.failed == 0
    assert out[1].startswith(f'"{long}",1e-4,5e-05,')


# Line ends


@pytest.mark.parametrize("source", [io.BytesIO, Drops])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_end_as_unix_windows_or_the_classic_mac_end_them(end, source, last):
    data = end.join(["value,from,to", "1e-4,caffe,keras-l2", "2e-4,caffe,keras-l2"])
    out, tally = bytes_of((data + end * last).encode(), convert_csv, source)
    assert (tally.rows, tally.failed) == (2, 0)
    table = list(csv.reader(io.StringIO(out.decode(), newline="")))
    assert [row[3] for row in table[1:]] == ["5e-05", "0.0001"]
    out, tally = bytes_of(end.join([GOOD, GOOD] + [""] * last).encode(), convert_jsonl, source)
    assert (tally.rows, tally.failed) == (2, 0)
    assert len(out.decode().split()) > 2


# The output's file


@pytest.mark.parametrize("more", [[], ["--on-error", "stop"]])
def test_an_output_that_is_the_input_is_refused_and_the_input_kept(tmp_path, capsys, more):
    path, link = tmp_path / "rows.jsonl", tmp_path / "link.jsonl"
    text = f"{GOOD}\nx\n{GOOD}\n"
    path.write_text(text)
    link.symlink_to(path)
    for output in (path, link):
        assert main(["convert", "--input", str(path), "-o", str(output), *more]) == 2
        assert "is the file that --input reads" in capsys.readouterr().err
    assert path.read_text() == text


def test_a_header_that_is_no_csv_is_called_so(run, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"value":"1","from":"caffe"}\n')
    ran = run("convert", "--input", str(tmp_path / "a.jsonl"), "--input-format", "csv")
    assert ran.last_error.endswith("found: a line that is not CSV")
