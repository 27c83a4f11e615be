"""What an answer takes for granted: each unsaid quantity that enters its number, and why."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Annotated, Any

from decaycalc.algebra.quantity import OF_GROUPS, ZERO
from decaycalc.conventions.record import SGD, Invariant
from decaycalc.conventions.run import Run
from decaycalc.conversion.equivalence import is_itself
from decaycalc.conversion.plan import Plan, feels_scale
from decaycalc.conversion.side import Side
from decaycalc.errors import MissingQuantityError
from decaycalc.record import Record, asdict

_UNSAID = "not given"
_BATCH = ("batch_size", "steps_per_epoch")
_LENGTH = ("steps", "epochs")
# Refinements that leave a number as it is where a run does not give them, and what they are then.
_NEUTRAL = {"l1_ratio": 0.0}


class Assumption(Record):
    """A quantity that nobody gave and that entered a number: its value (`lr`: as that) and why."""

    name: str
    value: float | str
    why: str

    @property
    def text(self) -> str:
        """One line for a note."""
        shown = f"{self.value:g}" if isinstance(self.value, float) else self.value
        return f"{self.name} {shown} is assumed: {self.why}"

    def to_dict(self) -> "AssumptionJson":
        """Return the assumption as JSON's `assumptions` holds it."""
        return asdict(self)


AssumptionJson = Annotated[dict[str, Any], Assumption]


def assumed(way: Plan) -> tuple[Assumption, ...]:
    """Return what a conversion's number takes for granted; what cancels is not among it."""
    source, target = way.source, way.target
    if is_itself(source, target):
        return ()
    found = (
        *_optimizer(way),
        *_momentum(way),
        *_buffer(way),
        *_loss(way),
        *(entry for side in (source, target) for entry in _defaults(side, way.needs)),
        *_run_defaults(source, way.needs),
        *_refinements(way),
    )
    return once(found)


def assumed_by_decay(side: Side) -> tuple[Assumption, ...]:
    """Return what the decay of one convention's number takes for granted."""
    monomial, form = side.invariant(Invariant.SHRINK), side.convention.form
    needs = () if monomial is None else monomial.names
    needs = needs if form is None else form.needs
    crosses = _crossing(side, Invariant.SHRINK) != 0
    found = (
        *([_trained_by_sgd()] if side.is_undecided and crosses else []),
        *([_at_rest()] if crosses and _awaits_momentum(side) else []),
        *([_mean()] if _loss_power(side, Invariant.SHRINK) else []),
        *_defaults(side, needs),
        *_run_defaults(side, needs),
        *(_refinement(name) for name in _unsaid_refinements(side)),
    )
    return once(found)


def assumed_by_length(run: Run) -> tuple[Assumption, ...]:
    """Return what a run's number of steps takes for granted, where it follows from its epochs."""
    return assumed_by_step(run) if run.steps is None and run.epochs is not None else ()


def assumed_by_step(run: Run) -> tuple[Assumption, ...]:
    """Return what the examples of a step take for granted: one micro-batch on one worker."""
    return tuple(
        Assumption(name=name, value=1.0, why=_UNSAID)
        for name in ("grad_accum", "world_size")
        if run.given(name) is None
    )


def assumed_by_buffer(side: Side) -> tuple[Assumption, ...]:
    """Return what a first-order decay takes for granted of a momentum that is at work."""
    crosses = _crossing(side, Invariant.SHRINK) != 0
    return (_undampened(),) if crosses and _awaits_dampening(side) else ()


def assumed_by_rotation(side: Side) -> tuple[Assumption, ...]:
    """Return what SGD's rotation takes for granted, coupled or not: that there is no momentum."""
    return (_at_rest(),) if side.lr_family == SGD and _awaits_momentum(side) else ()


def assumed_by_strength(side: Side) -> tuple[Assumption, ...]:
    """Return what the strength of one convention's number takes for granted."""
    monomial, form = side.invariant(Invariant.STRENGTH), side.convention.form
    needs = form.needs if form is not None else () if monomial is None else monomial.names
    crosses = _crossing(side, Invariant.STRENGTH) != 0
    found = (
        *([_at_rest()] if crosses and _awaits_momentum(side) else []),
        *([_mean()] if _loss_power(side, Invariant.STRENGTH) else []),
        *_defaults(side, needs),
        *_run_defaults(side, needs),
        *(_refinement(name) for name in _unsaid_refinements(side)),
    )
    return once(found)


