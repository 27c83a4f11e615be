"""`decaycalc arch`: which tensors of a network decay, and how large the penalty is."""

import sys
from typing import TYPE_CHECKING, Any

import click

from decaycalc.cli.command import Command
from decaycalc.cli.convention_name import FROM
from decaycalc.cli.grouped import remarked
from decaycalc.cli.names import INITIALISER, MASK, NETWORK
from decaycalc.cli.options import GROUP, KIND, NO_BIAS, RECIPE, VALUE, options, run_options
from decaycalc.cli.output import output_options
from decaycalc.cli.request import over_recipe, require_source
from decaycalc.cli.shown import Shown
from decaycalc.conventions.run import Run
from decaycalc.errors import ContradictionError
from decaycalc.record import Record
from decaycalc.training.chosen import given_of, typed

if TYPE_CHECKING:
    from decaycalc.answers import Answer
    from decaycalc.architecture.groups import Choice
    from decaycalc.architecture.inventory import Inventory, Rate, RateOf
    from decaycalc.architecture.lora import Lora
    from decaycalc.architecture.readers.stored import Checkpoint
    from decaycalc.architecture.tensors import Architecture
    from decaycalc.architecture.treatment import Treatment
    from decaycalc.conventions.record import Convention
    from decaycalc.conversion.assumptions import Assumption
    from decaycalc.report.document_types import ArchJson
    from decaycalc.training.record import Training


class ArchRequest(Record):
    """The arguments and options of `arch` by their names; what is None or empty was not given."""

    spec: str
    value: str | None
    source: "Convention | None"
    run: Run
    no_bias: bool
    mask: str | None
    decay_only: tuple[str, ...]
    no_decay: tuple[str, ...]
    groups: tuple[str, ...]
    recipe: str | None
    kind: str | None
    layer_decay: float | None
    lora: str | None
    lora_targets: str | None
    init: str | None
    classes: int | None
    stacked: bool | None
    measured: bool
    depth: int | None


@click.command(
    "arch",
    cls=Command,
    examples=(
        "decaycalc arch resnet50",
        "decaycalc arch gpt2 --decay-mask no-embedding --depth 2",
        "decaycalc arch vit-base 0.05 --from pytorch-adamw --lr 1e-3 --layer-decay 0.75 --depth 0",
        "decaycalc arch model.safetensors --measure --json",
        "decaycalc arch resnet18 --groups json",
        "decaycalc arch gpt2 0.01 --from pytorch-adamw --lr 2e-4 --lora 8 --group 'lora_B:lr*16'",
    ),
)
@click.argument("spec", type=NETWORK, metavar="SPEC")
@VALUE
@FROM
@NO_BIAS
@click.option("--decay-mask", "mask", type=MASK, metavar="MASK",
              help="all, no-bias, no-1d, no-bias-norm, no-embedding, timm, hf ...  "
                   "[default: the run's rule, else no-1d]")  # fmt: skip
@click.option("--decay-only", multiple=True, metavar="REGEX", help="Only names that fit decay.")
@click.option("--no-decay", multiple=True, metavar="REGEX", help="Names that fit do not decay.")
@options(GROUP, RECIPE, KIND)
@click.option("--layer-decay", type=float, metavar="NUMBER", help="lr shrinks by it per layer.")
@click.option("--lora", metavar="R[,ALPHA]", help="Train a low-rank update's factors instead.")
@click.option("--lora-targets", metavar="REGEX", help="Layers it adapts.  [default: peft's]")
@click.option(
    "--init", type=INITIALISER, metavar="INIT", help="he, glorot, lecun, torch or normal:STD."
)
@click.option("--classes", type=click.IntRange(min=2), help="Classes C; the initial loss is ln C.")
@click.option("--stacked/--not-stacked", default=None,
              help="Whether a file's first axes are layers.  [default: as names tell]")  # fmt: skip
@click.option("--measure", "measured", is_flag=True, help="Read the weights and add their squares.")
@click.option("--depth", type=click.IntRange(min=0), help="Sum tensors up to DEPTH parts of names.")
@click.option("--groups", "value_only", type=click.Choice(["json"]),
              help="Print the parameter groups, tensors by name.")  # fmt: skip
