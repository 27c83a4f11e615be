"""Plans that are kept by what runs give: runs of one kind share the way, whatever they hold.

A plan is made of names and monomials. Of a run's numbers it sees which are given, which are 0 or 1
and which a target's run shares with the source's, and nothing else: those decide the kind. So a
plan that was made for one run holds for all of its kind, and only has to be laid over theirs.
"""

from typing import Any

from decaycalc.algebra.number import rounds_to
from decaycalc.algebra.quantity import QUANTITIES, Monomial
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import target_over
from decaycalc.conversion.plan import Match, Plan, plan, target_side
from decaycalc.conversion.side import Side
from decaycalc.errors import NoEquivalentError
from decaycalc.record import alike

_MOST = 4096  # kept at a time: some megabytes, more kinds than a table of rows has
# What a run derives from several of its numbers.
_DERIVED = ("batch_size", "steps", "epochs", "steps_per_epoch", "nominal_batch")
Kind = tuple[object, ...]
Way = Plan | tuple[str, str, str, str]
# The two records are kept too: their ids are theirs as long as they live.
_SIDES: dict[Kind, Side] = {}
_IMPLIED: dict[Kind, tuple[Convention, Convention, Monomial]] = {}
_KEPT: dict[Kind, tuple[Convention, Convention, Way]] = {}


def kept_plan(
    source: Convention,
    target: Convention,
    *,
    run: Run,
    target_run: Run | None = None,
    match: Match = Match.OPTIMUM,
) -> Plan:
    """Return the way from one convention's number to the other's, made anew for new kinds only.

    Raises:
        NoEquivalentError: the two share no invariant, or one of them is no scalar.
        MissingQuantityError: nobody said what optimizer trains a penalty, and it matters.
    """
    there = target_over(target_run, run)
    key = (id(source), id(target), match, _kind(source, target, run, target_run, there))
    kept = _KEPT.get(key)
    if kept is None:
        if len(_KEPT) >= _MOST:
            _KEPT.clear()
        kept = _KEPT[key] = (source, target, _way(source, target, run, target_run, match))
    way = kept[2]
    if not isinstance(way, Plan):
        raise NoEquivalentError(*way)
    if "lr" in way.target.own and (target_run is None or target_run.lr is None):
        there = alike(there, lr=None)  # the source's says nothing of it
    return alike(way, source=alike(way.source, run=run), target=alike(way.target, run=there))


def kept_side(convention: Convention, run: Run) -> Side:
    """Return one convention in one run, what it works out of their names kept for its kind."""
    numbers = _values(run) if sees_numbers(convention) else kind_of(run)
    key = (id(convention), numbers)
    kept = _SIDES.get(key)
    if kept is None:
        if len(_SIDES) >= _MOST:
            _SIDES.clear()
        kept = _SIDES[key] = Side(convention=convention, run=run)
    return alike(kept, run=run)


def _way(
    source: Convention, target: Convention, run: Run, target_run: Run | None, match: Match
) -> Way:
    """Return the plan, or of what the error is made where there is none."""
    here = Side(convention=source, run=run)
    try:
        return plan(here, target_side(here, target, target_run), match=match)
    except NoEquivalentError as error:
        return error.parts


def _kind(
    source: Convention, target: Convention, run: Run, target_run: Run | None, there: Run
) -> Kind:
    """Return all that a plan sees of two runs."""
    if sees_numbers(source) or sees_numbers(target):
        return (*_values(run), None if target_run is None else _values(target_run))
    if target_run is None:
        return kind_of(run)
    names = (*(name for name in vars(target_run) if name in QUANTITIES), *_DERIVED)
    here, other = Side(convention=source, run=run), Side(convention=target, run=there)
    return (
        *kind_of(run), kind_of(target_run), run == there, _follows(here, other, target_run),
        *(here.get(name) == other.get(name) for name in names),
        *(run.get(name) == there.get(name) for name in names),
    )  # fmt: skip


def _follows(here: Side, other: Side, target_run: Run) -> bool:
    """Return whether a target's lr that was given is the one that would follow without it."""
    if target_run.lr is None:
        return False
    key = (id(here.convention), id(other.convention), kind_of(here.run), kind_of(other.run))
    implied = _IMPLIED.get(key)
    if implied is None:
        without = alike(target_run, lr=None)
        lr = target_side(here, other.convention, without).lr
        if len(_IMPLIED) >= _MOST:
            _IMPLIED.clear()
        implied = _IMPLIED[key] = (here.convention, other.convention, lr)
    names = {name: here.get(name) for name in implied[2].names}
    if None in names.values():
        return False
    return rounds_to(implied[2].evaluate(names), target_run.lr)


def sees_numbers(convention: Convention) -> bool:
    """Return whether something of its own decides what of a run's numbers enters the monomials."""
    return convention.mixture is not None or any(
        name in {"momentum", "dampening"} or text in QUANTITIES
        for name, text in convention.defaults
    )


def _values(run: Run) -> Kind:
    return tuple(vars(run).values())


def kind_of(run: Run) -> Kind:
    """Return what a plan sees of a run's fields: of a number whether it is 0, 1 or another."""
    return tuple(
        value if value is None or name not in QUANTITIES else _size(value)
        for name, value in vars(run).items()
        if name != "extras"
    ) + tuple((name, _size(value)) for name, value in run.extras)


def _size(number: Any) -> int:
    """Return 0, 1, or 2 for every other number."""
    return 0 if not number.numerator else 1 if number.numerator == number.denominator else 2
