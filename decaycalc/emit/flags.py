"""Snippets for training programs with settings of their own: timm's train.py and HF's Trainer."""

import json

from decaycalc.algebra.quantity import exact
from decaycalc.emit.named_schedules import is_plain, transformers_schedule
from decaycalc.emit.own_groups import indented, own_lines, sorting_lines
from decaycalc.emit.settings import Settings, assemble, call, refuse_convention, refuse_mask

_GROUPED_IMPORT = "from transformers import Trainer, TrainingArguments"
_TIMM = {"timm-sgd": "", "timm-adamw": "adamw", "timm-lamb": "lamb", "timm-adan": "adan"}


def write_timm(settings: Settings) -> tuple[str, tuple[str, ...]]:
    """Return a command line of timm's train.py and its notes.

    Raises:
        NoEquivalentError: a convention that is none of timm's here.
        InvalidValueError: a mask other than timm's own.
    """
    optimizer = _TIMM.get(settings.convention.key)
    if optimizer is None:
        raise refuse_convention(settings, "timm")
    if settings.mask != "no-1d":
        raise refuse_mask(settings, ("no-1d",))
    if settings.convention.key == "timm-sgd":
        optimizer = "sgd" if settings.nesterov or not settings.momentum else "momentum"
    flags = {
        "opt": optimizer,
        "lr": repr(settings.lr),
        "weight-decay": repr(settings.value),
        "momentum": repr(settings.momentum) if settings.convention.key == "timm-sgd" else None,
        "opt-betas": None if settings.betas is None else " ".join(map(repr, settings.betas)),
        "opt-eps": None if settings.eps is None else repr(settings.eps),
        "batch-size": _whole(settings.run.batch_size),
        "grad-accum-steps": _whole(settings.run.grad_accum),
    }
    schedule, notes = _timm_schedule(settings)
    words = [f"--{name} {text}" for name, text in {**flags, **schedule}.items() if text]
    lines = " \\\n    ".join(["python train.py", *words])
    return f"# {settings.heading}\n{lines}\n", notes


def _unequal(settings: Settings) -> str:
    assert settings.schedule is not None  # noqa: S101  (only a schedule can be unequal)
    return f"the schedule {settings.schedule.text!r} has no equal there: set it yourself"


def _whole(number: object) -> str | None:
    return None if number is None else str(round(exact(number)))  # type: ignore[arg-type]


def _timm_schedule(settings: Settings) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """Return timm's flags for the schedule: it counts epochs, warm-up before the shape."""
    per_epoch, epochs = settings.run.steps_per_epoch, settings.run.total_epochs
    if settings.schedule is None:
        return {"epochs": None if epochs is None else repr(round(epochs))}, ()
    segment = settings.schedule.segments[0]
    simple = len(settings.schedule.segments) == 1 and is_plain(segment, start=True, overlay=True)
    warmup = segment.settings.warmup
    if per_epoch is None or not simple or warmup % per_epoch or segment.kind.name != "cosine":
        return {}, (_unequal(settings),)
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


def write_huggingface(settings: Settings) -> tuple[str, tuple[str, ...]]:
    """Return TrainingArguments and their notes.

    Raises:
        NoEquivalentError: a convention other than the Trainer's AdamW.
    """
    if settings.convention.key != "hf-trainer":
        raise refuse_convention(settings, "hf")
    run = settings.run
    one, two = settings.betas or (None, None)
    found = transformers_schedule(settings)
    notes = () if found is not None else (_unequal(settings),)
    scheduler = {name: json.dumps(value) for name, value in (found or {}).items()}
    steps = run.total_steps
    arguments = {
        "output_dir": '"output"',
        "optim": '"adamw_torch"',
        "learning_rate": repr(settings.lr),
        "weight_decay": repr(settings.value),
        "adam_beta1": None if one is None else repr(one),
        "adam_beta2": None if two is None else repr(two),
        "adam_epsilon": None if settings.eps is None else repr(settings.eps),
        "per_device_train_batch_size": _whole(run.batch_size),
        "gradient_accumulation_steps": _whole(run.grad_accum),
        "max_steps": None if steps is None else repr(int(steps)),
        **scheduler,
    }
    imports = ("from transformers import TrainingArguments",)
    body = [f"arguments = {call('TrainingArguments', arguments)}"]
    if settings.groups:
        imports, body = (_GROUPED_IMPORT,), [*body, *_grouped_trainer(settings)]
    code = assemble(settings, ("import re", *imports), body)
    mask = "the Trainer exempts biases and normalisation by name, whatever the mask"
    return code, (mask, *notes)


def _grouped_trainer(settings: Settings) -> list[str]:
    """Return a Trainer that sorts its parameters; its own rule says which of them decay.

    Source: transformers v4.57.1 and v5.24.0, trainer.py, `create_optimizer`.
    """
    body = [
        "model = self.model if model is None else model",
        "decayed = set(self.get_decay_parameter_names(model))",
        "sorted_groups = {}",
        "trained = ((n, p) for n, p in model.named_parameters() if p.requires_grad)",
        "for name, parameter in trained:",
        *indented(sorting_lines(settings, "name in decayed")),
        "    sorted_groups.setdefault(tuple(group.items()), []).append(parameter)",
        'groups = [{"params": held, **dict(group)} for group, held in sorted_groups.items()]',
        "optimizer, more = self.get_optimizer_cls_and_kwargs(self.args, model)",
        "self.optimizer = optimizer(groups, **more)",
        "return self.optimizer",
    ]
    return [
        "",
        *own_lines(settings),
        "",
        "",
        "class GroupedTrainer(Trainer):",
        '    """A Trainer whose optimizer has the groups of own."""',
        "",
        "    def create_optimizer(self, model=None):",
        *indented(indented(body)),
    ]
