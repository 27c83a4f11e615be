"""DC1xx: the number is not what it says."""

from collections.abc import Iterator

from decaycalc.algebra.quantity import exact
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.record import ANY, SGD, Convention, Coupling, Follows
from decaycalc.conventions.run import Loss
from decaycalc.errors import UnknownNameError
from decaycalc.findings.record import Hit, Level, Rule, Subject, at
from decaycalc.training.record import Origin

_SHOWN = 3
_PLAIN = frozenset({ANY, SGD, "fit", "measure"})


def _record(subject: Subject) -> Convention | None:
    """Return the run's convention, None where it has none that is known."""
    key = subject.training.convention
    try:
        return None if key is None else find(key)
    except UnknownNameError:
        return None


def _decays(subject: Subject) -> bool:
    """Return whether the run has a number above zero."""
    value = subject.training.value
    return value is not None and exact(value) > 0


def _adaptive_penalty(subject: Subject) -> Iterator[Hit]:
    record = _record(subject)
    if record is None or not _decays(subject) or record.coupling is not Coupling.COUPLED:
        return
    if record.optimizer not in _PLAIN and record.refusal is None:
        message = (
            f"{record.key} adds weight_decay {subject.training.value} to the gradient, where the "
            "preconditioner turns it into a step of about lr, whatever the number is"
        )
        yield at(message, subject.quantity("weight_decay") or subject.quantity("value"))


def _not_passed(subject: Subject) -> Iterator[Hit]:
    reason = subject.training.refusal
    if "not pass" in reason:
        number = subject.quantity("weight_decay")
        yield at(reason, number or subject.quantity("optimizer"))


def _without_convention(subject: Subject) -> Iterator[Hit]:
    reason = subject.training.refusal
    if reason and "not pass" not in reason:
        yield at(reason, subject.quantity("optimizer"))


def _apart_from_lr(subject: Subject) -> Iterator[Hit]:
    record = _record(subject)
    moving = subject.training.schedule not in {None, "constant"} or any(
        group.course is not None and len(set(group.course.lrs)) > 1
        for group in subject.training.groups
    )
    if record is None or not _decays(subject) or not moving:
        return
    if record.follows is Follows.CONSTANT and record.shrink is not None:
        message = f"the decay of {record.key} stays as it is while lr falls"
        yield at(message, subject.quantity("schedule"))


def _default_entered(subject: Subject) -> Iterator[Hit]:
    number = subject.quantity("weight_decay")
    if number is not None and number.origin is Origin.DEFAULT:
        yield at(f"no weight decay is set: the default {number.value} holds ({number.where})", None)


def _momentum(subject: Subject) -> Iterator[Hit]:
    record, momentum = _record(subject), subject.training.run.given("momentum")
    if record is None or not momentum or momentum >= 1 or not _decays(subject):
        return
    if record.coupling is Coupling.COUPLED and record.optimizer == SGD and record.has_momentum:
        factor = float(1 / (1 - momentum))
        message = (
            f"momentum {float(momentum):g} multiplies the decay by {factor:.4g} in the long run"
        )
        yield at(message, subject.quantity("momentum"))


def _summed(subject: Subject) -> Iterator[Hit]:
    loss = subject.training.run.loss
    if loss in {Loss.BATCH_SUM, Loss.DATASET_SUM}:
        message = (
            f"the loss is a sum ({loss}): beside a mean loss the same number is another penalty"
        )
        yield at(message, subject.quantity("loss"))


def _micro_step(subject: Subject) -> Iterator[Hit]:
    record, count = _record(subject), subject.training.run.given("grad_accum")
    if record is not None and record.key.endswith("micro-step") and count and count > 1:
        message = f"the weights decay at each of the {float(count):g} micro-steps of an update"
        yield at(message, subject.quantity("grad_accum"))


def _rescaled(subject: Subject) -> Iterator[Hit]:
    value, typed = subject.quantity("value"), subject.quantity("weight_decay")
    if value is not None and typed is not None and value.value not in {None, typed.value}:
        message = f"the optimizer gets {value.value}, not {typed.value}: {value.where}"
        yield at(message, typed)


