"""What is said of the other run is called in complaints as it was said: --to-lr, not lr."""

import json

import numpy as np
import pytest

from decaycalc import convert
from decaycalc.cli.main import main
from decaycalc.conventions.runs import TARGET_FIELDS
from decaycalc.errors import ContradictionError, InvalidValueError

NUMBERS = [name for name in TARGET_FIELDS if name != "nesterov"]
FROM = "convert 5e-4 --from pytorch-adamw --to pytorch-sgd --lr 1e-3 -B 8"
MOVED = "transfer 5e-4 --from pytorch-adamw --lr 1e-3 -B 8 -N 1000 --epochs 3"
OF_A_MOVE = ["dataset_size", "epochs", "steps", "width_ratio", "depth_ratio", "parameters"]


@pytest.mark.parametrize("bad", ["-1", "nan", "x"])
@pytest.mark.parametrize("name", NUMBERS)
def test_a_target_quantity_is_called_by_its_flag(capsys, name, bad):
    flag = f"--to-{name.replace('_', '-')}"
    assert main([*FROM.split(), flag, bad]) == 2
    assert capsys.readouterr().err.startswith(f"error: {flag} ")


@pytest.mark.parametrize("name", [*NUMBERS, *OF_A_MOVE])
def test_so_is_one_of_a_moved_run(capsys, name):
    flag = f"--to-{name.replace('_', '-')}"
    assert main([*MOVED.split(), flag, "-1"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {flag} ")


@pytest.mark.parametrize("name", NUMBERS)
def test_python_arrays_rows_assertions_and_a_configuration_call_it_to(
    capsys, tmp_path, monkeypatch, name
):
    ends = {"source": "pytorch-adamw", "target": "pytorch-sgd", "lr": 1e-3, "batch_size": 8}
    for value in ("5e-4", np.array([5e-4, 5e-3])):
        with pytest.raises(InvalidValueError, match=f"^to_{name} '?-1"):
            convert(value, **ends, **{f"to_{name}": -1})
    ends = {"value": "5e-4", "from": "pytorch-adamw", "to": "pytorch-sgd", "lr": 1e-3}
    row = {**ends, f"to_{name}": -1}
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(row))
    assert main(["convert", "--input", str(rows)]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["name"] == f"to_{name}"
    assert error["message"].startswith(f"to_{name} ")
    checks = tmp_path / "checks.toml"
    checks.write_text(
        "[c]\nequals = 1\n" + "\n".join(f"{key} = {json.dumps(row[key])}" for key in row)
    )
    assert main(["check", str(checks), "--json"]) == 2
    assert f'"to_{name} ' in capsys.readouterr().out
    monkeypatch.setenv(f"DECAYCALC_TO_{name.upper()}", "-1")
    assert main(FROM.split()) == 2
    assert f"--to-{name.replace('_', '-')} " in capsys.readouterr().err


def test_a_contradiction_says_of_which_run():
    with pytest.raises(ContradictionError, match=r"^the other run: nesterov needs a momentum"):
        convert(1, source="pytorch-sgd", target="keras-sgd", to_nesterov=True)
    with pytest.raises(ContradictionError, match=r"^the other run: dataset_size 100 is below"):
        convert(
            1, source="sum-l2", target="pytorch-sgd",
            dataset_size=100, batch_size=10, to_batch_size=1000,
        )  # fmt: skip
    with pytest.raises(ContradictionError, match=r"^nesterov needs a momentum"):
        convert(1, source="pytorch-sgd", target="keras-sgd", nesterov=True, to_lr=1)
