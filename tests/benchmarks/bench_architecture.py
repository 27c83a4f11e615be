"""Long checkpoints: ten times as many tensors may take ten times as long, and no more."""

import json
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measure import Bound, ratio, time_commands

FEW, MANY = 10_000, 100_000
PARTS = ("q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj", "norm")
SIDE = 8
MOST_ROUNDS = 3


def write_checkpoint(path: Path, n_tensors: int) -> None:
    """Write a safetensors file of so many small tensors, its values a hole in the file."""
    header, end = {}, 0
    for number in range(n_tensors):
        layer, part = divmod(number, len(PARTS))
        shape = [SIDE] if PARTS[part] == "norm" else [SIDE, SIDE]
        begin, end = end, end + 4 * SIDE ** len(shape)
        header[f"model.layers.{layer}.{PARTS[part]}.weight"] = {
            "dtype": "F32", "shape": shape, "data_offsets": [begin, end],
        }  # fmt: skip
    text = json.dumps(header).encode()
    with path.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        stream.truncate(8 + len(text) + end)


def run(*, rounds: int) -> list[Bound]:
    """Return how much longer ten times the tensors take, by `arch` and by `convert --arch`."""
    ways = {
        "arch FILE": ("arch", "{}"),
        "convert --arch FILE": ("convert", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1",
                                "--arch", "{}"),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        cases = {}
        for n_tensors in (FEW, MANY):
            path = Path(folder) / f"{n_tensors}.safetensors"
            write_checkpoint(path, n_tensors)
            for name, words in ways.items():
                given = [word.format(path) for word in words]
                cases[f"{name} {n_tensors}"] = [sys.executable, "-m", "decaycalc", *given]
        timings = time_commands(cases, rounds=min(rounds, MOST_ROUNDS))
    return [
        ratio(f"{name}, {MANY:,} tensors", timings[f"{name} {MANY}"], timings[f"{name} {FEW}"],
              limit=MANY / FEW, over=f"{FEW:,} tensors")
        for name in ways
    ]  # fmt: skip
