"""Bulk conversion of rows beside reading and writing the same rows, as whole processes.

Rows of JSON lines against `for line in file: json.dumps(json.loads(line))`, the same of CSV against
a csv.reader/csv.writer copy; every number drawn anew, and besides: several targets as a list, empty
cells, fractions, one row in a hundred bad.
"""

import csv
import json
import random
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.measure import Bound, peak_megabytes, ratio, time_commands

ROWS, MANY_ROWS = 50_000, 1_000_000
MOST_ROUNDS = 3  # each takes a minute
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
WORDS = {
    "varied": "one target, every number varying",
    "list": "three targets as a list",
    "empty": "empty cells",
    "fraction": "fractions",
    "bad": "one in a hundred bad",
}


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


def write(folder: Path, n_rows: int, *, kind: str, csv_too: bool = True) -> tuple[Path, Path]:
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
            if csv_too:
                writer.writerow(made)
    return paths


def ours(path: Path) -> list[str]:
    """Return our command for a file, whose bad rows do not make it stop."""
    script = "import sys; from decaycalc.cli.main import main; sys.exit(main(sys.argv[1:]))"
    return [sys.executable, "-c", script, "convert", "--input", str(path)]


def run(*, rounds: int, n_rows: int = ROWS) -> list[Bound]:
    """Return the ratios of every kind of rows, CSV where it has them; and what long files take."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, limit in LIMITS.items():
            lines, table = write(Path(folder), n_rows, kind=kind)
            cases = {
                "JSON": ours(lines), "JSON floor": [sys.executable, "-c", JSON_FLOOR, str(lines)],
            }  # fmt: skip
            if kind == "varied":
                cases["CSV"] = ours(table)
                cases["CSV floor"] = [sys.executable, "-c", CSV_FLOOR, str(table)]
            timings = time_commands(cases, rounds=min(rounds, MOST_ROUNDS))
            results += [
                ratio(
                    f"{n_rows:,} rows of {format_}, {WORDS[kind]}", timings[format_],
                    timings[f"{format_} floor"], over="reading and writing",
                    limit=3 * limit if format_ == "CSV" else limit,
                )
                for format_ in ("JSON", "CSV") if format_ in cases
            ]  # fmt: skip
        return results + long_file(Path(folder))


def long_file(folder: Path) -> list[Bound]:
    """Return how the memory grows with ten times the rows, and how many rows are lost."""
    peaks = {}
    for n_rows in (MANY_ROWS // 10, MANY_ROWS):
        lines, _ = write(folder, n_rows, kind="bad", csv_too=False)
        out = folder / "out.jsonl"
        peaks[n_rows] = peak_megabytes([*ours(lines)[3:], "--output", str(out)])
    with lines.open() as rows, out.open() as answers:
        lost = sum(
            ("error" in json.loads(answer)) != is_bad(json.loads(row))
            for row, answer in zip(rows, answers, strict=True)
        )
    return [
        Bound(
            name=f"peak memory of {MANY_ROWS:,} rows, one in a hundred bad", limit=1.1,
            measured=peaks[MANY_ROWS] / peaks[MANY_ROWS // 10],
            note=f"{peaks[MANY_ROWS]:.1f} MB over that of a tenth of the rows",
        ),
        Bound(name="rows among them whose answer is none of theirs", measured=lost, limit=0),
    ]  # fmt: skip


def is_bad(made: dict[str, object]) -> bool:
    """Return whether a row's value is one of those that no row may have."""
    return not isinstance(made["value"], float)