@run_options
@output_options
def command(**given: Any) -> Shown:
    """List the tensors of SPEC: which decay, in which groups, how large the penalty is.

    SPEC is layer widths (784-300-100-10), a number of weights (25.6e6), a model's name (resnet50,
    gpt2-xl, llama-2-13b), a file (.safetensors, config.json, .npz, .csv, ...) or - for JSON on
    standard input. VALUE is a weight decay, --from what it is in.
    """
    request = ArchRequest(**given)
    training = training_of(request)
    inventory, assumptions, warnings = inventory_of(request, training)
    result = shown(inventory, depth=request.depth, assumptions=assumptions, warnings=warnings)
    return remarked(result, training)


def inventory_of(
    request: ArchRequest, training: "Training"
) -> tuple["Inventory", "tuple[Assumption, ...]", tuple[str, ...]]:
    """Return the inventory that is asked for, and what VALUE assumes and is warned of.

    Raises:
        DecaycalcError: an option that makes no sense, or a SPEC that cannot be read.
    """
    from decaycalc.architecture.inventory import take_inventory
    from decaycalc.architecture.masks import DEFAULT_MASK
    from decaycalc.architecture.restacking import restack
    from decaycalc.training.groups import mask_of

    mask = mask_of(training, request.mask) or DEFAULT_MASK
    lora = lora_of(request)
    read, sums = weights_of(request)
    architecture = restack(read, stacked=request.stacked)
    rate, rate_of, assumptions, warnings = rates_of(training, architecture, mask)
    inventory = take_inventory(
        architecture,
        choice=choice_of(request, mask),
        init=request.init,
        classes=request.classes,
        rate=rate,
        rate_of=rate_of,
        measured=sums,
        lora=lora,
    )
    told = tuple(dict.fromkeys((*inventory.architecture.notes, *warnings)))
    return inventory, assumptions, told


def lora_of(request: ArchRequest) -> "Lora | None":
    """Return the low-rank update that is asked for; None without one.

    Raises:
        ContradictionError: its layers without it, or weights to be measured, which it has not.
        InvalidValueError: a rank or an alpha out of bounds.
    """
    if request.lora is None:
        if request.lora_targets is not None:
            raise ContradictionError("--lora-targets says where --lora R is: give --lora")
        return None
    if request.measured:
        raise ContradictionError("--lora starts new weights: a file's are measured without it")
    from decaycalc.architecture.lora import parse_lora

    return parse_lora(request.lora, targets=request.lora_targets)


def choice_of(request: ArchRequest, mask: str) -> "Choice":
    """Return what decays.

    Raises:
        InvalidValueError: a group that is not REGEX:SETTINGS, or a layer decay out of bounds.
    """
    from decaycalc.architecture.groups import Choice
    from decaycalc.architecture.treatment import parse_group_rule

    return Choice(
        mask=mask,
        decay_only=request.decay_only,
        no_decay=request.no_decay,
        groups=tuple(map(parse_group_rule, request.groups)),
        layer_decay=request.layer_decay,
    )


def weights_of(request: ArchRequest) -> tuple["Architecture", dict[str, float] | None]:
    """Return the network and, if its weights are to be read, their sums of squares by name.

    Raises:
        ContradictionError: weights asked of something that holds none.
    """
    from decaycalc.architecture import parse_architecture

    if not request.measured:
        return parse_architecture(request.spec, bias=not request.no_bias), None
    from decaycalc.architecture.readers import open_checkpoint

    checkpoint = open_checkpoint(request.spec)
    if checkpoint is None:
        raise ContradictionError(
            "--measure needs a file with weights: .safetensors, its index.json, .npz, .npy, .onnx, "
            ".keras, .h5 or .gguf"
        )
    return checkpoint.architecture, measure_weights(checkpoint)


def measure_weights(checkpoint: "Checkpoint") -> dict[str, float]:
    """Return the sums of squares by tensor name; a progress bar runs on a terminal's stderr."""
    from decaycalc.architecture.measure import measure

    n_bytes = sum(entry.n_bytes for entry in checkpoint.stored)
    hidden = not sys.stderr.isatty()
    with click.progressbar(
        length=n_bytes, label="measuring", file=sys.stderr, hidden=hidden
    ) as bar:
        results = measure(checkpoint, progress=bar.update)
    return {result.name: result.sum_of_squares for result in results}


