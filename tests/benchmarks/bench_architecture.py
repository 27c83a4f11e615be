"""Long checkpoints: ten times as many tensors take ten times as long, start apart.

A little more, as for `json.loads` of the header alone, which is noted: more memory misses the
caches more often. The bound is what n*log(n) steps would take.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measure import Bound, Timing, time_commands

FEW, MANY = 10_000, 100_000
PARTS = ("q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj", "norm")
SIDE = 8
MOST_ROUNDS = 3
LIMIT = 12.5
READING = (
    "import json, sys\n"
    "if len(sys.argv) > 1:\n"
    "    with open(sys.argv[1], 'rb') as file:\n"
    "        json.loads(file.read(int.from_bytes(file.read(8), 'little')))"
)


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
    ours = [sys.executable, "-m", "decaycalc"]
    convert = [*ours, "convert", "1e-4", "--from", "pytorch-sgd", "--lr", "0.1", "--arch"]
    ways = {"arch": [*ours, "arch"], "convert --arch": convert}
    bare = [sys.executable, "-c", READING]
    with tempfile.TemporaryDirectory() as folder:
        cases = {name: [*words, "8-8"] for name, words in ways.items()} | {"bare": bare}
        for n_tensors in (FEW, MANY):
            path = Path(folder) / f"{n_tensors}.safetensors"
            write_checkpoint(path, n_tensors)
            for name, words in (*ways.items(), ("bare", bare)):
                cases[f"{name} {n_tensors}"] = [*words, str(path)]
        timings = time_commands(cases, rounds=min(rounds, MOST_ROUNDS))
    floor = growth(timings, "bare")
    return [
        Bound(
            name=f"{name} FILE, {MANY:,} tensors over {FEW:,}", limit=LIMIT,
            measured=growth(timings, name),
            note=f"{timings[f'{name} {MANY}'].cpu:.1f} s; reading alone grows {floor:.1f} times",
        )
        for name in ways
    ]  # fmt: skip


def growth(timings: dict[str, Timing], name: str) -> float:
    """Return how much longer the many tensors take than the few, both without the start."""
    start = timings[name].cpu
    return (timings[f"{name} {MANY}"].cpu - start) / (timings[f"{name} {FEW}"].cpu - start)
