"""`decaycalc transfer`: what lr and weight decay become when the run changes."""

from typing import TYPE_CHECKING, Any

import click

from decaycalc.algebra.quantity import finite
from decaycalc.cli.command import Command
from decaycalc.cli.convention_name import FROM, ConventionName, conventions_option
from decaycalc.cli.emit import shown_code, snippet_of
from decaycalc.cli.grouped import remarked
from decaycalc.cli.names import SCHEDULE
from decaycalc.cli.options import (
    ARCH,
    CODE_MASK,
    EMIT,
    EXPLAIN,
    GROUP,
    KIND,
    RECIPE,
    VALUE,
    options,
    read_network,
    run_options,
    target_options,
)
from decaycalc.cli.output import output_options
from decaycalc.cli.request import counted, require_source, set_out
from decaycalc.cli.shown import Shown
from decaycalc.cli.transfer_request import TransferRequest, positive
from decaycalc.conventions.run import Run
from decaycalc.errors import MissingQuantityError, UsageError
from decaycalc.record import replace

if TYPE_CHECKING:
    from decaycalc.conventions.record import Convention
    from decaycalc.explanation.step import Explanation
    from decaycalc.inspection import GroupDecay
    from decaycalc.report.document_types import MovedJson
    from decaycalc.training.record import Training
    from decaycalc.transfers import RuleNumbers, Transfer
    from decaycalc.transfers.laws import Projection

_COUNTS = frozenset({"n_weights", "n_layers", "layer_weights"})
_LR_RULES = ("none", "linear", "sqrt", "muP", "horizon", "completep", "depth-mup", "given")
_HOLDS = ("objective", "step", "epoch", "run", "normalized", "sqrt-width", "independent", "depth")

_NO_LAW = "no scaling law: it needs the tokens of a step and of the run; give -B and -N"


@click.command(
    "transfer",
    cls=Command,
    examples=(
        "decaycalc transfer 0.1 --from pytorch-adamw --lr 6e-4 -B 256 --to-batch-size 1024",
        "decaycalc transfer 0.1 --from pytorch-adamw --to-width-ratio 2 --lr-rule muP --hold step",
        "decaycalc transfer --recipe gpt-2-124m-nanogpt --to-dataset-size 1e10 --to-epochs 1",
        "decaycalc transfer --recipe resnet-50-he --to-batch-size 8192 --json",
    ),
)
@VALUE
@FROM
@click.option("--to", "target", type=ConventionName(), metavar="KEY",
              help="What the new number is in.  [default: the same]")  # fmt: skip
@options(GROUP, RECIPE, KIND)
@click.option("--to-dataset-size", metavar="NUMBER", help="The new run's examples (or tokens).")
@click.option("--to-epochs", metavar="NUMBER", help="The new run's epochs.")
@click.option("--to-steps", metavar="NUMBER", help="The new run's steps.")
@click.option("--to-width-ratio", metavar="NUMBER", default="1", help="New width over the old.")
@click.option("--to-depth-ratio", metavar="NUMBER", default="1", help="New depth over the old.")
@click.option("--lr-rule", "lr_rules", type=click.Choice(_LR_RULES), multiple=True,
              help="Only this rule for lr; repeatable.")  # fmt: skip
@click.option("--hold", "holds", type=click.Choice(_HOLDS), multiple=True,
              help="Only what holds this; repeatable.")  # fmt: skip
@click.option("--match", type=click.Choice(["update"]),
              help="To another optimizer, by its update's RMS.")  # fmt: skip
@click.option("--betas", nargs=2, metavar="B1 B2", help="Adam's betas, moved by the sqrt rule.")
@click.option("--parameters", metavar="NUMBER",
              help="Adds scaling laws of language models (fits); B and N in tokens.")  # fmt: skip
@click.option("--to-parameters", metavar="NUMBER", help="The new run's parameters.")
@click.option("--schedule", type=SCHEDULE, metavar="TEXT", help="lr schedule of the new run.")
@click.option("--decay-schedule", type=SCHEDULE, metavar="TEXT",
              help="The decay's own schedule.")  # fmt: skip
