"""Time and memory of a long scheduled run, beside a bare numpy evaluation of the same steps.

Run: `python tests/benchmarks/bench_schedule.py [STEPS]` (default 1e8). The bare evaluation makes
the multipliers with the formula written out and adds `log1p(-shrink)`, a million steps at a time
as one would write it; beside it stands the same in pieces of `CHUNK` steps, which stay in the
cache. All are timed in this process, in turn, as processor time; the best of three counts.
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from decaycalc.schedule import CHUNK, parse_schedule
from decaycalc.survival import DecayRule, survive

SHRINK = 6e-5
LARGEST_RATIO = 1.3
LARGEST_MEMORY = 200.0  # MB
REPEATS = 3


def cosine(steps: np.ndarray, n: int) -> np.ndarray:
    return np.where(
        steps < 2000,
        steps / 2000,
        0.1 + 0.45 * (1 + np.cos(np.pi * (steps - 2000) / (n - 2000))),
    )


def linear(steps: np.ndarray, n: int) -> np.ndarray:
    return 1 - steps / n


def step(steps: np.ndarray, n: int) -> np.ndarray:
    return 0.1 ** ((steps >= 0.3 * n) * 1.0 + (steps >= 0.6 * n) + (steps >= 0.8 * n))


def inverse(steps: np.ndarray, n: int) -> np.ndarray:  # noqa: ARG001  (one signature for all)
    return (1 + 1e-4 * steps) ** -0.75


CASES = [
    ("cosine:warmup=2000,final=0.1", cosine),
    ("linear", linear),
    ("step:at=30/60/80%", step),
    ("inverse:gamma=1e-4,power=0.75", inverse),
]


def evaluate_bare(
    formula: Callable[[np.ndarray, int], np.ndarray], n: int, *, piece: int = 10**6
) -> float:
    total = 0.0
    for start in range(0, n, piece):
        steps = np.arange(start, min(start + piece, n), dtype=np.float64)
        total += float(np.log1p(-SHRINK * formula(steps, n)).sum())
    return total


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def memory() -> float:
    """The largest memory that the process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main(n: int) -> int:
    passed = True
    print(f"{n:.0e} steps; numpy {np.__version__}; at rest {memory():.0f} MB")
    for text, formula in CASES:
        schedule = parse_schedule(text, total_steps=n)
        plain, heavy = DecayRule(step=SHRINK), DecayRule(step=SHRINK / 10, momentum=0.9)
        times = [
            [
                seconds(lambda: evaluate_bare(formula, n)),  # noqa: B023  (called at once)
                seconds(lambda: evaluate_bare(formula, n, piece=CHUNK)),  # noqa: B023
                seconds(lambda: survive(schedule, plain)),  # noqa: B023
                seconds(lambda: survive(schedule, heavy)),  # noqa: B023
            ]
            for _ in range(REPEATS)
        ]
        bare, cached, ours, momentum = (min(column) for column in zip(*times, strict=True))
        passed &= ours <= LARGEST_RATIO * bare
        print(
            f"{text:30s} bare {bare:.2f} s, in cache {cached:.2f} s; survive {ours:.2f} s"
            f" ({ours / bare:.2f} x, {ours / cached:.2f} x)"
            f"; with momentum {momentum:.2f} s ({momentum / bare:.2f} x); {memory():.0f} MB"
        )
    passed &= memory() < LARGEST_MEMORY
    print("passed" if passed else "FAILED")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(int(float(sys.argv[1])) if len(sys.argv) > 1 else 10**8))
