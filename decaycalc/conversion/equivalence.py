"""How far a conversion goes, computed from the two records and their runs."""

from decaycalc.conventions.record import (
    ANY,
    FIT,
    MEASURE,
    SGD,
    Convention,
    Coupling,
    Equivalence,
    Follows,
    Invariant,
)
from decaycalc.conversion.side import Side

# Optimizers whose steps stay the same when the loss is scaled, but for their epsilons; plain SGD's
# lr is scaled against it. Of no other is that known: RAdam's first steps are plain momentum, AggMo
# has no preconditioner, Adadelta's epsilon sets the size of its steps, MADGRAD mixes powers.
SCALE_BLIND = frozenset(
    {
        "adabelief", "adafactor", "adafactor-hf", "adafactor-keras", "adagrad", "adam",
        "adam-uncorrected", "adamax", "adamax-keras", "adan", "adan-optax", "ademamix",
        "ademamix-kozistr", "ademamix-simplified", "adopt", "adopt-cautious", "adopt-kozistr",
        "amsgrad", "ftml", "lamb-decoupled", "lion", "muon", "muon-keras", "nadam", "nadam-keras",
        "nadam-optax", "nadam-timm", "qhadam", "rmsprop", "rmsprop-fastai", "rmsprop-inside",
        "signum",
    }
)  # fmt: skip
# Variants that treat their own number unlike a penalty in the loss: ASGD's lambd decays beside
# either, DC-ASGD squares the data's gradient alone, MXNet's Nesterov decays the weight that the
# data's gradient has moved already.
_UNLIKE_A_PENALTY = frozenset({"asgd", "dcasgd", "nesterov-in-place"})
_WITH_LR = frozenset({Follows.LR, Follows.MULTIPLIER})


def shared_invariant(source: Side, target: Side, *, match_decay: bool) -> Invariant | None:
    """Return what a conversion can hold equal, None where the two share nothing.

    The objective comes first where both have one; `match_decay` prefers the decay.
    """
    shrink = source.has_shrink and target.has_shrink
    strength = source.convention.has_strength and target.convention.has_strength
    if strength and not (match_decay and shrink):
        return Invariant.STRENGTH
    return Invariant.SHRINK if shrink else None


def equivalence(source: Side, target: Side, *, held: Invariant, same_lr: bool) -> Equivalence:
    """Return how far equality of the held invariant carries.

    `same_lr` says that the target's lr is the one that the loss scales ask for.
    """
    if held == Invariant.SHRINK and (source.is_estimate or target.is_estimate):
        return Equivalence.ESTIMATE
    if source.convention != target.convention and _estimated(source, target):
        return Equivalence.ESTIMATE
    if same_lr and _same_updates(source, target):
        return Equivalence.IDENTICAL
    return Equivalence.SAME_OPTIMUM if held == Invariant.STRENGTH else Equivalence.SAME_DECAY


def _same_updates(source: Side, target: Side) -> bool:
    """Return whether both make the same update from every gradient, under every schedule."""
    one, other = source.convention, target.convention
    if one == other and source.run == target.run:
        return True
    if {FIT, MEASURE} & {one.optimizer, other.optimizer} or "batch_size" in target.own:
        return False
    if _feels_scale_or_penalty(source, target):
        return False
    if one.loss_unit != other.loss_unit and None not in {one.loss_unit, other.loss_unit}:
        return False
    if one.follows != other.follows and not {one.follows, other.follows} <= _WITH_LR:
        return False
    return _step(source, target) == _step(target, source)


def _feels_scale_or_penalty(source: Side, target: Side) -> bool:
    """Return whether the optimizer acts otherwise on another loss scale or on a loss's penalty."""
    records = (source.convention, target.convention)
    optimizers = {record.optimizer for record in records}
    if optimizers - SCALE_BLIND - {ANY, SGD} and source.loss_scale != target.loss_scale:
        return True
    return ANY in optimizers and any(record.variant in _UNLIKE_A_PENALTY for record in records)


def _step(side: Side, partner: Side) -> tuple[object, ...]:
    """Return what decides an update; an objective takes its partner's optimizer."""
    record = side.convention
    algorithm = partner.convention if record.optimizer == ANY else record
    optimizer, buffer = algorithm.optimizer, algorithm.buffer
    if optimizer in {ANY, SGD} and not side.has_momentum:
        # Plain gradient descent: the penalty's gradient and the decay are one and the same.
        return (SGD, algorithm.variant, record.proximal, record.compounds, _late(side))
    return (
        optimizer,
        algorithm.variant,
        record.coupling == Coupling.COUPLED,
        record.proximal,
        record.compounds,
        _late(side),
        *_momentum(side, buffer, optimizer),
    )


def _late(side: Side) -> bool:
    """Return whether the decay acts on the weight after its gradient step."""
    return side.convention.decays_after_step


def _momentum(side: Side, buffer: object, optimizer: str) -> tuple[object, ...]:
    """Return the momentum's settings where they enter the update."""
    if optimizer not in {ANY, SGD}:
        return ()
    return (buffer, side.get("momentum"), side.get("dampening"), side.lookahead)


