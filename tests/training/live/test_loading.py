"""`inspect --live module:callable`: the user's own code, run only when asked."""

import json
import sys
from types import SimpleNamespace

import pytest

from decaycalc.cli.main import main
from decaycalc.errors import InvalidValueError, NoEquivalentError
from decaycalc.training.live.loading import load
from tests.findings.test_reported_cases import ORDINARY
from tests.training.live.frameworks import AdamW, module, network, tensor
from tests.training.live.test_scheduler import Falling

__all__ = ["module"]


def test_a_callable_returns_an_optimizer_or_a_pair(module):
    optimizer, model = AdamW([tensor(2)]), network()
    name = module(one=lambda: optimizer, two=lambda: (optimizer, model),
                  three=lambda: (optimizer, model, 3))  # fmt: skip
    assert load(f"{name}:one") == (optimizer, None, None)
    assert load(f"{name}:two") == (optimizer, model, None)
    assert load(f"{name}:three") == (optimizer, model, 3)


def test_a_scheduler_may_stand_beside_an_optimizer_alone(module):
    optimizer = AdamW([tensor(2)])
    scheduler = SimpleNamespace(optimizer=optimizer, step=lambda: None)
    mapping = {"scheduler": scheduler, "interval": "step"}
    name = module(plain=lambda: (optimizer, scheduler), mapped=lambda: (optimizer, mapping))
    assert load(f"{name}:plain") == (optimizer, None, scheduler)
    assert load(f"{name}:mapped") == (optimizer, None, mapping)


def test_a_schedulers_lr_is_told_from_the_shell_over_the_runs_steps(module, capsys):
    def make():
        held = AdamW([{"params": [tensor(2, 2)]}, {"params": [tensor(2)], "weight_decay": 0.0}],
                     lr=1e-3, weight_decay=0.1)  # fmt: skip
        return held, Falling(held, lambda t: 1 - t / 100)

    name = module(make=make)
    assert main(["inspect", "--live", f"{name}:make", "--steps", "100", "--json"]) == 0
    group, other = json.loads(capsys.readouterr().out)["groups"]
    assert group["lr_range"] == pytest.approx([1e-5, 1e-3])
    assert group["sum_shrink"] == pytest.approx(1e-4 * 50.5)
    assert [each["step"] for each in group["curve"]][:3] == [0, 5, 10]
    assert group["curve"][-1] == {"step": 99, "lr": pytest.approx(1e-5), "weight_decay": 0.1}
    assert (other["curve"][0]["weight_decay"], len(other["curve"])) == (0, 21)
    assert main(["inspect", "--live", f"{name}:make", "--steps", "100"]) == 0
    out = capsys.readouterr().out
    assert "0.001 to 0.00001; lowest 0.00001, highest 0.001" in out
    assert "0.00505" in out
    assert main(["inspect", "--live", f"{name}:make", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"][0]["curve"] is None


def test_a_schedulers_lr_is_told_where_the_decay_has_no_sum(module, capsys):
    def make():
        held = type("Mine", (AdamW,), {"step": lambda _: None})([tensor(2, 2)])
        return held, Falling(held)

    name = module(make=make)
    assert main(["inspect", "--live", f"{name}:make", "--steps", "10"]) == 0
    out = capsys.readouterr().out
    assert "lr, by step" in out
    assert "Σ lr·λ" not in out


def test_a_configuration_is_laid_beside_an_optimizer_from_the_shell(module, capsys, tmp_path):
    path = tmp_path / "train_gpt2.py"
    path.write_text(ORDINARY["train_gpt2.py"], encoding="utf-8")
    name = module(make=lambda: AdamW([tensor(2, 2)], weight_decay=0.01))
    assert main(["inspect", "--live", f"{name}:make", "--configured", str(path)]) == 0
    out = capsys.readouterr().out
    assert "DC111 warning  weight_decay 1e-1 is configured, but the groups hold 0.01" in out
    assert main(["inspect", str(path), "--configured", str(path)]) == 2
    assert "compare" in capsys.readouterr().err


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