def require_said(what: str, assumptions: tuple[Assumption, ...]) -> None:
    """Refuse an answer that takes something for granted.

    Raises:
        MissingQuantityError: it does; the names are those to give.
    """
    if assumptions:
        names = dict.fromkeys(assumption.name for assumption in assumptions)
        raise MissingQuantityError(f"{what}, nothing assumed,", tuple(names))


def once(found: Iterable[Assumption]) -> tuple[Assumption, ...]:
    """Return what is taken for granted, each once, as it is said first.

    A quantity that two frameworks preset otherwise stands there with either value.
    """
    first: dict[tuple[str, float | str], Assumption] = {}
    for entry in found:
        first.setdefault((entry.name, entry.value), entry)
    return tuple(first.values())


def _trained_by_sgd() -> Assumption:
    why = "a penalty in a loss has no optimizer of its own"
    return Assumption(name="optimizer", value=SGD, why=why)


def _at_rest() -> Assumption:
    why = f"{_UNSAID}, and it multiplies a decay that passes through it by 1/(1 - momentum)"
    return Assumption(name="momentum", value=0.0, why=why)


def _undampened() -> Assumption:
    why = f"{_UNSAID}, and it multiplies a decay that passes through the momentum by 1 - dampening"
    return Assumption(name="dampening", value=0.0, why=why)


def _heavy_ball() -> Assumption:
    why = f"{_UNSAID}, and under momentum the exact decay is another with it"
    return Assumption(name="nesterov", value="off", why=why)


def _mean() -> Assumption:
    why = f"{_UNSAID}, and a number beside a sum is another"
    return Assumption(name="loss", value="mean", why=why)


def _optimizer(way: Plan) -> Iterator[Assumption]:
    """Yield that SGD trains a penalty whose decay per step is asked for."""
    if way.held != Invariant.SHRINK:
        return
    sides = (way.source, way.target)
    partners = {side.lr_family for side in sides if not side.is_undecided}
    if any(side.is_undecided for side in sides) and SGD not in partners:
        yield _trained_by_sgd()


def _crossing(side: Side, held: Invariant) -> int:
    """Return 1 where a strength becomes a shrink, -1 where a shrink does a strength, else 0."""
    if side.convention.invariant == held:
        return 0
    return 1 if held == Invariant.SHRINK else -1


def _awaits_momentum(side: Side) -> bool:
    """Return whether a momentum would enter this side's bridge, and none was given."""
    bridged = side.takes_momentum and not side.is_adaptive
    return bridged and side.run.given("momentum") is None and not side.get("momentum")


def _momentum(way: Plan) -> Iterator[Assumption]:
    """Yield that there is no momentum, where one would not cancel."""
    sides = (way.source, way.target)
    powers = [_crossing(side, way.held) if _awaits_momentum(side) else 0 for side in sides]
    if powers[0] != powers[1]:
        yield _at_rest()


def _awaits_dampening(side: Side) -> bool:
    """Return whether a dampening would enter this side's bridge, and none was given."""
    record = side.convention
    buffered = side.has_momentum and not side.is_adaptive
    fixed = "dampening" in (*record.lacks, *dict(record.defaults))
    if not buffered or fixed or side.run.given("dampening") is not None:
        return False
    return record.mixture is not None or not side.lookahead


def _awaits_nesterov(side: Side) -> bool:
    """Return whether Nesterov's step would change this side's exact decay, and none was said."""
    buffered = side.has_momentum and not side.is_adaptive
    free = side.convention.mixture is None and "nesterov" not in side.convention.lacks
    unsaid = side.run.nesterov is None and not side.lookahead
    return buffered and free and unsaid and not side.get("dampening")


def _buffer(way: Plan) -> Iterator[Assumption]:
    """Yield that the buffer is a heavy ball's, where what else it may be would not cancel."""
    sides = (way.source, way.target)
    powers = [_crossing(side, way.held) if _awaits_dampening(side) else 0 for side in sides]
    if powers[0] != powers[1] or (way.exactly and any(powers)):
        yield _undampened()
    crossing = (side for side in sides if _crossing(side, way.held))
    if way.exactly and any(_awaits_nesterov(side) for side in crossing):
        yield _heavy_ball()


