"""What a start costs: commands and run files against importing click (and rich, PyYAML) alone."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.measure import Bound, ratio, time_commands

FLOORS = {
    "click": "import click",
    "click and rich": "import click, rich.console, rich.table",
    "click and PyYAML": "import click, yaml",
}
CONVERSION = ("convert", "5e-4", "--from", "caffe", "--to", "keras-l2")
FOUNDING = (
    "convert", "0.001", "--from", "mean-l2", "--arch", "784-300-100-10", "-N", "60000", "-B",
    "128", "--lr", "0.1",
)  # fmt: skip
LEAST_TABLES, LEAST_NUMBERS, FROM_FILES = 1.45, 1.40, 2.5
COMMANDS = {
    "convert --value": ((*CONVERSION, "--value"), "click", LEAST_NUMBERS),
    "convert --json": ((*CONVERSION, "--json"), "click", LEAST_NUMBERS),
    "convert, one target": (CONVERSION, "click and rich", LEAST_TABLES),
    "convert, all tables": (FOUNDING, "click and rich", LEAST_TABLES),
}
RUN_FILE = {
    "per_device_train_batch_size": 4, "gradient_accumulation_steps": 8, "num_train_epochs": 3,
    "learning_rate": 2e-4, "weight_decay": 0.1, "lr_scheduler_type": "cosine",
    "optim": "adamw_torch", "output_dir": "out",
}  # fmt: skip
N_YAML_BYTES = 78_000


def yaml_text(n_bytes: int = N_YAML_BYTES) -> str:
    """Return an axolotl file whose list of data sets makes it so long."""
    lines = [
        "base_model: meta-llama/Llama-3.1-8B", "micro_batch_size: 2",
        "gradient_accumulation_steps: 4", "num_epochs: 3", "learning_rate: 2.0e-4",
        "weight_decay: 0.1", "optimizer: adamw_torch", "lr_scheduler: cosine", "datasets:",
    ]  # fmt: skip
    parts = _parts()
    while sum(map(len, lines)) + len(lines) < n_bytes:
        lines += next(parts)
    return "\n".join(lines) + "\n"


def _parts() -> Iterator[list[str]]:
    number = 0
    while True:
        number += 1
        yield [
            f"  - path: data/part-{number:05}.jsonl",
            "    type: alpaca",
            f"    shards: {number % 7 + 1}",
        ]


def files(folder: Path) -> dict[str, tuple[tuple[str, ...], str, float]]:
    """Write two training files and return the commands on them, as in `COMMANDS`."""
    long, run = folder / "long.yaml", folder / "run.json"
    long.write_text(yaml_text())
    run.write_text(json.dumps(RUN_FILE))
    converted = ("convert", "--recipe", str(long), "--to", "per-step-shrink", "--value")
    return {
        "convert --recipe, 78 kB of YAML": (converted, "click and PyYAML", FROM_FILES),
        "inspect --json, 78 kB of YAML": (
            ("inspect", str(long), "--json"), "click and PyYAML", FROM_FILES),
        "inspect, tables of a run file": (("inspect", str(run)), "click and rich", FROM_FILES),
    }  # fmt: skip


def program() -> str:
    """Return the installed program beside this Python."""
    # Without their bytecode the modules would be compiled at each start.
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        sys.exit("unset PYTHONDONTWRITEBYTECODE for the benchmark of starts")
    found = Path(sys.executable).with_name("decaycalc")
    if not found.exists():
        sys.exit(f"no {found}: install decaycalc there, not editable (pip install .)")
    return str(found)


def run(*, rounds: int) -> list[Bound]:
    """Return the ratios of every command's start."""
    with tempfile.TemporaryDirectory() as folder:
        cases = COMMANDS | files(Path(folder))
        commands = {name: (program(), *words) for name, (words, _, _) in cases.items()}
        floors = {name: (sys.executable, "-c", code) for name, code in FLOORS.items()}
        timings = time_commands(commands | floors, rounds=rounds)
    return [
        ratio(name, timings[name], timings[floor], limit=limit, over=f"importing {floor}")
        for name, (_, floor, limit) in cases.items()
    ]