@EMIT
@ARCH
@CODE_MASK
@click.option("--all", "everything", is_flag=True, help="Show every rule, and what each keeps.")
@click.option("--value", "value_only", is_flag=True, help="Print the one rule's bare number.")
@EXPLAIN
@conventions_option
@run_options
@target_options
@output_options
def command(**given: Any) -> Shown:
    """Move a weight decay VALUE to another batch, length, lr, width or optimizer.

    Every rule is a rule for lr and a quantity that is held; they stand side by side.
    """
    request = TransferRequest(**given)
    training = training_of(request)
    moved = move(request, training)
    if request.framework is not None:
        return emitted(request, training, moved, request.framework)
    return answered(request, training, moved)


def answered(request: TransferRequest, training: "Training", moved: "Transfer") -> Shown:
    """Return the rules, with those of each group and their derivation where they are asked for."""
    from decaycalc.cli.grouped import with_origins
    from decaycalc.transfers.over_run import over_the_run

    moved = over_the_run(moved, training, asked=request.is_scheduled)
    laws = projections(moved, *request.n_parameters)
    lacks_laws = request.parameters is not None and not laws
    told = (*training.told, _NO_LAW) if lacks_laws else training.told
    result = with_origins(shown(moved, laws, told, everything=request.everything), training)
    if request.groups:
        result = in_groups(result, request, training)
    if not request.explain:
        return result
    from decaycalc.cli.explanation import explained

    return explained(result, derivations(moved), style=request.explain)


def in_groups(result: Shown, request: TransferRequest, training: "Training") -> Shown:
    """Return a transfer with that of each group of the run beside it; what is exempt has none."""
    from decaycalc.cli.grouped import with_groups
    from decaycalc.inspection import group_decays
    from decaycalc.training.groups import grouped
    from decaycalc.transfers.over_run import over_the_run

    run = grouped(training, request.groups)
    own = {each.group.name: each.training for each in group_decays(run) if each.weight_decay}
    moves = {
        name: over_the_run(move(request, each), each, asked=request.is_scheduled)
        for name, each in own.items()
    }

    def more(each: "GroupDecay") -> dict[str, Any]:
        moved = moves.get(each.group.name)
        return {"rules": [] if moved is None else [rule.to_dict() for rule in moved.rules]}

    def tables() -> Any:
        from decaycalc.report import transfer as report

        return (*beside.tables(), *(report.of_group(*pair) for pair in moves.items()))

    beside = with_groups(result, run, more)
    return replace(beside, tables=tables)


def derivations(moved: "Transfer") -> "tuple[Explanation, ...]":
    """Return why each rule gives its number."""
    from decaycalc.explanation.transfer import explain_rule

    return tuple(explain_rule(moved, rule) for rule in moved.rules)


def training_of(request: TransferRequest) -> "Training":
    """Return the run that is moved: the options', laid over a recipe's where one is named.

    Raises:
        MissingQuantityError: no VALUE.
        UsageError: a network, and neither convention counts its weights.
        DecaycalcError: a recipe that is unknown, or that the options contradict.
    """
    training = set_out(request)
    require_source(training.record)
    if training.value is None:
        raise MissingQuantityError("a transfer", ("value",))
    if request.arch is None:
        return training
    require_counting(training, request.target)
    network = read_network(request.arch, request.mask)["architecture"]
    return counted(training, network, request.mask)


def require_counting(training: "Training", target: "Convention | None") -> None:
    """Refuse a network where there is nothing for which its weights count.

    Raises:
        UsageError: neither convention counts weights.
    """
    source = require_source(training.record)
    kinds = [each.monomial for each in (source, target or source) if each.monomial is not None]
    if not any(_COUNTS & set(monomial.names) for monomial in kinds):
        raise UsageError(f"--arch counts weights, which do not enter {source.key}")


def move(request: TransferRequest, training: "Training") -> "Transfer":
    """Return the transfer of a run, or of a group's, that the options ask for."""
    from decaycalc.transfers import Hold, LrRule, Move, move_run, require_entering

    eps = training.run.given("eps")
    assert training.value is not None  # noqa: S101  (there is one to move)
    moving = Move(
        value=training.value,
        source=require_source(training.record),
        run=training.run,
        target_run=request.new_run,
        target=request.target,
        width_ratio=positive("to_width_ratio", request.to_width_ratio),
        depth_ratio=positive("to_depth_ratio", request.to_depth_ratio),
        betas=request.betas or training.betas,
        eps=training.eps if eps is None else eps,
    )
    moved = move_run(
        moving,
        lr_rules=tuple(map(LrRule, request.chosen_lr_rules)),
        holds=tuple(map(Hold, request.holds)),
    )
    require_entering(moved)
    return moved


