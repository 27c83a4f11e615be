"""`decaycalc compare`: two runs side by side, and why their decays differ."""

from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.names import RECIPE
from decaycalc.cli.options import KIND, run_options, source_options
from decaycalc.cli.output import output_options
from decaycalc.cli.shown import Shown
from decaycalc.conventions.run import Run

if TYPE_CHECKING:
    from decaycalc.comparison import Comparison


@click.command(
    "compare",
    cls=Command,
    examples=(
        "decaycalc compare resnet-50-he resnet-50-goyal-8k",
        "decaycalc compare train_gpt2.py run.sh",
        "decaycalc compare old.yaml new.yaml -N 1281167 --json",
    ),
)
@click.argument("first", type=RECIPE, metavar="SOURCE")
@click.argument("second", type=RECIPE, metavar="SOURCE")
@KIND
@source_options
@run_options
@output_options
def command(
    first: str,
    second: str,
    *,
    kind: str | None,
    more: dict[str, Any],
    run: Run,
) -> Shown:
    """Compare the weight decays of two runs: published ones' names, or training files.

    Side by side in common units, with the factors that multiply to the ratio. What is given holds
    for both: the run's options take the place of their own, --kind says which trainer's files they
    are, --arch which network they train.
    """
    from decaycalc.comparison import compare
    from decaycalc.inspection import require_entering

    found = compare(first, second, run=run, kinds=(kind, kind), **more)
    require_entering(run, *found.sides)
    return shown(found)


def shown(found: "Comparison") -> Shown:
    """Return a comparison in all its shapes."""
    from decaycalc.report import compare as report

    return Shown(
        name="compare",
        body=found.to_dict,
        tables=lambda: report.tables(found),
        rows=lambda: report.rows(found),
        # B is compared, and with it what it rests on.
        warnings=tuple(
            dict.fromkeys(
                f"{side.training.source}: {note}"
                for side in found.sides
                for note in side.training.on_devices
            )
        ),
    )
