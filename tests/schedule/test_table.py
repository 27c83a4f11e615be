"""Schedules from files."""

import json
from pathlib import Path

import numpy as np
import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.schedule import parse_schedule
from decaycalc.schedule.table import read_table


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
    assert table.multipliers == (0, 1, 0.5)
    steps = np.array([0.0, 5, 10, 15, 20, 25])
    line = parse_schedule(f'file:"{path}"', total_steps=30)
    assert line.multiplier(steps) == pytest.approx([0, 0.5, 1, 0.75, 0.5, 0.5])
    held = parse_schedule(f'file:"{path}",interpolate=hold', total_steps=30)
    assert held.multiplier(steps) == pytest.approx([0, 0, 1, 1, 0.5, 0.5])


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.csv", "", "it has no rows"),
        ("a.csv", "a,b\nc,d\n", "expected rows of (step, multiplier) and nothing else"),
        ("a.csv", "step,lr\n0,1\n", "expected rows of (step, multiplier) and nothing else"),
        ("a.csv", "0,1,2\n", "expected rows of (step, multiplier) and nothing else"),
        ("a.json", "{", "expected rows of (step, multiplier) and nothing else"),
        ("a.json", "3", "expected rows of (step, multiplier) and nothing else"),
        ("a.json", '{"x": 3}', "expected rows of (step, multiplier) and nothing else"),
        ("a.json", "[[0, NaN]]", "row (0, nan) has a number that is negative or endless"),
        ("a.csv", "0,-1\n", "row (0, -1) has a number that is negative or endless"),
        ("a.csv", "10,1\n10,2\n", "step 10 does not come after 10"),
        ("a.csv", b"\xff\xfe\x00", "it is no text"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_reason(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    with pytest.raises(UnreadableFileError) as caught:
        read_table(write(tmp_path, name, text))
    assert caught.value.reason == reason


def test_missing_files_are_named() -> None:
    with pytest.raises(UnreadableFileError, match=r"cannot read 'nowhere\.csv': No such file"):
        read_table("nowhere.csv")
