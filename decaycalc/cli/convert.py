"""`decaycalc convert`: one weight decay in every other convention."""

from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.convention_name import FROM, ConventionName, conventions_option
from decaycalc.cli.options import (
    EMIT,
    EXPLAIN,
    GROUP,
    KIND,
    NETWORK,
    OTHER_RUN,
    RECIPE,
    ROWS_OF_A_FILE,
    RUN,
    SCHEDULE_AND_DTYPE,
    SHOW_CONFIG,
    VALUE,
    options,
)
from decaycalc.cli.output import output_of, output_options
from decaycalc.cli.request import Request, question_of, training_of
from decaycalc.cli.screen import following
from decaycalc.cli.shown import Shown
from decaycalc.errors import MissingQuantityError, NoEquivalentError, UsageError
from decaycalc.record import replace

if TYPE_CHECKING:
    from decaycalc.answers import Answer, Question
    from decaycalc.inspection import GroupDecay
    from decaycalc.report.document_types import ConvertJson
    from decaycalc.training.record import Training


@click.command(
    "convert",
    cls=Command,
    examples=(
        "decaycalc convert 5e-4 --from caffe --to keras-l2 --value",
        "decaycalc convert 1e-4 --from pytorch-sgd --lr 0.1 --momentum 0.9 -B 256",
        "decaycalc convert 0.001 --from mean-l2 -a 784-300-100-10 -N 60k -B 128",
    ),
)
@VALUE
@FROM
@click.option(
    "--to", "targets", type=ConventionName(), multiple=True, metavar="KEY",
    help="What to convert to; repeatable.  [common ones]",
)  # fmt: skip
@click.option(
    "--all", "everything", is_flag=True, help="Every convention that the numbers given reach."
)
@click.option("--strict", is_flag=True, help="Refuse to take for granted what is not given.")
@click.option("--value", "value_only", is_flag=True, help="Print the one target's bare number.")
@click.option(
    "--match", type=click.Choice(["optimum", "decay"]), default="optimum",
    help="Under momentum: hold optimum (default) or decay.",
)  # fmt: skip
@options(
    EXPLAIN,
    SHOW_CONFIG,
    *ROWS_OF_A_FILE,
    *RUN,
    *SCHEDULE_AND_DTYPE,
    *OTHER_RUN,
    *NETWORK,
    GROUP,
    EMIT,
    RECIPE,
    KIND,
)
@conventions_option
@output_options
def command(**given: Any) -> Shown | None:
    """Convert a weight decay VALUE from one convention to the others.

    VALUE is a decimal or a fraction (1/3); without it the formulas alone are printed. The fields of
    --input's rows are called as the options are: value, from, to, lr, batch_size ...
    """
    request = Request.of(given)
    if request.show_config:
        from decaycalc.cli.shown_config import shown_config

        return shown_config()
    if request.input is not None:
        from decaycalc.cli.rows import convert_rows

        convert_rows(request, request.input)
        return None
    training = training_of(request)
    if request.framework is not None:
        from decaycalc.cli.emit import emitted

        return emitted(request, training, request.framework)
    return answered(request, training)


def answered(request: Request, training: "Training") -> Shown:
    """Return the answer, with its origins, its groups and its derivation where they are asked for.

    Raises:
        UsageError: groups beside a bare number.
        DecaycalcError: what has no answer.
    """
    from decaycalc.answers import answer_of

    is_bare = output_of(click.get_current_context()).asked == "value"
    if is_bare:
        training = _of_a_bare_number(request, training)
    question = question_of(request, training, strict=request.strict and not is_bare)
    with following(question.run.total_steps if question.schedule else None):
        found = answer_of(question)
    if request.strict:
        _require_said(found)
    asked = len(question.targets)
    result = shown(found, training.told, asked=asked, everything=question.everything)
    if request.recipe is not None:
        from decaycalc.cli.grouped import with_origins

        result = with_origins(result, training)
    if request.groups:
        result = in_groups(result, training, question, request.groups)
    if not request.explain:
        return result
    from decaycalc.cli.explanation import explained, of_answer

    return explained(result, of_answer(question, found), style=request.explain)


def _of_a_bare_number(request: Request, training: "Training") -> "Training":
    """Return the run of a bare number, which a recipe's schedule does not enter.

    One that is typed does, and a whole run's factor follows a recipe's.

    Raises:
        UsageError: groups, of which each has a number.
    """
    if request.groups:
        raise UsageError("--group has a number for each group: leave out --value")
    if request.schedule is not None or any(target.is_of_whole_run for target in request.targets):
        return training
    return replace(training, schedule=None, decay_schedule=request.decay_schedule)


def in_groups(
    result: Shown, training: "Training", question: "Question", texts: tuple[str, ...]
) -> Shown:
    """Return an answer with what each group of the run gets beside it."""
    from decaycalc.cli.grouped import with_groups
    from decaycalc.grouped_answers import group_answer
    from decaycalc.training.groups import grouped

    def more(each: "GroupDecay") -> dict[str, Any]:
        return {"conversions": group_answer(question, training, each).numbers()}

    network, mask = question.architecture, question.mask
    run = grouped(training, texts, architecture=network, mask=mask)
    return with_groups(result, run, more)


def _require_said(answer: "Answer") -> None:
    """Refuse conversions that take something for granted; the decay beside them is not asked for.

    Raises:
        MissingQuantityError: one of them does.
    """
    from decaycalc.conversion.assumptions import require_said

    for conversion in answer.conversions:
        require_said(f"{answer.source.key} to {conversion.convention.key}", conversion.assumptions)


def shown(
    answer: "Answer", notes: tuple[str, ...] = (), *, asked: int = 0, everything: bool = False
) -> Shown:
    """Return the answer in all its shapes; `asked` is the number of targets asked for.

    `notes` are warnings that go before its own.
    """

    # The reports are imported where they are used: they are a sixth of a bare number's start.
    def tables() -> Any:
        from decaycalc.cli.flags import flag_of
        from decaycalc.report import convert

        return convert.tables(answer, flag_of=flag_of, asked=asked, everything=everything)

    def rows() -> Any:
        from decaycalc.report import convert

        return convert.rows(answer)

    return Shown(
        name="convert",
        body=lambda: body_of(answer),
        tables=tables,
        rows=rows,
        value=lambda: bare_number(answer),
        notes=tuple(entry.text for made in answer.conversions for entry in made.assumptions),
        warnings=(*notes, *answer.warnings),
    )


def body_of(answer: "Answer") -> "ConvertJson":
    """Return the JSON document's content."""
    timescale = None if answer.decay is None else answer.decay.timescale_epochs
    if timescale is None:
        return {**answer.to_dict(), "nearest_recipes": []}
    from decaycalc.report import neighbours

    return {**answer.to_dict(), "nearest_recipes": neighbours.rows(timescale)}


def bare_number(answer: "Answer") -> str:
    """Return the one target's number, the shortest text that reads back to the same float64.

    Raises:
        UsageError: there is not exactly one target, or no VALUE.
        MissingQuantityError: the target's own lr is not known.
        NoEquivalentError: the target has one number a layer.
    """
    if answer.value is None:
        raise UsageError("--value needs a VALUE to convert")
    if len(answer.conversions) != 1:
        raise UsageError("--value needs exactly one --to")
    conversion = answer.conversions[0]
    if conversion.missing:
        what = f"{answer.source.key} to {conversion.convention.key}"
        raise MissingQuantityError(what, conversion.missing)
    if conversion.value is None:
        raise NoEquivalentError(
            answer.source.key, conversion.convention.key, "it has one number a layer; see --json"
        )
    return repr(conversion.value)
