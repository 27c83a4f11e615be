"""Options that commands share, declared in groups, and the records that they make."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from decaycalc.algebra.quantity import EXTRAS, GIVEN, TARGETS, Quantity, flag_named
from decaycalc.architecture.classes import classes_of
from decaycalc.cli.command import Decorator
from decaycalc.cli.names import (
    DTYPE,
    FILE,
    FRAMEWORK,
    INITIALISER,
    LOSS,
    MASK,
    OPTIMIZER,
    ROUNDING,
    SCHEDULE,
    completed,
)
from decaycalc.cli.names import NETWORK as NETWORK_NAME
from decaycalc.cli.names import RECIPE as RECIPE_NAME
from decaycalc.cli.names import TRAINER as KIND_NAME
from decaycalc.conventions.run import Loss
from decaycalc.conventions.runs import (
    EXTRA_FIELDS,
    RUN_FIELDS,
    TARGET_FIELDS,
    run_of,
    target_run_of,
)
from decaycalc.errors import UsageError
from decaycalc.training.reading.numbers import typed_number

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from decaycalc.architecture.tensors import Architecture

_RUN_NAMES = frozenset((*RUN_FIELDS, *EXTRA_FIELDS, "settings"))
# What says something about one training run, its network included.
OF_A_RUN = _RUN_NAMES | {"arch", "decay_mask", "schedule", "decay_schedule"}
_OTHER_NAMES = frozenset(f"to_{name}" for name in TARGET_FIELDS)
_LOSSES = f"[{'|'.join(loss.value for loss in Loss)}|NUMBER]"
_NUMBER = "NUMBER"
_EXPLAIN_HELP = "Derive each number; latex: formulas for a paper."
_INPUT_HELP = "Rows to convert, JSON lines or CSV; - is stdin."
_EMIT_HELP = (
    "Print code instead (pytorch, keras, optax, timm, hf, sklearn) or the lines of a training file "
    "(hf-trainer, axolotl, llama-factory, torchtune, deepspeed, ultralytics)."
)


def options(*declarations: Decorator) -> Decorator:
    """Return the decorator that declares options in the order given."""

    def declare(command: Callable[..., Any]) -> Callable[..., Any]:
        for declaration in reversed(declarations):
            command = declaration(command)
        return command

    return declare


class _Style(click.Choice[str]):
    """`text` or `latex`; a VALUE caught by the option is named as such."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the style.

        Raises:
            click.BadParameter: neither of the two.
        """
        if value not in self.choices:
            self.fail(f"{value!r} is neither text nor latex; put --explain last", param, ctx)
        return super().convert(value, param, ctx)


EXPLAIN = click.option(
    "--explain", is_flag=False, flag_value="text", type=_Style(("text", "latex")),
    metavar="[text|latex]", help=_EXPLAIN_HELP,
)  # fmt: skip
SHOW_CONFIG = click.option(
    "--show-config", is_flag=True, help="Show the options' values and where each comes from."
)
EMIT = click.option("--emit", "framework", type=FRAMEWORK, metavar="FRAMEWORK", help=_EMIT_HELP)


def _one_recipe(
    ctx: click.Context,  # noqa: ARG001  (click's signature)
    param: click.Parameter,  # noqa: ARG001
    sources: tuple[str, ...],
) -> str | None:
    """Return the one source that is set out from, None where there is none.

    Raises:
        UsageError: several, of which all but the last would be lost.
    """
    if len(sources) > 1:
        raise UsageError("--recipe stands once: 'decaycalc compare' puts two runs side by side")
    return next(iter(sources), None)


RECIPE = click.option(
    "--recipe", type=RECIPE_NAME, metavar="SOURCE", multiple=True, callback=_one_recipe,
    help="A published run or training file (- is stdin).",
)  # fmt: skip


def _no_run(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001  (click's signature)
    value: str | None,
) -> str | None:
    """Return VALUE as it was typed.

    Raises:
        UsageError: it names a run, which --recipe takes.
    """
    if value is None or ctx.resilient_parsing or typed_number(value) is not None:
        return value
    # Imported here: what is a number names no run.
    from shlex import quote

    from decaycalc.training.published.index import find_published
    from decaycalc.training.source import is_there

    published = find_published(value) is not None
    if published or is_there(value):
        named = "a published run" if published else "a file"
        is_network = value.endswith(_OF_WEIGHTS) and any(
            p.name == "arch" for p in ctx.command.params
        )
        flag = "--arch" if is_network else "--recipe"
        raise UsageError(f"{value!r} names {named}, not a number: give {flag} {quote(value)}")
    return value


# What a file ends in that holds a network's weights, and no run's settings.
_OF_WEIGHTS = (".safetensors", ".npz", ".npy", ".onnx", ".keras", ".h5", ".gguf", ".index.json")
VALUE = click.argument("value", required=False, callback=_no_run)
KIND = click.option(
    "--kind", type=KIND_NAME, metavar="TRAINER", help="Whose file it is, where its keys do not say."
)
SAVE = click.option(
    "--save", type=FILE, metavar="FILE", help="Draw them to a .png, .svg or .pdf (extra: plot)."
)
ROWS_OF_A_FILE = (
    click.option("--input", type=FILE, metavar="FILE", help=_INPUT_HELP),
    click.option("--input-format", type=click.Choice(["jsonl", "csv"]),
                 help="[default: by extension, else by the first character]"),
    click.option("--on-error", type=click.Choice(["continue", "stop"]), default="continue",
                 show_default=True, help="What to do at a bad row."),
)  # fmt: skip


def _number(quantity: Quantity) -> Decorator:
    """Return the declaration of a quantity's option."""
    default = "" if quantity.default is None else f"  [default: {float(quantity.default):g}]"
    text = f"{quantity.help[0].upper()}{quantity.help[1:]}.{default}"
    return click.option(*quantity.flags, metavar=_NUMBER, help=text)


