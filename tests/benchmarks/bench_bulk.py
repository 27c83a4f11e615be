"""Bulk conversion of rows beside reading and writing the same rows, as whole processes.

`ROWS` rows of JSON lines against `for line in file: json.dumps(json.loads(line))`, the same of CSV
against a csv.reader/csv.writer copy; every number drawn anew, and besides: several targets as a
list, empty cells, fractions, one row in a hundred bad. `python -m tests.benchmarks.bench_bulk
[ROWS]` prints peak memory too.
"""

import csv
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measure import Ratio, time_commands

ROWS = 200_000
LONGEST = 3  # rounds: each takes a minute
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
COUPLED = ("pytorch-sgd", "keras-l2", "mean-l2", "sum-l2", "caffe", "batch-sum-l2")
DECOUPLED = ("pytorch-adamw", "keras-adamw", "per-step-shrink", "intrinsic-lr", "optax-adamw")
# What is promised of each kind of rows, over its floor.
LIMITS = {"varied": 4.0, "list": 8.0, "empty": 8.0, "fraction": 8.0, "bad": 4.0}


def row(rng: random.Random, number: int, *, kind: str) -> dict[str, object]:
    """Return a row of ten fields or so."""
    family = rng.choice((COUPLED, DECOUPLED))
    source, *targets = rng.sample(family, 4)
    made: dict[str, object] = {
        "id": number,
        "name": f"run {number}",
        "value": 10 ** rng.uniform(-5, -2),
        "from": source,
        "to": targets if kind == "list" else targets[0],
        "lr": 10 ** rng.uniform(-3, -1),
        "batch_size": rng.randrange(1, 1024),
        "dataset_size": rng.choice((50000, 60000, 1281167)),
        "loss": "mean",
    }
    if family is COUPLED:
        made["momentum"] = rng.uniform(0.5, 0.95)
    if kind == "empty":
        made |= {"steps": None, "dampening": "", "to_lr": None}
    if kind == "fraction":
        made["value"] = f"{rng.randrange(1, 9)}/{rng.randrange(10**3, 10**5)}"
    if kind == "bad" and rng.random() < 0.01:
        made["value"] = rng.choice(("x", -1, None, []))
    return made


def write(folder: Path, n_rows: int, *, kind: str) -> tuple[Path, Path]:
    """Write the rows as JSON lines and as CSV, and return the files."""
    rng = random.Random(1)  # noqa: S311  (no secrets)
    paths = folder / f"{kind}.jsonl", folder / f"{kind}.csv"
    columns = [*row(rng, 0, kind="empty"), "momentum"]
    with paths[0].open("w") as lines, paths[1].open("w", newline="") as table:
        writer = csv.DictWriter(table, dict.fromkeys(columns), restval="")
        writer.writeheader()
        for number in range(n_rows):
            made = row(rng, number, kind=kind)
            lines.write(json.dumps(made) + "\n")
            writer.writerow(made)
    return paths


def ours(path: Path) -> list[str]:
    """Return our command for a file, whose bad rows do not make it fail."""
    script = "import sys; from decaycalc.cli.main import main; main(sys.argv[1:])"
    return [sys.executable, "-c", script, "convert", "--input", str(path)]


def run(*, rounds: int, n_rows: int = ROWS) -> list[Ratio]:
    """Return the ratios of every kind of rows, CSV where it has them."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, limit in LIMITS.items():
            lines, table = write(Path(folder), n_rows, kind=kind)
            cases = {
                "json": ours(lines), "json floor": [sys.executable, "-c", JSON_FLOOR, str(lines)],
            }  # fmt: skip
            if kind != "list":
                cases["csv"] = ours(table)
                cases["csv floor"] = [sys.executable, "-c", CSV_FLOOR, str(table)]
            timings = time_commands(cases, rounds=min(rounds, LONGEST))
            results += [
                Ratio(
                    name=f"{format_}, {n_rows:,} rows, {kind}",
                    ours=timings[format_], floor=timings[f"{format_} floor"],
                    floor_name="read and write", limit=3 * limit if format_ == "csv" else limit,
                )
                for format_ in ("json", "csv") if format_ in cases
            ]  # fmt: skip
    return results


def main() -> None:
    """Print ratios and peak memory."""
    n_rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    for ratio in run(rounds=3, n_rows=n_rows):
        print(f"{ratio.name}: wall {ratio.wall:.2f}, cpu {ratio.cpu:.2f} (<= {ratio.limit})")
    with tempfile.TemporaryDirectory() as folder:
        lines, _ = write(Path(folder), n_rows, kind="bad")
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
