"""How far a conversion goes, computed from the two records and their runs."""

from decaycalc.conventions.record import (
    ANY,
    FIT,
    MEASURE,
    NESTEROV,
    NESTEROV_IN_PLACE,
    SGD,
    Buffer,
    Convention,
    Coupling,
    Equivalence,
    Follows,
    Invariant,
)
from decaycalc.conversion.side import Side

# Optimizers whose steps stay the same when the loss is scaled, but for their epsilons; plain SGD's
# lr is scaled against it. Of no other is that known: RAdam's first steps are plain momentum, AggMo
# has no preconditioner, Adadelta's epsilon sets the size of its steps, torch_optimizer's AdaBelief
# adds its epsilon to the second moment in each step, MADGRAD mixes powers.
SCALE_BLIND = frozenset(
    {
        "adafactor", "adafactor-hf", "adafactor-keras", "adagrad", "adam",
        "adam-uncorrected", "adamax", "adamax-keras", "adan", "adan-optax", "ademamix",
        "ademamix-kozistr", "ademamix-simplified", "adopt", "adopt-cautious", "adopt-kozistr",
        "amsgrad", "ftml", "lamb-decoupled", "lion", "muon", "muon-keras", "nadam", "nadam-keras",
        "nadam-optax", "nadam-timm", "qhadam", "rmsprop", "rmsprop-fastai", "rmsprop-inside",
        "signum",
    }
)  # fmt: skip
# Those of them whose steps have no epsilon; of the others' it is small beside a large loss alone.
_WITHOUT_EPSILON = frozenset({ANY, SGD, "lion", "signum"})
_INSIDE = frozenset({"rmsprop-inside"})  # epsilon inside the root: 1e-7 counts as 3e-4
# Variants that treat their own number unlike a penalty in the loss: ASGD's lambd decays beside
# either, DC-ASGD squares the data's gradient alone, MXNet's Nesterov decays the weight that the
# data's gradient has moved already.
_UNLIKE_A_PENALTY = frozenset({"asgd", "dcasgd", "nesterov-in-place"})
UNCLIPPED = "without clipping by norm"  # how the note on clipping begins
ALIKE = "with equal settings of the optimizer"  # how the note on its presets begins
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


def judge(source: Side, target: Side, *, held: Invariant, same_lr: bool) -> tuple[Equivalence, str]:
    """Return how far equality of the held invariant carries, and on what condition further.

    `same_lr` says that the target's lr is the one that the loss scales ask for. The class holds
    whatever the momentum is where nobody said it; the condition is in its own words,
    "exact at momentum 0", and empty where there is none.
    """
    if held == Invariant.SHRINK and (source.is_estimate or target.is_estimate):
        return Equivalence.ESTIMATE, ""
    if source.convention != target.convention and _estimated(source, target):
        return Equivalence.ESTIMATE, ""
    weaker = Equivalence.SAME_OPTIMUM if held == Invariant.STRENGTH else Equivalence.SAME_DECAY
    if not same_lr or not _same_updates(source, target):
        return weaker, ""
    if is_itself(source, target) or _agree_buffered(source, target):
        return Equivalence.IDENTICAL, ""
    return weaker, "exact at momentum 0"


def reservations(source: Side, target: Side) -> tuple[str, ...]:
    """Return what two that are exact are not exact under.

    That is a clip, a loss of another scale, and settings of the optimizer that are not the same.
    """
    settings = _settings(source.convention, target.convention)
    return (*_clipping(source, target), *_rescaling(source, target), *settings)


def _clipping(source: Side, target: Side) -> tuple[str, ...]:
    """Return what a clip of the gradients by their norm does to two that are exact without one."""
    if source.convention.is_penalty == target.convention.is_penalty:
        return ()
    text = "a penalty that is part of the loss is clipped with its gradient, one that joins later"
    return (f"{UNCLIPPED}: {text} is not",)


def _rescaling(source: Side, target: Side) -> tuple[str, ...]:
    """Return what a loss of another scale does to two that are exact but for their epsilons."""
    adaptive = {source.optimizer, target.optimizer} - _WITHOUT_EPSILON
    if source.loss_scale == target.loss_scale or not adaptive:
        return ()
    inside = ", and its root is what gradients are held against" if adaptive & _INSIDE else ""
    return (f"but for epsilon: it does not grow with the loss{inside}",)


def _agree_buffered(source: Side, target: Side) -> bool:
    """Return whether the updates stay the same whatever the momentum is that nobody said."""
    return _step(source, target, buffered=True) == _step(target, source, buffered=True)


def is_itself(source: Side, target: Side) -> bool:
    """Return whether there is one convention in one run."""
    return source.convention == target.convention and source.run == target.run


