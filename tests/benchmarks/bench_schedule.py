"""Time and memory of long scheduled runs, beside a bare numpy evaluation of the same steps.

The bare evaluation makes the multipliers of all steps with the formula written out and adds
`log1p(-shrink)`, a million steps at a time as one would write it; beside it stands the same in
pieces of `CHUNK` steps, which stay in the cache. It gives the survival alone: ours has the ages of
the updates and the curve too. Every kind of schedule is measured without and with momentum (whose
floor is the same), and one whole command as a process.

`python -m tests.benchmarks.bench_schedule [STEPS]`, or `DECAYCALC_BENCH_STEPS=1e7`; default 1e8.
"""

import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from decaycalc.schedule import KINDS, parse_schedule
from decaycalc.survival.rows import CHUNK
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.summary import survive
from tests.benchmarks.measure import Ratio, Timing, time_calls, time_commands

N_STEPS = int(float(os.environ.get("DECAYCALC_BENCH_STEPS", "1e8")))
SHRINK = 6e-5
LARGEST_RATIO = 1.3
LARGEST_WITH_MOMENTUM = 3.0
LARGEST_MEMORY = 120.0  # MB
MOST_ROUNDS = 3  # each takes minutes
ROWS = ((0, 0.0), (0.1, 1.0), (0.5, 0.7), (0.9, 0.1))

Formula = Callable[[np.ndarray, int], np.ndarray]


def half_cosine(share):
    return 0.5 * (1 + np.cos(np.pi * share))


def one_cycle(t, n):
    rise, high = 0.3 * n - 1, n - 1
    up = 1 + (1 / 25 - 1) * half_cosine(t / rise)
    down = 4e-6 + (1 - 4e-6) * half_cosine((t - rise) / (high - rise))
    return np.where(t < rise, up, down)


def file_curve(t, n):
    steps, multipliers = zip(*ROWS, strict=True)
    return np.interp(t, np.array(steps) * n, multipliers)


CASES: dict[str, Formula] = {
    "constant:value=0.5": lambda t, _n: np.full_like(t, 0.5),
    "linear": lambda t, n: 1 - t / n,
    "cosine:warmup=2000,final=0.1": lambda t, n: np.where(
        t < 2000, t / 2000, 0.1 + 0.9 * half_cosine((t - 2000) / (n - 2000))
    ),
    "cosine-restarts:period=10%": lambda t, n: half_cosine(t / (n / 10) % 1),
    "step:at=30/60/80%": lambda t, n: (
        0.1 ** ((t >= 0.3 * n) * 1.0 + (t >= 0.6 * n) + (t >= 0.8 * n))
    ),
    "exponential:gamma=0.5,every=10%": lambda t, n: 0.5 ** (t / (n / 10)),
    "polynomial:power=2": lambda t, n: (1 - t / n) ** 2,
    "inverse:gamma=1e-4,power=0.75": lambda t, _n: (1 + 1e-4 * t) ** -0.75,
    "inverse-sqrt:timescale=10000": lambda t, _n: 1 / np.sqrt(1 + t / 10_000),
    "wsd:decay=20%": lambda t, n: np.minimum((n - t) / (0.2 * n), 1),
    "one-cycle": one_cycle,
    "file:{path}": file_curve,
    "cosine:per=1%": lambda t, n: half_cosine(np.floor(t / (n / 100)) / 100),
    "constant:until=40% + cosine": lambda t, n: np.where(
        t < 0.4 * n, 1, half_cosine((t - 0.4 * n) / (0.6 * n))
    ),
}
RULES = {
    "": DecayRule(step=SHRINK),
    "momentum 0.9, ": DecayRule(step=SHRINK / 10, momentum=0.9),
    "momentum 0.99, ": DecayRule(step=SHRINK / 100, momentum=0.99, lookahead=1),
}


def evaluate_bare(formula: Formula, n: int, *, piece: int = 10**6) -> float:
    """Return the log of what is left, as one would write it by hand."""
    total = 0.0
    for start in range(0, n, piece):
        steps = np.arange(start, min(start + piece, n), dtype=np.float64)
        total += float(np.log1p(-SHRINK * formula(steps, n)).sum())
    return total


