"""Conversions of arrays beside the numpy expression that one would write by hand.

That expression looks at nothing. Ours looks at each element two to eight times, for what is
negative, 0, infinite or not a number in its numbers and quantities, at 0.1 ns each, and at counts
for fractions, at 0.3; a call costs 0.2 to 0.4 ms in caches that the arrays have filled. A product
or quotient takes 0.3 to 0.5 ns, a logarithm 1.1: so the bound holds where there are many of them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from decaycalc import convert
from tests.benchmarks.measure import Bound, ratio, time_calls

N_VALUES = 1_000_000
LN_2 = np.log(2)
Call = Callable[[], object]


def quantities(n_values: int) -> dict[str, Any]:
    """Return arrays of quantities by name."""
    rng = np.random.default_rng(1)
    return {
        "value": 10 ** rng.uniform(-6, -3, n_values),
        "lr": 10 ** rng.uniform(-4, -1, n_values),
        "momentum": rng.uniform(0.5, 0.95, n_values),
        "batch_size": rng.integers(1, 512, n_values).astype(float),
        "dataset_size": rng.integers(10**4, 10**6, n_values).astype(float),
        "epochs": rng.uniform(1, 90, n_values),
        "steps": rng.integers(100, 10**5, n_values).astype(float),
    }


def exact_shrink(step: Any, momentum: Any) -> Any:
    """Return the shrink of a heavy ball in the long run."""
    total = 1 + momentum - step
    width = total**2 - 4 * momentum
    real = 1 - (total + np.sqrt(np.maximum(width, 0))) / 2
    return np.where(width >= 0, real, 1 - np.sqrt(momentum))


def cases(given: dict[str, Any]) -> dict[str, tuple[Call, Call]]:
    """Return our call and the expression by hand, by name."""
    v, lr, m = given["value"], given["lr"], given["momentum"]
    b, n, e, s = (given[name] for name in ("batch_size", "dataset_size", "epochs", "steps"))

    def ours(source: str, target: str, *names: str, **more: Any) -> Call:
        own = {name: given[name] for name in names}
        return lambda: convert(v, source=source, target=target, **own, **more)

    adamw, sgd = "pytorch-adamw", "pytorch-sgd"
    return {
        "l2 = weight_decay/2": (ours("caffe", "keras-l2"), lambda: v / 2),
        "lr*weight_decay": (ours(adamw, "per-step-shrink", "lr"), lambda: lr * v),
        "C = 1/(2*N*l2)": (
            ours("keras-l2", "sklearn-logistic", "dataset_size"), lambda: 1 / (2 * n * v)),
        "lr*weight_decay/(1 - momentum)": (
            ours(sgd, "per-step-shrink", "lr", "momentum"), lambda: lr * v / (1 - m)),
        "half-life in steps": (
            ours(adamw, "half-life-steps", "lr"), lambda: -LN_2 / np.log1p(-lr * v)),
        "half-life under momentum": (
            ours(sgd, "half-life-steps", "lr", "momentum"),
            lambda: -LN_2 / np.log1p(-lr * v / (1 - m))),
        "half-life in epochs": (
            ours(adamw, "half-life-epochs", "lr", "batch_size", "dataset_size"),
            lambda: -LN_2 * b / n / np.log1p(-lr * v)),
        "factor per epoch": (
            ours(adamw, "per-epoch-factor", "lr", "batch_size", "dataset_size"),
            lambda: np.exp(np.ceil(n / b) * np.log1p(-lr * v))),
        "factor per run": (
            ours(adamw, "per-run-factor", "lr", "steps"), lambda: np.exp(s * np.log1p(-lr * v))),
        "timescale over a run's steps": (
            ours(adamw, "ema-timescale-run", "lr", "steps"), lambda: 1 / (lr * v * s)),
        "timescale over a run's epochs": (
            ours(adamw, "ema-timescale-run", "lr", "epochs", "batch_size", "dataset_size"),
            lambda: 1 / (lr * v * np.ceil(e * np.ceil(n / b)))),
        "normalised decay": (
            ours(adamw, "adamw-normalized", "lr", "epochs", "batch_size", "dataset_size"),
            lambda: lr * v * np.sqrt(n * e / b)),
        "exact decay under momentum": (
            ours(sgd, "per-step-shrink", "lr", "momentum", match="decay"),
            lambda: exact_shrink(lr * v, m)),
        "exact proximal decay": (
            ours("timm-adan", "per-step-shrink", "lr", match="decay"),
            lambda: lr * v / (1 + lr * v)),
    }  # fmt: skip


def run(*, rounds: int, n_values: int = N_VALUES) -> list[Bound]:
    """Return the ratios for some conversions."""
    results = []
    for name, (ours, by_hand) in cases(quantities(n_values)).items():
        ways = {"ours": ours, "by hand": by_hand}
        timings = time_calls(ways, rounds=rounds)
        group = f"arrays of {n_values:,} values"
        results.append(
            ratio(name, timings["ours"], timings["by hand"], limit=1.5, over="numpy", group=group)
        )
    return results
