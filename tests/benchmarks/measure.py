"""Timing in interleaved rounds: each round runs every case once, so a slow moment hits all."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Medians of one case, in seconds: wall clock, and user plus system time."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What was measured and how much of it is asked for at most.

    `measured` is a ratio to a floor of the same rounds where `note` names one. Bounds of one
    `group` are cases of one promise.
    """

    name: str
    measured: float
    limit: float
    note: str = ""
    group: str = ""

    @property
    def is_held(self) -> bool:
        """Whether no more was measured than is asked for."""
        return self.measured <= self.limit


def ratio(
    name: str, ours: Timing, floor: Timing, *, limit: float, over: str, group: str = ""
) -> Bound:
    """Return what one path costs over its floor, in processor time; the wall clock is noted."""
    note = (
        f"{1e3 * ours.cpu:.3g} ms over {1e3 * floor.cpu:.3g} of {over}; "
        f"wall {ours.wall / floor.wall:.2f}"
    )
    return Bound(name=name, measured=ours.cpu / floor.cpu, limit=limit, note=note, group=group)


def worst_of_groups(bounds: Sequence[Bound]) -> list[Bound]:
    """Return the bounds with one for each group: the one that comes nearest to its limit."""
    groups: dict[str, list[Bound]] = {}
    for bound in bounds:
        groups.setdefault(bound.group or bound.name, []).append(bound)
    return [_worst(group, found) for group, found in groups.items()]


def _worst(group: str, bounds: list[Bound]) -> Bound:
    if len(bounds) == 1:
        return bounds[0]
    worst = max(bounds, key=lambda bound: bound.measured / bound.limit)
    failing = sum(not bound.is_held for bound in bounds)
    note = f"{failing} of {len(bounds)} fail; worst: {worst.name}; {worst.note}"
    return replace(worst, name=group, note=note)


def time_commands(cases: Mapping[str, Sequence[str]], *, rounds: int) -> dict[str, Timing]:
    """Return each command's timing as a process of its own, its output thrown away."""

    def runner(command: Sequence[str]) -> Callable[[], tuple[float, float]]:
        return lambda: _process(command)

    return _interleaved({name: runner(command) for name, command in cases.items()}, rounds)


# Prints the peak of its own memory, in MB: a child's would count its parent's pages.
_PEAK = (
    "import sys; from decaycalc.cli.main import main; main(sys.argv[1:]);"
    "print([int(l.split()[1]) / 1e3 for l in open('/proc/self/status') if 'VmHWM' in l][0])"
)


def peak_megabytes(words: Sequence[str]) -> float:
    """Return the most memory that a command line of ours takes, in MB."""
    command = [sys.executable, "-c", _PEAK, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def time_calls(cases: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, Timing]:
    """Return each function's timing in this process, on memory that is mapped already.

    A large block that is freed teaches glibc to keep smaller ones: else each large array of the one
    or the other may be mapped anew, which costs as much as a few passes over it.
    """
    np.empty(4_000_000)

    def runner(call: Callable[[], object]) -> Callable[[], tuple[float, float]]:
        return lambda: _call(call)

    return _interleaved({name: runner(call) for name, call in cases.items()}, rounds)


def _interleaved(
    cases: Mapping[str, Callable[[], tuple[float, float]]], rounds: int
) -> dict[str, Timing]:
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, run in cases.items():
            samples[name].append(run())
    return {
        name: Timing(
            wall=statistics.median(wall for wall, _ in pairs),
            cpu=statistics.median(cpu for _, cpu in pairs),
        )
        for name, pairs in samples.items()
    }


def _process(command: Sequence[str]) -> tuple[float, float]:
    """Return the seconds of one run; its children's times are in ticks, its own usage is not.

    Raises:
        CalledProcessError: the command has neither the status 0 nor 1, which rows have where one is
            bad.
    """
    began = time.perf_counter()
    with Path(os.devnull).open("rb") as source:
        process = subprocess.Popen(
            command, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        raise subprocess.CalledProcessError(process.returncode, command)
    return wall, usage.ru_utime + usage.ru_stime


def _call(call: Callable[[], object]) -> tuple[float, float]:
    began, used = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began, time.process_time() - used
