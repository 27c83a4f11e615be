"""What MMYOLO lays over MMEngine: hooks that set the lr, constructors that scale the decay.

Source: mmyolo 8c4d9dc5 mmyolo/engine/hooks/{yolov5,ppyoloe}_param_scheduler_hook.py,
mmyolo/engine/optimizers/{yolov5_optim_constructor,yolov7_optim_wrapper_constructor}.py.
"""

from fractions import Fraction

from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.param_schedulers import is_open
from decaycalc.training.reading.schedules import compose, epochs
from decaycalc.training.reading.settings import Settings, derived, left_open, of_file, text_of
from decaycalc.training.record import Sourced
from decaycalc.training.trainers.syntax.tree import Entries

_HOOK = "default_hooks.param_scheduler"
CONSTRUCTORS = frozenset({"YOLOv5OptimizerConstructor", "YOLOv7OptimWrapperConstructor"})


def hook_name(settings: Settings) -> Sourced | None:
    """Return the hook that sets the lr in the place of param_scheduler, None without one."""
    hook = settings.entries(_HOOK)
    name = text_of(Entries(entries=hook), "type")
    if name.rpartition(".")[2] in {"", "ParamSchedulerHook"}:
        return None
    line = hook["type"].line
    return of_file("scheduler", name, _HOOK, line)


def hook_schedule(settings: Settings) -> str | None:
    """Return PPYOLOE's cosine; YOLOv5's, an epoch late behind its warm-up, no text tells."""
    hook = Entries(entries=settings.entries(_HOOK))
    is_known = text_of(hook, "type").endswith("PPYOLOEParamSchedulerHook")
    if not is_known or is_open(hook):
        return None

    def number(name: str, default: str) -> Fraction | None:
        return typed_number(text_of(hook, name, default))

    warmup, total = number("warmup_epochs", "5"), number("total_epochs", "360")
    if not warmup or not total:
        return None
    return compose(
        "cosine",
        warmup=epochs(warmup),
        start=number("start_factor", "0") or None,
        length=epochs(total),
        final=number("min_lr_ratio", "0") or None,
    )


def scaled_decay(settings: Settings) -> Sourced | None:
    """Return the decay that a constructor hands on: times a step's images over 64, if more.

    None without batch_size_per_gpu, where it is the file's own.
    """
    parts = [settings.number(name) for name in ("weight_decay", "images", "world_size", "nominal")]
    if parts[1] is None and not settings.find("images").where:
        return None
    formula = "weight_decay · W · batch_size_per_gpu · accumulate / base_total_batch_size"
    if None in parts or not all(parts[1:]):
        return left_open("value", where=formula)
    decay, images, devices, nominal = (part or Fraction(0) for part in parts)
    whole = images * devices
    accumulate = max(round(nominal / whole), 1)
    return derived("value", decimal_text(decay * whole * accumulate / nominal), formula)
