"""Rows answer as the single command does, whatever they give: the same numbers, notes and errors.

The rows of a run share plans by their kinds; the single command's answer is made here with every
such memory emptied, so nothing that is kept can stand in for what is worked out.
"""

import csv
import io
import json
import random

import pytest

from decaycalc.answers import answer_of
from decaycalc.bulk.csv_rows import convert_csv
from decaycalc.bulk.fields import SETTINGS, question_of
from decaycalc.bulk.json_rows import convert_jsonl
from decaycalc.bulk.stream import Stream
from decaycalc.cli.main import main
from decaycalc.conventions.catalogue import conventions
from decaycalc.conversion import kept_plans
from decaycalc.errors import DecaycalcError
from decaycalc.record import replace

COMMON = ("pytorch-sgd", "pytorch-adamw", "keras-l2", "mean-l2", "sum-l2", "tfa-adamw", "caffe",
          "per-step-shrink", "sklearn-logistic", "half-life-steps")  # fmt: skip
CHOICES = {
    "lr": lambda rng: 10 ** rng.uniform(-4, 1.5),
    "momentum": lambda rng: rng.choice([0, 1, 0.5, 0.9, 0.99, 0.999999, rng.random()]),
    "dampening": lambda rng: rng.choice([0, 0.1, 0.9, rng.random()]),
    "nesterov": lambda rng: rng.choice([True, False, "yes"]),
    "batch_size": lambda rng: rng.choice([1, 32, 128, 0.5, rng.randrange(1, 600)]),
    "grad_accum": lambda rng: rng.choice([1, 4, 2.5]),
    "world_size": lambda rng: rng.choice([1, 8]),
    "dataset_size": lambda rng: rng.choice([1, 50000, 1281167, rng.randrange(500, 10**6)]),
    "epochs": lambda rng: rng.choice([1, 90, 0.5]),
    "steps": lambda rng: rng.choice([1, 1000, 35190]),
    "drop_last": lambda _: True,
    "loss": lambda rng: rng.choice(["mean", "batch-sum", "dataset-sum"]),
    "to_lr": lambda rng: rng.choice([0.1, 10 ** rng.uniform(-4, 0)]),
    "to_momentum": lambda rng: rng.choice([0, 0.9, rng.random()]),
    "to_dampening": lambda rng: rng.choice([0, 0.5]),
    "to_nesterov": lambda _: True,
    "to_batch_size": lambda rng: rng.choice([1, 64, rng.randrange(1, 600)]),
    "to_loss": lambda rng: rng.choice(["mean", "batch-sum", "dataset-sum"]),
    "match": lambda rng: rng.choice(["optimum", "decay"]),
    "dtype": lambda rng: rng.choice(["bfloat16", "float32", "float64", "int8"]),
    "arch": lambda rng: rng.choice(["784-300-100-10", "lenet-300-100", "12345"]),
    "decay_mask": lambda rng: rng.choice(["all", "no-1d"]),
    "init": lambda rng: rng.choice(["he", "glorot"]),
    "classes": lambda rng: rng.choice([10, 1000]),
    "no_bias": lambda _: True,
    "gradient_rms": lambda rng: 10 ** rng.uniform(-3, 0),
    "eps": lambda rng: rng.choice([0, 1e-8]),
    "lr_mult": lambda rng: rng.choice([1, 2, 0.3]),
    "decay_mult": lambda rng: rng.choice([1, 2, 0.3]),
    "nbs": lambda _: 64,
    "l1_ratio": lambda rng: rng.choice([0, 0.15, 0.5]),
    "update_share": lambda rng: rng.choice([0.1, 1]),
    "optimizer": lambda rng: rng.choice(["sgd", "sgd", "adam", "momentum"]),
    "rounding": lambda rng: rng.choice(["nearest", "stochastic", "master"]),
    "strict": lambda rng: rng.choice([True, False]),
}
OFTEN = frozenset({"lr", "batch_size", "dataset_size"})


