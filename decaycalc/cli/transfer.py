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
from decaycalc.cli.output import Shown, output_options
from decaycalc.cli.request import counted, over_recipe, require_source
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import target_part
from decaycalc.errors import InvalidValueError, MissingQuantityError, UsageError
from decaycalc.record import replace
from decaycalc.training.chosen import typed

if TYPE_CHECKING:
    from fractions import Fraction

    from decaycalc.conventions.record import Convention
    from decaycalc.explanation.step import Explanation
    from decaycalc.inspection import GroupDecay
    from decaycalc.report.documents import MovedJson
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
    from decaycalc.cli.grouped import with_origins
    from decaycalc.training.groups import grouped
    from decaycalc.transfers.over_run import over_the_run

    framework, style = (given.pop(name) for name in ("framework", "explain"))
    everything, mask = (given.pop(name) for name in ("everything", "mask"))
    parameters = take_parameters(given)
    groups = given.pop("groups")
    arch = given.pop("arch")
    scheduled = any(given[name] is not None for name in ("schedule", "decay_schedule"))
    training = take_training(given)
    if arch is not None:
        require_counting(training, given["target"])
        training = counted(training, read_network(arch, mask)["architecture"], mask)
    given["target_run"] = take_new_run(given)
    moved = move(given, training)
    if framework is not None:
        if groups:
            raise UsageError("--emit writes one group's move: leave out --group")
        if style or everything:
            raise UsageError(f"{'--explain' if style else '--all'} does not enter --emit's code")
        return emitted(moved, framework, training, mask)
    moved = over_the_run(moved, training, asked=scheduled)
    laws = projections(moved, *parameters)
    told = (*training.told, *(() if laws or parameters[0] is None else (_NO_LAW,)))
    result = shown(moved, laws, told, everything=everything)
    result = with_origins(result, training)
    if groups:
        result = in_groups(result, grouped(training, groups), given, scheduled=scheduled)
    if not style:
        return result
    from decaycalc.cli.explanation import explained

    return explained(result, derivations(moved), style=style)


def in_groups(
    result: Shown, training: "Training", given: dict[str, Any], *, scheduled: bool
) -> Shown:
    """Return a transfer with that of each group of the run beside it; what is exempt has none."""
    from decaycalc.cli.grouped import with_groups
    from decaycalc.inspection import group_decays
    from decaycalc.transfers.over_run import over_the_run

    decayed = [each for each in group_decays(training) if each.weight_decay]
    moves = {
        each.group.name: over_the_run(move(given, each.training), each.training, asked=scheduled)
        for each in decayed
    }

    def more(each: "GroupDecay") -> dict[str, Any]:
        moved = moves.get(each.group.name)
        return {"rules": [] if moved is None else [rule.to_dict() for rule in moved.rules]}

    def tables() -> Any:
        from decaycalc.report import transfer as report

        return (*beside.tables(), *(report.of_group(*pair) for pair in moves.items()))

    beside = with_groups(result, training, more)
    return replace(beside, tables=tables)


def derivations(moved: "Transfer") -> "tuple[Explanation, ...]":
    """Return why each rule gives its number."""
    from decaycalc.explanation.transfer import explain_rule

    return tuple(explain_rule(moved, rule) for rule in moved.rules)


def take_parameters(given: dict[str, Any]) -> tuple[float | None, float | None]:
    """Take the numbers of parameters out of a mapping of options.

    Raises:
        InvalidValueError: one that is not positive.
    """
    before, after = (_count(name, given.pop(name)) for name in ("parameters", "to_parameters"))
    return before, before if after is None else after


def _count(name: str, text: str | None) -> float | None:
    return None if text is None else finite(_positive(name, text), name)


def _positive(name: str, text: str) -> "Fraction":
    from decaycalc.algebra.quantity import exact

    number = exact(text, name=name)
    if number <= 0:
        raise InvalidValueError(name, text, "must be positive")
    return number


def take_training(given: dict[str, Any]) -> "Training":
    """Take value, source and run out of a mapping of options, over a recipe's where one is named.

    Raises:
        MissingQuantityError: no VALUE.
    """
    recipe, kind = given.pop("recipe"), given.pop("kind")
    names = ("value", "source", "run", "schedule", "decay_schedule")
    own = typed(**{name: given.pop(name) for name in names})
    training = over_recipe(own, recipe, kind=kind)
    require_source(training.record)
    if training.value is None:
        raise MissingQuantityError("a transfer", ("value",))
    return training


