"""The benchmarks, which are run by hand, still fit the code they measure."""

import io
import json
import math
import subprocess
import sys
from importlib import import_module

import pytest
from rich.console import Console

from tests.benchmarks import __main__ as program
from tests.benchmarks import bench_architecture, bench_bulk, bench_schedule, bench_startup
from tests.benchmarks.measure import (
    Bound,
    Timing,
    ratio,
    time_calls,
    time_commands,
    worst_of_groups,
)

NEEDED = {"calls": "pint"}  # what only a benchmark needs


def test_there_are_benchmarks_of_every_promise():
    promised = {"architecture", "arrays", "bulk", "calls", "checkpoint", "schedule", "startup"}
    assert promised == set(program.names())


@pytest.mark.parametrize("name", sorted(set(program.names()) - set(NEEDED)))
def test_a_benchmark_can_be_loaded_and_run(name):
    assert callable(import_module(f"tests.benchmarks.bench_{name}").run)


def test_a_bound_is_held_up_to_its_limit():
    fast, slow = Timing(wall=1.0, cpu=1.0), Timing(wall=3.0, cpu=2.0)
    costs = ratio("ours", slow, fast, limit=2, over="theirs")
    assert (costs.measured, costs.is_held) == (2, True)
    assert costs.note == "2e+03 ms over 1e+03 of theirs; wall 3.00"
    assert not Bound(name="ours", measured=2.01, limit=2).is_held


def test_of_a_group_the_worst_is_shown_beside_its_limit():
    bounds = [
        Bound(name="alone", measured=1, limit=0),
        Bound(name="held", measured=1.2, limit=3, group="both"),
        Bound(name="broken", measured=1.1, limit=1, group="both", note="note"),
    ]
    alone, both = worst_of_groups(bounds)
    assert alone == bounds[0]
    assert (both.name, both.measured, both.is_held) == ("both", 1.1, False)
    assert both.note == "1 of 2 fail; worst: broken; note"


def test_the_program_prints_one_table_and_its_status_says_what_holds(monkeypatch, capsys):
    found = [
        Bound(name="a [bracket]", measured=1.234, limit=2),
        Bound(name="b", measured=3, limit=2),
    ]
    monkeypatch.setattr(
        program, "measured", lambda chosen, **_: found if chosen == ["bulk"] else found[:1]
    )
    assert program.main(["bulk", "--each"]) == 1
    out = capsys.readouterr().out
    assert "1 of 2 bounds hold" in out
    assert "a [bracket]" in out
    assert program.main([]) == 0
    assert list(program.show(found).columns[3].cells) == ["yes", "NO"]


def test_the_chosen_benchmarks_are_run(monkeypatch):
    console = Console(file=io.StringIO())
    bound = Bound(name="a", measured=1, limit=2)
    module = import_module("tests.benchmarks.bench_bulk")
    monkeypatch.setattr(module, "run", lambda *, rounds: [bound] * rounds)
    assert program.measured(["bulk"], rounds=2, console=console) == [bound, bound]


def test_a_command_may_end_with_the_status_of_bad_rows_but_not_with_another():
    ends = [sys.executable, "-S", "-c", "raise SystemExit(1)"]
    timings = time_commands({"bad rows": ends}, rounds=1)
    assert timings["bad rows"].wall > 0
    with pytest.raises(subprocess.CalledProcessError, match="status 2"):
        time_commands({"bad usage": [*ends[:-1], "raise SystemExit(2)"]}, rounds=1)


def test_calls_are_timed():
    assert time_calls({"sum": lambda: sum(range(1000))}, rounds=3)["sum"].wall > 0


def test_files_of_the_benchmark_of_starts_are_read_as_what_they_are(run, tmp_path):
    assert abs(len(bench_startup.yaml_text()) - 78_000) < 100
    for words, _, _ in bench_startup.files(tmp_path).values():
        done = run(*words)
        assert done.status == 0
        assert "error" not in done.err


def test_every_kind_of_schedule_is_benchmarked_and_evaluated_alike(tmp_path):
    kinds = {text.partition(":")[0] for text in bench_schedule.CASES}
    assert kinds == {kind.name for kind in bench_schedule.KINDS}
    for text, formula in bench_schedule.CASES.items():
        calls = bench_schedule.ways(text, 10_000, folder=tmp_path)
        ours = math.log(calls[""]().survival)
        assert ours == pytest.approx(bench_schedule.evaluate_bare(formula, 10_000), rel=0.01)


def test_a_long_checkpoint_is_read_with_all_its_tensors(run, tmp_path):
    path = tmp_path / "m.safetensors"
    bench_architecture.write_checkpoint(path, 21)
    assert len(json.loads(run("arch", str(path), "--json").out)["tensors"]) == 21


def test_bad_rows_are_told_from_good_ones(tmp_path):
    lines, _ = bench_bulk.write(tmp_path, 1000, kind="bad", csv_too=False)
    bad = sum(bench_bulk.is_bad(json.loads(line)) for line in lines.read_text().splitlines())
    assert 0 < bad < 50
