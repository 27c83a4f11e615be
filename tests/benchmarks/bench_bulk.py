"""Bulk conversion of rows beside reading and writing the same rows, as whole processes.

`ROWS` rows of JSON lines against `for line in file: json.dumps(json.loads(line))`, the same of CSV
against a csv.reader/csv.writer copy; once with one setting for all rows, once with every field
drawn anew. `python -m tests.benchmarks.bench_bulk [ROWS]` prints peak memory too.
"""

import csv
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measure import Ratio, time_commands

ROWS = 1_000_000
LONGEST = 5  # rounds: each takes a minute
JSON_FLOOR = (
    "import json, sys\n"
    "with open(sys.argv[1], encoding='utf-8') as file:\n"
    "    for line in file: json.dumps(json.loads(line))"
)
CSV_FLOOR = (
    "import csv, os, sys\n"
    "with open(sys.argv[1], newline='') as file, open(os.devnull, 'w', newline='') as copy:\n"
    "    writer = csv.writer(copy)\n"
    "    for row in csv.reader(file): writer.writerow(row)"
)
COUPLED = ("pytorch-sgd", "keras-l2", "mean-l2", "sum-l2", "caffe", "sklearn-logistic")
DECOUPLED = ("pytorch-adamw", "keras-adamw", "per-step-shrink", "tfa-adamw", "optax-adamw")


def row(rng: random.Random, number: int, *, varied: bool) -> dict[str, object]:
    """Return a row of ten fields."""
    family = rng.choice((COUPLED, DECOUPLED)) if varied else COUPLED
    source, target = rng.sample(family, 2) if varied else ("pytorch-sgd", "keras-l2")
    return {
        "id": number,
        "name": f"run {number}",
        "value": 10 ** (rng.uniform(0, 3) if source == "sklearn-logistic" else rng.uniform(-7, -3)),
        "from": source,
        "to": target,
        "lr": 10 ** rng.uniform(-4, -0.5) if varied else 0.1,
        "momentum": rng.choice((0, 0.9, 0.95)) if varied else 0.9,
        "batch_size": rng.choice((32, 64, 128, 256)),
        "dataset_size": rng.choice((50000, 60000, 1281167)),
        "loss": "mean",
    }


def write(folder: Path, n_rows: int, *, varied: bool) -> tuple[Path, Path]:
    """Write the rows as JSON lines and as CSV, and return the files."""
    rng = random.Random(1)  # noqa: S311  (no secrets)
    name = "varied" if varied else "alike"
    paths = folder / f"{name}.jsonl", folder / f"{name}.csv"
    with paths[0].open("w") as lines, paths[1].open("w", newline="") as table:
        writer = csv.DictWriter(table, row(rng, 0, varied=varied))
        writer.writeheader()
        for number in range(n_rows):
            made = row(rng, number, varied=varied)
            lines.write(json.dumps(made) + "\n")
            writer.writerow(made)
    return paths


def ours(path: Path) -> list[str]:
    """Return our command line for a file."""
    return [sys.executable, "-m", "decaycalc", "convert", "--input", str(path)]


def run(*, rounds: int, n_rows: int = ROWS) -> list[Ratio]:
    """Return the ratios of both formats, rows alike and varied."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for varied in (False, True):
            lines, table = write(Path(folder), n_rows, varied=varied)
            cases = {
                "json": ours(lines), "json floor": [sys.executable, "-c", JSON_FLOOR, str(lines)],
                "csv": ours(table), "csv floor": [sys.executable, "-c", CSV_FLOOR, str(table)],
            }  # fmt: skip
            timings = time_commands(cases, rounds=min(rounds, LONGEST))
            for kind, limit in (("json", 1.8), ("csv", 3.0)):
                results.append(
                    Ratio(
                        name=f"{kind}, {n_rows:,} rows {'varied' if varied else 'alike'}",
                        ours=timings[kind], floor=timings[f"{kind} floor"],
                        floor_name="read and write", limit=limit,
                    )
                )  # fmt: skip
    return results


def main() -> None:
    """Print ratios and peak memory."""
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    for ratio in run(rounds=3, n_rows=n_rows):
        print(f"{ratio.name}: wall {ratio.wall:.2f}, cpu {ratio.cpu:.2f} (<= {ratio.limit})")
    with tempfile.TemporaryDirectory() as folder:
        lines, _ = write(Path(folder), n_rows, varied=True)
        script = (
            "import sys; from decaycalc.cli.main import main; main(sys.argv[1:]);"
            "print([l for l in open('/proc/self/status') if 'VmHWM' in l][0], file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, *ours(lines)[3:]],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    print(f"{n_rows:,} rows: {' '.join(done.stderr.split()[-3:])}")


if __name__ == "__main__":
    main()