def _lr_overridden(subject: Subject) -> Iterator[Hit]:
    lr = subject.quantity("lr")
    if lr is not None and lr.origin is Origin.DERIVED and "ignored" in lr.note:
        yield at(f"lr is {lr.value}: {lr.note}", lr)


def _stale(subject: Subject) -> Iterator[Hit]:
    said, groups = subject.quantity("configured_weight_decay"), subject.training.groups
    scheduled = any(each.course is not None and each.course.decays for each in groups)
    if said is None or said.value is None or scheduled or not exact(said.value):
        return
    held = dict.fromkeys(float(exact(each.weight_decay or "0")) for each in groups)
    if float(exact(said.value)) not in held:
        shown = ", ".join(f"{each:g}" for each in list(held)[:_SHOWN])
        message = f"weight_decay {said.value} is configured, but the groups hold {shown}"
        yield at(message, said)


RULES = (
    Rule(
        code="DC101", name="penalty-under-adaptive-optimizer", level=Level.WARNING,
        summary="A penalty in the gradient of an adaptive optimizer is no weight decay.",
        fix="take the optimizer's decoupled form (AdamW, decoupled_weight_decay=True)",
        source="Loshchilov & Hutter, arXiv 1711.05101, section 2", find=_adaptive_penalty,
    ),
    Rule(
        code="DC102", name="not-passed-on", level=Level.ERROR,
        summary="The trainer does not hand the number to its optimizer: nothing decays.",
        fix="choose an optimizer that the trainer passes weight_decay to",
        source="the trainer's own source, as its table of optimizers says", find=_not_passed,
    ),
    Rule(
        code="DC103", name="no-convention", level=Level.NOTE,
        summary="What the optimizer makes of the number is not known here.",
        fix="say the convention by --from, or ask the optimizer itself: decaycalc probe",
        source="the catalogue", find=_without_convention,
    ),
    Rule(
        code="DC104", name="default-entered", level=Level.NOTE,
        summary="The file sets no weight decay, and a default that it does not name holds.",
        fix="write the number into the file",
        source="the trainer's default, with its version", find=_default_entered,
    ),
    Rule(
        code="DC105", name="momentum-multiplies", level=Level.NOTE,
        summary="A penalty passes the momentum buffer: the decay is 1/(1 - momentum) times lr·λ.",
        fix="divide by that factor where a decoupled decay is compared",
        source="algebra: the dominant root of the heavy ball's recursion", find=_momentum,
    ),
    Rule(
        code="DC106", name="summed-loss", level=Level.NOTE,
        summary="The loss is a sum, beside which a number means another penalty.",
        fix="convert with --loss", source="algebra: λ of a sum = λ of a mean · N", find=_summed,
    ),
    Rule(
        code="DC107", name="decay-per-micro-step", level=Level.WARNING,
        summary="The weights decay at every micro-step, not once an update.",
        fix="divide the number by the accumulation", source="keras 3, optimizers/base_optimizer.py",
        find=_micro_step,
    ),
    Rule(
        code="DC108", name="rescaled-by-trainer", level=Level.NOTE,
        summary="The trainer scales the number before the optimizer gets it.",
        fix="compare the scaled number", source="the trainer's own source", find=_rescaled,
    ),
    Rule(
        code="DC109", name="lr-overridden", level=Level.NOTE,
        summary="The trainer ignores the lr in the file.",
        fix="name the optimizer, or set what decides lr", source="the trainer's own source",
        find=_lr_overridden,
    ),
    Rule(
        code="DC110", name="decay-apart-from-lr", level=Level.NOTE,
        summary="The decay does not follow the lr schedule.",
        fix="compare at the mean of the schedule: decaycalc schedule",
        source="the convention's record",
        find=_apart_from_lr,
    ),
    Rule(
        code="DC111", name="stale-decay", level=Level.WARNING,
        summary="No group of the optimizer holds the weight decay that is configured.",
        fix="set the groups' weight_decay after load_state_dict, whose groups take their place",
        source="torch 2.13 optim/optimizer.py, load_state_dict", find=_stale,
    ),
)  # fmt: skip
