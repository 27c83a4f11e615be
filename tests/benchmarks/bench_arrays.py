"""Conversions of arrays beside the numpy expression that one would write by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np

from decaycalc import Run, convert
from tests.benchmarks.measure import Ratio, time_calls

N_VALUES = 10_000_000


def cases(value: Any, lr: Any) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Return our call and the expression by hand, by name."""
    setting = Run(dataset_size=50_000, batch_size=128, lr=0.1)
    return {
        "l2 = weight_decay/2": (
            lambda: convert(value, source="caffe", target="keras-l2"),
            lambda: value / 2,
        ),
        "weight_decay = lr*weight_decay": (
            lambda: convert(value, source="pytorch-adamw", target="tfa-adamw", lr=lr),
            lambda: lr * value,
        ),
        "C = 1/(2*N*l2)": (
            lambda: convert(value, source="keras-l2", target="sklearn-logistic", run=setting),
            lambda: 1 / (2 * 50_000 * value),
        ),
        "half-life of a decay": (
            lambda: convert(value, source="pytorch-adamw", target="half-life-steps", run=setting),
            lambda: -np.log(2) / np.log1p(-0.1 * value),
        ),
    }


def run(*, rounds: int, n_values: int = N_VALUES) -> list[Ratio]:
    """Return the ratios for some conversions."""
    rng = np.random.default_rng(1)
    value, lr = 10 ** rng.uniform(-6, -1, n_values), 10 ** rng.uniform(-4, 0, n_values)
    results = []
    for name, (ours, by_hand) in cases(value, lr).items():
        timings = time_calls({"ours": ours, "by hand": by_hand}, rounds=rounds)
        results.append(
            Ratio(
                name=f"{name}, {n_values:,} values",
                ours=timings["ours"], floor=timings["by hand"], floor_name="numpy", limit=1.2,
            )
        )  # fmt: skip
    return results


if __name__ == "__main__":
    for ratio in run(rounds=7):
        print(f"{ratio.name}: wall {ratio.wall:.2f}, cpu {ratio.cpu:.2f} (<= {ratio.limit})")
