import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import threading
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decaycalc.bulk import converter as converter_module
from decaycalc.bulk import stream as stream_module
from decaycalc.bulk.csv_rows import convert_csv
from decaycalc.bulk.json_rows import convert_jsonl
from decaycalc.bulk.sniff import Begun
from decaycalc.bulk.stream import Stream
from decaycalc.cli.main import main
from decaycalc.conversion.shortcut import usual_ratio
from decaycalc.errors import DecaycalcError, UsageError

SETTINGS = {"from": "pytorch-sgd", "to": "keras-l2", "lr": "0.1"}


def run(rows, *, defaults=None, convert=convert_jsonl, stop=False):
    """Return the output of rows (texts, or objects to be written as JSON) and the tally."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    return run_bytes("\n".join([*lines, ""]).encode(), defaults, convert=convert, stop=stop)


def run_bytes(data, defaults=None, *, convert=convert_jsonl, stop=False):
    sink = io.BytesIO()
    source = io.BufferedReader(io.BytesIO(data))
    tally = convert(Stream(source, sink, stop=stop), defaults or {})
    return sink.getvalue().decode("utf-8", "surrogateescape").split("\n")[:-1], tally


def answers(rows, **settings):
    return [json.loads(line) for line in run(rows, **settings)[0]]


def single(capsys, row, *more):
    """Return what the single command says about a row: status and JSON document or error."""
    words = ["convert", str(row["value"]), "--from", row["from"], "--json", *more]
    for name, value in row.items():
        if name in {"value", "from", "id"}:
            continue
        flag = "--" + name.replace("_", "-")
        words += [flag] if value is True else [flag, str(value)]
    status = main(words)
    out, err = capsys.readouterr()
    if status:
        return json.loads(err.splitlines()[-1])
    document = json.loads(out)
    if "to" in row and document["conversions"][0]["missing"]:
        # A row has no room for a formula: it is an error there, as it is under --value.
        return {"error": {"message": f"{row['from']} to {row['to']} needs to_lr"}}
    return document


NAMES = (
    "pytorch-sgd",
    "keras-l2",
    "mean-l2",
    "sum-l2",
    "batch-sum-l2",
    "caffe",
    "sklearn-logistic",
    "pytorch-adamw",
    "keras-adamw",
    "tfa-adamw",
    "per-step-shrink",
    "half-life-steps",
    "half-life-epochs",
    "per-epoch-factor",
    "per-run-factor",
    "adamw-normalized",
    "prior-std",
    "ema-timescale-epochs",
    "ema-timescale-run",
    "yolov5",
    "timm-adan",
    "optax-decay-after-lr",
    "pytorch-adam",
    "layer-mean-l2",
    "l2-norm",
)


def random_row(rng):
    row = {"value": rng.choice([10 ** rng.uniform(-7, 0), 5e-4, 0.1, 1, 0, "1/3", 1e-300, 64])}
    row["from"], row["to"] = rng.choice(NAMES), rng.choice(NAMES)
    choices = {
        "lr": [10 ** rng.uniform(-4, 1), 0.1, 1e-3, 10],
        "batch_size": [32, 128, 256, 50000],
        "dataset_size": [50000, 60000, 1281167],
        "momentum": [0, 0.9, 0.95],
        "nesterov": [True],
        "epochs": [10, 90],
        "steps": [1000, 35190],
        "grad_accum": [1, 4],
        "dampening": [0, 0.5],
        "to_momentum": [0, 0.9],
        "to_lr": [0.1, 0.3],
        "to_batch_size": [64, 512],
        "loss": ["mean", "batch-sum", "dataset-sum"],
        "to_loss": ["mean", "batch-sum", "dataset-sum"],
        "match": ["optimum", "decay"],
        "dtype": ["bfloat16"],
        "arch": ["784-300-100-10"],
        "schedule": ["cosine"],
    }
    often = {"lr", "batch_size", "dataset_size"}
    for name, values in choices.items():
        if rng.random() < (0.8 if name in often else 0.15):
            row[name] = rng.choice(values)
    return row


def test_a_bulk_answer_is_the_single_command_s_to_the_last_bit(capsys):
    rng = random.Random(20)  # noqa: S311  (no secrets)
    rows = [random_row(rng) for _ in range(100)]
    results, _ = run([*rows, *rows])
    # The second time each row is answered from memory.
    assert [line for line in results[:100] if "error" not in line] == (
        [line for line in results[100:] if "error" not in line]
    )
    made = [
        same_answer(row, json.loads(line), capsys)
        for row, line in zip(rows, results[:100], strict=True)
    ]
    assert 15 < sum(made) < 75


def same_answer(row, result, capsys):
    """Return whether the row has a result, after comparing it with the single command's."""
    expected = single(capsys, row)
    assert ("error" in result) == ("error" in expected), (row, result, expected)
    if "error" in result:
        return False
    made = expected["conversions"][0]
    shown = [result[f"result{name}"] for name in ("", "_lr", "_equivalence", "_note")]
    assert shown == [made[name] for name in ("value", "lr", "equivalence", "note")], row
    return True