def notes(
    source: Side, target: Side, *, held: Invariant, same_lr: bool, exact: bool
) -> tuple[str, ...]:
    """Return what a reader must know beside the equivalence, one sentence each.

    `exact` says that what is held equal is equal exactly, not to first order.
    """
    texts: list[str] = []
    one, other = source.convention, target.convention
    schedules = {one.follows, other.follows}
    if MEASURE not in {one.optimizer, other.optimizer} and not (
        schedules <= _WITH_LR or len(schedules) == 1
    ):
        texts.append("agrees at peak lr only: the two follow the lr schedule differently")
    if not exact:
        texts.append("to first order, --match decay holds the exact long-run decay equal")
    texts += _lr_note(source, target, held, same_lr=same_lr)
    if one.invariant != other.invariant and any(map(_awaits_momentum, (source, target))):
        texts.append("momentum was not given and counts as 0: it multiplies by 1/(1 - momentum)")
    momentum = source.has_momentum or target.has_momentum
    both_sgd = one.optimizer == other.optimizer == SGD
    if momentum and both_sgd and one.buffer != other.buffer:
        texts.append("the momentum buffers differ: the same at a constant lr only")
    if "batch_size" in target.own and MEASURE not in {one.optimizer, other.optimizer}:
        texts.append("the batch sizes differ, so the gradients do")
    if held == Invariant.SHRINK and FIT in {one.optimizer, other.optimizer}:
        texts.append("the solver takes no such steps: the decay is plain SGD's on its objective")
    if held == Invariant.SHRINK and (source.is_estimate or target.is_estimate):
        texts.append("an estimate: Adam divides the penalty's gradient by about the gradient's RMS")
    texts += _loss_unit_note(source, target)
    texts += _settings_note(one, other)
    texts += [f"an estimate: {text}" for text in _estimated(source, target) if one != other]
    texts += [f"{record.key} holds {record.releases}" for record in dict.fromkeys((one, other))
              if record.releases]  # fmt: skip
    if held == Invariant.SHRINK and one.variant != other.variant:
        texts += [*falling_lr(one), *falling_lr(other)]
    return tuple(texts)


def _estimated(source: Side, target: Side) -> tuple[str, ...]:
    """Return why the numbers of records are estimates, none where no record's is."""
    records = dict.fromkeys((source.convention, target.convention))
    return tuple(record.estimate for record in records if record.estimate)


def falling_lr(record: Convention) -> tuple[str, ...]:
    """Return the note on an optimizer that lowers lr by itself, none on the others."""
    if record.variant != "asgd":
        return ()
    return (f"at first: the lr of {record.key} falls with lambd and the steps",)


def _lr_note(source: Side, target: Side, held: Invariant, *, same_lr: bool) -> list[str]:
    """Return what to know of the lr: that it is not the right one, or that it stays SGD's."""
    one, other = source.convention, target.convention
    adaptive = one.is_adaptive, other.is_adaptive
    if not same_lr:
        return (
            [] if any(adaptive) else ["the target's lr is not the one that the loss scales ask for"]
        )
    measured = MEASURE in {one.optimizer, other.optimizer}
    scaled = other.monomial is not None and "lr" in other.monomial.names
    if held == Invariant.STRENGTH or measured or not scaled or adaptive[0] == adaptive[1]:
        return []
    return ["at the same lr: --to-lr takes the target's own"]


def _awaits_momentum(side: Side) -> bool:
    """Return whether a momentum would multiply this side's decay and none was given."""
    record = side.convention
    passes_buffer = record.coupling == Coupling.COUPLED and record.optimizer in {ANY, SGD}
    is_known = side.run.given("momentum") is not None or "momentum" in dict(record.defaults)
    return passes_buffer and record.has_momentum and not is_known


def _settings_note(one: Convention, other: Convention) -> list[str]:
    """Return the reminder that two frameworks preset one optimizer's betas differently."""
    if one.optimizer != other.optimizer or not one.is_adaptive:
        return []
    settings = [(record.key, _presets(record)) for record in (one, other)]
    if settings[0][1] == settings[1][1]:
        return []
    texts = (f"{key} presets {', '.join(names)}" for key, names in settings if names)
    return [f"beside equal settings of the optimizer: {', '.join(texts)}"]


def _presets(record: Convention) -> list[str]:
    """Return what a rule sets of its optimizer against the usual, but for negligible epsilons."""
    words = record.update.partition("(g, ")[2].partition(")")[0].split(", ")
    return [word for word in words if "=" in word and not word.startswith("eps")]


def _loss_unit_note(source: Side, target: Side) -> list[str]:
    """Return the reminder that a squared error may or may not carry a half."""
    units = {source.convention.loss_unit, target.convention.loss_unit} - {None}
    if len(units) != 1 or source.convention.loss_unit == target.convention.loss_unit:
        return []
    unit = units.pop()
    if unit == "half-squared-error":
        return ["for a loss of half the squared error: for the squared error itself, double λ"]
    return ["for a loss of the squared error: for half of it, halve λ"]
