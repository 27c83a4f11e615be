"""Claim: what a conversion's equivalence means in words, and where it ends."""

from collections.abc import Iterator
from fractions import Fraction

from decaycalc.conventions.record import (
    ANY,
    FIT,
    MEASURE,
    Coupling,
    Equivalence,
    Follows,
    Invariant,
)
from decaycalc.conversion.plan import Plan
from decaycalc.conversion.side import Side
from decaycalc.record import Record

_MEANINGS = {
    Equivalence.IDENTICAL: (
        "both make the same update from every data gradient, under every lr schedule that both "
        "follow, up to rounding"
    ),
    Equivalence.SAME_OPTIMUM: (
        "both minimise the same objective and so have the same optimum; the way there differs"
    ),
    Equivalence.SAME_DECAY: (
        "a weight without data gradient loses the same share in every step; no objective is shared"
    ),
    Equivalence.ESTIMATE: (
        "a weight whose gradient is about as large as said loses about the same share in a step"
    ),
}
_FOLLOWED = {
    Follows.LR: "the current lr",
    Follows.MULTIPLIER: "the schedule's multiplier",
    Follows.CONSTANT: "no schedule",
    Follows.LR_SQUARED: "the square of the current lr",
}


class Claim(Record):
    """How far a conversion goes: the equivalence's name, its meaning and where it ends."""

    name: str
    meaning: str
    ends: tuple[str, ...]


def claim(way: Plan) -> Claim:
    """Return what a plan's equivalence means and where it ends."""
    notes = tuple(text for text in way.note.split("; ") if text)
    return Claim(
        name=way.equivalence.value,
        meaning=_MEANINGS[way.equivalence],
        ends=tuple(dict.fromkeys((*_differences(way), *notes, *_exempt(way)))),
    )


def _differences(way: Plan) -> Iterator[str]:
    """Yield why the claim goes no further."""
    if way.equivalence == Equivalence.IDENTICAL:
        return
    for side in (way.source, way.target):
        yield from _nature(side)
    one, other = way.source.convention, way.target.convention
    if {FIT, MEASURE} & {one.optimizer, other.optimizer}:
        return
    if ANY not in {one.optimizer, other.optimizer} and one.optimizer != other.optimizer:
        yield f"the steps are {one.optimizer}'s in {one.key} and {other.optimizer}'s in {other.key}"
    yield from _coupling(way)
    yield from _momentum(way)
    if one.follows != other.follows:
        yield (
            f"over a schedule {one.key} follows {_FOLLOWED[one.follows]}, "
            f"{other.key} {_FOLLOWED[other.follows]}"
        )


def _nature(side: Side) -> Iterator[str]:
    """Yield what keeps a side from being a training rule of its own."""
    key = side.convention.key
    if side.convention.optimizer == FIT:
        yield f"{key} goes to the optimum and has no steps to compare"
    if side.convention.optimizer == MEASURE:
        yield f"{key} measures a decay and says nothing of the data's part of a step"
    if side.convention.decays_after_step:
        yield f"{key} decays after the gradient step"
    if side.convention.proximal:
        yield f"{key} divides the weight by 1 + shrink after the gradient step"
    if side.convention.variant:
        yield f"the update of {key} is not plain SGD's: {side.convention.variant}"


def _coupling(way: Plan) -> Iterator[str]:
    """Yield how gradient and decay are joined where the two sides differ."""
    coupled = [side.convention.coupling == Coupling.COUPLED for side in (way.source, way.target)]
    if coupled[0] == coupled[1]:
        return
    inside, beside = (way.source, way.target) if coupled[0] else (way.target, way.source)
    passes = "the momentum buffer" if inside.has_momentum else "the gradient"
    yield (
        f"the decay of {inside.convention.key} passes through {passes}, "
        f"that of {beside.convention.key} stands beside it"
    )


def _momentum(way: Plan) -> Iterator[str]:
    """Yield that momenta or batch sizes differ."""
    one, other = way.source, way.target
    settings = [(_in_force(side), side.nesterov) for side in (one, other)]
    if settings[0] != settings[1] and not (
        one.convention.is_adaptive or other.convention.is_adaptive
    ):
        strength = way.held == Invariant.STRENGTH
        what = "the decay per step on the way to the optimum" if strength else "a gradient's effect"
        yield f"the momenta differ, and with them {what}"
    if "batch_size" in other.own:
        yield "the batch sizes differ, and with them the gradient's noise and the number of steps"


def _in_force(side: Side) -> tuple[Fraction | None, Fraction | None]:
    """Return momentum and dampening, nothing where no momentum is at work."""
    return (side.get("momentum"), side.get("dampening")) if side.has_momentum else (None, None)


def _exempt(way: Plan) -> Iterator[str]:
    """Yield which tensors each side leaves alone, where the two differ."""
    one, other = way.source.convention, way.target.convention
    if one.exempt != other.exempt:
        yield f"{one.key} exempts {one.exempt} by default, {other.key} {other.exempt}"
