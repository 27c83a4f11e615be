"""Request: what a command line of `convert` asks for, typed; nothing of it is computed yet."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from decaycalc.algebra.number import exact
from decaycalc.cli.options import read_network, take_architecture
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import run_of, target_run_of
from decaycalc.conversion.plan import Match
from decaycalc.errors import UsageError
from decaycalc.record import Record, replace
from decaycalc.training.chosen import chosen, typed

if TYPE_CHECKING:
    from decaycalc.answers import Question
    from decaycalc.architecture.tensors import Architecture
    from decaycalc.cli.transfer_request import TransferRequest
    from decaycalc.conventions.record import Convention
    from decaycalc.training.record import Training


class Request(Record):
    """The options of `convert` by their names; `quantities` are those of the two runs.

    What is None, False or empty was not given. A quantity of the run that is converted to stands
    after `to_`.
    """

    value: str | None
    source: "Convention | None"
    targets: "tuple[Convention, ...]"
    everything: bool
    match: str
    explain: str | None
    show_config: bool
    input: str | None
    input_format: str | None
    on_error: str
    recipe: str | None
    kind: str | None
    framework: str | None
    schedule: str | None
    decay_schedule: str | None
    dtype: str | None
    rounding: str | None
    strict: bool
    arch: str | None
    no_bias: bool
    decay_mask: str | None
    groups: tuple[str, ...]
    init: str | None
    classes: str | None
    quantities: Mapping[str, Any]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Request":
        """Return the request that click's parameters are.

        Raises:
            UsageError: options that only go with --input, without it.
        """
        own = {name: value for name, value in given.items() if name in cls._fields}
        rest = {name: value for name, value in given.items() if name not in cls._fields}
        settings = dict(rest.pop("settings"))
        request = cls(**own, quantities={**rest, **settings})
        alone = request.input is None
        if alone and (request.input_format is not None or request.on_error != "continue"):
            raise UsageError("--input-format and --on-error go with --input")
        if request.value == "-":
            raise UsageError("VALUE '-': rows from stdin are --input -")
        return request

    @property
    def run(self) -> Run:
        """The run of the source, as far as it was given."""
        return run_of(self.quantities)

    @property
    def target_run(self) -> Run | None:
        """What differs in the run that is converted to; None where nothing was given."""
        return target_run_of(self.quantities)


def question_of(request: Request, training: "Training", *, strict: bool = False) -> "Question":
    """Return what is asked of the run that is set out from.

    `strict` refuses all that an answer takes for granted, not in its conversions alone.

    Raises:
        DecaycalcError: a network that cannot be read, or options that cannot hold together.
    """
    from decaycalc.answers import Question

    unknown = training.open_schedule
    told = "" if unknown is None else f"the lr over its run ({unknown.where}) is not known"
    network = take_architecture(request)
    return Question(
        source=require_source(training.record),
        value=training.value,
        run=training.run,
        target_run=request.target_run,
        targets=request.targets,
        everything=request.everything,
        match=Match(request.match),
        dtype=request.dtype,
        rounding=request.rounding,
        strict=strict,
        open_lr=f"{told}: give --schedule" if told else "",
        schedule=training.schedule,
        decay_schedule=training.decay_schedule,
        **{**network, "mask": _mask(request, training)},
    )


def _mask(request: Request, training: "Training") -> str | None:
    """Return the mask asked for, else the rule of a recipe's run."""
    if request.recipe is None:
        return request.decay_mask
    # Imported here: a run that is typed whole has no rule of its own.
    from decaycalc.training.groups import mask_of

    return mask_of(training, request.decay_mask)


def training_of(request: Request) -> "Training":
    """Return the run that is set out from, a note told where a mask is not its own.

    Raises:
        DecaycalcError: a recipe that is unknown, or that the options contradict.
    """
    training = set_out(request)
    if request.arch is None or request.recipe is None:
        return training
    from decaycalc.training.groups import with_mask_noted

    return with_mask_noted(training, request.decay_mask)


def set_out(request: "Request | TransferRequest") -> "Training":
    """Return the run of a request's options, laid over a recipe's where one is named.

    Raises:
        DecaycalcError: a recipe that is unknown, or that the options contradict.
    """
    own = typed(
        value=request.value,
        source=request.source,
        run=request.run,
        schedule=request.schedule,
        decay_schedule=request.decay_schedule,
    )
    return over_recipe(own, request.recipe, kind=request.kind)


def over_recipe(own: "Training", recipe: str | None, *, kind: str | None) -> "Training":
    """Return one's own run, laid over a recipe's where one is named.

    Raises:
        UsageError: a kind where there is no file that it could be the kind of.
        DecaycalcError: a recipe that is unknown, or that one's own contradicts.
    """
    if recipe is None and kind is not None:
        raise UsageError("--kind needs a file: give --recipe")
    return chosen(own, recipe, kind=kind)


def counted(
    training: "Training", architecture: "Architecture | None", mask: str | None
) -> "Training":
    """Return a training whose run has the numbers of a network's weights and layers.

    What decays is by the `mask` asked for, else by the run's own rule.
    """
    if architecture is None:
        return training
    from decaycalc.architecture.penalty import counted
    from decaycalc.training.groups import mask_of

    mask = mask_of(training, mask)
    return replace(training, run=counted(training.run, architecture=architecture, mask=mask))


def weighed(
    run: Run,
    arch: str | None,
    mask: str | None,
    *,
    records: tuple["Convention", ...],
    way_out: str = "",
) -> Run:
    """Return a run with the numbers of a network's weights and layers, where one is named.

    `way_out` is what to give instead where neither convention counts weights.

    Raises:
        UsageError: a network, and neither convention counts its weights.
        DecaycalcError: a network that cannot be read.
    """
    network = read_network(arch, mask)
    if network["architecture"] is None:
        return run
    names = {name for record in records if record.monomial for name in record.monomial.names}
    if "n_weights" not in names and "layer_weights" not in names:
        keys = " and ".join(dict.fromkeys(record.key for record in records))
        verb = "counts" if len(set(records)) == 1 else "count"
        raise UsageError(f"--arch enters nothing: {keys} {verb} no weights{way_out}")
    from decaycalc.architecture.penalty import counted

    return counted(run, **network)


def require_source(source: "Convention | None") -> "Convention":
    """Return the source convention; it has no default, because every guess would be wrong for most.

    Raises:
        UsageError: it was not given; the text offers the commonest.
        InvalidValueError: it was not given, and VALUE is not even a number.
    """
    if source is None:
        from decaycalc.cli.empty_call import help_with_an_empty_call

        context = click.get_current_context()
        help_with_an_empty_call(context)
        exact(context.params.get("value") or 0, name="VALUE")
        raise UsageError(
            "give --from, what VALUE is in: pytorch-sgd, pytorch-adamw, keras-l2, keras-adamw, "
            "optax-adamw, sklearn-logistic, mean-l2, sum-l2 ('decaycalc conventions' lists all)"
        )
    return source