def _same_updates(source: Side, target: Side) -> bool:
    """Return whether both make the same update from every gradient, under every schedule."""
    one, other = source.convention, target.convention
    if is_itself(source, target):
        return True
    if {FIT, MEASURE} & {one.optimizer, other.optimizer} or "batch_size" in target.own:
        return False
    if _feels_scale(source, target) and source.loss_scale != target.loss_scale:
        return False
    if _treats_penalties_apart(source, target) or one.loss_unit != other.loss_unit:
        return False
    if one.follows != other.follows and not {one.follows, other.follows} <= _WITH_LR:
        return False
    return _step(source, target) == _step(target, source)


def _feels_scale(source: Side, target: Side) -> bool:
    """Return whether one of the optimizers acts otherwise on another loss scale, but for its lr."""
    return bool({source.optimizer, target.optimizer} - SCALE_BLIND - {ANY, SGD})


def _treats_penalties_apart(source: Side, target: Side) -> bool:
    """Return whether an optimizer treats its own number unlike a penalty in a loss."""
    records = (source.convention, target.convention)
    penalised = any(record.is_penalty for record in records)
    return penalised and any(record.variant in _UNLIKE_A_PENALTY for record in records)


def _step(side: Side, partner: Side, *, buffered: bool = False) -> tuple[object, ...]:
    """Return what decides an update; an objective takes its partner's optimizer.

    `buffered` supposes a momentum where none was given.
    """
    record = side.convention
    carried = side.optimizer == partner.convention.optimizer or side.is_undecided
    algorithm = partner.convention if record.is_penalty and carried else record
    optimizer = side.optimizer if algorithm is record else algorithm.optimizer
    fixed = (record.proximal, record.compounds, record.decays_after_step)
    has_momentum = side.has_momentum or (buffered and _awaits_momentum(side))
    if optimizer in {ANY, SGD} and not has_momentum:
        # Plain gradient descent: the penalty's gradient and the decay are one and the same.
        return (SGD, _variant(algorithm), *fixed)
    is_coupled = record.coupling == Coupling.COUPLED
    # Of two penalties neither says which buffer trains them.
    both = record.is_penalty and partner.convention.is_penalty
    buffer = Buffer.OUTSIDE if both else algorithm.buffer
    settings = _momentum(side, buffer) if optimizer in {ANY, SGD} else ()
    return (optimizer, _variant(algorithm), is_coupled, *fixed, *settings)


def _variant(record: Convention) -> str:
    """Return the variant where it is not one of the momentum's, which `lookahead` tells."""
    return "" if record.variant in {NESTEROV, NESTEROV_IN_PLACE} else record.variant


def _momentum(side: Side, buffer: Buffer) -> tuple[object, ...]:
    """Return the momentum's settings that have an effect."""
    dampening = side.get("dampening")
    if buffer == Buffer.DAMPENED and not dampening:
        buffer = Buffer.OUTSIDE
    return (buffer, side.get("momentum"), dampening, side.lookahead)


def notes(
    source: Side, target: Side, *, held: Invariant, same_lr: bool, exact: bool
) -> tuple[str, ...]:
    """Return what a reader must know beside the equivalence, one sentence each.

    `exact` says that what is held equal is equal exactly, not to first order.
    """
    one, other = source.convention, target.convention
    in_decay = held == Invariant.SHRINK
    texts = [
        *_order_notes(one, other, held=held, exact=exact),
        *_lr_note(source, target, same_lr=same_lr),
        *_buffer_note(source, target),
        *_lacking_note(source),
        *_lacking_note(target),
    ]
    if "batch_size" in target.own and MEASURE not in {one.optimizer, other.optimizer}:
        texts.append("the batch sizes differ, so the gradients do")
    texts += [
        *(_decay_notes(source, target) if in_decay else ()),
        *_projection_note(one, other),
        *_loss_note(source, target, held),
    ]
    if one != other:
        texts += [f"an estimate: {text}" for text in _estimated(source, target)]
    records = dict.fromkeys((one, other))
    texts += [f"{each.key} holds {each.releases}" for each in records if each.releases]
    if in_decay and one.variant != other.variant:
        texts += [*falling_lr(one), *falling_lr(other)]
    return tuple(texts)


def _order_notes(one: Convention, other: Convention, *, held: Invariant, exact: bool) -> list[str]:
    """Return in which steps, and to which order, the two agree."""
    texts = []
    schedules = {one.follows, other.follows}
    measured = MEASURE in {one.optimizer, other.optimizer}
    if not (measured or schedules <= _WITH_LR or len(schedules) == 1):
        texts.append("agrees at peak lr only: the two follow the lr schedule differently")
    if not exact:
        texts.append("to first order, --match decay holds the exact long-run decay equal")
    if held == Invariant.STRENGTH and one.compounds != other.compounds:
        texts.append("to first order: several decays in a step are a little less than their sum")
    return texts


def _decay_notes(source: Side, target: Side) -> list[str]:
    """Return whose decay it is that is held equal, where a side takes no such steps."""
    texts = []
    if FIT in {source.convention.optimizer, target.convention.optimizer}:
        texts.append("the solver takes no such steps: the decay is plain SGD's on its objective")
    if source.is_estimate or target.is_estimate:
        texts.append("an estimate: Adam divides the penalty's gradient by about the gradient's RMS")
    return texts


