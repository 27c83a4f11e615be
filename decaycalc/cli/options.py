"""Options that commands share, as decorators that hand a command finished records."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from decaycalc.algebra.quantity import QUANTITIES
from decaycalc.cli.command import Decorator
from decaycalc.cli.names import DTYPE, FILE, INITIALISER, MASK, NETWORK, SCHEDULE, completed
from decaycalc.conventions.run import Loss, Run
from decaycalc.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from decaycalc.architecture.tensors import Architecture
    from decaycalc.conventions.record import Convention

_EXTRAS = tuple(quantity for quantity in QUANTITIES.values() if quantity.extra)
_LOSSES = click.Choice([loss.value for loss in Loss])
_NUMBER = "NUMBER"
_ARCH_HELP = "Widths 784-300-100-10, a number of weights, a model's name or a file."


def _run_declarations() -> tuple[Decorator, ...]:
    """Return click's declarations of a run's quantities."""
    option = click.option
    return (
        option("--lr", metavar=_NUMBER, help="Peak learning rate."),
        option("--momentum", metavar=_NUMBER, help="Momentum coefficient.  [default: 0]"),
        option("--dampening", metavar=_NUMBER, help="Dampening of the buffer.  [default: 0]"),
        option("--nesterov/--no-nesterov", default=None, help="Nesterov momentum."),
        option("-B", "--batch-size", metavar=_NUMBER, help="Examples (or tokens) per step."),
        option("--grad-accum", metavar=_NUMBER, help="Micro-batches per step.  [default: 1]"),
        option("--world-size", metavar=_NUMBER, help="Data-parallel workers.  [default: 1]"),
        option("-N", "--dataset-size", metavar=_NUMBER, help="Examples (or tokens) in all."),
        option("--epochs", metavar=_NUMBER, help="Passes over the data set."),
        option("--steps", metavar=_NUMBER, help="Optimizer steps of the run."),
        option("--drop-last", is_flag=True, help="Leave out an epoch's short last batch."),
        option("--loss", type=_LOSSES, help="How the data loss is reduced.  [default: mean]"),
        *(
            option(
                _flag(quantity.name),
                metavar=_NUMBER,
                help=f"{quantity.help[0].upper()}{quantity.help[1:]}.",
            )
            for quantity in _EXTRAS
        ),
    )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _target_declarations() -> tuple[Decorator, ...]:
    """Return click's declarations of what differs in the target's run."""
    option = click.option
    return (
        option("--to-lr", metavar=_NUMBER, help="The target's lr, where it differs."),
        option("--to-momentum", metavar=_NUMBER, help="The target's momentum."),
        option("--to-dampening", metavar=_NUMBER, help="The target's dampening."),
        option("--to-nesterov/--to-no-nesterov", default=None, help="The target's Nesterov."),
        option("--to-batch-size", metavar=_NUMBER, help="The target's batch size."),
        option("--to-loss", type=_LOSSES, help="The target's loss reduction."),
    )


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add a run's options; the command receives `run: Run`."""

    @wraps(command)
    def with_run(**given: Any) -> Any:
        return command(run=take_run(given), **given)

    return _declared(with_run, _run_declarations())


