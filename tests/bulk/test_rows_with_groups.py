"""Rows, checks and the API with groups: what the command says of them, by the same parser."""

import io
import json

import pytest

from decaycalc.answers import Question
from decaycalc.api import answer
from decaycalc.bulk.csv_rows import convert_csv
from decaycalc.bulk.json_rows import convert_jsonl
from decaycalc.bulk.stream import Stream
from decaycalc.checks import parse_checks, run_check
from decaycalc.cli.main import main
from decaycalc.conventions.catalogue import find
from decaycalc.errors import InvalidValueError, MissingQuantityError
from decaycalc.grouped_answers import answer_of_group, grouped_answer

BASE = {"value": "0.01", "from": "pytorch-adamw", "lr": "2e-4", "to": "tfa-adamw"}
ASKED = [
    {"group": "lora_B:lr*16"},
    {"group": "lora_B:lr=0.5,wd*3,update_share=0.25,towards=initial"},
    {"group": ["lora_B:lr*16", "wte:wd=0", "bias:wd=0.3"]},
    {"group": ["fc1:wd=0.1", "weight:lr*0.5"], "arch": "784-300-10", "decay_mask": "all"},
    {"group": "fc1:lr*1", "arch": "784-300-10"},
    {"group": "bias:lr*2", "arch": "784-300-10"},
    {"group": "B:lr*4", "to": ["tfa-adamw", "per-step-shrink", "pytorch-adamw"]},
    {"group": "B:lr*4", "to": "keras-adamw", "to_lr": "0.1"},
    {"group": "B:wd*4", "from": "pytorch-sgd", "momentum": "0.9", "batch_size": "128",
     "dataset_size": "60000", "epochs": "10", "schedule": "cosine", "decay_schedule": "linear"},
    {"group": "B:lr*1e5"},
    {"group": "B:lr*2,lr*3"},
    {"group": "(B:lr*2"},
    {"group": "conv:lr*2", "arch": "784-10"},
    {"group": "x"},
]  # fmt: skip


def of_rows(rows):
    sink = io.BytesIO()
    convert_jsonl(Stream(io.BytesIO("\n".join(map(json.dumps, rows)).encode()), sink), {})
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def of_command(row, capsys):
    names = {"value": None, "from": "--from", "to": "--to", "group": "--group"}
    words = ["convert", row["value"], "--json"]
    for name, said in row.items():
        flag = names.get(name, f"--{name.replace('_', '-')}")
        for text in said if isinstance(said, list) else [said]:
            words += [] if flag is None else [flag, text]
    status = main(words)
    out, err = capsys.readouterr()
    return json.loads(out) if status == 0 else json.loads(err.splitlines()[-1])


@pytest.mark.parametrize("asked", ASKED)
def test_rows_with_groups_say_what_the_command_says(asked, capsys):
    row = {**BASE, **asked}
    expected = of_command(row, capsys)
    for found in of_rows([row, row]):
        if "error" in expected:
            assert found["error"] == expected["error"]
            continue
        assert found["result_groups"] == expected["groups"]
        assert found["result_warnings"] == expected["warnings"]
        made = expected["conversions"]
        assert found.get("conversions", made) == made


@pytest.mark.parametrize("asked", ASKED)
def test_a_check_is_of_the_group_that_its_rule_makes(asked, capsys):
    row = {**BASE, **asked}
    if isinstance(row["group"], list) or isinstance(row["to"], list):
        return
    expected = of_command(row, capsys)
    fields = "".join(f"{name} = {json.dumps(said)}\n" for name, said in row.items())
    (check,) = parse_checks(f'[a]\n{fields}quantity = "shrink"\nmin = 0\n', path="c.toml")
    found = run_check(check)
    if "error" in expected:
        assert found.message == expected["error"]["message"]
        return
    pattern = row["group"].partition(":")[0]
    groups = {each["name"]: each for each in reversed(expected["groups"])}
    group = groups.get(pattern, expected["groups"][0])
    assert found.actual == pytest.approx(group["shrink"], rel=1e-12)
    for number in group["conversions"]:
        (check,) = parse_checks(f"[a]\n{fields}equals = {number['value']}\n", path="c.toml")
        assert run_check(check).passed


def test_the_api_gives_the_groups_as_the_command_does(capsys):
    row = {**BASE, **ASKED[2]}
    found = answer(
        "0.01", source="pytorch-adamw", targets=["tfa-adamw"], lr="2e-4", groups=row["group"]
    ).to_dict()
    assert found["groups"] == of_command(row, capsys)["groups"]
    assert "groups" not in answer("0.01", source="pytorch-adamw", lr="2e-4").to_dict()


def test_options_are_the_defaults_of_rows_groups_too(tmp_path, capsys):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(BASE), encoding="utf-8")
    assert main(["convert", "--input", str(path), "--group", "B:lr*16", "--group", "w:wd=0"]) == 0
    names = [each["name"] for each in json.loads(capsys.readouterr().out)["result_groups"]]
    assert names == ["others", "B", "w"]


def test_groups_have_no_room_in_csv():
    sink = io.BytesIO()
    text = "value,from,to,lr,group\n0.01,pytorch-adamw,tfa-adamw,2e-4,B:lr*16\n"
    assert convert_csv(Stream(io.BytesIO(text.encode()), sink), {}).failed == 1
    assert b"groups have no room in CSV: use JSON lines" in sink.getvalue()


def test_a_group_needs_a_value_and_a_check_one_rule():
    question = Question(source=find("pytorch-adamw"), groups=("B:lr*2",))
    with pytest.raises(MissingQuantityError, match="value"):
        grouped_answer(question)
    two = Question(source=find("pytorch-adamw"), value="0.1", groups=("B:lr*2", "A:lr*3"))
    with pytest.raises(InvalidValueError, match="one rule"):
        answer_of_group(two)
    (row,) = of_rows([{**BASE, "group": [["B:lr*2"]]}])
    assert "must be a rule" in row["error"]["message"]