def projections(
    moved: "Transfer", parameters: float | None, to_parameters: float | None
) -> "tuple[Projection, ...]":
    """Return the scaling laws from the old run to the new one, where their tokens are known."""
    from decaycalc.conversion.decay import decay_of
    from decaycalc.transfers import old_side
    from decaycalc.transfers.laws import BATCH, TIMESCALE, project

    if parameters is None or to_parameters is None:
        return ()
    batch = moved.move.run.get("batch_size")
    tokens, to_tokens = tokens_seen(moved.move.run), tokens_seen(moved.target_run)
    if batch is None or tokens is None or to_tokens is None:
        return ()
    found = [project(BATCH, float(batch), variable=tokens, to_variable=to_tokens)]
    decay = decay_of(old_side(moved.move), moved.value)
    share = None if decay is None else decay.timescale_run_fraction
    if share is not None:
        per, to_per = tokens / parameters, to_tokens / to_parameters
        found.insert(0, project(TIMESCALE, share, variable=per, to_variable=to_per))
    return tuple(found)


def tokens_seen(run: Run) -> float | None:
    """Return the tokens of all steps, B·S; the data set's where the length is unknown.

    Raises:
        InvalidValueError: more than a float64 can hold.
    """
    steps, batch, size = run.total_steps, run.get("batch_size"), run.get("dataset_size")
    if steps is not None and batch is not None:
        return finite(steps * batch, "tokens")
    return None if size is None else float(size)


def the_rule(moved: "Transfer", what: str) -> "RuleNumbers":
    """Return the one rule that is left.

    Raises:
        UsageError: there are several numbers among which to choose.
    """
    if len({(rule.lr, rule.value) for rule in moved.rules}) != 1:
        kinds = (dict.fromkeys(map(str, names)) for names in zip(*_choices(moved), strict=True))
        left = "; ".join(", ".join(names) for names in kinds)
        raise UsageError(f"{what} needs one rule: choose by --lr-rule and --hold ({left})")
    return moved.rules[0]


def _choices(moved: "Transfer") -> "list[tuple[str, str]]":
    """Return the names that each rule is chosen by."""
    return [(rule.lr_rule.value, rule.hold.value) for rule in moved.rules]


def emitted(
    request: TransferRequest, training: "Training", moved: "Transfer", framework: str
) -> Shown:
    """Return the new run's code.

    Raises:
        UsageError: options that do not enter code, or several rules among which to choose.
    """
    from decaycalc.transfers.over_run import moved_training

    if request.groups:
        raise UsageError("--emit writes one group's move: leave out --group")
    for flag in request.flags_without_code:
        raise UsageError(f"{flag} does not enter --emit's code")
    rule = the_rule(moved, "--emit")
    # Another optimizer's betas and epsilon are its own.
    same = rule.lr_rule.value != "update"
    betas, eps = (moved.move.betas, moved.move.eps) if same else (None, None)
    snippet = snippet_of(
        moved_training(training, moved, rule), framework,
        betas=rule.betas or betas, eps=rule.eps or eps, mask=request.mask,
    )  # fmt: skip
    return remarked(shown_code(snippet, "transfer", training.told), training)


def shown(
    moved: "Transfer",
    laws: "tuple[Projection, ...]",
    notes: tuple[str, ...],
    *,
    everything: bool,
) -> Shown:
    """Return the rules in all their shapes."""
    from decaycalc.cli.flags import flag_of
    from decaycalc.report import transfer as report

    def body() -> "MovedJson":
        projected = [law.to_dict() for law in laws]
        return {**moved.to_dict(), "laws": projected, "warnings": list(notes)}

    return Shown(
        name="transfer",
        body=body,
        tables=lambda: report.tables(moved, laws, flag_of=flag_of, everything=everything),
        rows=lambda: report.rows(moved),
        value=lambda: repr(the_rule(moved, "--value").value),
        notes=tuple(entry.text for entry in moved.entering),
        warnings=notes,
    )