def _loss(way: Plan) -> Iterator[Assumption]:
    """Yield that the loss is a mean, where its scale would not cancel."""
    if _loss_power(way.source, way.held) != _loss_power(way.target, way.held) or _lr_by_loss(way):
        yield _mean()


def _lr_by_loss(way: Plan) -> bool:
    """Return whether the target's lr follows from the source's by a loss scale that is not said."""
    source, target = way.source, way.target
    if way.held != Invariant.SHRINK:
        return False
    unsaid = [s.convention.loss is None and s.run.loss is None for s in (source, target)]
    stepped = source.convention.has_lr and target.convention.has_lr
    return unsaid[0] != unsaid[1] and stepped and feels_scale(source, target)


def _loss_power(side: Side, held: Invariant) -> Fraction:
    """Return the exponent with which an unsaid loss scale enters the held invariant."""
    record = side.convention
    if record.loss is not None or side.run.loss is not None:
        return ZERO
    own = ZERO if record.monomial is None else record.monomial.power_of("loss_scale")
    return own + _crossing(side, held)


def _defaults(side: Side, needs: tuple[str, ...]) -> Iterator[Assumption]:
    """Yield the framework's own defaults that enter."""
    entering = {name.removeprefix("to_").removeprefix("one_minus_") for name in needs}
    entering |= {"dampening"} if side.has_momentum else set()
    for name, value in side.assumed():
        if name in entering:
            yield _preset(side, name, value)


def preset_buffer(side: Side) -> tuple[Assumption, ...]:
    """Return the momentum and the dampening that plain SGD's framework presets."""
    return tuple(_preset(side, *pair) for pair in side.preset_buffer)


def _preset(side: Side, name: str, value: Fraction) -> Assumption:
    """Return that a framework's own default holds."""
    why = f"{_UNSAID}: the default of {side.convention.key}"
    return Assumption(name=name, value=float(value), why=why)


def _run_defaults(side: Side, needs: tuple[str, ...]) -> Iterator[Assumption]:
    """Yield what the examples of a step count, and Adam's epsilon, where they enter."""
    run, names = side.run, {name.removeprefix("to_") for name in needs}
    batch = names & set(_BATCH) or any(n in names and run.given(n) is None for n in _LENGTH)
    asked = ["grad_accum", "world_size"] if batch and run.batch_size is not None else []
    asked += ["grad_accum"] if "grad_accum" in names else []
    asked += ["eps"] if "gradient_scale" in names else []
    for name in asked:
        value = run.get(name)
        if run.given(name) is None and value is not None:
            yield Assumption(name=name, value=float(value), why=_UNSAID)
    if "nominal_batch" in names:
        yield from _accumulation(side)


def _accumulation(side: Side) -> Iterator[Assumption]:
    """Yield how many batches YOLOv5 makes a step of, or on how many devices it does."""
    run, nominal = side.run, side.get("nominal_batch")
    devices, batch = run.given("world_size"), run.given("batch_size")
    if run.grad_accum is None and nominal is not None and batch is not None:
        why = f"{_UNSAID}: it accumulates up to nbs examples"
        yield Assumption(name="grad_accum", value=float(nominal / batch / (devices or 1)), why=why)
    if devices is None:
        yield Assumption(name="world_size", value=1.0, why=_UNSAID)


def _refinements(way: Plan) -> Iterator[Assumption]:
    """Yield the refinements that a run does not give, where one side alone has them."""
    sides = (way.source, way.target)
    one, other = (_unsaid_refinements(side) for side in sides)
    for name in (*one, *other):
        if (name in one) != (name in other):
            yield _refinement(name)


def _unsaid_refinements(side: Side) -> tuple[str, ...]:
    """Return the refinements that are not given; a group's multipliers are none to miss."""
    names = (name for name, _ in side.convention.refinements if name not in OF_GROUPS)
    return tuple(name for name in names if side.run.given(name) is None)


def _refinement(name: str) -> Assumption:
    """Return that a refinement leaves the number as it is: a share of 0, or the lr itself."""
    return Assumption(name=name, value=_NEUTRAL.get(name, "lr"), why=_UNSAID)
