"""`inspect --live module:callable`: the user's own code, run only when asked."""

import json
import sys

import pytest

from decaycalc.cli.main import main
from decaycalc.errors import InvalidValueError, NoEquivalentError
from decaycalc.training.live.loading import load
from tests.training.live.frameworks import AdamW, module, network, tensor

__all__ = ["module"]


def test_a_callable_returns_an_optimizer_or_a_pair(module):
    optimizer, model = AdamW([tensor(2)]), network()
    name = module(one=lambda: optimizer, two=lambda: (optimizer, model),
                  three=lambda: (optimizer, model, 3))  # fmt: skip
    assert load(f"{name}:one") == (optimizer, None, None)
    assert load(f"{name}:two") == (optimizer, model, None)
    assert load(f"{name}:three") == (optimizer, model, 3)


def test_a_module_of_the_working_directory_is_found(tmp_path, monkeypatch, capsys):
    (tmp_path / "own_training.py").write_text("print('hello')\nclass A:\n    make = lambda: 3\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    assert load("own_training:A.make") == (3, None, None)
    assert sys.path == before
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load("own_training:A.make") == (3, None, None)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "hello\n")
    sys.modules.pop("own_training")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train.py", "module:callable"),
        ("no_such_module_here:make", "ModuleNotFoundError"),
        ("made_by_a_test:gone", "AttributeError"),
        ("made_by_a_test:fails", "ZeroDivisionError: one two"),
    ],
)
def test_what_fails_is_one_line(module, text, words):
    def fails():
        raise ZeroDivisionError("one\ntwo")

    module(fails=fails)
    with pytest.raises(InvalidValueError, match=words) as refused:
        load(text)
    assert "\n" not in str(refused.value)


def test_a_script_that_leaves_is_a_failure_whatever_status_it_leaves_with(module):
    def leaves():
        raise SystemExit(0)

    with pytest.raises(InvalidValueError, match="failed with SystemExit: 0"):
        load(f"{module(leaves=leaves)}:leaves")


def test_our_own_errors_pass(module):
    def fails():
        raise NoEquivalentError("a", "b", "c")

    with pytest.raises(NoEquivalentError):
        load(f"{module(fails=fails)}:fails")


def test_the_command_inspects_what_the_callable_makes(module, capsys):
    model = network()
    name = module(make=lambda: (AdamW(model.tensors.values(), lr=1e-3), model))
    assert main(["inspect", "--live", f"{name}:make", "--json", "--steps", "100"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["source"]["kind"] == "live"
    assert document["convention"] == "pytorch-adamw"
    assert {found["code"] for found in document["findings"]} >= {"DC201"}
    assert main(["inspect", "--live", f"{name}:make"]) == 0
    assert "decay per step" in capsys.readouterr().out


def test_a_kind_beside_live_is_refused(module, capsys):
    assert main(["inspect", "--live", f"{module()}:make", "--kind", "timm"]) == 2
    assert "--live takes none" in capsys.readouterr().err
