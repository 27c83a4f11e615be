"""JSON, TOML, YAML and Python as trees whose scalars keep their text and line."""

import sys

import pytest

from decaycalc.errors import MissingExtraError, UnreadableFileError
from decaycalc.training.trainers.syntax import tree, yaml_events
from decaycalc.training.trainers.syntax.data import parse_json, parse_toml
from decaycalc.training.trainers.syntax.python_text import parse_python
from decaycalc.training.trainers.syntax.tree import (
    Entries,
    Items,
    Scalar,
    find,
    from_file,
    joined,
    key_paths,
    leaves,
)
from decaycalc.training.trainers.syntax.yaml_events import parse_yaml


def text_at(root, path):
    node = find(root, path)
    if isinstance(node, Items):
        return [part.text for part in node.items]
    return node.text if isinstance(node, Scalar) else node


def place(root, path):
    return find(root, path).line


def test_json_keeps_numbers_and_lines():
    text = (
        '{"a": {"lr": 3e-4,\n "b": [1, 2.50]},\n "lr": 1,\n "t": true, "s\\"": "x\\ny", "n": null}'
    )
    root = parse_json(text, "f")
    assert text_at(root, "a.lr") == "3e-4"
    assert text_at(root, "a.b") == ["1", "2.50"]
    assert (place(root, "a.b"), place(root, "lr"), place(root, "a.lr")) == (2, 3, 1)
    assert (text_at(root, "t"), text_at(root, "n")) == ("true", None)


@pytest.mark.parametrize(
    "text", ["", "[1]", '{"a": NaN}', '{"a": 1, "a": 2}', '{"a":' * 2000, "{'a': 1}"]
)
def test_broken_json_is_refused(text):
    with pytest.raises(UnreadableFileError):
        parse_json(text, "f")


def test_json_nested_beyond_any_configuration_is_refused():
    with pytest.raises(UnreadableFileError, match="nested"):
        parse_json('{"a":' * 150 + "1" + "}" * 150, "f")


def test_toml_keeps_numbers_and_lines():
    text = "lr = 1e-4 # x\n[a.b]\n'c d' = [1, 2]\nbig = 5_000\nt = true\n[[list]]\nx = 1\n"
    root = parse_toml(text, "f")
    assert (text_at(root, "lr"), place(root, "lr")) == ("1e-4", 1)
    assert (text_at(root, "a.b.big"), place(root, "a.b.big")) == ("5000", 4)
    assert text_at(root, "a.b.t") == "true"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a", "line 1, column 2"),
        ("a = 0x" + "f" * 5000, "thousands of digits"),
        ("a = " + "[" * 3000, "nested|not TOML"),
    ],
)
def test_broken_toml_is_refused(text, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        parse_toml(text, "f")


def test_yaml_keeps_texts_and_lines_and_builds_nothing():
    text = (
        "# c\nlr: 1e-4\nn: null\nq: 'null'\nbig: 100_000\nl: [1, 2]\nm: {a: 1}\n"
        "new: !new:torch.optim.SGD\n  lr: 1\npy: !!python/object/apply:os.system ['touch canary']\n"
        "? [1]\n: 2\nempty:\n"
    )
    root = parse_yaml(text, "f")
    assert (text_at(root, "lr"), place(root, "lr")) == ("1e-4", 2)
    assert (text_at(root, "n"), text_at(root, "q"), text_at(root, "empty")) == (None, "null", None)
    assert text_at(root, "big") == "100_000"
    assert text_at(root, "new.lr") == "1"
    assert text_at(root, "py") == ["touch canary"]


def test_yaml_merges_and_aliases_are_followed():
    text = "a: &a {x: 1, y: 2}\nb: &b {x: 3}\nc:\n  <<: [*a, *b]\n  y: 5\nd: *a\n<<: {z: 9}\n"
    root = parse_yaml(text, "f")
    assert (text_at(root, "c.x"), text_at(root, "c.y"), text_at(root, "d.y")) == ("1", "5", "2")
    assert text_at(root, "z") == "9"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a", "no YAML mapping"),
        ("", "no YAML mapping"),
        ("a: [", "line 2"),
        ("a: " + "[" * 100, "nested more than"),
        ("a: \x01", "."),
        ("a: \ud800", "it is not YAML"),
    ],
)
def test_broken_yaml_is_refused(text, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        parse_yaml(text, "f")


def test_an_alias_without_its_anchor_is_open():
    assert find(parse_yaml("a: *x", "f"), "a").open == "*x"


def test_an_endless_yaml_is_refused(monkeypatch):
    monkeypatch.setattr(yaml_events, "MOST_NODES", 3)
    with pytest.raises(UnreadableFileError, match="more than 3 values"):
        parse_yaml("a: [1, 2, 3, 4]", "f")


def test_yaml_needs_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtraError, match=r"decaycalc\[yaml\]"):
        parse_yaml("a: 1", "f")


def test_a_bomb_of_aliases_is_bounded(monkeypatch):
    lines = ["a0: &a0 {x: 1, y: 2}"]
    lines += [f"a{i}: &a{i} {{p: *a{i - 1}, q: *a{i - 1}}}" for i in range(1, 25)]
    monkeypatch.setattr(tree, "_MOST_PATHS", 500)
    root = parse_yaml("\n".join(lines), "f")
    assert len(key_paths(root)) == 500
    assert len(list(leaves(root))) == 500


