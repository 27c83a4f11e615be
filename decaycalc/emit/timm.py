"""Snippets for timm: flags of its train.py, and its optimizer in Python where there are groups."""

from decaycalc.emit.lines import whole
from decaycalc.emit.named_schedules import is_plain
from decaycalc.emit.settings import (
    SnippetSettings,
    assemble,
    call,
    require_mask,
    unequal,
    written,
)
from decaycalc.emit.torch import grouped_lines, scheduler_lines

_OPTIMIZERS = {"timm-sgd": "", "timm-adamw": "adamw", "timm-lamb": "lamb", "timm-adan": "adan"}
_OWN_LIST = "train.py exempts what the model's own list (no_weight_decay) names too"


def write(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return a command line of timm's train.py and its notes; Python where there are groups.

    Raises:
        NoEquivalentError: a convention that is none of timm's here.
        InvalidValueError: a mask that train.py does not have, or that has no code.
    """
    optimizer = written(settings, "timm", _OPTIMIZERS)
    if settings.convention.key == "timm-sgd":
        optimizer = "sgd" if settings.nesterov or not settings.momentum else "momentum"
    if settings.groups:
        return _grouped(settings, optimizer), ()
    if settings.mask != "no-1d":
        require_mask(settings, "timm")
    flags: dict[str, object] = {
        "opt": optimizer,
        "lr": repr(settings.lr),
        "weight-decay": repr(settings.value),
        "momentum": repr(settings.momentum) if settings.convention.key == "timm-sgd" else None,
        "opt-betas": None if settings.betas is None else " ".join(map(repr, settings.betas)),
        "opt-eps": settings.eps_text,
        "batch-size": whole(settings.run.batch_size),
        "grad-accum-steps": whole(settings.run.grad_accum),
    }
    schedule, notes = _timm_schedule(settings)
    words = [f"--{name} {text}" for name, text in {**flags, **schedule}.items() if text]
    lines = " \\\n    ".join(["python train.py", *words])
    own = () if settings.mask == "timm" else (_OWN_LIST,)
    return f"# {settings.heading}\n{lines}\n", (*own, *notes)


def _grouped(settings: SnippetSettings, optimizer: str) -> str:
    """Return the lines that sort the parameters and hand them to timm's optimizer.

    Source: timm 1.0.31 optim/_optim_factory.py, whose create_optimizer_v2 takes groups as they are.
    """
    arguments = {
        "model_or_params": "groups",
        "opt": repr(optimizer),
        "lr": repr(settings.lr),
        "momentum": repr(settings.momentum) if settings.convention.key == "timm-sgd" else None,
        "betas": None if settings.betas is None else repr(settings.betas),
        "eps": settings.eps_text,
    }
    body = [
        *grouped_lines(settings),
        f"optimizer = {call('create_optimizer_v2', arguments)}",
        *scheduler_lines(settings),
    ]
    imports = ("import re", "import numpy as np", "import torch")
    return assemble(settings, (*imports, "from timm.optim import create_optimizer_v2"), body)


def _timm_schedule(settings: SnippetSettings) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """Return timm's flags for the schedule: it counts epochs, warm-up before the shape."""
    per_epoch, epochs = settings.run.steps_per_epoch, settings.run.total_epochs
    if settings.schedule is None:
        return {"epochs": None if epochs is None else repr(round(epochs))}, ()
    segment = settings.schedule.segments[0]
    simple = len(settings.schedule.segments) == 1 and is_plain(segment, start=True, overlay=True)
    warmup = segment.settings.warmup
    if per_epoch is None or not simple or warmup % per_epoch or segment.kind.name != "cosine":
        return {}, (unequal(settings),)
    start = segment.settings.number("start") * settings.lr
    over_run = segment.settings.is_over_run
    return {
        "sched": "cosine",
        "sched-on-updates": " ",
        "epochs": repr(segment.settings.n_steps // per_epoch),
        "min-lr": repr(segment.settings.number("final") * settings.lr),
        "warmup-epochs": repr(warmup // per_epoch),
        "warmup-lr": repr(start),
        "warmup-prefix": None if over_run else " ",
        "cooldown-epochs": "0",
    }, ()
