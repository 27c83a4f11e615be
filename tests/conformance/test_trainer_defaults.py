"""The defaults in the trainers' tables against the trainers' own packages, read by ast."""

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.trainers import hf_trainer, ultralytics


def source_of(module):
    """Return the path of a module's file without importing what is heavy."""
    package, _, rest = module.partition(".")
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"{package} is not installed")
    return Path(spec.origin).parent.joinpath(*rest.split("."))


def dataclass_defaults(path, name):
    """Return the literal defaults of a dataclass's fields, `field(default=...)` or bare."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    (body,) = [n.body for n in module.body if isinstance(n, ast.ClassDef) and n.name == name]
    found = {}
    for statement in body:
        if not isinstance(statement, ast.AnnAssign) or statement.value is None:
            continue
        value = statement.value
        if isinstance(value, ast.Call):
            value = next((k.value for k in value.keywords if k.arg == "default"), None)
        try:
            found[statement.target.id] = ast.literal_eval(value)
        except (ValueError, TypeError):
            continue
    return found


# warmup_ratio and adafactor are of transformers 4; optim and steps follow from other things.
ELSEWHERE = {"optimizer", "steps"}
FIELDS = [
    (field, path)
    for field in hf_trainer.FIELDS
    for path in field.paths
    if field.default is not None and field.name not in ELSEWHERE
]


@pytest.mark.parametrize(("field", "path"), FIELDS, ids=lambda each: getattr(each, "name", each))
def test_training_arguments_have_the_defaults_of_the_table(field, path):
    file = source_of("transformers.training_args").with_suffix(".py")
    known = dataclass_defaults(file, "TrainingArguments")
    if path not in known or known[path] is None:
        pytest.skip(f"{path} is not a literal of this release")
    own, number = known[path], typed_number(field.default)
    if number is None:
        assert str(own).lower() == field.default.lower()
    else:
        assert typed_number(repr(own) if isinstance(own, float) else str(own)) == number


def test_optimizer_names_are_all_mapped_or_refused():
    file = source_of("transformers.training_args").with_suffix(".py")
    module = ast.parse(file.read_text(encoding="utf-8"))
    (body,) = [
        n.body for n in module.body if isinstance(n, ast.ClassDef) and n.name == "OptimizerNames"
    ]
    names = [s.value.value for s in body if isinstance(s, ast.Assign)]

    class Silent:
        def flag(self, _):
            return False

    assert len(names) > 30
    for name in names:
        found = hf_trainer.find_optim(name, Silent())
        assert found.convention or found.refusal, name
        assert "has no convention here" not in found.refusal, name


def test_ultralytics_has_the_defaults_of_the_table():
    yaml = pytest.importorskip("yaml")
    file = source_of("ultralytics.cfg") / "default.yaml"
    known = yaml.safe_load(file.read_text(encoding="utf-8"))
    for field in ultralytics.TRAINER.fields:
        for path in field.paths:
            if field.default is not None and known.get(path) is not None:
                assert str(known[path]).lower() == field.default or typed_number(
                    str(known[path])
                ) == typed_number(field.default), path
