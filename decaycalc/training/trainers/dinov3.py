"""DINOv3's YAML configurations, with the first and the second form of their schedules.

Source: dinov3 6876159 dinov3/configs/ssl_default_config.yaml, configs/config.py, train/train.py,
train/cosine_lr_scheduler.py.
"""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.schedules import compose, ratio
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Sourced
from decaycalc.training.trainers import dinov2

_LR, _WD = "schedules.lr", "schedules.weight_decay"


def _lr(settings: Settings) -> Sourced | None:
    """Return the peak lr by optim.scaling_rule."""
    base, rule = settings.number("base_lr"), settings.word("scaling_rule")
    if base is None:
        return None
    if rule not in {"linear_wrt_256", "sqrt_wrt_1024"}:
        return derived("lr", decimal_text(base), "the base lr: no scaling rule")
    share = dinov2.devices_share(settings, 256 if rule == "linear_wrt_256" else 1024)
    if share is None:
        return None
    if rule == "linear_wrt_256":
        return derived("lr", decimal_text(base * share), "base lr · B / 256")
    return dinov2.by_square_root("lr", 4 * base, share, "base lr · 4 · sqrt(B / 1024)")


def _is_second(settings: Settings) -> bool:
    """Return whether the file's schedules are of the second form."""
    return settings.has("schedules")


def _final(settings: Settings) -> Fraction | None:
    """Return the last lr over the peak; the second form scales both alike."""
    if _is_second(settings):
        return ratio(settings, "lr_end", "base_lr")
    return ratio(settings, "min_lr", "lr")


def _schedule(settings: Settings) -> str | None:
    warmup, final = dinov2.warmup_of(settings), _final(settings)
    if not _is_second(settings) and settings.number("trunc_extra"):
        return None  # a cosine cut short and stretched to its end
    if _is_second(settings) and (final is None or settings.number("lr_start") is None):
        return None  # neither has a default
    start = ratio(settings, "lr_start", "base_lr") if warmup and _is_second(settings) else None
    if final == 1:
        return compose("constant", warmup=warmup, start=start or None)
    cosine = settings.number("cosine_steps")
    length = None if cosine is None else int((warmup or 0) + cosine)
    return compose("cosine", warmup=warmup, start=start or None, length=length, final=final or None)


def _field(field: Field) -> Field:
    """Return a field of DINOv2 with the paths of the second form before its own."""
    paths = {
        "weight_decay": f"{_WD}.peak",
        "weight_decay_end": f"{_WD}.end",
        "warmup_epochs": f"{_LR}.warmup_epochs",
    }
    own = paths.get(field.name)
    return field if own is None else replace(field, paths=(own, *field.paths))


TRAINER: Trainer = replace(
    dinov2.TRAINER,
    kind="dinov3",
    title="DINOv3",
    version="dinov3 6876159 ssl_default_config.yaml",
    signatures=(
        Signature(all_of=("train.batch_size_per_gpu",), any_of=dinov2.OF_DINOV3, at_least=2),
        Signature(all_of=("train.batch_size_per_gpu", "optim.schedule_trunc_extra")),
    ),
    fields=(
        *(_field(field) for field in dinov2.FIELDS),
        Field(name="base_lr", paths=(f"{_LR}.peak", "optim.lr"), default="0.001"),
        Field(name="scaling_rule", paths=("optim.scaling_rule",), default="sqrt_wrt_1024"),
        Field(name="lr", derive=_lr),
        Field(name="lr_start", paths=(f"{_LR}.start",)),
        Field(name="lr_end", paths=(f"{_LR}.end",)),
        Field(name="cosine_epochs", paths=(f"{_LR}.cosine_epochs",)),
        dinov2.in_steps("cosine_steps", "cosine_epochs"),
        Field(name="trunc_extra", paths=("optim.schedule_trunc_extra",), default="0"),
    ),
    schedule=_schedule,
    harmless=(
        *dinov2.HARMLESS,
        "schedules*",
        "optim.multi_tensor_optim",
        "optim.optimizer",
        "optim.dino_head_wd_multiplier",
    ),
)
