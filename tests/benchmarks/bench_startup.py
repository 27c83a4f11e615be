"""What a start costs: each command against importing click (and rich) alone."""

import shutil
import sys
from pathlib import Path

from tests.benchmarks.measure import Ratio, time_commands

_CLICK = "python -c 'import click'"
_RICH = "python -c 'import click, rich.console, rich.table'"
_PINT = "pint-convert"

_CONVERSION = ("convert", "5e-4", "--from", "caffe", "--to", "keras-l2")
_FOUNDING = (
    "convert", "0.001", "--from", "mean-l2", "--arch", "784-300-100-10", "-N", "60000", "-B",
    "128", "--lr", "0.1",
)  # fmt: skip
_CASES = {
    "convert --value": ((*_CONVERSION, "--value"), _CLICK, 1.20),
    "convert --json": ((*_CONVERSION, "--json"), _CLICK, 1.20),
    "convert, all tables": (_FOUNDING, _RICH, 1.20),
    "convert, one target": (_CONVERSION, _RICH, 1.20),
    "conventions, tables": (("conventions",), _RICH, 1.20),
    "conventions KEY, table": (("conventions", "pytorch-adamw"), _RICH, 1.20),
    "arch, tables": (("arch", "784-300-100-10"), _RICH, 1.20),
    "recipes, tables": (("recipes",), _RICH, 1.20),
    "--help": (("--help",), _CLICK, 1.15),
    "convert --help": (("convert", "--help"), _CLICK, 1.15),
}


def program() -> str:
    """Return the installed program beside this Python."""
    found = Path(sys.executable).with_name("decaycalc")
    if not found.exists():
        sys.exit(f"no {found}: install decaycalc there, not editable (pip install .)")
    return str(found)


def run(*, rounds: int) -> list[Ratio]:
    """Return the ratios of every command's start."""
    commands = {name: (program(), *words) for name, (words, _, _) in _CASES.items()}
    commands[_CLICK] = (sys.executable, "-c", "import click")
    commands[_RICH] = (sys.executable, "-c", "import click, rich.console, rich.table")
    pint = shutil.which(_PINT, path=str(Path(sys.executable).parent))
    if pint:
        commands[_PINT] = (pint, "1 inch", "cm")
    timings = time_commands(commands, rounds=rounds)
    ratios = [
        Ratio(name=name, ours=timings[name], floor=timings[floor], floor_name=floor, limit=limit)
        for name, (_, floor, limit) in _CASES.items()
    ]
    if pint:
        ratios.append(
            Ratio(
                name="times faster than pint-convert",
                ours=timings["convert --value"],
                floor=timings[_PINT],
                floor_name=_PINT,
                limit=8,
                at_least=True,
            )
        )
    return ratios
