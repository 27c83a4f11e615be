"""`decaycalc inspect`: what a run's weight decay really does, every quantity with its origin."""

from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.names import RECIPE, SCHEDULE
from decaycalc.cli.options import KIND, run_options
from decaycalc.cli.output import Shown, output_options
from decaycalc.conventions.run import Run

if TYPE_CHECKING:
    from decaycalc.inspection import Inspection


@click.command(
    "inspect",
    cls=Command,
    examples=(
        "decaycalc inspect resnet-50-he",
        "decaycalc inspect train.yaml --world-size 8",
        "decaycalc inspect run.sh --json",
        "decaycalc inspect args.yaml --kind timm -N 1281167",
    ),
)
@click.argument("source", type=RECIPE, metavar="SOURCE")
@KIND
@click.option("--schedule", type=SCHEDULE, metavar="TEXT", help="lr schedule, in place of its own.")
@click.option("--decay-schedule", type=SCHEDULE, metavar="TEXT",
              help="Its decay's schedule, a multiplier, in place of its own.")  # fmt: skip
@run_options
@output_options
def command(
    source: str, kind: str | None, schedule: str | None, decay_schedule: str | None, run: Run
) -> Shown:
    """Show what the weight decay of SOURCE really does, and where each number comes from.

    SOURCE is a published run's name or a training file (- is stdin); the run's options take the
    place of its own.
    """
    from decaycalc.inspection import inspect

    found = inspect(source, run=run, schedule=schedule, decay_schedule=decay_schedule, kind=kind)
    return shown(found)


def shown(found: "Inspection") -> Shown:
    """Return an inspection in all its shapes."""

    def tables() -> Any:
        from decaycalc.report import inspect as report

        return report.tables(found)

    def rows() -> Any:
        from decaycalc.report import inspect as report

        return report.rows(found)

    return Shown(
        name="inspect",
        body=found.to_dict,
        tables=tables,
        rows=rows,
        warnings=found.training.notes,
    )