def test_without_a_target_a_row_gets_the_conversions_of_the_single_command(capsys):
    row = {"value": 5e-4, "from": "caffe", "lr": 0.1, "batch_size": 128, "dataset_size": 50000}
    plain, many = answers([row, {**row, "to": ["keras-l2", "mean-l2"]}])
    assert plain["conversions"] == single(capsys, row)["conversions"]
    assert [made["convention"] for made in many["conversions"]] == ["keras-l2", "mean-l2"]
    assert (
        answers([{**row, "all": True}])[0]["conversions"]
        == (single(capsys, {**row, "all": True})["conversions"])
    )


def test_a_penalty_under_adam_has_the_conversions_of_the_single_command(capsys):
    row = {"value": 1e-4, "from": "pytorch-adam", "lr": 0.1}
    assert answers([row])[0]["conversions"] == single(capsys, row)["conversions"]


def test_a_value_outside_what_one_listed_target_takes_leaves_the_others():
    row = {"value": 0, "from": "caffe", "lr": 0.1}
    assert len(answers([row])[0]["conversions"]) > 1


@given(
    st.decimals(min_value="1e-40", max_value="1e40", allow_nan=False, allow_infinity=False),
    st.sampled_from(["e", "f", "g"]),
)
def test_a_plain_decimal_is_read_exactly(number, kind):
    text = format(number, kind)
    ratio = usual_ratio(text)
    assert ratio is None or Fraction(*ratio) == Fraction(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "e5",
        "1e",
        "1_0",
        "-1",
        "+1",
        "1e1_0",
        "1e 5",
        " 1",
        "1/0",
        "1/x",
        "nan/1",
        "nan",
        "inf",
        "0x1",
        "1" * 70,
        "1.5e5e5",
        "²",
        "1e999999999",
    ],
)
def test_an_odd_number_is_left_to_the_exact_reader(text):
    assert usual_ratio(text) is None


def test_the_row_s_own_text_is_passed_through_untouched():
    line = (
        '{"note": "Grüße, \\u00e9 \\"x\\"", "value":1E-4,"from" : "caffe",'
        '"n":1.0000000000000000001,"to":"keras-l2", "x": {"a": [1, {}]} }'
    )
    (out,), tally = run([line])
    assert out.startswith(line[:-1])
    assert json.loads(out)["result"] == 5e-05
    assert (tally.rows, tally.failed) == (1, 0)


def test_defaults_hold_where_a_row_is_silent_null_or_empty():
    rows = [{"value": 1e-4}, {"value": 1e-4, "to": None}, {"value": 1e-4, "from": ""}, {}]
    results = answers(rows, defaults={**SETTINGS, "value": "2e-4"})
    assert [result["result"] for result in results] == [5e-05, 5e-05, 5e-05, 1e-4]
    assert answers([{"lr": 0.5}], defaults={**SETTINGS, "value": "2e-4"})[0]["result"] == 1e-4


def test_a_null_quantity_counts_as_not_given():
    row = {"value": 0.1, "from": "pytorch-adamw", "to": "tfa-adamw", "lr": None, "steps": None}
    assert answers([row])[0]["error"]["missing"] == ["lr"]
    assert answers([row], defaults={"lr": "0.01"})[0]["result"] == 0.001


