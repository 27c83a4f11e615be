"""The count of skipped tests is held, and every stage that CI counts has its bound."""

import re
from pathlib import Path

import pytest

from tests import skipped

RUN = Path(__file__).parents[1] / ".ci" / "run"


@pytest.mark.parametrize(
    ("log", "count"),
    [
        ("....\n8991 passed, 6 skipped in 158.44s (0:02:38)\n", 6),
        ("= 20 passed, 1 xfailed in 0.61s =\n", 0),
        ("1 passed, 5 skipped in 1.00s\n2 passed, 3 skipped in 1.00s\nconformance: 1\n", 3),
        ("nothing of pytest: 3 skipped\n", None),
    ],
)
def test_the_last_summary_of_a_log_counts(log, count):
    assert skipped.count_skipped(log) == count


@pytest.mark.parametrize(
    ("summary", "status"),
    [
        ("9 passed, 2 skipped in 1.00s", 0),
        ("9 passed in 1.00s", 0),
        ("9 passed, 3 skipped in 1.00s", 1),
        ("killed", 1),
    ],
)
def test_more_skipped_tests_than_the_bound_end_a_run(
    tmp_path, monkeypatch, capsys, summary, status
):
    monkeypatch.setitem(skipped.MOST, "plain", 2)
    log = tmp_path / "test.log"
    log.write_text(summary + "\n")
    assert skipped.main(["plain", str(log)]) == status
    assert capsys.readouterr().out.startswith("plain: ")


def test_every_bound_is_a_stage_of_the_run():
    called = re.findall(r"hold_skipped (\S+)", RUN.read_text(encoding="utf-8"))
    assert set(called) == set(skipped.MOST)
