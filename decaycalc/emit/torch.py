"""PyTorch snippets: two parameter groups, the optimizer, and LambdaLR for the schedule."""

from decaycalc.emit.own_groups import indented, own_lines, sorting_lines
from decaycalc.emit.settings import (
    SnippetSettings,
    assemble,
    call,
    decay_lines,
    function_lines,
    require_mask,
    written,
)

CLASSES = {
    "pytorch-sgd": "SGD",
    "pytorch-adam": "Adam",
    "pytorch-adamw": "AdamW",
    "pytorch-adam-decoupled": "Adam",
    "pytorch-nadam": "NAdam",
    "pytorch-radam": "RAdam",
    "pytorch-adamax": "Adamax",
    "pytorch-rmsprop": "RMSprop",
    "pytorch-adagrad": "Adagrad",
    "pytorch-adadelta": "Adadelta",
}
WITH_BETAS = {"Adam", "AdamW", "NAdam", "RAdam", "Adamax"}
_CONDITIONS = {
    "no-1d": 'parameter.ndim > 1 and not name.endswith("bias")',
    "no-bias": 'not name.endswith("bias")',
    "matrices": "parameter.ndim > 1",
    "timm": 'parameter.ndim > 1 and not name.endswith(".bias") and name not in listed',
}
# Source: timm 1.0.31 optim/_optim_factory.py, create_optimizer_v2.
_LIST = 'listed = getattr(model, "no_weight_decay", set)()  # what a model of timm exempts itself'


def write(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return the code, which finds its network in `model`, and its notes.

    Raises:
        NoEquivalentError: a convention that is none of PyTorch's optimizers.
        InvalidValueError: a mask or a schedule without code.
    """
    name = written(settings, "pytorch", CLASSES)
    body = [
        *_groups(settings),
        f"optimizer = {call(f'torch.optim.{name}', _arguments(settings, name))}",
        *scheduler_lines(settings),
        *_decays(settings),
    ]
    imports = ("import itertools", "import re", "import numpy as np", "import torch")
    return assemble(settings, imports, body), ()


def _groups(settings: SnippetSettings) -> list[str]:
    """Return the lines that sort the parameters."""
    if settings.groups:
        return grouped_lines(settings)
    require_mask(settings, "all", *_CONDITIONS)
    if settings.mask == "all":
        return [f'groups = [{{"params": model.parameters(), "weight_decay": {settings.value!r}}}]']
    return [
        *_listed(settings),
        "decayed, exempt = [], []",
        "for name, parameter in model.named_parameters():",
        f"    decays = {_CONDITIONS[settings.mask]}",
        "    (decayed if decays else exempt).append(parameter)",
        "groups = [",
        f'    {{"params": decayed, "weight_decay": {settings.value!r}}},',
        '    {"params": exempt, "weight_decay": 0.0},',
        "]",
    ]


def _listed(settings: SnippetSettings) -> list[str]:
    """Return the line that asks the model for its own list, where the mask knows of it."""
    return [_LIST] if settings.mask == "timm" else []


def grouped_lines(settings: SnippetSettings) -> list[str]:
    """Return the lines that sort the parameters by patterns of their names.

    Raises:
        InvalidValueError: a mask without code.
    """
    require_mask(settings, "all", *_CONDITIONS)
    return [
        *_listed(settings),
        *own_lines(settings),
        "sorted_groups = {}",
        "for name, parameter in model.named_parameters():",
        *indented(sorting_lines(settings, _CONDITIONS.get(settings.mask, "True"))),
        "    sorted_groups.setdefault(tuple(group.items()), []).append(parameter)",
        'groups = [{"params": held, **dict(group)} for group, held in sorted_groups.items()]',
    ]


def hyper_parameters(settings: SnippetSettings, name: str) -> dict[str, object]:
    """Return what torch's optimizer of that name is told beside lr and λ; None where nothing."""
    is_sgd = name == "SGD"
    return {
        "momentum": settings.momentum if is_sgd else None,
        "dampening": (settings.dampening or None) if is_sgd else None,
        "nesterov": True if is_sgd and settings.nesterov else None,
        "betas": settings.betas if name in WITH_BETAS else None,
        "eps": None if is_sgd else settings.eps,
        "decoupled_weight_decay": settings.convention.key == "pytorch-adam-decoupled" or None,
    }


def _arguments(settings: SnippetSettings, name: str) -> dict[str, str | None]:
    """Return the optimizer's arguments."""
    more = hyper_parameters(settings, name).items()
    texts = {key: None if value is None else repr(value) for key, value in more}
    return {"params": "groups", "lr": repr(settings.lr), **texts}


def scheduler_lines(settings: SnippetSettings) -> list[str]:
    """Return the schedule's lines; `scheduler.step()` belongs after each `optimizer.step()`."""
    if settings.schedule is None:
        return []
    text = f"lr over peak lr: {settings.schedule_text}"
    return [
        "",
        "",
        *function_lines("multiplier", settings.schedule, text, xp="np"),
        "scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: float(multiplier(t)))",
        "# call scheduler.step() after each optimizer.step()",
    ]


def _decays(settings: SnippetSettings) -> list[str]:
    """Return the lines of a hook that sets each group's decay before every step."""
    if settings.decay_schedule is None:
        return []
    return [
        "",
        "",
        *decay_lines(settings.decay_schedule, settings.value, xp="np"),
        'full_decays = [group["weight_decay"] for group in optimizer.param_groups]',
        "steps = itertools.count(0)  # where a run goes on: from the steps that it has done",
        "",
        "",
        "def set_decays(optimizer, arguments, named):",
        "    multiplier = float(decay_multiplier(next(steps)))",
        "    for group, full in zip(optimizer.param_groups, full_decays):",
        '        group["weight_decay"] = full * multiplier',
        "",
        "",
        "optimizer.register_step_pre_hook(set_decays)",
    ]