def _other(quantity: Quantity) -> Decorator:
    """Return the declaration of a quantity's option in the run that is converted to."""
    return click.option(
        flag_named(f"to_{quantity.name}"),
        metavar=_NUMBER,
        help=f"The other run's {quantity.name.replace('_', ' ')}.",
    )


class NamedNumber(click.ParamType[tuple[str, str]]):
    """`NAME=NUMBER`, a quantity that only some conventions take; a pair of texts."""

    name = "named number"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, str]:
        """Return name and number.

        Raises:
            click.BadParameter: it is not of that form.
            UnknownNameError: no quantity is called so, or it has an option of its own.
        """
        name, equals, number = value.partition("=")
        plain = name.strip().replace("-", "_")
        if not equals:
            self.fail(f"{value!r} is not of the form NAME=NUMBER", param, ctx)
        _require_extra(plain)
        return plain, number

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002  (click's signature)
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> "list[CompletionItem[str]]":
        """Return the quantities that begin so."""
        return completed((f"{name}=" for name in EXTRA_FIELDS), incomplete)


def _require_extra(name: str) -> None:
    """Refuse a name that --set cannot give.

    Raises:
        UsageError: it has an option of its own.
        UnknownNameError: no quantity is called so.
    """
    from decaycalc.errors import UnknownNameError

    if name in _RUN_NAMES and name not in EXTRA_FIELDS:
        raise UsageError(f"{name} has an option of its own: {flag_named(name)}")
    if name not in EXTRA_FIELDS:
        hint = "('decaycalc conventions KEY' names what KEY takes)"
        raise UnknownNameError("quantity", name, EXTRA_FIELDS, hint=hint)


SET = click.option(
    "--set", "settings", type=NamedNumber(), multiple=True, metavar="NAME=NUMBER",
    help="What only some optimizers take, as nbs=64; 'conventions KEY' names it.",
)  # fmt: skip
RUN: tuple[Decorator, ...] = (
    *map(_number, GIVEN),
    click.option("--nesterov/--no-nesterov", default=None, help="Nesterov momentum."),
    click.option("--drop-last", is_flag=True, help="Leave out an epoch's short last batch."),
    click.option(
        "--loss",
        type=LOSS,
        metavar=_LOSSES,
        help="The data loss's reduction, or what it is of a mean.  [default: mean]",
    ),
    click.option(
        "--optimizer",
        type=OPTIMIZER,
        metavar="NAME",
        help="What trains a penalty in a loss: sgd, adam.",
    ),
    *(_number(quantity) for quantity in EXTRAS if quantity.flags),
    SET,
)
OTHER_RUN: tuple[Decorator, ...] = (
    *map(_other, TARGETS),
    click.option("--to-nesterov/--to-no-nesterov", default=None, help="The other run's Nesterov."),
    click.option("--to-loss", type=LOSS, metavar=_LOSSES, help="The other run's loss reduction."),
)
SCHEDULE_AND_DTYPE = (
    click.option("--schedule", type=SCHEDULE, metavar="TEXT",
                 help="lr schedule, cosine:warmup=5%,final=0.1 ..."),
    click.option("--decay-schedule", type=SCHEDULE, metavar="TEXT",
                 help="The decay's own schedule, a multiplier of VALUE: cosine:final=10."),
    click.option("--dtype", type=DTYPE, metavar="DTYPE",
                 help="What weights are stored as: float32, bfloat16, float16."),
    click.option("--rounding", type=ROUNDING, metavar="HOW",
                 help="Of --dtype: nearest, stochastic, master."),
)  # fmt: skip
# A training run's own schedules, or what takes their place.
SCHEDULES = (
    click.option("--schedule", type=SCHEDULE, metavar="TEXT",
                 help="lr schedule, in place of its own."),
    click.option("--decay-schedule", type=SCHEDULE, metavar="TEXT",
                 help="Its decay's schedule, a multiplier, in place of its own."),
)  # fmt: skip
GROUP = click.option(
    "--group", "groups", multiple=True, metavar="REGEX:lr*F,wd=W",
    help="lr and decay of names that fit: * a factor, = a number.",
)  # fmt: skip
ARCH = click.option("-a", "--arch", type=NETWORK_NAME, metavar="SPEC",
                    help="Widths 784-300-10, a model's name, or a file.")  # fmt: skip
DECAY_MASK = click.option("--decay-mask", type=MASK, metavar="MASK",
                          help="Which tensors decay.  [default: the trainer's rule]")  # fmt: skip
_WEIGHTS_MASK = click.option(
    "--decay-mask", type=MASK, metavar="MASK",
    help="Which tensors decay.  [default: the run's rule, else no-1d]",
)  # fmt: skip
_PLAIN_MASK = click.option("--decay-mask", type=MASK, metavar="MASK",
                           help="Which tensors decay.  [default: no-1d]")  # fmt: skip
CODE_MASK = click.option("--decay-mask", "mask", type=MASK, metavar="MASK",
                         help="Which tensors decay, for --emit.  "
                              "[default: the run's rule, else no-1d]")  # fmt: skip
WEIGHTS = (ARCH, _WEIGHTS_MASK)
PLAIN_WEIGHTS = (ARCH, _PLAIN_MASK)
NO_BIAS = click.option("--no-bias", is_flag=True, help="Layers of widths have no biases.")
NETWORK = (
    ARCH,
    NO_BIAS,
    _WEIGHTS_MASK,
    click.option("--init", type=INITIALISER, metavar="INIT",
                 help="he, glorot, lecun, torch or normal:STD."),
    click.option("--classes", metavar=_NUMBER, help="Classes C; the initial loss is ln C."),
)  # fmt: skip


_OF_SOURCE = frozenset({"schedule", "decay_schedule", "arch", "decay_mask"})


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add a run's options; the command receives `run: Run`."""

    @wraps(command)
    def with_run(**given: Any) -> Any:
        named = {**given, **dict(given["settings"])}
        return command(run=run_of(named), **_without(given, _RUN_NAMES))

    return options(*RUN)(with_run)


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what is said of a source's run; the command receives `more`, by the API's names."""

    @wraps(command)
    def with_source(**given: Any) -> Any:
        more = {
            "schedule": given["schedule"],
            "decay_schedule": given["decay_schedule"],
            **read_network(given["arch"], given["decay_mask"]),
        }
        return command(more=more, **_without(given, _OF_SOURCE))

    return options(*SCHEDULES, ARCH, DECAY_MASK)(with_source)


def target_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the other run's options; the command receives `target_run: Run | None`."""

    @wraps(command)
    def with_target(**given: Any) -> Any:
        return command(target_run=target_run_of(given), **_without(given, _OTHER_NAMES))

    return options(*OTHER_RUN)(with_target)


def _without(given: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}


def take_architecture(request: Any) -> dict[str, Any]:
    """Return a request's network, read, and what is said of it, by the names of a Question.

    Raises:
        UsageError: something is said of a network where there is none.
        DecaycalcError: a network that cannot be read.
    """
    classes = classes_of(request.classes)
    if request.arch is None:
        _require_architecture(
            decay_mask=request.decay_mask,
            init=request.init,
            no_bias=request.no_bias,
            classes=classes,
        )
    return {
        "architecture": _architecture(request.arch, bias=not request.no_bias),
        "mask": request.decay_mask,
        "init": request.init,
        "classes": classes,
    }


def read_network(arch: str | None, decay_mask: str | None) -> dict[str, Any]:
    """Return the network that a source's run trains, read, and the mask that is given for it.

    Raises:
        UsageError: a mask where there is no network.
        DecaycalcError: a network that cannot be read.
    """
    if arch is None:
        _require_architecture(decay_mask=decay_mask)
    return {"architecture": _architecture(arch, bias=True), "mask": decay_mask}


def _require_architecture(**given: object) -> None:
    """Refuse options that only say something about a network where there is none.

    Raises:
        UsageError: one of them was given.
    """
    for name, value in given.items():
        if value:
            raise UsageError(f"{flag_named(name)} needs a network: give --arch")


def _architecture(spec: str | None, *, bias: bool) -> "Architecture | None":
    if spec is None:
        return None
    from decaycalc.architecture import parse_architecture

    return parse_architecture(spec, bias=bias)
