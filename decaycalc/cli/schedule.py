"""`decaycalc schedule`: what a weight decay does over a run with a learning-rate schedule."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.convention_name import FROM, conventions_option
from decaycalc.cli.names import DTYPE, SCHEDULE
from decaycalc.cli.options import (
    GROUP,
    KIND,
    RECIPE,
    SAVE,
    VALUE,
    WEIGHTS,
    options,
    read_network,
    run_options,
)
from decaycalc.cli.output import output_options
from decaycalc.cli.request import counted, over_recipe, require_source
from decaycalc.cli.screen import following
from decaycalc.cli.shown import Draw, Shown
from decaycalc.errors import ContradictionError, InvalidValueError, MissingQuantityError
from decaycalc.record import replace
from decaycalc.training.chosen import typed

if TYPE_CHECKING:
    from decaycalc.survival.scheduled import ScheduleAnswer
    from decaycalc.training.record import Training


@click.command(
    "schedule",
    cls=Command,
    examples=(
        "decaycalc schedule 0.1 --from pytorch-adamw --lr 6e-4 --steps 600000 --schedule cosine",
        "decaycalc schedule 5e-4 --from caffe --lr 0.01 --momentum 0.9 --steps 450000 --plot",
        "decaycalc schedule --recipe gpt-2-124m-nanogpt",
        (
            "decaycalc schedule 0.04 --from pytorch-adamw --lr 1e-3 --steps 1e5 --schedule cosine"
            " --decay-schedule cosine:final=10"
        ),
        "decaycalc schedule --list",
    ),
)
@VALUE
@FROM
@click.option(
    "--schedule", type=SCHEDULE, metavar="TEXT",
    help="The schedule, as cosine:warmup=2000,final=0.1; --list explains.  [default: constant]",
)  # fmt: skip
@click.option(
    "--decay-schedule", type=SCHEDULE, metavar="TEXT",
    help="The decay's own schedule, a multiplier of VALUE: cosine:final=10.",
)  # fmt: skip
@click.option("--list", "listing", is_flag=True, help="List the schedules and their parameters.")
@click.option("--curve", metavar="N", default="200", show_default=True,
              help="Most points of the curve.")  # fmt: skip
@click.option("--plot", is_flag=True, help="Draw the curves in the terminal (extra: plot).")
@SAVE
@click.option(
    "--dtype", type=DTYPE, metavar="DTYPE", help="float32, bfloat16 or float16: warn of rounding."
)
@options(*WEIGHTS, GROUP, RECIPE, KIND)
@conventions_option
@run_options
@output_options
def command(listing: bool, **given: Any) -> Shown:
    """Show what a weight decay VALUE does over a run: survival, timescales, ages of updates."""
    return listed() if listing else scheduled(**given)


def listed() -> Shown:
    """Return the list of schedules in all its shapes."""
    from decaycalc.report import schedule as report

    rows = report.listed_rows()
    return Shown(
        name="schedule", body=lambda: {"schedules": rows}, tables=report.listing, rows=lambda: rows
    )


def scheduled(
    *,
    kind: str | None,
    recipe: str | None,
    curve: str,
    plot: bool,
    save: str | None,
    dtype: str | None,
    groups: tuple[str, ...],
    arch: str | None,
    decay_mask: str | None,
    **words: Any,
) -> Shown:
    """Return a decay over its run in all its shapes; draw it where that is asked for.

    `words` are those of a run, which a recipe may stand behind; a network has its groups shown.

    Raises:
        ContradictionError: No VALUE.
    """
    from decaycalc.cli.grouped import with_groups, with_origins
    from decaycalc.training.groups import grouped, mask_of, with_mask_noted

    network = read_network(arch, decay_mask)
    training = over_recipe(typed(**words), recipe, kind=kind)
    if arch is not None:
        training = with_mask_noted(training, decay_mask)
        network["mask"] = mask_of(training, decay_mask)
    training = counted(training, network["architecture"], decay_mask)
    found = follow(training, curve=curve, dtype=dtype)
    if save is not None:
        from decaycalc.report.plot import save as save_picture

        save_picture(found, save)
    result = with_origins(shown(found, told=training.told, plot=plot), training)
    if not groups and arch is None:
        return result
    followed = replace(training, schedule=training.schedule or "constant")
    return with_groups(result, grouped(followed, groups, **network))


def follow(training: "Training", *, curve: str, dtype: str | None) -> "ScheduleAnswer":
    """Return what a run's decay does over its schedule, with a curve of `curve` points at most.

    Raises:
        ContradictionError: No VALUE.
        InvalidValueError: `curve` is not a number of points.
        MissingQuantityError: the run's file has a schedule that is not known.
    """
    from decaycalc.conversion.entering import require_taken
    from decaycalc.conversion.side import Side
    from decaycalc.survival.scheduled import follow_decay
    from decaycalc.training.record import PUBLISHED

    record = require_source(training.record)
    if training.value is None:
        raise ContradictionError("give a VALUE, the weight decay to follow over the run")
    # A published run that states none has one that no text says: it is followed with a warning.
    is_open = training.kind == PUBLISHED
    if training.open_schedule is not None and not is_open:
        where = training.open_schedule.where
        raise MissingQuantityError(f"the lr over this run ({where})", ("schedule",))
    require_taken(Side(convention=record, run=training.run), ())
    n_points = points(curve)
    with following(training.run.total_steps):
        return follow_decay(
            training.value,
            source=record,
            run=training.run,
            schedule=training.schedule or (None if is_open else "constant"),
            decay_schedule=training.decay_schedule,
            n_points=n_points,
            dtype=dtype,
        )


def shown(found: "ScheduleAnswer", *, told: tuple[str, ...], plot: bool) -> Shown:
    """Return a decay over its run in all its shapes; `told` is what a recipe's note warns of."""
    from decaycalc.report import schedule as report

    return Shown(
        name="schedule",
        body=found.to_dict,
        tables=lambda: report.tables(found),
        rows=lambda: report.rows(found),
        warnings=(*told, *found.warnings),
        plot=drawing(found) if plot else None,
    )


def drawing(found: "ScheduleAnswer") -> "Draw":
    """Return what draws the curves."""
    from decaycalc.report.plot import draw

    return partial(draw, found)


def points(text: str) -> int:
    """Return a number of points.

    Raises:
        InvalidValueError: It is not a whole number.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < 10):  # noqa: PLR2004
        raise InvalidValueError("curve", text, "must be a whole number of points")
    return int(text)