def test_a_bad_row_stands_in_its_place_and_the_work_goes_on():
    good = {"value": 1e-4, **SETTINGS}
    bad = [
        ("nonsense", "not JSON"),
        ('{"value": 1} x', "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"value": NaN}', "not JSON: NaN"),
        ('{"a": ' * 100000, "nested too deeply"),
        ('{"value": }', "not JSON"),
        ('{"value" 1}', "not JSON"),
        ({"value": 1}, "needs from"),
        ({"from": "caffe"}, "needs value"),
        ({**good, "lr": True}, "must be a number"),
        ({**good, "lr": [1]}, "lr ['1'] must be a number"),
        ({**good, "value": [1e-4, 2e-4]}, "value ['0.0001', '0.0002'] must be a number"),
        ({**good, "nesterov": [True]}, "nesterov [True] must be true or false"),
        ({**good, "batch_size": {"a": 1}}, "must be a number"),
        ({**good, "to": [True]}, "convention's name"),
        ({**good, "momentum": {"a": 1}}, "must be a number"),
        ({**good, "to": "kears-l2"}, "did you mean"),
        ({**good, "value": False}, "must be a number"),
        ({**good, "nesterov": "maybe"}, "true or false"),
        ({**good, "match": "all"}, "must be one of"),
        ({**good, "arch": "-"}, "is stdin"),
        ({**good, "classes": 1, "arch": "10-2"}, "classes"),
        ({**good, "value": -1}, "negative"),
        ({**good, "lr": "x"}, "is not a number"),
        ({**good, "to": "pytorch-adamw", "from": "pytorch-adam"}, "no equivalent"),
        ({**good, "to": "pytorch-adamw"}, "needs to_lr"),
        ({**good, "lambd": 1}, "takes no lambd"),
        ({**good, "to": "pytorch-adamw", "from": "keras-l2"}, "needs optimizer"),
        ({**good, "to": "keras-sgd", "strict": True}, "needs momentum"),
    ]
    rows = [row for pair in bad for row in (pair[0], good)]
    results = answers(rows)
    assert all(result["result"] == 5e-05 for result in results[1::2])
    for number, (result, (_, text)) in enumerate(zip(results[::2], bad, strict=True)):
        assert result["line"] == 2 * number + 1
        assert text in result["error"]["message"], result
        assert result["error"]["type"]


def test_a_bad_row_comes_back_with_its_own_members():
    bad = {"id": "a7", "note": "é", "value": "x", **SETTINGS}
    (result,) = answers([{**bad, "result": 3.0, "result_note": ""}])
    assert {**result, "error": None} == {**bad, "line": 1, "error": None}
    out, _ = run(["[1]", "{ }", '{"line": 7, "error": 1}', '{"a": ' + "9" * 5000 + "}"])
    assert [list(json.loads(line)) for line in out] == [["line", "error"]] * 4


def test_a_second_pass_takes_an_error_off_a_row_that_has_an_answer_now():
    row = {"id": 1, "value": 1, **SETTINGS}
    failed = {**row, "line": 4, "error": {"type": "invalid-value", "message": "it was bad"}}
    own = {**row, "line": 4, "error": 0.5}
    answered, kept = answers([failed, own])
    assert answers([row]) == [answered]
    assert (kept["line"], kept["error"]) == (4, 0.5)


def test_stop_ends_at_the_first_bad_row():
    out, tally = run([{"value": 1, **SETTINGS}, "x", {"value": 1, **SETTINGS}], stop=True)
    assert (len(out), tally.rows, tally.failed) == (2, 2, 1)
    out, tally = run(
        ["value,from,to", "x,caffe,keras-l2", "1,caffe,keras-l2"], convert=convert_csv, stop=True
    )
    assert (len(out), tally.rows, tally.failed) == (2, 1, 1)


@pytest.mark.parametrize(
    ("source", "target", "value"),
    [
        ("yolov5", "mean-l2", 1e-3),
        ("ema-timescale-run", "tfa-adamw", 0.5),
        ("keras-l2", "yolov5", 1e-3),
        ("half-life-steps", "pytorch-adamw", 10),
        ("timm-adan", "tfa-adamw", 0.02),
        ("adamw-normalized", "adamw-normalized", 0.05),
        ("adamw-normalized", "tfa-adamw", 0.05),
        ("caffe", "half-life-epochs", 1e-4),
        ("prior-std", "keras-l2", 0.1),
        ("keras-l2", "prior-std", 0.1),
        ("sklearn-logistic", "pytorch-sgd", 3),
        ("mean-l2", "sklearn-logistic", 1e-3),
    ],
)
def test_every_way_of_conversion_is_the_single_command_s(source, target, value, capsys):
    rows = [
        {
            "value": value,
            "from": source,
            "to": target,
            "lr": lr,
            "batch_size": batch,
            "dataset_size": 60000,
            "epochs": 10,
        }
        for lr in (0.1, 0.07)
        for batch in (64, 100)
    ]
    results, expected = answers(rows), [single(capsys, row) for row in rows]
    assert [result["result"] for result in results] == (
        [answer["conversions"][0]["value"] for answer in expected]
    )


def test_flags_and_targets_are_read_from_text_as_from_json():
    run = {"from": "pytorch-sgd", "to": "per-step-shrink", "match": "decay", "lr": 0.5}
    rows = [
        {"value": 1e-2, **run, "momentum": 0.9, "nesterov": word}
        for word in ("Yes", True, "0", False)
    ]
    yes, true, no, false = (row["result"] for row in answers(rows))
    assert yes == true != no == false
    row = {"value": 1e-4, **SETTINGS, "classes": 10, "arch": "4-3-10", "no_bias": True}
    assert answers([row, row])[1]["result"] == 5e-05


def test_odd_texts_of_free_quantities_take_the_exact_way():
    row = {"value": "1e-4", "from": "pytorch-adamw", "to": "tfa-adamw"}
    odd = ["1/3", " 0.1", "0.1", "1e-31", "0." + "1" * 80, "1e400"]
    results = answers([{**row, "lr": text} for text in odd])
    shown = [result.get("result") for result in results]
    assert shown[:4] == [1e-4 / 3, 1e-5, 1e-5, 1e-35]
    assert shown[4] == pytest.approx(1e-4 / 9)
    assert shown[5] is None


def test_the_memory_of_quantities_is_bounded(monkeypatch):
    monkeypatch.setattr(converter_module, "_MOST_RATIOS", 2)
    row = {"value": 1e-4, "from": "pytorch-adamw", "to": "tfa-adamw"}
    results = answers([{**row, "lr": n / 10} for n in range(1, 9)])
    assert [row["result"] for row in results] == [float(f"{n}e-5") for n in range(1, 9)]


def test_numbers_at_float64_s_end_take_the_exact_way(capsys):
    row = {"value": 1e-4, "from": "pytorch-adam", "to": "per-step-shrink", "lr": 0.1}
    extreme = [1e-300, 1e-100, 1e-9, 1e90, 1e300]
    rows = [{**row, "gradient_rms": size, "eps": 0} for size in extreme]
    for one, result in zip(rows, answers(rows), strict=True):
        expected = single(capsys, one)
        assert ("error" in result) == ("error" in expected)
        if "error" not in result:
            assert result["result"] == expected["conversions"][0]["value"]


def test_more_workers_than_a_float_counts_take_the_exact_way():
    row = {
        "value": 1,
        "from": "mean-l2",
        "to": "keras-l2",
        "grad_accum": 2e154,
        "world_size": 2e154,
    }
    assert answers([row])[0]["result"] == 1


def test_a_step_may_use_the_whole_data_set_and_no_more():
    row = {"value": 1, "from": "mean-l2", "to": "sum-l2"}
    sizes = [(10, 10), (10, 11), (9, 8), ("0.3", "0.3")]
    results = answers([{**row, "dataset_size": n, "batch_size": b} for n, b in sizes])
    assert [result.get("result") for result in results] == [10, None, 9, 0.3]
    results = answers(
        [{**row, "dataset_size": n} for n in (10, 11, 9)], defaults={"batch_size": "10"}
    )
    assert [result.get("result") for result in results] == [10, 11, None]


def test_blank_lines_are_no_rows_and_lines_may_end_in_crlf():
    text = json.dumps({"value": 1e-4, **SETTINGS})
    out, tally = run_bytes(f"\n  \n\ufeff{text}\r\n\n {text}".encode())
    assert [json.loads(line)["result"] for line in out] == [5e-05, 5e-05]
    assert tally.rows == 2


def test_results_of_an_earlier_run_are_replaced():
    row = {"value": 1e-4, **SETTINGS, "result": 7, "conversions": []}
    (line,), _ = run([row])
    assert line.count('"result":') == 1
    assert json.loads(line)["result"] == 5e-05


def test_bytes_that_are_no_utf8_make_a_bad_row_of_json_and_pass_through_csv():
    data = b'{"value": 1e-4, "name": "\xff"}\n{"value": 1e-4, "name": "\xc3\xa9"}\n'
    out, tally = run_bytes(data, SETTINGS)
    assert "not UTF-8" in out[0]
    assert json.loads(out[1])["name"] == "é"
    assert tally.failed == 1
    out, _ = run_bytes(b"value,name\n1e-4,\xff\n", SETTINGS, convert=convert_csv)
    assert out[1].startswith("1e-4,\udcff,5e-05,")


def test_a_network_in_a_row_gives_one_number_a_layer():
    row = {"value": 1e-3, "from": "mean-l2", "to": "layer-mean-l2", "arch": "4-3-2"}
    (result,) = answers([row])
    assert result["result"] is None
    assert len(result["result_layers"]) == 2
    out, _ = run(["value,from,to,arch", "1e-3,mean-l2,layer-mean-l2,4-3-2"], convert=convert_csv)
    assert "use JSON lines" in out[1]


def test_a_line_beyond_all_measure_is_refused(monkeypatch):
    monkeypatch.setattr(stream_module, "LONGEST_LINE", 100)
    monkeypatch.setattr(stream_module, "CHUNK", 64)
    with pytest.raises(stream_module.BadRowError, match="line 1 is longer"):
        run(["x" * 1000])


def test_memories_are_bounded(monkeypatch):
    monkeypatch.setattr(converter_module, "_MOST", 3)
    monkeypatch.setattr(converter_module, "_MOST_COLUMNS", 2)
    names = ("grad_accum", "world_size", "lr_mult", "update_share", "x", "y")
    rows = [{"value": 1e-4, **SETTINGS, "momentum": n / 10, names[n % 6]: 1} for n in range(9)]
    assert [row["result"] for row in answers(rows)] == [5e-05] * 9
    rows = [{"value": 1e-4, **SETTINGS, "loss": None, name: 1} for name in names for _ in range(2)]
    assert [row["result"] for row in answers(rows)] == [5e-05] * 12
    sources = ["caffe", "pytorch-sgd", "mean-half-l2", "jax-l2", "torch7-sgd"] * 2
    rows = [{"value": 1e-4, **SETTINGS, "from": source} for source in sources if source != "jax-l2"]
    assert [row["result"] for row in answers(rows)] == [5e-05] * 8


def test_a_default_of_an_unusual_size_holds_for_every_row():
    row = {"value": 1e-4, "from": "pytorch-adamw", "to": "tfa-adamw"}
    results = answers([row, row], defaults={"lr": "1e-90"})
    assert [result["result"] for result in results] == [1e-94, 1e-94]


# CSV


def test_csv_comes_back_as_it_was_with_columns_added():
    data = (
        "\ufeffname,value,from,to\r\n"
        '"a ""quoted"", name",1e-4,caffe,keras-l2\r\n'
        'Grüße,"2e-4",caffe,keras-l2\r\n'
        '"two\r\nlines",3e-4,"caffe",keras-l2\r\n'
        "\r\n"
        "plain,4e-4,caffe,\r\n"
    )
    out, tally = run_bytes(data.encode(), {"to": "mean-l2"}, convert=convert_csv)
    text = "\n".join(out)
    assert tally.rows == 4
    assert '"a ""quoted"", name",1e-4,caffe,keras-l2,5e-05,' in text
    assert '"two\r\nlines",3e-4,"caffe",keras-l2,0.00015' in text
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    before = list(csv.DictReader(io.StringIO(data.removeprefix("\ufeff"), newline="")))
    for old, new in zip(before, rows, strict=True):
        assert {name: new[name] for name in old} == old
    assert [float(row["result"]) for row in rows] == [5e-05, 0.0001, 0.00015, 0.0002]


def test_bad_csv_rows_have_their_error_in_its_own_column():
    rows = [
        "value,from,to",
        "1,caffe",
        "1,caffe,keras-l2,4",
        "x,caffe,keras-l2",
        "1,caffe,",
        '"1" 2,caffe,"keras-l2"',
        '1,caffe,"keras',
    ]
    out, tally = run(rows, convert=convert_csv)
    assert tally.failed == tally.rows == 6
    table = list(csv.reader(out))
    width = len(table[0])
    assert [len(row) for row in table] == [width, width, width + 1, width, width, width, width]
    assert "2 fields where the header has 3" in table[1][-1]
    assert "line 2: " in table[1][-1]
    assert "room for one target" in table[4][-1]
    assert "quoted field" in table[5][-1]


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("value,lr,lr", "occurs twice"),
        ("value,result", "is what a result is called"),
        ("run,weight_decay", "no column is called 'value'; found: 'run', 'weight_decay'$"),
        ("value;lr", "found: 'value;lr'; fields must be separated by commas, not by ';'$"),
        ("value\tlr", r"separated by commas, not by '\\t'$"),
        (",".join("x" * 30), "'x', and 10 more$"),
        ("value,lr", "give --from, or a column 'from'"),
        ("value,from", "room for one target: give one --to, or a column 'to'"),
    ],
)
def test_a_csv_header_that_cannot_be_meant_is_refused(header, error):
    with pytest.raises(DecaycalcError, match=error):
        run([header], convert=convert_csv)