def require_counting(training: "Training", target: "Convention | None") -> None:
    """Refuse a network where there is nothing for which its weights count.

    Raises:
        UsageError: neither convention counts weights.
    """
    source = require_source(training.record)
    kinds = [each.monomial for each in (source, target or source) if each.monomial is not None]
    if not any(_COUNTS & set(monomial.names) for monomial in kinds):
        raise UsageError(f"--arch counts weights, which do not enter {source.key}")


def move(given: dict[str, Any], training: "Training") -> "Transfer":
    """Return the transfer that the rest of the options ask for."""
    from decaycalc.transfers import Hold, LrRule, Move, move_run, require_entering

    eps = training.run.given("eps")
    assert training.value is not None  # noqa: S101  (there is one to move)
    moving = Move(
        value=training.value,
        source=require_source(training.record),
        run=training.run,
        target_run=given["target_run"],
        target=given["target"],
        width_ratio=_positive("to_width_ratio", given["to_width_ratio"]),
        depth_ratio=_positive("to_depth_ratio", given["to_depth_ratio"]),
        betas=given["betas"] or training.betas,
        eps=training.eps if eps is None else eps,
    )
    moved = move_run(
        moving,
        lr_rules=tuple(map(LrRule, chosen_lr_rules(given))),
        holds=tuple(map(Hold, given["holds"])),
    )
    require_entering(moved)
    return moved


def chosen_lr_rules(given: dict[str, Any]) -> tuple[str, ...]:
    """Return the lr rules that are asked for; a match is one.

    Raises:
        UsageError: a match without the other optimizer, or with rules of another sort of move.
    """
    lr_rules: tuple[str, ...] = given["lr_rules"]
    if given["match"] is None:
        return lr_rules
    if given["target"] is None:
        raise UsageError("--match update needs --to: the other optimizer's convention")
    if lr_rules or given["holds"]:
        raise UsageError("--match update is a rule of its own: leave out --lr-rule and --hold")
    return (given["match"],)


def take_new_run(given: dict[str, Any]) -> Run | None:
    """Take the new run out of a mapping: the shared `--to-` options and this command's own."""
    target: Run | None = given.pop("target_run")
    own = {name: given.pop(f"to_{name}") for name in ("dataset_size", "epochs", "steps")}
    known = {name: value for name, value in own.items() if value is not None}
    if not known:
        return target
    base = {} if target is None else vars(target)
    return target_part(**{**base, **known})


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


def emitted(moved: "Transfer", framework: str, training: "Training", mask: str | None) -> Shown:
    """Return the new run's code."""
    from decaycalc.transfers.over_run import moved_training

    rule = the_rule(moved, "--emit")
    # Another optimizer's betas and epsilon are its own.
    same = rule.lr_rule.value != "update"
    betas, eps = (moved.move.betas, moved.move.eps) if same else (None, None)
    new = moved_training(training, moved, rule)
    snippet = snippet_of(new, framework, betas=rule.betas or betas, eps=rule.eps or eps, mask=mask)
    return remarked(shown_code(snippet, "transfer", training.told), training)


def shown(
    moved: "Transfer",
    laws: "tuple[Projection, ...]",
    notes: tuple[str, ...],
    *,
    everything: bool,
) -> Shown:
    """Return the rules in all their shapes."""

    def tables() -> Any:
        from decaycalc.cli.flags import flag_of
        from decaycalc.report import transfer as report

        return report.tables(moved, laws, flag_of=flag_of, everything=everything)

    def rows() -> Any:
        from decaycalc.report import transfer as report

        return report.rows(moved)

    def body() -> "MovedJson":
        projected = [law.to_dict() for law in laws]
        return {**moved.to_dict(), "laws": projected, "warnings": list(notes)}

    return Shown(
        name="transfer",
        body=body,
        tables=tables,
        rows=rows,
        value=lambda: repr(the_rule(moved, "--value").value),
        notes=tuple(entry.text for entry in moved.entering),
        warnings=notes,
    )