def value_of(rng):
    usual = 10 ** rng.uniform(-7, 0.5)
    return rng.choice([usual, usual, usual, 0, 1, "1/3", 64, 10 ** rng.uniform(0, 3), 1e-290, -1])


def kin_of(rng, names, keys):
    """Return rows that give the same quantities between conventions of these keys."""
    source = rng.choice(keys)
    target = rng.choice([rng.choice(keys), rng.choice(keys), rng.sample(keys, 3), None])
    fixed = {name: CHOICES[name](rng) for name in names}
    rows = []
    for _ in range(4):
        row = {"value": value_of(rng), "from": source, "to": target, **fixed}
        for name in names:
            if not isinstance(fixed[name], str | bool):
                row[name] = CHOICES[name](rng) if rng.random() < 0.8 else fixed[name]
        rows.append(row)
    return rows


def alone(text):
    """Return what the single command's function says of a row: results, or the error's text."""
    kept_plans._KEPT.clear()
    kept_plans._SIDES.clear()
    row = json.loads(text, parse_float=str, parse_int=str)
    fields = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in row.items()
        if value is not None
    }
    try:
        reply = answer_of(replace(question_of(fields), value=fields["value"]))
    except DecaycalcError as error:
        return str(error)
    if isinstance(fields.get("to"), str) and reply.conversions[0].missing:
        return f"{fields['from']} to {fields['to']} needs to_lr"
    return [made.to_dict() for made in reply.conversions], list(reply.warnings)


def of_row(text):
    """Return the same of a row that came back."""
    row = json.loads(text)
    if "error" in row:
        return row["error"]["message"]
    if "conversions" in row:
        return row["conversions"], row["result_warnings"]
    names = {"value": "result", "parameter": "result_parameter", "lr": "result_lr",
             "equivalence": "result_equivalence", "note": "result_note",
             "assumptions": "result_assumptions"}  # fmt: skip
    made = {name: row[field] for name, field in names.items()}
    return [{**made, "layers": row.get("result_layers", [])}], row["result_warnings"]


def compare(rows):
    """Hold the rows' answers against the single command's; return how many had one."""
    texts = [json.dumps(row) for row in rows]
    sink = io.BytesIO()
    convert_jsonl(Stream(io.BytesIO("\n".join([*texts, *texts, ""]).encode()), sink), {})
    out = sink.getvalue().decode().splitlines()
    answered = 0
    for text, first, second in zip(texts, out[: len(rows)], out[len(rows) :], strict=True):
        expected = alone(text)
        for line in (first, second):
            found = of_row(line)
            if not isinstance(expected, str) and not isinstance(found, str):
                if "conversions" not in json.loads(line):
                    names = found[0][0].keys()
                    expected = [{n: e[n] for n in names} for e in expected[0]], expected[1]
                answered += 1
            assert found == expected, text
    return answered


@pytest.mark.parametrize("seed", range(3))
def test_rows_answer_as_the_single_command_whatever_they_give(seed):
    rng = random.Random(seed)  # noqa: S311  (no secrets)
    every = [record.key for record in conventions()]
    rows = []
    for number in range(40):
        keys = every if number % 4 == 0 else list(COMMON)
        often = [name for name in OFTEN if rng.random() < 0.8]
        names = [*often, *(n for n in CHOICES if n not in OFTEN and rng.random() < 0.06)]
        if "arch" not in names:
            names = [n for n in names if n not in {"decay_mask", "init", "no_bias"}]
        rows += kin_of(rng, names, keys)
    assert compare(rows) > 30


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_every_option_of_a_row_answers_as_the_single_command(name):
    rng = random.Random(name)  # noqa: S311  (no secrets)
    names = [*sorted(OFTEN - {name}), name]
    names += ["arch"] * (name in {"decay_mask", "init", "no_bias"})
    compare([row for _ in range(4) for row in kin_of(rng, names, list(COMMON))])