def test_several_targets_are_refused_before_the_first_csv_row():
    defaults = {"from": "caffe", "to": ("keras-l2", "mean-l2")}
    with pytest.raises(UsageError, match="room for one target"):
        run(["value,to", "1,keras-l2"], defaults=defaults, convert=convert_csv)


def test_blank_lines_may_stand_before_a_csv_header():
    out, tally = run(["", " ", "value", "1e-4"], defaults=SETTINGS, convert=convert_csv)
    assert (tally.rows, tally.failed) == (1, 0)
    assert out[0].startswith("value,result")


def test_an_empty_file_has_no_rows():
    assert run_bytes(b"", convert=convert_csv)[1].rows == 0
    assert run_bytes(b"")[1].rows == 0


@given(
    st.lists(st.lists(st.text(max_size=6), min_size=3, max_size=3), max_size=6),
    st.sampled_from(["\n", "\r\n"]),
)
def test_other_columns_survive_whatever_they_hold(cells, end):
    # csv.writer leaves a lone carriage return unquoted, and csv.reader ends the record there.
    lost = str.maketrans("", "", "\0\r")
    cells = [
        [text.encode("utf-8", "ignore").decode().translate(lost) for text in row] for row in cells
    ]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator=end)
    writer.writerow(["a", "b", "c", "value"])
    for row in cells:
        writer.writerow([*row, "1e-4"])
    out, tally = run_bytes(stream.getvalue().encode(), SETTINGS, convert=convert_csv)
    assert tally.failed == 0
    table = list(csv.reader(io.StringIO("\n".join(out), newline="")))
    assert [row[:3] for row in table[1:]] == cells
    assert all(row[4] == "5e-05" for row in table[1:])


