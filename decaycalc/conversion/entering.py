"""Which of the quantities that were given enter an answer; one that enters nothing is refused."""

from collections.abc import Iterable

from decaycalc.algebra.quantity import OF_GROUPS, QUANTITIES
from decaycalc.conventions.record import MEASURE, Convention
from decaycalc.conventions.run import Run
from decaycalc.conversion.side import Side
from decaycalc.errors import ContradictionError, MissingQuantityError

_ESTIMATING = ("gradient_rms", "eps")
_OF_STEPS = ("lr_mult", "update_share")
_BUFFER = ("momentum", "dampening", "nesterov")
_A_PAIR = 2  # more names than this are not listed in a sentence
_FROM = {"one_minus_l1_ratio": "l1_ratio", "nominal_batch": "nbs"}


def require_taken(
    source: Side, targets: Iterable[Convention], target_run: Run | None = None
) -> None:
    """Refuse a quantity that was given and that no convention of the answer takes.

    What says how a run goes (lr, sizes, lengths) always enters; this is about what only some
    optimizers have: the buffer's settings, their own quantities, a penalty's optimizer.

    Raises:
        ContradictionError: there is one.
        MissingQuantityError: it multiplies an lr, and there is none.
    """
    run, there = source.run, target_run
    given = [name for name, _ in run.extras if QUANTITIES[name].extra]
    given += [name for name in (*_BUFFER, "optimizer") if getattr(run, name)]
    own = [] if there is None else [n for n in ("lr", *_BUFFER) if getattr(there, n)]
    if not given and not own:
        return
    sides = [Side(convention=target, run=run, is_target=True) for target in targets]
    _require(given, (source, *sides))
    _require_steps(given, source)
    _require(own, tuple(sides))


def _require(names: Iterable[str], sides: tuple[Side, ...]) -> None:
    """Refuse a quantity that none of the sides takes."""
    for name in names:
        if not any(_takes(side, name) for side in sides):
            keys = tuple(dict.fromkeys(side.convention.key for side in sides))
            raise ContradictionError(_refusal(name, keys))


def _require_steps(names: Iterable[str], source: Side) -> None:
    """Refuse what multiplies a group's steps beside a penalty: without an lr it has none."""
    for name in names:
        if name in _OF_STEPS and source.convention.is_penalty and source.run.lr is None:
            raise MissingQuantityError(f"{name} beside {source.convention.key}", ("lr",))


def _refusal(name: str, keys: tuple[str, ...]) -> str:
    """Return which conventions do not take a quantity, `pytorch-adamw takes no lambd`."""
    if name == "optimizer":
        return f"optimizer says what trains a penalty, and {keys[0]} is not one"
    if name in _ESTIMATING:
        return f"{name} enters nothing: {keys[0]} is not a penalty under Adam"
    if len(keys) > _A_PAIR:
        return f"{keys[0]} takes no {name}, nor do its targets"
    return f"{keys[0]} takes no {name}" + "".join(f", nor does {key}" for key in keys[1:])


def _takes(side: Side, name: str) -> bool:
    """Return whether a quantity enters what is said of a side."""
    record = side.convention
    if name == "optimizer":
        return record.is_penalty
    if name == "lr":
        return record.has_lr
    if name in _BUFFER:
        own = not side.is_adaptive or "momentum" in record.update
        return own and side.takes_momentum and record.has_lr and name not in record.lacks
    if name in _ESTIMATING:
        return side.is_estimate
    if name in OF_GROUPS:
        return record.optimizer != MEASURE
    return name in _names_of(side)


def own_quantities(convention: Convention) -> tuple[str, ...]:
    """Return the quantities that a convention takes and few others do, as `nbs` of YOLOv5."""
    names = _names_of(Side(convention=convention, run=Run()))
    return tuple(name for name, q in QUANTITIES.items() if q.extra and name in names)


def _names_of(side: Side) -> frozenset[str]:
    """Return the quantities of a record's formulas, derived ones by what they derive from."""
    record = side.convention
    names = {name for name, _ in (*record.defaults, *record.refinements)}
    names |= set(() if record.monomial is None else record.monomial.names)
    names |= set(() if record.form is None else record.form.needs)
    names |= {_FROM[name] for name in names & _FROM.keys()}
    return frozenset(names & QUANTITIES.keys())
