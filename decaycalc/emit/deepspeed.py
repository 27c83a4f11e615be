"""The optimizer, batch and scheduler sections of DeepSpeed's JSON file, in Python with groups."""

import json
from typing import TYPE_CHECKING

from decaycalc.emit.lines import Keys, refuse_schedule, whole
from decaycalc.emit.named_schedules import is_plain, the_segment
from decaycalc.emit.settings import SnippetSettings, assemble, written
from decaycalc.emit.torch import grouped_lines, hyper_parameters

if TYPE_CHECKING:
    from decaycalc.schedule import Segment

_TYPES = {"deepspeed-adam": "AdamW", "pytorch-adam": "Adam", "pytorch-sgd": "SGD"}
_EXEMPT = "DeepSpeed decays every tensor of the groups that it is handed, whatever the mask"
# Source: deepspeed runtime/lr_schedules.py: made at iteration -1, its first step() takes 0.
_LATE = "DeepSpeed's scheduler is a step late: the first two steps take the warm-up's first lr"
_LEAST_WARMUP = 2


def write(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return the file's text and its notes; JSON has no comment: the heading is a note.

    Where there are groups, it is Python: they are handed over beside the configuration.

    Raises:
        NoEquivalentError: an optimizer or a schedule that DeepSpeed does not have.
        InvalidValueError: groups, and a mask without code.
    """
    name = written(settings, "deepspeed", _TYPES)
    run = settings.run
    batch, devices = run.examples_per_step, run.world_size
    scheduler = _scheduler(settings)
    document = {
        "train_batch_size": None if devices is None else whole(batch),
        "train_micro_batch_size_per_gpu": whole(run.batch_size),
        "gradient_accumulation_steps": whole(run.grad_accum) or (None if devices is None else 1),
        "optimizer": {"type": name, "params": _present(_parameters(settings, name))},
        "scheduler": scheduler,
    }
    length = "DeepSpeed stops where your loop does: the file has no length of the run"
    notes = [] if settings.groups else [settings.heading, _EXEMPT]
    notes += [_LATE] if scheduler is not None and not _is_own_schedule(settings) else []
    notes += [length] if run.total_steps is not None else []
    if settings.groups:
        return _grouped(settings, _present(document)), tuple(notes)
    return json.dumps(_present(document), indent=2) + "\n", tuple(notes)


def _grouped(settings: SnippetSettings, document: dict[str, object]) -> str:
    """Return the lines that sort the parameters and start DeepSpeed with them.

    A warm-up to an lr that is told sets it in every group, so each is told its own.
    Source: deepspeed 0.19.8 runtime/engine.py, `_configure_basic_optimizer`, and
    runtime/lr_schedules.py, `_format_param`.
    """
    segment = None if settings.schedule is None else the_segment(settings)
    own = []
    if "scheduler" in document and segment is not None and segment.kind.name != "cosine":
        start = segment.settings.number("start")
        own = [
            'config["scheduler"]["params"] |= {  # every group its own',
            f'    "warmup_min_lr": [{start!r} * group["lr"] for group in groups],',
            '    "warmup_max_lr": [group["lr"] for group in groups],',
            "}",
        ]
    body = [
        *grouped_lines(settings),
        f"config = {_literal(document)}",
        *own,
        "engine, optimizer, _, scheduler = deepspeed.initialize(",
        "    model=model, model_parameters=groups, config=config",
        ")",
    ]
    return assemble(settings, ("import re", "import deepspeed"), body)


def _literal(document: dict[str, object]) -> str:
    """Return a document as Python writes it, a key a line."""
    return json.dumps(document, indent=4).replace(": true", ": True").replace(": false", ": False")


def _present(keys: Keys) -> dict[str, object]:
    """Return the keys that are not None."""
    return {key: value for key, value in keys.items() if value is not None}


def _parameters(settings: SnippetSettings, name: str) -> Keys:
    return {
        "lr": settings.lr,
        "weight_decay": settings.value,
        **hyper_parameters(settings, name),
        # DeepSpeed's "Adam" is AdamW without it.
        "adam_w_mode": False if name == "Adam" else None,
    }


def _scheduler(settings: SnippetSettings) -> Keys | None:
    """Return the scheduler's section; without one lr is constant.

    Source: deepspeed 0.19.8 runtime/lr_schedules.py; its warm-up has two steps at least and is
    logarithmic unless told otherwise.

    Raises:
        NoEquivalentError: another schedule, or one without a warm-up.
    """
    if settings.schedule is None:
        return None
    segment = the_segment(settings)
    if segment is None or not _is_known(segment):
        reason = (
            "DeepSpeed has constant, linear down to the warm-up's start, and cosine:final= after a"
            " linear warm-up"
        )
        raise refuse_schedule(settings, "deepspeed", reason)
    warmup = segment.settings.warmup
    if segment.kind.name == "constant" and not warmup:
        return None
    if warmup < _LEAST_WARMUP:
        raise refuse_schedule(settings, "deepspeed", "its warm-up has at least 2 steps")
    return _section(segment, settings.lr)


def _is_known(segment: "Segment") -> bool:
    """Return whether DeepSpeed has the schedule, a step late or, `_is_own`, exactly."""
    name, settings = segment.kind.name, segment.settings
    # WarmupDecayLR ends at warmup_min_lr, where its warm-up begins.
    if name == "linear" and settings.number("final") != settings.number("start"):
        return False
    usual = is_plain(segment, start=True) or _is_own(segment)
    return name in {"constant", "linear", "cosine"} and usual


def _is_own_schedule(settings: SnippetSettings) -> bool:
    segment = the_segment(settings)
    return segment is not None and _is_own(segment)


def _is_own(segment: "Segment") -> bool:
    """Return whether a schedule is DeepSpeed's own, delay and all, as its reader gives it."""
    if segment.kind.name == "cosine":
        return is_plain(segment, delay=1, toward="peak", counts="one")
    return is_plain(segment, start=True, delay=1)


def _section(segment: "Segment", lr: float) -> Keys:
    """Return the scheduler's type and parameters."""
    name, settings = segment.kind.name, segment.settings
    start = settings.number("start")
    warmup = {"warmup_num_steps": settings.warmup, "warmup_type": "linear"}
    total = {"total_num_steps": segment.stop}
    if name == "cosine":
        ratios = {"warmup_min_ratio": start, "cos_min_ratio": settings.number("final")}
        return {"type": "WarmupCosineLR", "params": {**total, **ratios, **warmup}}
    peak = {"warmup_min_lr": start * lr, "warmup_max_lr": lr}
    if name == "constant":
        return {"type": "WarmupLR", "params": {**peak, **warmup}}
    return {"type": "WarmupDecayLR", "params": {**total, **peak, **warmup}}