# The command


def command(*words, stdin=None):
    return subprocess.run(
        [sys.executable, "-m", "decaycalc", *words],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=60,
    )


def test_the_command_counts_bad_rows_on_stderr_and_leaves_with_status_1(tmp_path, capsys):
    source, target = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"value": 1e-4}\nx\n', encoding="utf-8")
    words = ["convert", "--from", "caffe", "--to", "keras-l2", "--input", str(source)]
    assert main([*words, "-o", str(target)]) == 1
    assert capsys.readouterr().err == "1 of 2 rows has an error\n"
    assert len(target.read_text().splitlines()) == 2
    source.write_text('{"value": 1e-4, "to": null}\n', encoding="utf-8")
    assert main([*words, "--to", "mean-l2", "-o", str(target)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"rows.jsonl", "out.jsonl"}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--input", "no-such-file"], "No such file"),
        (["--input", "-", "--json"], "--format json does not go with --input"),
        (["--input", "-", "--value"], "--value does not go with --input"),
        (["--input", "-", "--input-format", "csv", "--format", "jsonl"], "come back as csv"),
        (["--input-format", "csv"], "go with --input"),
        (["--input", "-", "--recipe", "gpt-3-175b"], "--recipe does not go with --input"),
        (["--on-error", "stop"], "go with --input"),
        (["--input", ".", "-o", "no/such/x.jsonl"], "directory"),
        (["--input", "-", "--input-format", "jsonl", "-o", "no/such/x.jsonl"], "No such file"),
        (["--input", "a.csv", "-o", "x.json"], "-o x.json does not go with --input: rows come"),
    ],
)
def test_options_that_bulk_has_no_use_for_are_refused(words, error, capsys):
    assert main(["convert", *words]) == 2
    out, err = capsys.readouterr()
    assert error in err
    assert out == ""


