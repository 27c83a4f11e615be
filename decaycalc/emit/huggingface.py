"""Snippets for Hugging Face's Trainer: its arguments, and its class where there are groups."""

import json

from decaycalc.emit.lines import whole
from decaycalc.emit.named_schedules import transformers_schedule
from decaycalc.emit.own_groups import indented, own_lines, sorting_lines
from decaycalc.emit.settings import SnippetSettings, assemble, call, refuse_convention, unequal

_GROUPED_IMPORT = "from transformers import Trainer, TrainingArguments"


def _text(count: object) -> str | None:
    return None if count is None else str(whole(count))


def write(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return TrainingArguments and their notes.

    Raises:
        NoEquivalentError: a convention other than the Trainer's AdamW.
    """
    if settings.convention.key != "hf-trainer":
        raise refuse_convention(settings, "hf")
    run = settings.run
    one, two = settings.betas or (None, None)
    found = transformers_schedule(settings)
    notes = () if found is not None else (unequal(settings),)
    scheduler = {name: json.dumps(value) for name, value in (found or {}).items()}
    steps = run.total_steps
    arguments = {
        "output_dir": '"output"',
        "optim": '"adamw_torch"',
        "learning_rate": repr(settings.lr),
        "weight_decay": repr(settings.value),
        "adam_beta1": None if one is None else repr(one),
        "adam_beta2": None if two is None else repr(two),
        "adam_epsilon": settings.eps_text,
        "per_device_train_batch_size": _text(run.batch_size),
        "gradient_accumulation_steps": _text(run.grad_accum),
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


def _grouped_trainer(settings: SnippetSettings) -> list[str]:
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
