import json
from typing import Any

import jsonschema
import pytest

from decaycalc.algebra.quantity import EXTRAS, NUMBERS
from decaycalc.cli.main import main
from decaycalc.report.document_types import DOCUMENTS, OTHERS
from decaycalc.report.schemas import NAMES, schema
from tests.schemas import schema_of, schemas

NUMBER_NAMES = {quantity.name for quantity in NUMBERS}
EXTRA_NAMES = {quantity.name for quantity in EXTRAS}

# Command lines of every kind of output, by the document that they write.
OUTPUTS = {
    "convert": (
        "convert 1e-4 --from pytorch-sgd",
        "convert --from pytorch-sgd --to keras-l2",
        "convert 1e-3 --from mean-l2 -a 9-8-7 -N 60000 -B 128 --lr 0.1 --momentum 0.9 --epochs 3",
        "convert 1e-3 --from mean-l2 -a 9-8-7 --lr 0.1 --steps 9 --schedule cosine --all",
        "convert 1e-3 --from mean-l2 --to layer-mean-l2 -a 4-3-2",
        "convert 0.1 --from pytorch-adamw --lr 1e-3 --to half-life-steps",
        "convert 1e-4 --from pytorch-sgd --to batch-sum-l2 -B 10 --lr 0.1 --to-momentum 0.9",
        "convert 1e-4 --from pytorch-adam --gradient-rms 0.1 --lr 0.1 --steps 50",
        "convert 0 --from caffe --lr 0.1",
        "convert 1e-4 --from keras-l2 --lr 0.1 --loss 8 --optimizer sgd -B 32 --grad-accum 2",
        "convert 1e-3 --from mean-l2 --lr 0.1 -a 4-3-2 --group fc:lr*2 --explain",
        "convert 1e-3 --from mean-l2 --to keras-l2 --lr 0.1 --explain",
        "convert 1e-3 --from mean-l2 --lr 0.1 --emit pytorch",
    ),
    "conventions": ("conventions", "conventions --search lamb", "conventions tfa-lamb"),
    "schedule": (
        "schedule 0.1 --from pytorch-adamw --lr 1e-3 --steps 10",
        "schedule 0.1 --from pytorch-adamw --lr 1e-3 --steps 100 --schedule cosine -B 10 -N 100",
        "schedule 5e-4 --from caffe --lr 0.01 --momentum 0.9 --steps 100",
        "schedule --list",
    ),
    "arch": (
        "arch 4-3-2",
        "arch 25.6e6",
        "arch resnet18 0.05 --from pytorch-adamw --lr 1e-3 --depth 1",
    ),
    "transfer": (
        "transfer 0.1 --from pytorch-adamw --lr 1e-3 -B 32 --to-batch-size 64",
        "transfer 1e-4 --from caffe --lr 1e-3 -B 32 -N 1000 --epochs 3 --to-batch-size 64",
        "transfer 0.1 --from pytorch-adamw --lr 1e-3 -B 32 --to-batch-size 64 --betas 0.9 0.999",
        "transfer 0.1 --from pytorch-adamw --lr 1e-3 --to-width-ratio 2 --explain --all",
        "transfer 0.1 --from pytorch-adamw --lr 1e-3 -B 1M -N 10B --epochs 1 --parameters 100M",
        "transfer 0.1 --from pytorch-adamw --lr 1 --lr-rule none --hold step --emit pytorch",
    ),
    "recipes": ("recipes", "recipes resnet-50-he", "recipes resnet-50-he --emit pytorch"),
    "verify": (
        "verify 1e-4 --from pytorch-sgd --to keras-l2 --lr 0.1",
        "verify 0.1 --from pytorch-adamw --to tfa-adamw --lr 1e-3 --to-value 0.2",
        "verify 1e-4 --from pytorch-sgd --to keras-sgd --lr 0.1 --momentum 0.9",
    ),
    "suggest": ("suggest --lr 1e-3 -B 256 -N 1.28M --epochs 90 --to pytorch-adamw",),
    "rule": ("check --explain DC201",),
    "probe": ("probe tests.training.live.frameworks:one_of_each",),
    "compare": ("compare resnet-50-he resnet-50-torch7",),
    "inspect": (
        "inspect resnet-50-he",
        "inspect gpt-2-124m-nanogpt",
    ),
    "config": ("convert 1 --from caffe --to keras-l2 --show-config",),
    "version": ("--version",),
}


def validator(name):
    return jsonschema.Draft202012Validator(schema(name))


