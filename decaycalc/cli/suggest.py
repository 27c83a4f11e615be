"""`decaycalc suggest`: which weight decay for a run."""

from typing import TYPE_CHECKING

import click

from decaycalc.cli.command import Command
from decaycalc.cli.convention_name import ConventionName, conventions_option
from decaycalc.cli.options import PLAIN_WEIGHTS, options, run_options
from decaycalc.cli.output import output_options
from decaycalc.cli.request import weighed
from decaycalc.cli.shown import Shown

if TYPE_CHECKING:
    from decaycalc.conventions.record import Convention
    from decaycalc.conventions.run import Run
    from decaycalc.transfers.suggested import Suggested

_WAY_OUT = "; give --parameters, a language model's ('decaycalc arch NETWORK' counts them)"
_RULES = ("token-law", "published-timescale", "normalized", "short-run")


@click.command(
    "suggest",
    cls=Command,
    examples=(
        "decaycalc suggest --parameters 124e6 -N 2.5e9 -B 491520 --lr 6e-4",
        "decaycalc suggest --to caffe --lr 0.1 --momentum 0.9 -B 128 -N 50k --epochs 90",
        "decaycalc suggest --rule short-run --lr 2e-4 --steps 1000",
    ),
)
@click.option("--to", "target", type=ConventionName(), metavar="KEY",
              help="What the number is wanted in.  [default: pytorch-adamw]")  # fmt: skip
@click.option("--parameters", metavar="NUMBER",
              help="A language model's parameters; N and B then count tokens.")  # fmt: skip
@click.option("--rule", "rules", type=click.Choice(_RULES), multiple=True,
              help="Only this rule; repeatable.")  # fmt: skip
@click.option("--explain", is_flag=True, help="Derive each number, with conditions and source.")
@click.option("--value", "value_only", is_flag=True, help="Print the first rule's bare number.")
@options(*PLAIN_WEIGHTS)
@conventions_option
@run_options
@output_options
def command(
    *,
    target: "Convention | None",
    run: "Run",
    parameters: str | None,
    rules: tuple[str, ...],
    explain: bool,
    arch: str | None,
    decay_mask: str | None,
) -> Shown:
    """Suggest a weight decay for a run: by fits, and by published runs of the same kind.

    Each number comes with its interval and its conditions; a rule outside its fit gives none.
    """
    from decaycalc.conventions.catalogue import find
    from decaycalc.transfers.suggestions import suggest

    record = target or find("pytorch-adamw")
    run = weighed(run, arch, decay_mask, records=(record,), way_out=_WAY_OUT)
    found = suggest(record, run=run, n_parameters=parameters, rules=rules)
    return shown(found, explain=explain)


def shown(found: "Suggested", *, explain: bool) -> Shown:
    """Return the suggestions in all their shapes."""
    from decaycalc.cli.flags import flag_of
    from decaycalc.report import suggest as report

    return Shown(
        name="suggest",
        body=found.to_dict,
        tables=lambda: report.tables(found, flag_of=flag_of, explain=explain),
        rows=lambda: [entry.to_dict() for entry in found.suggestions],
        value=lambda: repr(found.suggestions[0].value),
        notes=notes_of(found),
        warnings=found.warnings,
    )


def notes_of(found: "Suggested") -> tuple[str, ...]:
    """Return what stands behind the bare number: assumptions, and the rules that gave none."""
    first, named = found.suggestions[0], {entry.rule: entry for entry in found.unavailable}
    before = _RULES[: _RULES.index(first.rule)]
    passed = "; ".join(f"{rule}: {named[rule].message}" for rule in before if rule in named)
    assumed = tuple(entry.text for entry in found.assumptions)
    return (*assumed, *((f"by the rule {first.rule}; {passed}",) if passed else ()))