def _projection_note(one: Convention, other: Convention) -> list[str]:
    """Return for which weights they agree where one of the two projects its update."""
    if one.is_projected == other.is_projected:
        return []
    projected = one if one.is_projected else other
    text = "for weights without a gradient or with one at right angles to them"
    return [f"{text}: {projected.key} decays others as at wd_ratio 1"]


def _estimated(source: Side, target: Side) -> tuple[str, ...]:
    """Return why the numbers of records are estimates, none where no record's is."""
    records = dict.fromkeys((source.convention, target.convention))
    return tuple(record.estimate for record in records if record.estimate)


def _buffer_note(source: Side, target: Side) -> list[str]:
    """Return how far two buffers of plain SGD agree where they are not the same."""
    both_sgd = source.convention.optimizer == target.convention.optimizer == SGD
    if not both_sgd or not (source.has_momentum or target.has_momentum):
        return []
    one, other = (_momentum(side, side.convention.buffer) for side in (source, target))
    buffers = {one[0], other[0]}
    if len(buffers) == 1 or one[1:] != other[1:]:
        return []
    if Buffer.DAMPENED in buffers:
        return ["the first buffer is dampened in one of the two: they agree in the long run"]
    return ["the momentum buffers differ: the same at a constant lr only"]


def _lacking_note(side: Side) -> list[str]:
    """Return which settings of the run's momentum the side's framework does not have."""
    run, record = side.run, side.convention
    told = [name for name in record.lacks if side.has_momentum and getattr(run, name)]
    return [f"{record.key} has no {name}: its momentum goes without" for name in told]


def falling_lr(record: Convention) -> tuple[str, ...]:
    """Return the note on an optimizer that lowers lr by itself, none on the others."""
    if record.variant != "asgd":
        return ()
    return (f"at first: the lr of {record.key} falls with lambd and the steps",)


def _lr_note(source: Side, target: Side, *, same_lr: bool) -> list[str]:
    """Return that the target's lr is not the right one, where there is a right one."""
    families = {source.lr_family, target.lr_family} - {None}
    if same_lr or len(families) > 1 or source.is_adaptive or target.is_adaptive:
        return []
    return ["the target's lr is not the one that the loss scales ask for"]


def _awaits_momentum(side: Side) -> bool:
    """Return whether a momentum would be at work were one given, and none was."""
    steps = side.optimizer in {ANY, SGD} and side.convention.has_lr
    unsaid = side.run.given("momentum") is None and not side.get("momentum")
    return steps and side.takes_momentum and unsaid


def _settings(one: Convention, other: Convention) -> tuple[str, ...]:
    """Return the reminder that two frameworks preset one optimizer's settings differently."""
    if one.optimizer != other.optimizer or not one.is_adaptive:
        return ()
    here, there = _presets(one), _presets(other)
    own = ((one.key, here, there), (other.key, there, here))
    differing = ((key, [word for word in mine if word not in its]) for key, mine, its in own)
    texts = [f"{key} presets {', '.join(words)}" for key, words in differing if words]
    return (f"{ALIKE}: {', '.join(texts)}",) if texts else ()


def _presets(record: Convention) -> list[str]:
    """Return what a rule sets of its optimizer against the usual.

    That is where epsilon joins the second moment, too: before its correction as "epsilon hat" of
    TensorFlow, or behind it as most.
    """
    inside = record.update.partition("(g, ")[2].partition(")")[0].split(", ")
    names = dict(word.split("=") for word in inside if "=" in word)
    hat = " before the bias correction" if names.pop("epsilon_hat", "") else ""
    eps = names.pop("eps", "")
    eps = names.pop("eps_root", eps)
    words = [f"{name}={value}" for name, value in names.items()]
    return [*words, f"eps{eps and '='}{eps}{hat}"] if eps or hat else words


def _loss_note(source: Side, target: Side, held: Invariant) -> list[str]:
    """Return for which data loss two estimators agree, and whether a squared error is halved."""
    one, other = source.convention.data_losses, target.convention.data_losses
    common = one & other if one and other else one | other
    texts = _loss_unit_note(source, target) if "squared" in common else []
    stated = held == Invariant.STRENGTH and one and other and one != other
    if stated and not (texts and len(common) == 1):
        texts = [f"for a data loss that is {' or '.join(sorted(common))}", *texts]
    return texts


def _loss_unit_note(source: Side, target: Side) -> list[str]:
    """Return the reminder that a squared error may or may not carry a half."""
    units = {source.convention.loss_unit, target.convention.loss_unit} - {None}
    if len(units) != 1 or source.convention.loss_unit == target.convention.loss_unit:
        return []
    unit = units.pop()
    if unit == "half-squared-error":
        return ["for a loss of half the squared error: for the squared error itself, double λ"]
    return ["for a loss of the squared error: for half of it, halve λ"]
