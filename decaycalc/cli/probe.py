"""`decaycalc probe`: what an optimizer of the user's own code does, by its own steps."""

from typing import TYPE_CHECKING

import click

from decaycalc.cli.command import Command
from decaycalc.cli.output import output_options
from decaycalc.cli.shown import Shown

if TYPE_CHECKING:
    from decaycalc.training.live.probe import Probe


@click.command(
    "probe",
    cls=Command,
    examples=(
        "decaycalc probe train:make_optimizer",
        "decaycalc probe train:make_optimizer --json",
    ),
)
@click.argument("source", metavar="MODULE:CALLABLE")
@output_options
def command(source: str) -> Shown:
    """Step small copies of an optimizer, and report what its weight decay does.

    MODULE:CALLABLE is code of yours, which this imports and calls; it returns an optimizer, or
    (optimizer, model). Its tensors stay as they are. Status 1 when the catalogue says otherwise.
    """
    from decaycalc.training.live.loading import load
    from decaycalc.training.live.probe import probe

    optimizer, model, _ = load(source)
    return shown(probe(optimizer, model))


def shown(found: "Probe") -> Shown:
    """Return a probe in all its shapes."""
    from decaycalc.report import probe as report

    return Shown(
        name="probe",
        body=found.to_dict,
        tables=lambda: report.tables(found),
        rows=lambda: [group.to_dict() for group in found.groups],
        status=1 if found.agrees is False else 0,
    )