def training_of(request: ArchRequest) -> "Training":
    """Return the run that VALUE is a decay of: the options', laid over a recipe's.

    Raises:
        DecaycalcError: a recipe that is unknown, or that the options contradict.
    """
    from decaycalc.training.groups import with_mask_noted

    own = typed(value=request.value, source=request.source, run=request.run)
    training = over_recipe(own, request.recipe, kind=request.kind)
    if training.value is None and own.convention is not None:
        raise ContradictionError("--from says what VALUE is in: give VALUE after SPEC")
    optimizer = () if own.run.optimizer is None else ("optimizer",)
    said = [*(name for name, _ in given_of(own) if name != "lr"), *optimizer]
    if training.value is None and said:
        raise ContradictionError(f"{said[0]} says something of VALUE: give VALUE after SPEC")
    return with_mask_noted(training, request.mask)


def rates_of(
    training: "Training", architecture: "Architecture", mask: str
) -> "tuple[Rate, RateOf | None, tuple[Assumption, ...], tuple[str, ...]]":
    """Return what VALUE means in the run and in a group, what it assumes and is warned of.

    Raises:
        UsageError: a VALUE without --from.
    """
    from decaycalc.architecture.inventory import Rate
    from decaycalc.conversion.assumptions import assumed_by_strength, once
    from decaycalc.conversion.side import Side
    from decaycalc.training.groups import group_of, lr_of, own_run, value_of

    run = training.run
    if training.value is None:
        return Rate(lr=amount(run.lr)), None, (), training.told
    known, value = require_source(training.record), training.value

    def ask(amount: Any, run: "Run") -> "Answer":
        return find_answer(amount, known, run, architecture, mask)

    def rate_of(treatment: "Treatment") -> "Rate":
        group = group_of(treatment)
        part = own_run(training, group)
        if part.run.lr is None and lr_of(training, group) == 0:
            return Rate(value=amount(value_of(training, group)), strength=0.0, shrink=0.0, lr=0.0)
        return rate_from(ask(part.value, part.run), part.run.lr)

    found = ask(value, run)
    told = (*training.told, *found.warnings)
    side = Side(convention=known, run=found.run)
    weighed = () if found.strength is None else assumed_by_strength(side)
    return rate_from(found, run.lr), rate_of, once((*found.assumptions, *weighed)), told


def find_answer(
    value: Any, source: "Convention", run: "Run", architecture: "Architecture", mask: str
) -> "Answer":
    """Return what is to be said about a decay in a run, its own convention the only target."""
    from decaycalc.answers import Question, answer_of

    question = Question(
        source=source, value=value, run=run, targets=(source,), architecture=architecture, mask=mask
    )
    return answer_of(question)


def rate_from(found: "Answer", lr: Any) -> "Rate":
    """Return an answer's numbers as a network's inventory takes them."""
    from decaycalc.architecture.inventory import Rate

    known_lr = amount(lr)
    return Rate(
        value=amount(found.value),
        strength=found.strength,
        shrink=found.shrink,
        lr=known_lr,
        equilibrium_rms=equilibrium(found.source, known_lr, found.shrink),
    )


def amount(number: Any) -> float | None:
    """Return a number as a float, None where it is not known."""
    return None if number is None else float(number)


def equilibrium(source: "Convention", lr: float | None, shrink: float | None) -> float | None:
    """Return the RMS at which AdamW keeps the weights of normalised layers; None for others."""
    if lr is None or not shrink or source.optimizer != "adam":
        return None
    from decaycalc.survival.equilibrium import adamw_rms

    return adamw_rms(lr, shrink)


def shown(
    inventory: "Inventory",
    *,
    depth: int | None,
    assumptions: "tuple[Assumption, ...]",
    warnings: tuple[str, ...],
) -> Shown:
    """Return the inventory in all its shapes."""
    from decaycalc.report import arch as report
    from decaycalc.report.document import to_json

    def body() -> "ArchJson":
        return {**inventory.to_dict(), "assumptions": [entry.to_dict() for entry in assumptions]}

    return Shown(
        name="arch",
        body=body,
        tables=lambda: report.tables(inventory, depth=depth, assumptions=assumptions),
        rows=lambda: report.rows(inventory),
        value=lambda: to_json(inventory.parameter_groups()),
        warnings=warnings,
    )