def test_standard_input_is_read_without_defaults_too(monkeypatch, capsysbinary):
    row = b'{"value": 1e-4, "from": "caffe", "to": "keras-l2"}'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(row))))
    assert main(["convert", "--input", "-"]) == 0
    assert b'"result": 5e-05' in capsysbinary.readouterr().out


def test_an_output_s_extension_must_be_the_rows_own_format(tmp_path, capsys):
    source = tmp_path / "rows.jsonl"
    source.write_text('{"value": 1, "from": "caffe", "to": "keras-l2"}\n{}\n{}\n')
    words = ["convert", "--input", str(source), "-o"]
    assert main([*words, str(tmp_path / "x.CSV")]) == 2
    assert "x.CSV does not go with --input: the rows come back as jsonl" in capsys.readouterr().err
    assert not (tmp_path / "x.CSV").exists()
    for more in (["x.rows"], ["x.csv", "--format", "jsonl"]):
        assert main([*words, str(tmp_path / more[0]), *more[1:]]) == 1
        assert (tmp_path / more[0]).read_text().startswith('{"value"')
        assert capsys.readouterr().err == "2 of 3 rows have errors\n"


@pytest.mark.parametrize(
    ("name", "data", "format_"),
    [
        ("-", b"\n \nvalue,from,to\n1e-4,caffe,keras-l2\n", "csv"),
        ("-", b'\xef\xbb\xbf{"value": 1e-4, "from": "caffe", "to": "keras-l2"}\n', "jsonl"),
        ("x.txt", b"value,from,to\n1e-4,caffe,keras-l2\n", "csv"),
        ("x.txt", b'{"value": 1e-4, "from": "caffe", "to": "keras-l2"}', "jsonl"),
    ],
)
def test_rows_are_known_by_their_first_character(tmp_path, name, data, format_):
    path = tmp_path / name
    if name != "-":
        path.write_bytes(data)
    source = name if name == "-" else str(path)
    done = command("convert", "--input", source, stdin=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (b'"result": 5e-05' if format_ == "jsonl" else b"keras-l2,5e-05") in done.stdout


def test_a_beginning_in_small_pieces_is_given_back_whole():
    class Drops(io.BytesIO):
        def read1(self, _size):
            return super().read1(1)

    begun = Begun(Drops(b"\n\n{}\n"))
    assert begun.format == "jsonl"
    assert begun.read1(9) == b"\n\n{"
    assert begun.read1(9) == b"}"
    assert Begun(Drops(b"[1]")).format == "jsonl"
    assert Begun(Drops(b"")).format == "jsonl"


@pytest.mark.parametrize(("name", "data"), [("x.csv", ""), ("x.csv", "value\n"), ("x.jsonl", "\n")])
def test_a_file_without_rows_is_noted_and_is_no_failure(tmp_path, capsys, monkeypatch, name, data):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(data)
    words = ["convert", "--input", name, "--from", "caffe", "--to", "keras-l2"]
    assert main(words) == 0
    assert capsys.readouterr().err == f"note: '{name}' holds no rows\n"
    assert main([*words, "-q"]) == 0
    assert capsys.readouterr().err == ""


def test_csv_is_known_by_its_extension_and_stdin_by_its_dash(tmp_path):
    source = tmp_path / "rows.CSV"
    source.write_text("value\n1e-4\n", encoding="utf-8")
    words = ["convert", "--from", "caffe", "--to", "keras-l2", "--input"]
    by_file = command(*words, str(source))
    by_pipe = command(*words, "-", "--input-format", "csv", stdin=b"value\n1e-4\n")
    assert by_file.stdout == by_pipe.stdout
    assert b"1e-4,5e-05,l2" in by_file.stdout


def test_the_first_result_comes_before_the_last_row_is_read():
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "decaycalc",
            "convert",
            "--from",
            "caffe",
            "--to",
            "keras-l2",
            "--input",
            "-",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    process.stdin.write(b'{"value": 1e-4}\n')
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["result"] == 5e-05
    process.stdin.write(b'{"value": 2e-4}\n')
    process.stdin.close()
    assert json.loads(process.stdout.readline())["result"] == 1e-4
    assert process.wait() == 0
    process.stdout.close()
    watchdog.cancel()


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads Linux's /proc")  # noqa: PTH110
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_memory_stays_below_60_mb_whatever_the_settings(kind):
    script = (
        "import sys\n"
        "from decaycalc.cli.main import main\n"
        "words = 'convert --from caffe --to keras-l2 -q --input - --input-format'.split()\n"
        f"main([*words, '{kind}'])\n"
        "peak = [line for line in open('/proc/self/status') if line.startswith('VmHWM')]\n"
        "print(peak[0].split()[1], file=sys.stderr)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    row = '{{"value": 1e-{0}, "lr": 0.{1}, "momentum": 0.{2}, "k{2}": 1}}\n'
    if kind == "csv":
        process.stdin.write(b"value,lr,momentum\n")
        row = "1e-{0},0.{1},0.{2}\n"
    for n in range(20_000):
        process.stdin.write(row.format(n % 7 + 3, n + 1, n % 300).encode())
    process.stdin.close()
    peak = int(process.stderr.read().split()[-1])
    process.stderr.close()
    assert process.wait() == 0
    assert peak < 60_000, f"{peak} kB"


def test_a_reader_that_goes_away_ends_the_work_without_a_word(tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text('{"value": 1e-4}\n' * 50_000, encoding="utf-8")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "decaycalc",
            "convert",
            "--from",
            "caffe",
            "--to",
            "keras-l2",
            "--input",
            str(source),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 1


def test_an_interrupt_ends_the_work_in_one_line_and_leaves_no_file(tmp_path):
    target = tmp_path / "out.jsonl"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "decaycalc",
            "convert",
            "--from",
            "caffe",
            "--to",
            "keras-l2",
            "--input",
            "-",
            "-o",
            str(target),
        ],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Whoever runs the tests in the background may ignore interrupts, and with it its children.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  (none here)
    )
    process.stdin.write(b'{"value": 1e-4}\n')
    process.stdin.flush()
    while not list(tmp_path.iterdir()) and process.poll() is None:
        pass
    process.send_signal(signal.SIGINT)
    assert process.stderr.read().strip() == b"interrupted"
    assert process.wait(30) == 130
    process.stderr.close()
    process.stdin.close()
    assert not list(tmp_path.iterdir())


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_shows_on_a_terminal_when_the_work_is_long(monkeypatch, tmp_path, capsysbinary):
    from decaycalc.cli import rows

    monkeypatch.setattr(rows, "_PATIENCE", 0.0)
    monkeypatch.setattr(sys, "stderr", Terminal())
    source = tmp_path / "rows.jsonl"
    source.write_text('{"value": 1e-4}\nx\n', encoding="utf-8")
    words = ["convert", "--from", "caffe", "--to", "keras-l2", "--input", str(source)]
    assert main(words) == 1
    assert "\r2 rows, 1 failed" in sys.stderr.getvalue()
    monkeypatch.setattr(rows, "_PATIENCE", 100.0)
    assert main(words) == 1
    assert sys.stderr.getvalue().count("rows,") == 1
    capsysbinary.readouterr()


OWN = """
[[convention]]
key = "acme-sgd"
aliases = ["acme"]
title = "Acme's SGD(decay=)"
parameter = "decay"
strength = "2*decay/loss_scale"
update = "g = g + 2*decay*w; w = w - lr*heavy_ball(g)"
source = "acme/sgd.py, line 12"
"""


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """A folder with a user's conventions in mine.toml, worked in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(OWN)
    return tmp_path


def rows_of(capsys, *words):
    """Return the status, the rows and the last line of stderr of a conversion of rows."""
    status = main(["convert", "--input", *words])
    out, err = capsys.readouterr()
    return status, out.splitlines(), err.rstrip("\n").rpartition("\n")[2]


def test_a_users_conventions_are_known_in_the_rows_of_json_lines(acme, capsys):
    (acme / "in.jsonl").write_text(
        '{"value": 1e-4, "from": "acme-sgd", "to": "pytorch-sgd"}\n'
        '{"value": 1e-4, "from": "pytorch-sgd", "to": ["ACME", "keras-l2"]}\n'
        '{"value": 1e-4, "from": "acme-sdg", "to": "keras-l2"}\n'
    )
    status, out, last = rows_of(capsys, "in.jsonl", "--conventions", "mine.toml")
    rows = [json.loads(line) for line in out]
    assert (status, last) == (1, "1 of 3 rows has an error")
    assert rows[0]["result"] == 0.0002
    assert [each["value"] for each in rows[1]["conversions"]] == [5e-05, 5e-05]
    assert rows[2]["error"]["message"].startswith("unknown convention 'acme-sdg'")
    assert "acme-sgd" in rows[2]["error"]["message"]


def test_a_users_conventions_are_known_in_csv_columns_and_beside_the_rows(acme, capsys):
    (acme / "in.csv").write_text("value,from\n1e-4,acme\n2e-4,acme_sgd\n")
    status, out, _ = rows_of(
        capsys, "in.csv", "--conventions", "mine.toml", "--to", "pytorch-sgd",
    )  # fmt: skip
    assert status == 0
    assert [line.split(",")[2] for line in out[1:]] == ["0.0002", "0.0004"]
    (acme / "in.csv").write_text("value\n1e-4\n")
    words = ("in.csv", "--conventions", "mine.toml", "--from", "pytorch-sgd", "--to", "acme-sgd")
    status, out, _ = rows_of(capsys, *words)
    assert (status, out[1].split(",")[1]) == (0, "5e-05")


def test_the_projects_own_conventions_are_known_in_rows_and_unknown_elsewhere(acme, capsys):
    (acme / "in.jsonl").write_text('{"value": 1e-4, "from": "acme-sgd", "to": "keras-l2"}\n')
    status, out, _ = rows_of(capsys, "in.jsonl")
    assert (status, "unknown convention 'acme-sgd'" in out[0]) == (1, True)
    table = OWN.replace("convention]]", "tool.decaycalc.convention]]")
    (acme / "pyproject.toml").write_text(table)
    status, out, _ = rows_of(capsys, "in.jsonl")
    assert (status, json.loads(out[0])["result"]) == (0, 1e-4)


@pytest.mark.usefixtures("acme")
def test_a_file_of_conventions_that_is_not_there_is_named_before_any_row(capsys):
    status, out, last = rows_of(capsys, "-", "--conventions", "none.toml")
    assert (status, out) == (2, [])
    assert "cannot read 'none.toml'" in last