def closed(part):
    """Return a schema whose objects may hold nothing that it does not name."""
    if isinstance(part, list):
        return [closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    inner = {key: closed(value) for key, value in part.items()}
    named = isinstance(part.get("properties"), dict) and "additionalProperties" not in part
    return {**inner, "additionalProperties": False} if named else inner


def closed_validator(name):
    """Return what refuses a document that holds what its schema does not."""
    whole = schema(name)
    bodies = whole.get("anyOf", whole.get("allOf", [whole]))
    heads = [{**body, "properties": {**whole["properties"], **body["properties"]}}
             for body in bodies]  # fmt: skip
    return jsonschema.Draft202012Validator({"anyOf": closed(heads)})


def refusals(name, document):
    """Return what the closed schema has against a document, the paths with their messages."""
    found = jsonschema.exceptions.best_match(closed_validator(name).iter_errors(document))
    return [] if found is None else [(found.json_path, found.message)]


@pytest.mark.parametrize("name", NAMES)
def test_each_schema_is_one(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize(
    ("name", "words"), [(name, words) for name in OUTPUTS for words in OUTPUTS[name]]
)
def test_an_output_is_what_its_schema_says(name, words, capsys):
    main([*words.split(), "--json"])
    out, err = capsys.readouterr()
    if out:
        document = json.loads(out)
        validator(name).validate(document)
        assert refusals(name, document) == []
    else:
        validator("error").validate(json.loads(err.splitlines()[-1]))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("convert x --from caffe", "invalid-value"),
        ("convert 1 --from cafe", "unknown-name"),
        ("convert 1 --from keras-l2 --to sklearn-logistic", "missing-quantity"),
        ("convert 1 --from caffe --lr 0.1 --nesterov", "contradiction"),
        ("convert 1 --from caffe -a 4-3-", "syntax"),
        ("check no-such-file.toml", "unreadable-file"),
        ("convert 1 --from pytorch-adam --to pytorch-adamw", "no-equivalent"),
        ("convert 1 --nonsense", "usage"),
    ],
)
def test_an_error_is_an_object_of_its_kind(words, kind, capsys):
    assert main([*words.split(), "--json"]) in {1, 2}
    out, err = capsys.readouterr()
    assert out == ""
    error = json.loads(err.splitlines()[-1])
    validator("error").validate(error)
    assert error["error"]["type"] == kind


def test_checks_and_rows_are_what_their_schemas_say(tmp_path, capsys):
    path = tmp_path / "checks.toml"
    path.write_text('[a]\nvalue = 1\nfrom = "caffe"\nto = "keras-l2"\nequals = 0.5\n[b]\nvalue=1\n')
    assert main(["check", str(path), "--json"]) == 2
    checks = json.loads(capsys.readouterr().out)
    validator("check").validate(checks)
    assert refusals("check", checks) == []
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        '{"to": "keras-l2"}\n{"to": "layer-mean-l2", "arch": "4-3-2", "from": "mean-l2"}\n'
        '{"to": "keras-l3"}\n{}\n'
    )
    target = tmp_path / "out.jsonl"
    assert (
        main(["convert", "1e-3", "--from", "caffe", "--input", str(rows), "-o", str(target)]) == 1
    )
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    names = ("row", "row", "bad-row", "row-of-conversions")
    assert set(names) | {"error"} == set(OTHERS)
    for name, line in zip(names, lines, strict=True):
        own = {key: value for key, value in line.items() if key not in {"to", "arch", "from"}}
        validator(name).validate(line)
        if name != "bad-row":  # an error has further fields of its kind
            assert refusals(name, own) == []


def test_the_command_prints_them(capsys):
    assert main(["schema"]) == 0
    assert capsys.readouterr().out.split() == list(NAMES)
    assert main(["schema", "convert"]) == 0
    assert json.loads(capsys.readouterr().out) == schema("convert")
    assert main(["schema", "convrt"]) == 2
    assert "did you mean 'convert'" in capsys.readouterr().err


def test_a_schema_refuses_what_is_not_so(capsys):
    assert main(["convert", "1e-4", "--from", "caffe", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    for wrong in ({"schema": "x"}, {"strength": "1"}, {"conversions": [{}]}, {"decay": 1}):
        with pytest.raises(jsonschema.ValidationError):
            validator("convert").validate({**document, **wrong})
    validator("convert").validate({**document, "new": 1})


def test_a_closed_schema_refuses_a_field_that_nobody_declared(capsys):
    assert main(["convert", "1e-4", "--from", "caffe", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert refusals("convert", document) == []
    assert refusals("convert", {**document, "new": 1})
    source = {**document["source"], "new": 1}
    assert refusals("convert", {**document, "source": source})


def test_every_document_is_run_against_its_closed_schema():
    assert {*OUTPUTS, "check"} == set(DOCUMENTS)


def test_the_run_of_a_schema_is_made_of_the_quantities():
    body = schema("inspect")["allOf"][0]
    assert {*NUMBER_NAMES, *EXTRA_NAMES} < set(body["properties"]["run"]["properties"])


def test_the_stored_schemas_are_those_of_the_annotations():
    assert {name: schema(name) for name in NAMES} == schemas()


def test_an_object_is_described_by_its_docstring():
    body = schema("compare")["allOf"][0]
    assert body["description"] == "Two runs side by side, and what makes their decays differ."


def test_anything_may_stand_where_nothing_is_said():
    assert schema_of(dict[str, Any]) == {"type": "object", "additionalProperties": {}}
    assert schema_of(tuple[int, ...]) == {"type": "array", "items": {"type": "integer"}}
