"""Timing in interleaved rounds: each round runs every case once, so a slow moment hits all."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Medians of one case, in seconds: wall clock, and user plus system time."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """What one path costs against its floor, measured in the same rounds; `limit` is our promise.

    `at_least` turns the promise round: we are to be that many times faster than the floor.
    """

    name: str
    ours: Timing
    floor: Timing
    floor_name: str
    limit: float
    at_least: bool = False
    note: str = ""

    @property
    def wall(self) -> float:
        """Wall-clock ratio; for `at_least` the floor over ours."""
        pair = (self.floor.wall, self.ours.wall)
        return pair[0] / pair[1] if self.at_least else pair[1] / pair[0]

    @property
    def cpu(self) -> float:
        """Ratio of user plus system time."""
        pair = (self.floor.cpu, self.ours.cpu)
        return pair[0] / pair[1] if self.at_least else pair[1] / pair[0]

    @property
    def is_held(self) -> bool:
        """Whether the wall-clock ratio keeps the promise."""
        return self.wall >= self.limit if self.at_least else self.wall <= self.limit


def time_commands(
    cases: Mapping[str, Sequence[str]], *, rounds: int, stdin: str | None = None
) -> dict[str, Timing]:
    """Return each command's timing as a process of its own, stdout thrown away."""

    def runner(command: Sequence[str]) -> Callable[[], tuple[float, float]]:
        return lambda: _process(command, stdin)

    return _interleaved({name: runner(command) for name, command in cases.items()}, rounds)


def time_calls(cases: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, Timing]:
    """Return each function's timing in this process."""

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


def _process(command: Sequence[str], stdin: str | None) -> tuple[float, float]:
    """Return the seconds of one run; its children's times are in ticks, its own usage is not."""
    began = time.perf_counter()
    with Path(stdin or os.devnull).open("rb") as source:
        process = subprocess.Popen(
            command, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return wall, usage.ru_utime + usage.ru_stime


def _call(call: Callable[[], object]) -> tuple[float, float]:
    began, used = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began, time.process_time() - used
