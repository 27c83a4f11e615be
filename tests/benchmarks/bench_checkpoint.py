"""What measuring a checkpoint costs: 1 GiB of float32 against a memory-mapped dot product."""

import json
import tempfile
from pathlib import Path

import numpy as np

from decaycalc.architecture.measure import measure
from decaycalc.architecture.readers import open_checkpoint
from tests.benchmarks.measure import Bound, ratio, time_calls

_SIDE = 2**14
_PARTS = 16
_LIMIT = 1.25
_MOST_MEGABYTES = 300
_LARGEST_ERROR = 1e-7


def write_checkpoint(path: Path) -> float:
    """Write 1 GiB of normal weights as safetensors; return their sum of squares."""
    size = 4 * _SIDE * _SIDE
    entry = {"dtype": "F32", "shape": [_SIDE, _SIDE], "data_offsets": [0, size]}
    header = json.dumps({"w.weight": entry}).encode()
    header += b" " * (-len(header) % 8)
    random, total = np.random.default_rng(0), 0.0
    with path.open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        for _ in range(_PARTS):
            part = random.standard_normal(_SIDE * _SIDE // _PARTS, dtype=np.float32)
            total += float(np.sum(part.astype(np.float64) ** 2))
            stream.write(part.tobytes())
    return total


def resident_megabytes() -> float:
    """Return the memory that this process holds at the moment, mapped files included."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def run(*, rounds: int) -> list[Bound]:
    """Return the ratio of measuring to the bare dot product, with the error and the memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        exact = write_checkpoint(path)
        checkpoint = open_checkpoint(str(path))
        assert checkpoint is not None
        offset = checkpoint.stored[0].offset
        most = []

        def ours() -> float:
            found = measure(checkpoint, progress=lambda _n: most.append(resident_megabytes()))
            return found[0].sum_of_squares

        def bare() -> float:
            mapped = np.memmap(path, dtype=np.float32, mode="r", offset=offset)
            return float(np.dot(mapped, mapped))

        error = abs(ours() / exact - 1)
        timings = time_calls(
            {"measure": lambda: measure(checkpoint), "bare": bare}, rounds=max(rounds, 5)
        )
    return [
        ratio("measure 1 GiB of float32", timings["measure"], timings["bare"], limit=_LIMIT,
              over="numpy's dot of the mapped file"),
        Bound(name="its relative error", measured=error, limit=_LARGEST_ERROR),
        Bound(name="its memory in MB", measured=max(most), limit=_MOST_MEGABYTES),
    ]  # fmt: skip
