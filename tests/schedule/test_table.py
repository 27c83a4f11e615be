"""Schedules from files."""

import json
from pathlib import Path

import numpy as np
import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.schedule import parse_schedule
from decaycalc.schedule.table import ScheduleOf, TableSource, read_table


def write(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "0,0\n10,1\n20,0.5\n"),
        ("a.csv", "step,multiplier\r\n0,0\r\n10,1\r\n\r\n20,0.5\r\n"),
        ("a.csv", "\ufeffmultiplier, note, Step\n0,x,0\n1,y,10\n0.5,z,20\n"),
        ("a.json", "[[0, 0], [10, 1], [20, 0.5]]"),
        (
            "a.json",
            json.dumps(
                {"curve": [{"step": s, "multiplier": m} for s, m in ((0, 0), (10, 1), (20, 0.5))]}
            ),
        ),
    ],
)
def test_rows_are_read_from_csv_and_json(tmp_path: Path, name: str, text: str) -> None:
    path = write(tmp_path, name, text)
    table = read_table(path)
    assert table.steps == (0, 10, 20)
    assert table.multipliers() == (0, 1, 0.5)
    steps = np.array([0.0, 5, 10, 15, 20, 25])
    line = parse_schedule(f'file:"{path}"', total_steps=30)
    assert line.multiplier(steps) == pytest.approx([0, 0.5, 1, 0.75, 0.5, 0.5])
    held = parse_schedule(f'file:"{path}",interpolate=hold', total_steps=30)
    assert held.multiplier(steps) == pytest.approx([0, 0, 1, 1, 0.5, 0.5])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "3,0.5\n"),
        ("a.csv", "step,multiplier\n3,0.5\n"),
        ("a.json", "[[3, 0.5]]"),
        ("a.json", '[{"step": 3, "multiplier": 0.5}]'),
    ],
)
def test_one_row_is_a_schedule(tmp_path: Path, name: str, text: str) -> None:
    table = read_table(write(tmp_path, name, text))
    assert (table.steps, table.multipliers()) == ((3,), (0.5,))


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.csv", "", "it has no rows"),
        ("a.csv", "a,b\nc,d\n", "expected rows of (step, multiplier) and nothing else"),
        ("a.csv", "step,loss\n0,1\n", "it has no column of lr, learning_rate, multiplier"),
        ("a.csv", "step,multiplier\n0,1\n10\n", "row 3 has 1 cells, the heading 2"),
        ("a.csv", "step,lr\n0,0\n10,0\n", "its lr is 0 throughout"),
        ("a.json", "[[0, 1], [1" + "0" * 400 + ", 1]]",
         "expected rows of (step, multiplier) and nothing else"),
        ("a.json", "[[0, 1], [1" + "0" * 5000 + ", 1]]",
         "expected rows of (step, multiplier) and nothing else"),
        ("a.json", "[" * 100_000, "expected rows of (step, multiplier) and nothing else"),
        ("a.json", "[]", "it has no rows"),
        ("a.json", "[[0, 1e300]]", "multiplier 1e+300 is more than 1e9 of 1"),
        ("a.json", '{"log_history": [{"loss": 1, "step": 3}]}',
         "its log_history holds no lr or learning_rate"),
        ("a.json", '{"log_history": [{"learning_rate": 1}]}',
         "expected rows of (step, multiplier) and nothing else"),
        ("a.csv", "0,1,2\n", "expected rows of (step, multiplier) and nothing else"),
        ("a.json", "{", "expected rows of (step, multiplier) and nothing else"),
        ("a.json", "3", "expected rows of (step, multiplier) and nothing else"),
        ("a.json", '{"x": 3}', "expected rows of (step, multiplier) and nothing else"),
        ("a.json", "[[0, NaN]]", "row (0, nan) has a number that is negative or infinite"),
        ("a.csv", "0,-1\n", "row (0, -1) has a number that is negative or infinite"),
        ("a.csv", "10,1\n10,2\n", "step 10 does not come after 10"),
        ("a.csv", b"\xff\xfe\x00", "byte 1 is not UTF-8: save it so"),
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_with_the_reason(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_table(write(tmp_path, name, text))
    assert caught.value.reason == reason


@pytest.mark.parametrize("column", ["lr", "learning_rate", "Learning_Rate"])
def test_a_learning_rate_is_taken_over_the_peak(tmp_path: Path, column: str) -> None:
    path = write(tmp_path, "a.csv", f"step,{column},loss\n0,0,9\n10,5e-4,8\n20,1e-4,7\n")
    steps = np.array([0.0, 5, 10, 20])
    own = parse_schedule(f"file:{path}", total_steps=30)
    assert own.multiplier(steps) == pytest.approx([0, 0.5, 1, 0.2])
    name = column.lower()
    assert own.notes() == (f"file: {name} is taken over its largest value, 0.0005",)
    same = parse_schedule(f"file:{path}", total_steps=30, peak=5e-4)
    assert same.multiplier(steps) == pytest.approx([0, 0.5, 1, 0.2])
    assert same.notes() == ()
    higher = parse_schedule(f"file:{path}", total_steps=30, peak=1e-3)
    assert higher.multiplier(steps) == pytest.approx([0, 0.25, 0.5, 0.1])
    assert higher.notes() == (f"file: {name} rises to 0.0005, 0.5 of 0.001",)


def test_a_weight_decay_is_read_for_the_decay_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "step,lr,weight_decay\n0,1,0.04\n10,0,0.4\n")
    decay = parse_schedule(f"file:{path}", total_steps=10, of=ScheduleOf.DECAY, peak=0.04)
    assert decay.multiplier(np.array([0.0, 5])) == pytest.approx([1, 5.5])
    lr = parse_schedule(f"file:{path}", total_steps=10, peak=1.0)
    assert lr.multiplier(np.array([0.0, 5])) == pytest.approx([1, 0.5])
    curve = json.dumps({"curve": [{"step": 0, "multiplier": 1, "decay_multiplier": 3}]})
    path = write(tmp_path, "b.json", curve)
    assert read_table(path, TableSource(of=ScheduleOf.DECAY)).values == (3,)
    assert read_table(path).values == (1,)


def test_a_trainers_log_tells_the_lr_of_the_step_before(tmp_path: Path) -> None:
    log = [{"step": s, "learning_rate": lr, "loss": 1} for s, lr in ((1, 1e-3), (11, 5e-4))]
    state = {"log_history": [*log, {"step": 11, "eval_loss": 2}], "global_step": 11}
    path = write(tmp_path, "trainer_state.json", json.dumps(state))
    found = parse_schedule(f"file:{path}", total_steps=20, peak=1e-3)
    assert found.multiplier(np.array([0.0, 5, 10, 19])) == pytest.approx([1, 0.75, 0.5, 0.5])
    assert found.notes() == (
        (
            "file: learning_rate is known at 2 logged steps; between them it is interpolated,"
            " before the first and after the last it stays"
        ),
    )


def test_only_regular_files_are_read() -> None:
    with pytest.raises(UnreadableFileError, match="not a regular file"):
        read_table("/dev/zero")


def test_missing_files_are_named() -> None:
    with pytest.raises(UnreadableFileError, match=r"cannot read 'nowhere\.csv': No such file"):
        read_table("nowhere.csv")
