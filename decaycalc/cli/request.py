"""Request: what a command line of `convert` asks for, typed; nothing of it is computed yet."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from decaycalc.algebra.quantity import Number
from decaycalc.cli.options import take_architecture
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import run_of, target_run_of
from decaycalc.conversion.plan import Match
from decaycalc.errors import UsageError
from decaycalc.record import Record, replace

if TYPE_CHECKING:
    from decaycalc.answers import Question
    from decaycalc.conventions.record import Convention


class Setting(Record):
    """What a conversion sets out from; `notes` are what must be known about its recipe."""

    value: Number | None
    source: "Convention | None"
    run: Run
    schedule: str | None
    decay_schedule: str | None = None
    betas: tuple[str, str] | None = None
    eps: str | None = None
    notes: tuple[str, ...] = ()


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
        return request

    @property
    def run(self) -> Run:
        """The run of the source, as far as it was given."""
        return run_of(self.quantities)

    @property
    def target_run(self) -> Run | None:
        """What differs in the run that is converted to; None where nothing was given."""
        return target_run_of(self.quantities)


def question_of(
    request: Request, setting: Setting, source: "Convention", *, strict: bool = False
) -> "Question":
    """Return what is asked, with value, run and schedule of the setting that it starts from.

    `strict` refuses all that an answer takes for granted, not in its conversions alone.

    Raises:
        DecaycalcError: a network that cannot be read, or options that cannot hold together.
    """
    from decaycalc.answers import Question

    return Question(
        source=source,
        value=setting.value,
        run=setting.run,
        target_run=request.target_run,
        targets=request.targets,
        everything=request.everything,
        match=Match(request.match),
        dtype=request.dtype,
        rounding=request.rounding,
        strict=strict,
        schedule=setting.schedule,
        decay_schedule=setting.decay_schedule,
        **take_architecture(request),
    )


def setting_of(request: Request) -> Setting:
    """Return what is set out from: the options', laid over a recipe's where one is named.

    Raises:
        DecaycalcError: a recipe that is unknown, or that the options contradict.
    """
    own = Setting(
        value=request.value,
        source=request.source,
        run=request.run,
        schedule=request.schedule,
        decay_schedule=request.decay_schedule,
    )
    return laid_over_recipe(own, request.recipe, kind=request.kind)


def laid_over_recipe(own: Setting, recipe: str | None, *, kind: str | None) -> Setting:
    """Return one's own setting, laid over a recipe's where one is named.

    Raises:
        DecaycalcError: a recipe that is unknown, or that one's own contradicts.
    """
    if recipe is None:
        require_recipe(kind=kind)
        return own
    return over_recipe(own, recipe, kind=kind)


def require_recipe(*, kind: str | None) -> None:
    """Refuse a kind where there is no file that it could be the kind of.

    Raises:
        UsageError: it was given.
    """
    if kind is not None:
        raise UsageError("--kind needs a file: give --recipe")


def over_recipe(own: Setting, recipe: str, *, kind: str | None) -> Setting:
    """Return a recipe's setting with one's own laid over it.

    Its schedules are left out, with a note, where the run's length is unknown.

    Raises:
        DecaycalcError: a recipe that is unknown, or that one's own contradicts.
    """
    from decaycalc.training.chosen import choose

    chosen = choose(
        recipe,
        value=own.value,
        source=own.source,
        run=own.run,
        schedule=own.schedule,
        decay_schedule=own.decay_schedule,
        kind=kind,
    )
    setting = Setting(**vars(chosen))
    kept = {"schedule": own.schedule, "decay_schedule": own.decay_schedule}
    if setting.run.total_steps is not None or kept == {
        "schedule": setting.schedule, "decay_schedule": setting.decay_schedule
    }:  # fmt: skip
        return setting
    note = f"{recipe}: its schedule is left out: the run's length is unknown"
    return replace(setting, **kept, notes=(*setting.notes, note))
