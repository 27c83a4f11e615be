"""`decaycalc verify`: train twice by two conventions' update rules and compare."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.convention_name import FROM, ConventionName, conventions_option
from decaycalc.cli.names import MODEL, SCHEDULE, WITH
from decaycalc.cli.options import (
    PLAIN_WEIGHTS,
    SAVE,
    options,
    run_options,
    target_options,
)
from decaycalc.cli.output import output_options
from decaycalc.cli.request import require_source, weighed
from decaycalc.cli.screen import working
from decaycalc.cli.shown import Draw, Shown
from decaycalc.conversion.plan import Match
from decaycalc.errors import MissingQuantityError, UsageError

if TYPE_CHECKING:
    from decaycalc.verification.verify import Verification


@click.command(
    "verify",
    cls=Command,
    examples=(
        "decaycalc verify 5e-4 --from caffe --to keras-l2 --lr 0.01 --momentum 0.9",
        "decaycalc verify 0.1 --from pytorch-adamw --to composer-adamw --lr 6e-4",
        "decaycalc verify 1e-3 --from mean-l2 --to pytorch-sgd --to-value 1e-3",
        "decaycalc verify 0.1 --from pytorch-adamw --to tfa-adamw --lr 1e-3 --with torch",
    ),
)
@click.argument("value", required=False)
@FROM
@click.option("--to", "target", type=ConventionName(), metavar="KEY", help="What to convert to.")
@click.option("--to-value", metavar="NUMBER", help="Try this number, not the converted one.")
@click.option(
    "--match", type=click.Choice([match.value for match in Match]), default="optimum",
    show_default=True, help="Under momentum: hold optimum or decay.",
)  # fmt: skip
@click.option(
    "--model", "models", type=MODEL, multiple=True, metavar="NAME",
    help="least-squares, softmax or two-layer; repeatable.  [default: all that suit]",
)  # fmt: skip
@click.option(
    "--schedule", type=SCHEDULE, metavar="TEXT", default="constant", show_default=True,
    help="lr schedule of both trainings, as cosine:warmup=10%.",
)  # fmt: skip
@click.option(
    "--with", "frameworks", type=WITH, multiple=True, metavar="NAME",
    help="Let torch, keras, optax or sklearn take the steps of its own side; repeatable.",
)  # fmt: skip
@click.option("--plot", is_flag=True, help="Draw them in the terminal (extra: plot).")
@SAVE
@options(*PLAIN_WEIGHTS)
@conventions_option
@run_options
@target_options
@output_options
def command(**given: Any) -> Shown:
    """Train a small model twice, by two conventions' update rules, and compare.

    What is compared depends on the claim: the weights after every step (identical), the optima
    (same-optimum) or the decay without data gradient (same-decay). Status 1 when it does not hold.
    """
    source, target, value = given.pop("source"), given.pop("target"), given.pop("value")
    if value is None:
        raise MissingQuantityError("a verification", ("value",))
    if target is None:
        raise UsageError("give --to, the convention to convert to")
    from decaycalc.verification.verify import check_models, verify

    models, match = check_models(given.pop("models")), Match(given.pop("match"))
    record = require_source(source)
    plot, path = given.pop("plot"), given.pop("save")
    arch, mask = given.pop("arch"), given.pop("decay_mask")
    run = weighed(given.pop("run"), arch, mask, records=(record, target))
    with working("training both"):
        found = verify(
            value, source=record, target=target, match=match, models=models, run=run, **given
        )
    if path is not None:
        save_picture(found, path)
    return shown(found, plot=drawing(found) if plot else None)


def save_picture(found: "Verification", path: str) -> None:
    """Draw the differences to a file."""
    from decaycalc.report.plot import save_panels
    from decaycalc.report.verify import panels, title

    save_panels(panels(found), path, title=title(found))


def drawing(found: "Verification") -> "Draw":
    """Return what draws the differences."""
    from decaycalc.report.plot import draw_panels
    from decaycalc.report.verify import panels

    return partial(draw_panels, tuple(panels(found)))


def shown(found: "Verification", *, plot: "Draw | None") -> Shown:
    """Return the verification in all its shapes."""
    from decaycalc.report import verify as report

    return Shown(
        name="verify",
        body=found.to_dict,
        tables=lambda: report.tables(found),
        rows=lambda: report.rows(found),
        status=0 if found.holds else 1,
        plot=plot,
    )