def test_references_are_followed_within_the_file():
    root = parse_yaml("a: {b: 3}\nc: ${a.b}\nd: ${c}\ne: ${nowhere}\nf: ${f}\ng.h: 4\n", "f")
    assert (text_at(root, "c"), text_at(root, "d"), text_at(root, "g.h")) == ("3", "3", "4")
    assert "is not in the file" in find(root, "e").open
    assert "is not in the file" in find(root, "f").open
    assert find(root, "a.b.c") is None
    assert find(root, "a.x.y") is None


def test_neighbours_are_joined_with_their_name():
    under = from_file(parse_yaml("a: {x: 1, y: [2]}\nb: 3", "base"), "base.yaml")
    root = joined(under, parse_yaml("a: {x: 9}\nc: 4", "f"))
    assert (text_at(root, "a.x"), text_at(root, "a.y"), text_at(root, "b")) == ("9", ["2"], "3")
    assert (find(root, "b").file, find(root, "a.x").file) == ("base.yaml", "")


PYTHON = '''
"""A configuration."""
import os
base_lr = 1e-4 * 2
n: int = 5_000
hexed = 0x10
half = n // 3 - 1
power = 2 ** -2
negative = -n
plain = dict(type="AdamW", lr=base_lr, betas=(0.9, 0.999))
literal = {"a": 1, 2: 3, "f": open("x")}
called = torch.optim.SGD(lr=0.1, momentum=None)
run = os.system("touch canary")
flag = True
chosen = plain["lr"]
again = plain.lr
x, y = 1, 2
a[0] = 3
two = three = 7


class C:
    lr = 3


def get_config():
    local = 0.5
    config = ConfigDict()
    config.lr = local
    config.input = {}
    config.input.batch_size = 512
    config["wd"] = 0.1
    return config
'''


def test_python_is_read_and_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = parse_python(PYTHON, "f")
    assert not list(tmp_path.iterdir())
    expected = {
        "base_lr": "0.0002",
        "n": "5000",
        "hexed": "16",
        "half": "1665",
        "power": "0.25",
        "negative": "-5000",
        "plain.type": "AdamW",
        "plain.lr": "0.0002",
        "plain.betas": ["0.9", "0.999"],
        "literal.a": "1",
        "called._call_": "torch.optim.SGD",
        "called.momentum": None,
        "flag": "True",
        "chosen": "0.0002",
        "again": "0.0002",
        "two": "7",
        "three": "7",
        "config.lr": "0.5",
        "config.input.batch_size": "512",
        "config.wd": "0.1",
    }
    assert {path: text_at(root, path) for path in expected} == expected
    assert find(root, "run").open == "is computed at run time"
    assert find(root, "literal.f").open == "is computed at run time"
    assert find(root, "local") is None
    assert place(root, "base_lr") == 4


@pytest.mark.parametrize(
    "expression",
    [
        "1 + " * 990 + "1",
        "-" * 1500 + "1",
        "0x" + "f" * 5000,
        "2 ** 10 ** 10",
        "9 ** 400 * 9 ** 400 * 9 ** 400 * 9 ** 400",
        "1 / 0",
        "1 % 2",
        "'a' * 3",
        "unknown",
        "known.x",
        "[1][0]",
        "f'{1}'",
        "b'x'",
        "f()(a=1)",
        "not 1",
        "[" * 60 + "]" * 60,
    ],
)
def test_what_cannot_be_known_stays_open(expression):
    root = parse_python(f"known = 1\nvalue = {expression}\n", "f")
    node = find(root, "value")
    while isinstance(node, Items):
        (node,) = node.items
    assert node.open


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a = (", "line 1: it is not Python"),
        ("a = " + "(" * 5000, "not Python"),
        ("print(1)", "assigns nothing"),
        ("a" * 400_001, "longer than"),
        ("a = '\\d'\nb = \0", "not Python"),
    ],
)
def test_broken_python_is_refused(text, reason):
    with pytest.raises(UnreadableFileError, match=reason):
        parse_python(text, "f")


def test_python_that_overwhelms_its_parser_is_refused(monkeypatch):
    def overwhelmed(_):
        raise RecursionError

    monkeypatch.setattr("ast.parse", overwhelmed)
    with pytest.raises(UnreadableFileError, match="nested too deeply"):
        parse_python("a = 1", "f")


def test_what_is_nested_too_deeply_is_left_out():
    root = Entries(entries={"lr": Scalar(text="1")})
    for _ in range(40):
        root = Entries(entries={"a": root})
    assert list(leaves(root)) == []


def test_an_empty_mapping_has_no_keys():
    assert key_paths(Entries()) == frozenset()


def test_tags_of_an_application_name_what_they_make():
    text = (
        "opt: !name:torch.optim.AdamW\n    lr: !ref <rate>\nrate: 0.5\nlist: [!One {a: 1}]\n"
        "bare: !new:a.B\nsum: !ref <rate> * 2\nfolder: !PLACEHOLDER\npart: !ref <opt[lr]>\n"
        "float: !!float 2\n"
    )
    root = parse_yaml(text, "f")
    assert text_at(root, "opt._call_") == "name:torch.optim.AdamW"
    assert [text_at(root, path) for path in ("opt.lr", "part", "bare", "float")] == [
        "0.5", "0.5", "new:a.B", "2"
    ]  # fmt: skip
    assert find(root, "sum").open == "<rate> * 2 is computed at run time"
    assert find(root, "folder").open == "it is a placeholder"
    assert find(root, "list").items[0].entries["_call_"].text == "One"
