"""WeNet's YAML configurations: ESPnet2's names for the optimizer, a batch of each device.

Source: wenet 01546996 wenet/utils/train_utils.py, scheduler.py, wenet/dataset/dataset.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.numbers import from_zero
from decaycalc.training.reading.settings import Settings, left_open, of_file
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Signature
from decaycalc.training.record import Group, Sourced, Training
from decaycalc.training.trainers import espnet

_BATCH = "dataset_conf.batch_conf"
_LR, _MODULES = "optim_conf.lr", "optim_conf.modules"


def _dynamic(settings: Settings) -> Sourced | None:
    """Return that a batch filled up to a number of frames, or by buckets, has no one size."""
    kind = settings.told(f"{_BATCH}.batch_type").lower()
    if kind in {"", "static"}:
        return None
    note = f"batch_type {kind[:20]} fills a batch by lengths: give --batch-size"
    return left_open("batch_size", note, where=f"{_BATCH}.batch_type")


def _last_lr(settings: Settings) -> Sourced | None:
    """Return the last lr of a list, which is that of all but the modules named."""
    texts, node = settings.texts(_LR), settings.node(_LR)
    if not settings.is_list(_LR) or not texts or node is None:
        return None
    return of_file("lr", texts[-1], _LR, node.line)


def _schedule(settings: Settings) -> str | None:
    """Return WarmupLR; without a warm-up it falls from the first step on, which no text tells."""
    return espnet.TRAINER.schedule(settings) if settings.number("warmup_steps") else None


def _finish(settings: Settings, made: Training) -> Training:
    """Give the modules with an lr of their own."""
    named = zip(settings.texts(_MODULES), settings.texts(_LR), strict=False)
    return made.with_groups(
        *(
            Group(name=name, selector=f"names that begin with {name}", lr=lr)
            for name, text in named
            if settings.is_list(_LR) and (lr := from_zero(text)) is not None
        )
    )


_OWN = {
    "lr": Field(name="lr", paths=(_LR,), overrule=_last_lr),
    "batch_size": Field(name="batch_size", overrule=_dynamic,
                        paths=(f"{_BATCH}.batch_size", "collate_conf.batch_size")),
    "epochs": Field(name="epochs", paths=("max_epoch",), default="100"),
}  # fmt: skip

TRAINER = replace(
    espnet.TRAINER,
    kind="wenet",
    title="WeNet",
    version="wenet 01546996",
    signatures=tuple(
        Signature(
            all_of=("optim", "optim_conf.lr", section),
            any_of=("accum_grad", "max_epoch", "grad_clip", "scheduler_conf.warmup_steps"),
            none_of=espnet.OF_FUNASR,
        )
        for section in ("dataset_conf", "collate_conf")
    ),
    fields=(
        *(_OWN.get(field.name, field) for field in espnet.TRAINER.fields),
        Field(name="world_size", default="1"),
    ),
    schedule=_schedule,
    batch=lambda _: PER_DEVICE,
    harmless=(*espnet.TRAINER.harmless, "dataset_conf*", "collate_conf*", _MODULES),
    finish=_finish,
)
