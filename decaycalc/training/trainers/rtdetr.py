"""RT-DETR's YAML (D-FINE's and DEIM's too): files laid over those that `__include__` names.

Source: RT-DETR 068dfde rtdetrv2_pytorch/src/core/yaml_{config,utils}.py, src/optim/warmup.py,
src/solver/det_solver.py. The warm-up is in updates, the milestones in the epochs behind it.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.bases import missing_bases, with_bases
from decaycalc.training.reading.by_class import class_default, flag_fields, optimizer_of
from decaycalc.training.reading.classes import OptimizerClass, find_class
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import from_zero, typed_number
from decaycalc.training.reading.schedules import Options, compose, epochs, steps_of
from decaycalc.training.reading.settings import Settings, text_of, whole_or
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Training

_LOADER = "train_dataloader"


def _class(settings: Settings) -> OptimizerClass | None:
    return find_class(f"torch.{settings.text('optimizer')}")


def _schedule(settings: Settings) -> str | None:
    """Return steps of which the first is in the run; behind a warm-up their place is not told."""
    at = [typed_number(text) for text in settings.texts("lr_scheduler.milestones")]
    known, last = tuple(each for each in at if each is not None), settings.number("epochs")
    is_other = settings.word("scheduler") != "multisteplr" or settings.has("lrsheduler")
    if is_other or not known or len(known) < len(at) or last is None:
        return None
    warm: Options = {}
    if settings.has("lr_warmup_scheduler"):
        warmup = steps_of(settings, "warmup")
        if settings.word("warmup_type") != "linearwarmup" or warmup is None:
            return None
        warm = {"warmup": warmup, "ramp": "one"}
    if min(known) >= last:
        return compose("constant", **warm)
    return None if warm else compose("step", at=epochs(*known), gamma=settings.text("gamma"))


def _parts(settings: Settings) -> tuple[list[Group], list[str]]:
    """Return the groups that patterns of names make, and the patterns that only take no decay."""
    groups, exempt = [], []
    for each in settings.listed("optimizer.params"):
        pattern = text_of(each, "params")
        lr, decay = (from_zero(text_of(each, key)) for key in ("lr", "weight_decay"))
        if lr is None and decay is not None and typed_number(decay) == 0:
            exempt.append(pattern)
        else:
            groups.append(Group(name=pattern, selector=pattern, lr=lr, weight_decay=decay))
    return groups, exempt


def _exempt(settings: Settings) -> Exemption:
    _, exempt = _parts(settings)
    return Exemption(rule=f"names that fit {' or '.join(exempt)}") if exempt else NONE_EXEMPT


def _finish(settings: Settings, made: Training) -> Training:
    groups, _ = _parts(settings)
    return made.with_notes(*missing_bases(settings.document)).with_groups(*groups)


TRAINER = Trainer(
    kind="rt-detr",
    title="RT-DETR and D-FINE",
    version="RT-DETR 068dfde",
    signatures=(
        Signature(
            all_of=("epoches", "optimizer.type"),
            any_of=("lr_scheduler.type", "use_ema", "ema.type", "clip_max_norm",
                    "train_dataloader.total_batch_size", "train_dataloader.type"),
            at_least=2,
        ),
        Signature(
            all_of=("epochs", "optimizer.type", "lr_warmup_scheduler.type", "lr_scheduler.type"),
            any_of=("use_ema", "ema.type", "clip_max_norm"),
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.type",)),
        Field(name="lr", paths=("optimizer.lr",)),
        Field(name="weight_decay", paths=("optimizer.weight_decay",),
              derive=class_default("weight_decay", _class)),
        *betas("optimizer.betas", "0.9", "0.999", source="torch 2.13"),
        *Field.within("optimizer", source="torch 2.13", eps="1e-8", momentum="0", dampening="0",
                      nesterov="false"),
        *flag_fields("optimizer"),
        *Field.within(_LOADER, total_batch_size=None, batch_size=None),
        Field(name="world_size"),
        Field(name="epochs", paths=("epoches", "epochs")),
        Field(name="scheduler", paths=("lr_scheduler.type",)),
        Field(name="gamma", paths=("lr_scheduler.gamma",), default="0.1", source="torch 2.13"),
        Field(name="warmup", paths=("lr_warmup_scheduler.warmup_duration",)),
        Field(name="warmup_type", paths=("lr_warmup_scheduler.type",)),
    ),
    optimizer=lambda settings: optimizer_of(settings, _class),
    schedule=_schedule,
    exempt=_exempt,
    batch=whole_or("total_batch_size", "batch_size", "world_size"),
    harmless=("train_dataloader*", "val_dataloader*", "optimizer*", "ema*", "lr_*", "scaler*",
              "evaluator*", "SetCriterion*", "RTDETRCriterion*", "RTDETRCriterionv2*",
              "DFINECriterion*", "criterion", "checkpoint_freq"),
    prepare=with_bases,
    finish=_finish,
)  # fmt: skip
