"""Settings: what a trainer asks of a file, each answer with its origin."""

from fractions import Fraction

import pytest

from decaycalc.training.reading.arguments import element
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.recognise import find_trainer
from decaycalc.training.reading.settings import Settings
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.sniffing import Syntax
from decaycalc.training.trainers.syntax.yaml_events import parse_yaml


def settings(text, **given):
    document = Document(name="f", syntax=Syntax.YAML, root=parse_yaml(text, "f"))
    return Settings(document, find_trainer("hf-trainer"), given)


def test_a_name_without_a_field_is_missing():
    assert settings("a: 1").find("unheard").origin == "missing"


def test_paths_are_looked_at_without_being_consulted():
    found = settings("a: {b: [1, 2], c: null}\nd: 1\n")
    assert list(found.entries("a")) == ["b", "c"]
    assert found.entries("d") == {}
    assert found.texts("a.b") == ("1", "2")
    assert (found.has("a.b"), found.has("a.c"), found.has("x")) == (True, False, False)
    assert found.consulted == {}


def test_what_is_asked_for_is_consulted_once():
    found = settings("weight_decay: 0.1")
    assert found.number("weight_decay") == found.number("weight_decay") == Fraction(1, 10)
    assert list(found.consulted) == ["weight_decay"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("betas: [0.9, 0.95]", "0.95"),
        ("betas: (0.9,0.98)", "0.98"),
        ("betas: 0.9", None),
        ("a: 1", None),
    ],
)
def test_an_element_is_one_number_of_a_list_or_text(text, value):
    found = element("beta2", "betas", 1).derive(settings(text))
    assert (None if found is None else found.value) == value


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(10**400, 3), f"{10**400}/3"),
        (Fraction(1, 10**400), f"1/{10**400}"),
        (Fraction(3, 2), "1.5"),
    ],
)
def test_a_number_of_any_size_has_a_text(number, text):
    assert decimal_text(number) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [("1_000", 1000), ("1__0", None), ("0x10", None), ("1e999", None), ("", None)],
)
def test_numbers_are_read_as_typed(text, number):
    assert typed_number(text) == number


@pytest.mark.parametrize("text", ["null", "''", "None", "'None'"])
def test_what_is_not_set_has_the_default(text):
    found = settings(f"per_gpu_train_batch_size: {text}\nper_device_train_batch_size: 4")
    assert found.number("batch_size") == 4


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("max_steps: ${.own}\nown: 7\n", "7"),
        ("max_steps: ${a.b}\na: {b: '${.c}', c: '${..d}'}\nd: 8\n", "8"),
        ("max_steps: ${.absent}\n", None),
        ("max_steps: ${multiply:2,3}\n", None),
    ],
)
def test_references_are_followed_and_resolvers_are_not(text, value):
    found = settings(text).find("steps")
    assert (found.value, bool(found.note)) == (value, value is None)