def schedule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--schedule` and `--dtype`; the command receives both as texts or None."""
    option = click.option
    declarations = (
        option(
            "--schedule",
            type=SCHEDULE,
            metavar="TEXT",
            help="lr schedule, cosine:warmup=2000,final=0.1 ...",
        ),
        option(
            "--dtype",
            type=DTYPE,
            metavar="DTYPE",
            help="float32, bfloat16, float16: warn of rounding.",
        ),
    )
    return _declared(command, declarations)


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the target run's options; the command receives `target_run: Run | None`."""

    @wraps(command)
    def with_target(**given: Any) -> Any:
        return command(target_run=take_target_run(given), **given)

    return _declared(with_target, _target_declarations())


def take_run(given: dict[str, Any]) -> Run:
    """Take the run's quantities out of a mapping of options and return them as a Run.

    Raises:
        InvalidValueError: a value that its quantity cannot have.
        ContradictionError: values that cannot hold together.
    """
    extras = {quantity.name: given.pop(quantity.name, None) for quantity in _EXTRAS}
    return Run(
        **{name: given.pop(name, None) for name in _RUN_FIELDS},
        drop_last=bool(given.pop("drop_last", False)),
        extras=tuple((name, value) for name, value in extras.items() if value is not None),
    )


_RUN_FIELDS = (
    "lr", "momentum", "dampening", "nesterov", "batch_size", "grad_accum", "world_size",
    "dataset_size", "epochs", "steps", "loss",
)  # fmt: skip
_TARGET_FIELDS = ("lr", "momentum", "dampening", "nesterov", "batch_size", "loss")


def take_target_run(given: dict[str, Any]) -> Run | None:
    """Take the `to_` quantities out of a mapping; None where none was given."""
    values = {name: given.pop(f"to_{name}", None) for name in _TARGET_FIELDS}
    return None if all(value is None for value in values.values()) else Run.part(**values)


def architecture_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the network's options; the command receives `architecture`, `mask`, `init`, `classes`."""
    option = click.option

    @wraps(command)
    def with_architecture(**given: Any) -> Any:
        return command(**_take_architecture(given), **given)

    return _declared(
        with_architecture,
        (
            option("-a", "--arch", type=NETWORK, metavar="SPEC", help=_ARCH_HELP),
            option("--no-bias", is_flag=True, help="Layers of widths have no biases."),
            option(
                "--decay-mask",
                type=MASK,
                metavar="MASK",
                help="Which tensors decay.  [default: no-1d]",
            ),
            option(
                "--init",
                type=INITIALISER,
                metavar="INIT",
                help="he, glorot, lecun, torch or normal:STD.",
            ),
            option("--classes", metavar=_NUMBER, help="Classes C; the initial loss is ln C."),
        ),
    )


def _take_architecture(given: dict[str, Any]) -> dict[str, Any]:
    """Take the network's options out of a mapping and return them read."""
    spec, no_bias = given.pop("arch"), given.pop("no_bias")
    mask, init = given.pop("decay_mask"), given.pop("init")
    if spec is None:
        _require_architecture(decay_mask=mask, init=init, no_bias=no_bias)
    return {
        "architecture": _architecture(spec, bias=not no_bias),
        "mask": mask,
        "init": init,
        "classes": _classes(given.pop("classes")),
    }


def _require_architecture(**given: object) -> None:
    """Refuse options that only say something about a network where there is none.

    Raises:
        UsageError: one of them was given.
    """
    for name, value in given.items():
        if value:
            raise UsageError(f"{_flag(name)} needs a network: give --arch")


def _architecture(spec: str | None, *, bias: bool) -> "Architecture | None":
    if spec is None:
        return None
    from decaycalc.architecture import parse_architecture

    return parse_architecture(spec, bias=bias)


def _classes(text: str | None) -> int | None:
    """Return the number of classes, a whole number of at least 2.

    Raises:
        InvalidValueError: it is not.
    """
    if text is None:
        return None
    from decaycalc.algebra.quantity import exact
    from decaycalc.errors import InvalidValueError

    count = exact(text, name="classes")
    if count.denominator != 1 or count < 2:  # noqa: PLR2004
        raise InvalidValueError("classes", text, "must be a whole number of at least 2")
    return int(count)


def _declared(function: Any, declarations: tuple[Decorator, ...]) -> Callable[..., Any]:
    """Apply click's declarations so that they stand in the order given."""
    decorated: Callable[..., Any] = function
    for declare in reversed(declarations):
        decorated = declare(decorated)
    return decorated


class ConventionName(click.ParamType[Any]):
    """A convention's key or alias; the command receives the record."""

    name = "convention"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002  (click's signature)
        ctx: click.Context | None,
    ) -> "Convention":
        """Return the convention of that name."""
        return value if not isinstance(value, str) else find_convention(value, ctx)

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002  (click's signature)
        incomplete: str,
    ) -> "list[CompletionItem[str]]":
        """Return the keys that begin so, the user's own among them."""
        from decaycalc.conventions.catalogue import conventions

        known = (*given_conventions(ctx), *_project_conventions(), *conventions())
        return completed((convention.key for convention in known), incomplete)


def find_convention(name: str, ctx: click.Context | None) -> "Convention":
    """Return a convention of the user's files or of the catalogue.

    The project's own, in pyproject.toml, are read when the name is found nowhere else.

    Raises:
        UnknownNameError: no convention of that name.
    """
    from decaycalc.conventions.catalogue import find
    from decaycalc.errors import UnknownNameError

    try:
        return find(name, extra=given_conventions(ctx))
    except UnknownNameError:
        extra = _project_conventions()
        if not extra:
            raise
        return find(name, extra=extra)


def given_conventions(ctx: click.Context | None) -> "tuple[Convention, ...]":
    """Return the conventions of the files that `--conventions` names."""
    return () if ctx is None else ctx.meta.get(_CONVENTIONS, ())


def _project_conventions() -> "tuple[Convention, ...]":
    """Return the conventions of the nearest pyproject.toml, none where it has none."""
    import os
    from pathlib import Path

    from decaycalc.cli.configuration import project_file

    path = project_file(os.getcwd())  # noqa: PTH109  (as project_file takes it)
    if path is None or b"decaycalc.convention]]" not in Path(path).read_bytes():
        return ()
    from decaycalc.user_conventions import load_conventions

    return load_conventions(path)


def conventions_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--conventions FILE`, whose records stand before the catalogue's."""
    option = click.option(
        "--conventions",
        type=FILE,
        metavar="FILE",
        multiple=True,
        is_eager=True,
        expose_value=False,
        callback=_load_conventions,
        help="A TOML file of your own conventions.",
    )
    return option(command)


_CONVENTIONS = "decaycalc.conventions"


def _load_conventions(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001  (click's signature)
    paths: tuple[str, ...],
) -> None:
    if paths:
        from decaycalc.user_conventions import load_conventions

        ctx.meta[_CONVENTIONS] = tuple(
            convention for path in paths for convention in load_conventions(path)
        )