class Case(NamedTuple):
    """One schedule with its floors and our ways."""

    text: str
    calls: dict[str, Callable[[], object]]


def cases(folder: Path, n: int) -> Iterator[Case]:
    """Yield every kind of schedule."""
    path = folder / "curve.csv"
    path.write_text("".join(f"{share * n:.0f},{height}\n" for share, height in ROWS))
    assert {text.partition(":")[0] for text in CASES} == {kind.name for kind in KINDS}
    for text, formula in CASES.items():
        schedule = parse_schedule(text.replace("{path}", f'"{path}"'), total_steps=n)
        ways: dict[str, Callable[[], object]] = {
            "bare": lambda formula=formula: evaluate_bare(formula, n),
            "cached": lambda formula=formula: evaluate_bare(formula, n, piece=CHUNK),
        }
        for name, rule in RULES.items():
            ways[name] = lambda schedule=schedule, rule=rule: survive(schedule, rule)
        yield Case(text, ways)


def command(n: int, *, momentum: bool) -> list[str]:
    """Return the command line of a whole run."""
    words = "schedule 0.1 --from pytorch-adamw --lr 6e-4 --schedule cosine:warmup=2000,final=0.1"
    if momentum:
        words = "schedule 6e-5 --from pytorch-sgd --lr 0.1 --momentum 0.9 --schedule one-cycle"
    return [sys.executable, "-m", "decaycalc", *words.split(), "--steps", str(n)]


def run(*, rounds: int, n_steps: int = N_STEPS) -> list[Ratio]:
    """Return the ratios of every kind, without and with momentum, and of two commands."""
    rounds, results, fastest = min(rounds, MOST_ROUNDS), [], None
    with tempfile.TemporaryDirectory() as folder:
        for text, ways in cases(Path(folder), n_steps):
            timings = time_calls(ways, rounds=rounds)
            fastest = fastest or timings["bare"]
            results += [ratio(f"{name}{text}", timings, name) for name in RULES]
    return results + [ratio_of_command(n_steps, fastest, momentum=each) for each in (False, True)]


def limit_of(*, momentum: bool) -> float:
    """Return the largest ratio that is promised."""
    return LARGEST_WITH_MOMENTUM if momentum else LARGEST_RATIO


def ratio(title: str, timings: dict[str, Timing], name: str) -> Ratio:
    """Return our ratio to the bare evaluation, with that to the cached one as a note."""
    return Ratio(
        name=title, ours=timings[name], floor=timings["bare"], floor_name="bare numpy",
        limit=limit_of(momentum=bool(name)),
        note=f"in cache {timings[name].cpu / timings['cached'].cpu:.3f}",
    )  # fmt: skip


def ratio_of_command(n_steps: int, floor: Timing | None, *, momentum: bool) -> Ratio:
    """Return the ratio of a whole process to the cheapest bare evaluation, and its memory at most.

    A child counts its parent's pages until it starts: the memory is a bound.
    """
    assert floor is not None
    words = command(n_steps, momentum=momentum)
    ours = time_commands({"ours": words}, rounds=2)["ours"]
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
    assert memory < LARGEST_MEMORY
    return Ratio(
        name=f"command {' '.join(words[3:5])}", ours=ours, floor=floor, floor_name="bare numpy",
        limit=limit_of(momentum=momentum), note=f"constant's floor; at most {memory:.0f} MB",
    )  # fmt: skip


def main() -> None:
    """Print the ratios."""
    n_steps = int(float(sys.argv[1])) if len(sys.argv) > 1 else N_STEPS
    print(json.dumps({"steps": n_steps, "numpy": np.__version__}))
    for each in run(rounds=MOST_ROUNDS, n_steps=n_steps):
        figures = f"{each.ours.cpu * 1e3:7.1f} ms of {each.floor.cpu * 1e3:7.1f} ms"
        print(f"{each.name:55s} {figures} cpu ratio {each.cpu:.3f} ({each.note})", flush=True)


if __name__ == "__main__":
    main()
