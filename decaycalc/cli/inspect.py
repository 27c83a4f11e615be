"""`decaycalc inspect`: what a run's weight decay really does, every quantity with its origin."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.grouped import remarked
from decaycalc.cli.names import RECIPE
from decaycalc.cli.options import GROUP, KIND, run_options, source_options
from decaycalc.cli.output import output_options
from decaycalc.cli.shown import Shown
from decaycalc.conventions.run import Run
from decaycalc.errors import UsageError

if TYPE_CHECKING:
    from decaycalc.inspection import Inspection
    from decaycalc.training.record import Training


@click.command(
    "inspect",
    cls=Command,
    examples=(
        "decaycalc inspect resnet-50-he",
        "decaycalc inspect train.yaml --world-size 8",
        "decaycalc inspect run.sh --json",
        "decaycalc inspect gpt-2-124m-nanogpt --group 'wte:wd=0'",
        "decaycalc inspect args.yaml --kind timm -N 1281167 --arch vit_base_patch16_224",
        "decaycalc inspect --live train:make_optimizer",
    ),
)
@click.argument("source", type=RECIPE, metavar="SOURCE")
@KIND
@click.option(
    "--live",
    is_flag=True,
    help="SOURCE is module:callable; it returns (optimizer, model, scheduler) or fewer of them.",
)
@click.option("--configured", type=RECIPE, metavar="SOURCE",
              help="What --live was configured by: DC111 where its λ differs.")  # fmt: skip
@run_options
@source_options
@GROUP
@output_options
def command(
    source: str,
    *,
    kind: str | None,
    live: bool,
    configured: str | None,
    groups: tuple[str, ...],
    run: Run,
    more: Mapping[str, Any],
) -> Shown:
    """Show what the weight decay of SOURCE really does, and where each number comes from.

    SOURCE is a published run's name or a training file (- is stdin), or with --live code of yours
    that makes an optimizer; the run's options take the place of its own. --arch names the network
    that a file's run trains: which of its tensors decay is the trainer's own rule, or --decay-mask.
    """
    from decaycalc.inspection import inspect, require_entering

    if configured is not None and not live:
        raise UsageError("--configured stands beside --live: 'decaycalc compare' compares two runs")
    if live:
        training = training_of(source, kind, run, configured)
        found = inspected_over(training, run=run, groups=groups, **more)
    else:
        found = inspect(source, run=run, groups=groups, kind=kind, **more)
    require_entering(run, found)
    return shown(found)


def inspected_over(
    training: "Training",
    *,
    run: Run,
    schedule: str | None,
    decay_schedule: str | None,
    **more: Any,
) -> "Inspection":
    """Return the inspection of an optimizer's run, what was typed laid over it."""
    from decaycalc.inspection import inspect_training
    from decaycalc.training.chosen import laid_over, typed

    own = typed(run=run, schedule=schedule, decay_schedule=decay_schedule)
    return inspect_training(laid_over(own, training), **more)


def training_of(
    source: str, kind: str | None, run: Run, configured: str | None = None
) -> "Training":
    """Return the run of an optimizer that the user's own code makes, beside its configuration.

    Raises:
        UsageError: a trainer's kind beside it.
        InvalidValueError: code that makes no optimizer, or fails.
    """
    if kind is not None:
        raise UsageError("--kind is a file's, and --live takes none")
    from decaycalc.training.live.configured import beside
    from decaycalc.training.live.loading import load
    from decaycalc.training.live.read import training_of as read

    return beside(read(*load(source), run=run, source=source), configured)


def shown(found: "Inspection") -> Shown:
    """Return an inspection in all its shapes."""
    from decaycalc.report import inspect as report

    # What a finding says stands in the result already.
    said = {finding.message for finding in found.findings}
    result = Shown(
        name="inspect",
        body=found.to_dict,
        tables=lambda: report.tables(found),
        rows=lambda: report.rows(found),
        warnings=tuple(note for note in found.training.notes if note not in said),
    )
    return remarked(result, found.training)