def test_every_field_that_a_row_may_have_is_among_those_tried():
    untried = (
        SETTINGS - CHOICES.keys() - {"from", "to", "all", "schedule", "decay_schedule", "group"}
    )
    assert untried <= {
        "lr_initial", "lr_max", "lambd", "wd_ratio", "eta", "target_std", "n_leaf",
        "keep_probability", "length_scale",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"value": "1", "from": "pytorch-sgd", "to": "tfa-adamw", "lr": "0.1",
          "momentum": "0.9"}, ""),
        ({"value": "0.5", "from": "pytorch-sgd", "to": "pytorch-adamw", "lr": "0.1",
          "momentum": "0.99", "to_lr": "1e-3"}, ""),
        ({"value": "0.1", "from": "pytorch-adamw", "to": "tfa-adamw", "lr": "1e-7"},
         "float32 rounding"),
        ({"value": "0.1", "from": "pytorch-adamw", "to": "tfa-adamw", "lr": "1e-7",
          "dtype": "float64"}, ""),
        ({"value": "15", "from": "pytorch-adamw", "to": "tfa-adamw", "lr": "0.1"},
         "changes sign in every step"),
        ({"value": "0.1", "from": "pytorch-adamw", "to": "tfa-adamw", "lr": "1e-7",
          "dtype": "float32"}, "float32 rounding"),
        ({"value": "0.1", "from": "pytorch-adamw", "to": "tfa-adamw", "lr": "1e-3",
          "dataset_size": "100", "batch_size": "30"}, "an epoch is 4 steps"),
    ],
)  # fmt: skip
def test_the_command_line_says_of_a_row_what_it_says_alone(row, text, capsys):
    words = ["convert", row["value"], "--json"]
    for name, value in row.items():
        words += [] if name == "value" else [f"--{name.replace('_', '-')}", value]
    status = main(words)
    out, err = capsys.readouterr()
    sink = io.BytesIO()
    before = {**row, "value": "1e-5"}
    lines = "\n".join(map(json.dumps, (before, row)))
    convert_jsonl(Stream(io.BytesIO(lines.encode()), sink), {})
    found = json.loads(sink.getvalue().splitlines()[1])
    assert ("error" in found) == (status != 0)
    if status:
        assert found["error"]["message"] in err
    else:
        assert found["result"] == json.loads(out)["conversions"][0]["value"]
        assert found["result_warnings"] == json.loads(out)["warnings"]
        assert text in " ".join(found["result_warnings"])


def test_csv_rows_have_their_warnings_in_a_column():
    rows = ["value,from,to,lr,batch_size,dataset_size"]
    rows += [f"0.1,pytorch-adamw,tfa-adamw,1e-3,{batch},100" for batch in (30, 30, 25)]
    sink = io.BytesIO()
    convert_csv(Stream(io.BytesIO("\n".join(rows).encode()), sink), {})
    table = list(csv.DictReader(io.StringIO(sink.getvalue().decode())))
    assert [row["result_warnings"][:19] for row in table] == ["an epoch is 4 steps"] * 2 + [""]


def test_kinds_that_are_refused_or_swallowed_by_rounding_answer_as_the_single_command():
    lengths = {"steps": 391, "epochs": 1, "dataset_size": 50000, "batch_size": 128}
    refused = {"value": 0.1, "from": "pytorch-adamw", "to": "tfa-adamw", "lr": 0.1}
    proximal = {"value": 0.1, "from": "timm-adan", "to": "per-step-shrink"}
    rows = [
        *({**refused, "momentum": 0.9, **lengths, "steps": steps} for steps in (391, 390, 1)),
        *({**refused, "momentum": 0.9, "lr": lr} for lr in (0.1, 0.2, -1)),
        *({**proximal, "lr": lr} for lr in (0.1, 1e-7, 1e-9)),
        *({**proximal, "from": "pytorch-sgd", "momentum": m, "dampening": 0.1, "lr": lr}
          for m, lr in ((0.9, 0.1), (0.8, 1e-8), (0.99, 1e-9), (0.5, 3e-7))),
        *({**refused, "to": ["tfa-adamw", "keras-adamw"], "momentum": 0.9, "lr": lr}
          for lr in (0.1, 0.2)),
    ]  # fmt: skip
    assert compare(rows) > 10
