"""transfer: what lr and weight decay become when the run or the network changes.

Every rule is a rule for lr and one quantity that is held. In the symbols of the two runs (primes
for the new one), with s the shrink per step and λ* the objective's strength:

    objective   λ*' = λ*
    step        s' = s
    epoch       s'·N'/B' = s·N/B
    run         s'·S' = s·S
    normalized  s'·√S' = s·√S, with S = N·E/B where these are known

The number itself then follows from the convention's monomial, whatever it is multiplied by.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NoReturn

from decaycalc.algebra.quantity import QUANTITIES, Number, exact
from decaycalc.conventions.catalogue import convention_of
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import target_over
from decaycalc.conversion.convert import check_value
from decaycalc.conversion.entering import require_taken
from decaycalc.conversion.plan import target_side
from decaycalc.conversion.side import Side
from decaycalc.errors import (
    DecaycalcError,
    InvalidValueError,
    MissingQuantityError,
    NoEquivalentError,
)
from decaycalc.record import replace
from decaycalc.transfers.applied_rule import AppliedRule
from decaycalc.transfers.fits import OVER_DEPTH, OVER_WIDTH, covers
from decaycalc.transfers.matching import match_update
from decaycalc.transfers.records import Hold, LrRule, Move, OutOfReach, RuleNumbers, Transfer

__all__ = [
    "Hold",
    "LrRule",
    "Move",
    "OutOfReach",
    "RuleNumbers",
    "Transfer",
    "move_run",
    "new_side",
    "old_side",
    "require_entering",
    "transfer",
]


def transfer(
    value: Number,
    *,
    source: Convention | str,
    run: Run,
    target_run: Run | None = None,
    target: Convention | str | None = None,
    width_ratio: Number = 1,
    depth_ratio: Number = 1,
    betas: tuple[Number, Number] | None = None,
    eps: Number | None = None,
    lr_rules: Iterable[LrRule] = (),
    holds: Iterable[Hold] = (),
) -> Transfer:
    """Return what lr and weight decay become in another run, by every rule (or those chosen).

    >>> run = Run(lr="6e-4", batch_size=512)
    >>> moved = transfer("0.1", source="pytorch-adamw", run=run, target_run=Run(batch_size=2048))
    >>> rule = next(rule for rule in moved.rules if (rule.lr_rule, rule.hold) == ("sqrt", "epoch"))
    >>> rule.lr, rule.value
    (0.0012, 0.2)

    Raises:
        UnknownNameError: no convention of that name.
        InvalidValueError: a value out of its domain.
        MissingQuantityError: no rule can be computed for lack of quantities.
        NoEquivalentError: no rule applies to this convention.
    """
    move = Move(
        value=value,
        source=convention_of(source),
        run=run,
        target_run=target_run,
        target=None if target is None else convention_of(target),
        width_ratio=width_ratio,
        depth_ratio=depth_ratio,
        betas=betas,
        eps=eps,
    )
    return move_run(move, lr_rules=lr_rules, holds=holds)


def move_run(
    move: Move, *, lr_rules: Iterable[LrRule] = (), holds: Iterable[Hold] = ()
) -> Transfer:
    """Return the transfer of a move; `lr_rules` and `holds` choose, empty for all that apply.

    The lr rule `update` goes to another optimizer: with it the decay of a step alone is held.

    Raises:
        As `transfer`.
    """
    rules_of_lr, held = tuple(lr_rules), tuple(holds)
    if LrRule.UPDATE in rules_of_lr:
        _check_alone(rules_of_lr, held)
        return match_update(move)
    if move.source.refusal is not None:
        raise NoEquivalentError(move.source.key, "another run", move.source.refusal)
    value = check_value(move.value, move.source)
    width = _positive("width_ratio", move.width_ratio)
    depth = _positive("depth_ratio", move.depth_ratio)
    here, there = old_side(move), new_side(move)
    plain = AppliedRule(
        move=move, here=here, there=there, lr_rule=LrRule.NONE, hold=Hold.RUN,
        width=width, depth=depth,
    )  # fmt: skip
    rules: list[RuleNumbers] = []
    lacking: list[OutOfReach] = []
    errors: list[DecaycalcError] = []
    for rule in _applied(plain, rules_of_lr, held):
        try:
            rules.append(rule.rule(value))
        except DecaycalcError as error:
            errors.append(error)
            lacking.append(_out_of_reach(rule, error))
    if not rules:
        _refuse(move, errors)
    return Transfer(move=move, target_run=there.run, rules=tuple(rules), unavailable=tuple(lacking))


def _applied(
    plain: AppliedRule, lr_rules: tuple[LrRule, ...], holds: tuple[Hold, ...]
) -> Iterator[AppliedRule]:
    """Yield each of the lr rules with each quantity that it holds; empty for all that apply."""
    for lr_rule in lr_rules or _lr_rules(plain, holds):
        for hold in holds or _holds(lr_rule):
            yield replace(plain, lr_rule=lr_rule, hold=hold)


def _out_of_reach(rule: AppliedRule, error: DecaycalcError) -> OutOfReach:
    missing = error.missing if isinstance(error, MissingQuantityError) else ()
    return OutOfReach(lr_rule=rule.lr_rule, hold=rule.hold, missing=missing, message=str(error))


def _check_alone(lr_rules: tuple[LrRule, ...], holds: tuple[Hold, ...]) -> None:
    """Refuse other rules beside `update`.

    Raises:
        InvalidValueError: another lr rule, or another quantity to hold.
    """
    if {*lr_rules} != {LrRule.UPDATE} or {*holds} - {Hold.STEP}:
        others = ", ".join((*lr_rules, *holds))
        raise InvalidValueError("rules", others, "'update' holds the decay of a step, and is alone")


def require_entering(moved: Transfer) -> None:
    """Refuse a quantity that was given and enters no rule; Adam's epsilon moves with the batch.

    Raises:
        ContradictionError: there is one.
    """
    move = moved.move
    own = {"eps"} if move.source.is_adaptive else set()
    extras = tuple(pair for pair in move.run.extras if pair[0] not in own)
    side = Side(convention=move.source, run=replace(move.run, extras=extras))
    require_taken(side, (move.destination,), move.target_run)


def old_side(move: Move) -> Side:
    """Return the old run's side."""
    return Side(convention=move.source, run=move.run)


