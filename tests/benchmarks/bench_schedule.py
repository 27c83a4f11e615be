"""Time and memory of long scheduled runs, beside a bare numpy evaluation of the same steps.

The bare evaluation makes the multipliers of all steps with the formula written out and adds
`log1p(-shrink)`, a million steps at a time as one would write it. It gives the survival alone: ours
has the ages of the updates and the curve too. Every kind of schedule is measured without and with
momentum (whose floor is the same); the longest runs by one kind, and as a command. A short run's
floor is over in a fraction of the millisecond that the curve's 200 points take to be made.

`python -m tests.benchmarks.bench_schedule [STEPS]` measures every kind at one length.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from decaycalc.schedule import KINDS, parse_schedule
from decaycalc.survival.rule import DecayRule
from decaycalc.survival.summary import survive
from tests.benchmarks.measure import Bound, peak_megabytes, ratio, time_calls

# What every kind is measured at; the first kind that the longest runs follow.
LENGTHS = (10**5, 10**7)
LONGEST = 10**8
OF_THE_LONGEST = "cosine:warmup=2000,final=0.1"
SHRINK = 6e-5
LARGEST_RATIO = 1.3
LARGEST_WITH_MOMENTUM = 3.0
LARGEST_MEMORY = 120.0  # MB
MOST_ROUNDS = 3  # of all kinds at 10^7 steps, or one at 10^8, each takes ten seconds
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


def ways(text: str, n: int, *, folder: Path) -> dict[str, Callable[[], object]]:
    """Return the bare evaluation of a schedule and ours, by the name of the rule."""
    path = folder / f"{n}.csv"
    path.write_text("".join(f"{share * n:.0f},{height}\n" for share, height in ROWS))
    schedule = parse_schedule(text.replace("{path}", f'"{path}"'), total_steps=n)
    calls: dict[str, Callable[[], object]] = {"bare": lambda: evaluate_bare(CASES[text], n)}
    for name, rule in RULES.items():
        calls[name] = lambda rule=rule: survive(schedule, rule)
    return calls


def bounds_of(text: str, n: int, *, rounds: int) -> Iterator[Bound]:
    """Yield the ratios of one schedule, without and with momentum."""
    with tempfile.TemporaryDirectory() as folder:
        timings = time_calls(ways(text, n, folder=Path(folder)), rounds=rounds)
    for name in RULES:
        limit = LARGEST_WITH_MOMENTUM if name else LARGEST_RATIO
        yield ratio(
            f"{name}{text}", timings[name], timings["bare"], limit=limit, over="bare numpy",
            group=f"schedules of {n:.0e} steps{', with momentum' if name else ''}",
        )  # fmt: skip


def run(*, rounds: int) -> list[Bound]:
    """Return the ratios of every kind, of the longest runs, and what two commands take."""
    assert {text.partition(":")[0] for text in CASES} == {kind.name for kind in KINDS}
    found = []
    for n in LENGTHS:
        # Short runs are over in milliseconds and want more rounds.
        most = rounds if n < max(LENGTHS) else min(rounds, MOST_ROUNDS)
        for text in CASES:
            found += bounds_of(text, n, rounds=most)
    found += bounds_of(OF_THE_LONGEST, LONGEST, rounds=min(rounds, MOST_ROUNDS))
    return found + [memory_of_command(momentum=each) for each in (False, True)]


def command(n: int, *, momentum: bool) -> list[str]:
    """Return the command line of a whole run."""
    words = f"schedule 0.1 --from pytorch-adamw --lr 6e-4 --schedule {OF_THE_LONGEST}"
    if momentum:
        words = "schedule 6e-5 --from pytorch-sgd --lr 0.1 --momentum 0.9 --schedule one-cycle"
    return [sys.executable, "-m", "decaycalc", *words.split(), "--steps", str(n)]


def memory_of_command(*, momentum: bool) -> Bound:
    """Return the memory of a command, in MB."""
    words = command(LONGEST, momentum=momentum)
    return Bound(
        name=f"{LONGEST:.0e} steps: MB of {' '.join(words[3:6])}",
        measured=peak_megabytes(words[3:]), limit=LARGEST_MEMORY,
    )  # fmt: skip


def main() -> None:
    """Print the ratios of every kind at one length."""
    n_steps = int(float(sys.argv[1])) if len(sys.argv) > 1 else max(LENGTHS)
    for text in CASES:
        for each in bounds_of(text, n_steps, rounds=MOST_ROUNDS):
            print(f"{each.name:60s} {each.measured:.3f} ({each.note})", flush=True)


if __name__ == "__main__":
    main()
