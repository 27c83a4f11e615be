"""Every bound on time and memory in one table: `python -m tests.benchmarks [NAME]`.

To be run by hand on a quiet machine, with decaycalc installed (not editable) in the environment of
this Python: `pip install '.[test]' pint && python -m tests.benchmarks`; all takes less than ten
minutes. Ratios are medians of processor time of interleaved rounds; `--rounds N` changes their
number where they are short. Of arrays and schedules the worst is shown, with `--each` all. The exit
status is 1 where a bound does not hold.
"""

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.measure import Bound, worst_of_groups


def names() -> list[str]:
    """Return the benchmarks by their short names."""
    found = Path(__file__).parent.glob("bench_*.py")
    return sorted(path.stem.removeprefix("bench_") for path in found)


def show(bounds: list[Bound]) -> Table:
    """Return what was measured as a table."""
    table = Table("what", "measured", "asked", "holds", "note", title_justify="left")
    for column in table.columns[1:3]:
        column.justify = "right"
    for bound in bounds:
        table.add_row(
            bound.name, f"{bound.measured:.3g}", f"<= {bound.limit:g}",
            "yes" if bound.is_held else "NO", bound.note,
        )  # fmt: skip
    return table


def measured(chosen: list[str], *, rounds: int, console: Console) -> list[Bound]:
    """Return the bounds of the chosen benchmarks, saying what each one took."""
    found: list[Bound] = []
    for name in chosen:
        began = time.monotonic()
        found += import_module(f"tests.benchmarks.bench_{name}").run(rounds=rounds)
        console.print(f"{name}: {time.monotonic() - began:.0f} s")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks asked for and print their table; return 1 where a bound does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*names(), []], help="default: all")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--each", action="store_true", help="show every case of a promise")
    chosen = parser.parse_args(arguments)
    console = Console(width=160, markup=False, highlight=False)
    found = measured(chosen.names or names(), rounds=chosen.rounds, console=console)
    found = found if chosen.each else worst_of_groups(found)
    console.print(show(found))
    failing = sum(not bound.is_held for bound in found)
    console.print(f"{len(found) - failing} of {len(found)} bounds hold")
    return int(failing > 0)


if __name__ == "__main__":
    sys.exit(main())