def _refuse(move: Move, errors: list[DecaycalcError]) -> NoReturn:
    """Raise for a move that no rule reaches: what it lacks if it lacks something."""
    lacking = [error.missing for error in errors if isinstance(error, MissingQuantityError)]
    missing = dict.fromkeys(name for names in lacking for name in names)
    if missing:
        raise MissingQuantityError(f"moving {move.source.key}", tuple(missing))
    raise errors[-1]


def _positive(name: str, value: Number) -> Fraction:
    number = exact(value, name=name)
    if number <= 0:
        raise InvalidValueError(name, float(number), "must be positive")
    return number


def new_side(move: Move) -> Side:
    """Return the new run's side: the old run but for what is given; its length counts one way."""
    given = move.target_run or Run()
    base = move.run
    if given.epochs is not None or given.steps is not None:
        base = replace(base, epochs=None, steps=None)
    elif base.epochs is not None and base.steps is not None:
        # Another batch size keeps the epochs, where steps follow from them.
        by_epochs = replace(base, steps=None)
        known = target_over(given, by_epochs).total_steps is not None
        base = by_epochs if known else replace(base, epochs=None)
    there = target_side(Side(convention=move.source, run=base), move.source, given)
    differing = frozenset(
        name
        for name in QUANTITIES
        if name != "lr" and there.run.get(name) not in {None, move.run.get(name)}
    )
    return replace(there, own=there.own | differing)


def _lr_rules(step: AppliedRule, holds: tuple[Hold, ...]) -> tuple[LrRule, ...]:
    """Return the lr rules that say something about this move; no fit where a hold is chosen."""
    here, there = step.here, step.there
    given = step.move.target_run
    if given is not None and given.lr is not None:
        return (LrRule.GIVEN,)
    rules = [LrRule.NONE]
    if there.get("batch_size") != here.get("batch_size"):
        rules += [LrRule.LINEAR, LrRule.SQRT]
    elif not holds and step.known(step.length) not in {None, 1}:
        rules += [LrRule.HORIZON] if covers(here.convention, Hold.RUN) else []
    if step.width != 1:
        rules.append(LrRule.MUP)
    if step.depth != 1 and {*holds} <= {Hold.DEPTH} and covers(here.convention, Hold.DEPTH):
        rules += [LrRule.COMPLETEP, LrRule.DEPTH_MUP]
    return tuple(rules)


def _holds(lr_rule: LrRule) -> tuple[Hold, ...]:
    """Return what can be held under an lr rule: the laws over width under muP's alone."""
    if lr_rule is LrRule.HORIZON:
        return (Hold.RUN,)
    if lr_rule in OVER_DEPTH:
        return (Hold.DEPTH,)
    others = OVER_WIDTH if lr_rule is not LrRule.MUP else frozenset()
    return tuple(hold for hold in Hold if hold not in {*others, Hold.DEPTH})
