"""Every benchmark, as ratios against floors of the same run: `python -m tests.benchmarks [NAME]`.

To be run by hand, with decaycalc installed (not editable) in the environment of this Python:
`pip install '.[test]' pint && python -m tests.benchmarks`. `--rounds N` changes the number of
interleaved rounds of the start-up benchmark.
"""

import argparse
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks.measure import Ratio


def names() -> list[str]:
    """Return the benchmarks by their short names."""
    found = Path(__file__).parent.glob("bench_*.py")
    return sorted(path.stem.removeprefix("bench_") for path in found)


def show(name: str, ratios: list[Ratio]) -> Table:
    """Return one benchmark's ratios as a table."""
    table = Table(title=name, title_justify="left")
    for column in ("path", "ours ms", "floor ms", "wall ratio", "cpu ratio", "promise", "held"):
        table.add_column(column, justify="left" if column in {"path", "held"} else "right")
    for ratio in ratios:
        bound = f"{'>=' if ratio.at_least else '<='} {ratio.limit:g}"
        table.add_row(
            ratio.name + (f" ({ratio.note})" if ratio.note else ""),
            f"{ratio.ours.wall * 1e3:.1f}", f"{ratio.floor.wall * 1e3:.1f}",
            f"{ratio.wall:.2f}", f"{ratio.cpu:.2f}", bound, "yes" if ratio.is_held else "NO",
        )  # fmt: skip
    return table


def main() -> None:
    """Run the benchmarks asked for and print their tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*names(), []], help="default: all")
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    console = Console(width=120)
    for name in chosen.names or names():
        module = import_module(f"tests.benchmarks.bench_{name}")
        console.print(show(name, module.run(rounds=chosen.rounds)))


if __name__ == "__main__":
    main()
