"""PaddleSeg's YAML configurations, laid over the files that their `_base_` names.

Source: PaddleSeg d7975e7c paddleseg/cvlibs/{config,builder}.py, paddleseg/optimizers/optimizer.py;
paddle 3 optimizer/lr.py.
"""

from fractions import Fraction

from decaycalc.training.reading.arguments import numbers_of
from decaycalc.training.reading.bases import missing_bases, with_bases
from decaycalc.training.reading.by_class import (
    PADDLE_USES,
    class_default,
    paddle_class,
    paddle_optimizer,
)
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.schedules import compose, of_lr, ratio
from decaycalc.training.reading.settings import Settings, derived, texts_of
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Group, Sourced, Training

_CUSTOM = "optimizer.custom_cfg"


def _name(settings: Settings) -> Sourced | None:
    """Return the optimizer's type; an SGD with a momentum is Momentum."""
    found = settings.read("optimizer", "optimizer.type")
    if found is None or (found.value or "").lower() != "sgd" or not settings.has(
        "optimizer.momentum"
    ):  # fmt: skip
        return found
    return derived("optimizer", "Momentum", "optimizer.type with a momentum")


def _schedule(settings: Settings) -> str | None:
    """Return the scheduler after the warm-up, with whose end it begins to count."""
    name, count = settings.word("scheduler"), settings.number("warmup_iters") or Fraction(0)
    start = ratio(settings, "warmup_start_lr", "lr") if count else None
    warm = {"warmup": int(count) or None, "start": start or None}
    if name == "polynomialdecay":
        own = settings.number("decay_steps")
        length = None if own is None else int(own + count)
        final, power = of_lr(settings, "end_lr"), settings.number("power")
        return compose("polynomial", power=power, **warm, length=length, final=final)
    marks = numbers_of(" ".join(settings.texts("lr_scheduler.milestones")))
    gamma = settings.number("gamma")
    if name == "multistepdecay" and marks:
        at = tuple(mark + count for mark in marks)
        return compose("step", at=at, gamma=gamma, **warm)
    if name != "stepdecay" or not settings.has("lr_scheduler.step_size"):
        return None
    step = compose("step", every=settings.count("step_size"), gamma=gamma)
    return f"{compose('constant', **warm, until=int(count))}+{step}" if count else step


def _groups(settings: Settings) -> tuple[Group, ...]:
    """Return the groups of custom_cfg; a tensor is in the first whose name it has."""
    groups = []
    for entry in settings.listed(_CUSTOM):
        name = "".join(texts_of(entry.entries.get("name")))
        lr, decay = (
            typed_number("".join(texts_of(entry.entries.get(key))) or "1")
            for key in ("lr_mult", "weight_decay_mult")
        )
        if lr is not None and decay is not None:
            groups.append(
                Group(name=name, selector=f"names with {name}", lr_mult=decimal_text(lr),
                      decay_mult=decimal_text(decay))
            )  # fmt: skip
    return tuple(groups)


def _finish(settings: Settings, made: Training) -> Training:
    made = made.with_groups(*_groups(settings))
    return made.with_notes(*missing_bases(settings.document))


TRAINER = Trainer(
    kind="paddleseg",
    title="PaddleSeg",
    version="PaddleSeg d7975e7c",
    signatures=(
        Signature(all_of=("iters", "lr_scheduler.type"),
                  any_of=("optimizer.type", "model.type", "train_dataset.type", "_base_")),
        Signature(all_of=("iters", "optimizer.type"), any_of=("train_dataset.type", "_base_")),
    ),
    fields=(
        Field(name="optimizer", covers=("optimizer.type",), derive=_name),
        Field(name="weight_decay", paths=("optimizer.weight_decay",),
              derive=class_default("weight_decay", paddle_class)),
        Field(name="lr", paths=("lr_scheduler.learning_rate",)),
        Field(name="momentum", paths=("optimizer.momentum",), default="0.9"),
        Field(name="nesterov", paths=("optimizer.use_nesterov",), default="false"),
        *Field.within("optimizer", beta1="0.9", beta2="0.999"),
        Field(name="eps", paths=("optimizer.epsilon",), default="1e-8"),
        Field(name="batch_size", paths=("batch_size",)),
        Field(name="world_size", default="1"),
        Field(name="steps", paths=("iters",)),
        Field(name="scheduler", paths=("lr_scheduler.type",)),
        *Field.within("lr_scheduler", source="paddle 3", power="1", end_lr="0.0001"),
        Field(name="decay_steps", paths=("lr_scheduler.decay_steps",)),
        Field(name="gamma", paths=("lr_scheduler.gamma",), default="0.1", source="paddle 3"),
        *Field.within("lr_scheduler", step_size=None, warmup_iters="0", warmup_start_lr="0"),
    ),
    optimizer=lambda settings: paddle_optimizer(settings, PADDLE_USES),
    schedule=_schedule,
    exempt=lambda _: of_kinds(switch=_CUSTOM),
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("_base_", "train_dataset*", "val_dataset*", "model*", "loss*", "distill_loss*",
              "test_config*", "optimizer*", "lr_scheduler.milestones", "export*"),
    prepare=with_bases,
    finish=_finish,
)  # fmt: skip
