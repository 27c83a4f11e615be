"""The lines of a YAML file of the Hugging Face Trainer, axolotl, LLaMA-Factory and torchtune."""

import re
from typing import TYPE_CHECKING

from decaycalc.algebra.number import exact, plural
from decaycalc.emit.lines import (
    Keys,
    Yours,
    devices_note,
    refuse_schedule,
    scalar,
    whole,
    yaml_file,
)
from decaycalc.emit.named_schedules import is_plain, the_segment, transformers_schedule
from decaycalc.emit.settings import SnippetSettings, written
from decaycalc.emit.torch import CLASSES, hyper_parameters
from decaycalc.errors import NoEquivalentError

if TYPE_CHECKING:
    from decaycalc.schedule import Segment

_OPTIM = {"hf-trainer": "adamw_torch", "pytorch-sgd": "sgd"}
_EXEMPT = "the Trainer exempts biases and normalisation by name, whatever the mask"
_SGD = "optim_args reach SGD from transformers 5 on: before, its momentum is 0"
_COSINE = "torchtune.training.lr_schedulers.get_cosine_schedule_with_warmup"


def write_hf_trainer(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return a YAML file of TrainingArguments and its notes.

    Raises:
        NoEquivalentError: an optimizer or a schedule that the Trainer does not have.
    """
    keys = _trainer_keys(settings, "hf-trainer")
    return yaml_file(settings, keys), _trainer_notes(settings)


def write_llama_factory(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return LLaMA-Factory's YAML file and its notes.

    Raises:
        NoEquivalentError: an optimizer or a schedule that the Trainer does not have.
    """
    own = {"stage": Yours("STAGE"), "finetuning_type": Yours("TYPE")}
    keys = {**own, **_trainer_keys(settings, "llama-factory"), **_loraplus(settings)}
    notes = _trainer_notes(settings)
    return yaml_file(settings, keys), (*notes, _LORAPLUS) if settings.groups else notes


def _loraplus(settings: SnippetSettings) -> Keys:
    """Return the one group that LLaMA-Factory has: LoRA+'s second factors, by an lr of their own.

    Source: LLaMA-Factory, src/llamafactory/train/trainer_utils.py, `_create_loraplus_optimizer`.

    Raises:
        NoEquivalentError: another group.
    """
    if not settings.groups:
        return {}
    group = settings.groups[0]
    is_its = group.pattern == "lora_B" and group.lr and group.value is None
    if len(settings.groups) > 1 or not is_its:
        reason = "its one group is LoRA+'s (loraplus_lr_ratio): give lora_B:lr*RATIO alone"
        raise NoEquivalentError(settings.source.key, "llama-factory", reason)
    return {"loraplus_lr_ratio": float(exact(repr(group.lr)) / exact(repr(settings.lr)))}


_LORAPLUS = (
    "with loraplus_lr_ratio one-dimensional tensors that train have the second factors' lr too"
)
# A pattern that fits where it stands in a name as it is: letters, digits, escaped dots.
_PART = re.compile(r"(?:[\w-]|\\\.)+")
_LR_GROUPS = (
    "lr_groups are of the tensors that decay: biases and norms keep the run's lr",
    "with lr_groups axolotl exempts embed_tokens and lm_head too",
)
_AXOLOTL = {
    "optim": "optimizer",
    "per_device_train_batch_size": "micro_batch_size",
    "num_train_epochs": "num_epochs",
    "lr_scheduler_type": "lr_scheduler",
}


def write_axolotl(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return axolotl's YAML file and its notes; its own default warm-up is never left to it.

    Raises:
        NoEquivalentError: an optimizer or a schedule that the Trainer does not have.
    """
    given = {"warmup_steps": 0, **_trainer_keys(settings, "axolotl")}
    keys = {_AXOLOTL.get(key, key): value for key, value in given.items()}
    if keys["lr_scheduler"] == "cosine_with_min_lr":
        final = keys.pop("lr_scheduler_kwargs")["min_lr_rate"]  # type: ignore[index]
        keys |= {"lr_scheduler": "cosine", "cosine_min_lr_ratio": final}
    keys = {"base_model": Yours("MODEL"), **keys, "lr_groups": _lr_groups(settings)}
    notes = _trainer_notes(settings)
    return yaml_file(settings, keys), (*notes, *_LR_GROUPS) if settings.groups else notes


def _lr_groups(settings: SnippetSettings) -> str | None:
    """Return axolotl's groups, None without any: the first that a name contains counts there.

    Source: axolotl 0e4982e8, src/axolotl/core/trainers/mixins/optimizer.py.

    Raises:
        NoEquivalentError: a decay of a group's own, or a pattern that is no part of a name.
    """
    rows = []
    for number, group in enumerate(settings.groups, 1):
        reason = ""
        if group.value is not None:
            reason = "lr_groups hold an lr, and the decay is the run's"
        elif not _PART.fullmatch(group.pattern):
            reason = f"lr_groups look for parts of names, which {group.pattern[:80]!r} is not"
        if reason:
            raise NoEquivalentError(settings.source.key, "axolotl", reason)
        part = group.pattern.replace("\\.", ".")
        lr = scalar(settings.lr if group.lr is None else group.lr)
        rows.append(f"{{name: group{number}, modules: [{part!r}], lr: {lr}}}")
    return f"[{', '.join(reversed(rows))}]" if rows else None


def _trainer_keys(settings: SnippetSettings, framework: str) -> dict[str, object]:
    """Return the Trainer's own keys.

    Raises:
        NoEquivalentError: an optimizer or a schedule that the Trainer does not have.
    """
    optim = written(settings, framework, _OPTIM)
    schedule = transformers_schedule(settings)
    if schedule is None:
        raise refuse_schedule(settings, framework, "transformers has no name for it")
    run = settings.run
    steps = run.total_steps
    return {
        "optim": optim,
        "optim_args": _sgd_arguments(settings) if optim == "sgd" else None,
        "learning_rate": settings.lr,
        "weight_decay": settings.value,
        **(_adam(settings) if optim != "sgd" else {}),
        "per_device_train_batch_size": whole(run.batch_size),
        "gradient_accumulation_steps": whole(run.grad_accum),
        "max_steps": whole(steps),
        "num_train_epochs": _epochs(settings) if steps is None else None,
        **schedule,
    }


def _epochs(settings: SnippetSettings) -> float | None:
    epochs = settings.run.total_epochs
    return None if epochs is None else float(epochs)


def _adam(settings: SnippetSettings) -> Keys:
    one, two = settings.betas or (None, None)
    return {"adam_beta1": one, "adam_beta2": two, "adam_epsilon": settings.eps}


def _sgd_arguments(settings: SnippetSettings) -> str | None:
    """Return SGD's own arguments as the Trainer's text, None where they are torch's defaults."""
    parts = [f"momentum={settings.momentum!r}"] if settings.momentum else []
    parts += [f"dampening={settings.dampening!r}"] if settings.dampening else []
    parts += ["nesterov=True"] if settings.nesterov else []
    return ",".join(parts) or None


def _trainer_notes(settings: SnippetSettings) -> tuple[str, ...]:
    has_arguments = settings.convention.key == "pytorch-sgd" and _sgd_arguments(settings)
    return (_EXEMPT, *((_SGD,) if has_arguments else ()), *devices_note(settings))


def write_torchtune(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return the lines of a torchtune recipe's configuration, and their notes.

    Raises:
        NoEquivalentError: an optimizer, a length or a schedule that torchtune does not have.
    """
    name = written(settings, "torchtune", CLASSES)
    optimizer = {
        "_component_": f"torch.optim.{name}",
        "lr": settings.lr,
        "weight_decay": settings.value,
        **hyper_parameters(settings, name),
    }
    length, notes = _torchtune_length(settings)
    keys = {
        "optimizer": optimizer,
        "batch_size": whole(settings.run.batch_size),
        "gradient_accumulation_steps": whole(settings.run.grad_accum),
        **length,
        "lr_scheduler": _torchtune_schedule(settings),
    }
    every = "torchtune decays every trained tensor, whatever the mask"
    return yaml_file(settings, keys), (every, *notes, *devices_note(settings))


def _torchtune_length(settings: SnippetSettings) -> tuple[Keys, tuple[str, ...]]:
    """Return the run's length: torchtune counts epochs, and at most so many steps in each.

    Raises:
        NoEquivalentError: a run that is no whole number of epochs and longer than one.
    """
    run = settings.run
    per_epoch, steps, epochs = run.steps_per_epoch, run.total_steps, run.total_epochs
    if epochs is not None and epochs.denominator == 1:
        return {"epochs": int(epochs), "max_steps_per_epoch": per_epoch}, ()
    if steps is None and epochs is None:
        return {}, ()
    if steps is None or (per_epoch is not None and steps > per_epoch):
        reason = "it runs for a whole number of epochs"
        raise NoEquivalentError(settings.source.key, "torchtune", reason)
    most = f"{whole(steps)} {plural(steps, 'step')}"
    note = f"one epoch of at most {most}: the data must be enough for them"
    return {"epochs": 1, "max_steps_per_epoch": whole(steps)}, (note,)


def _torchtune_schedule(settings: SnippetSettings) -> Keys | None:
    """Return torchtune's only schedule; without one lr is constant.

    Raises:
        NoEquivalentError: another schedule.
    """
    if settings.schedule is None:
        return None
    segment = the_segment(settings)
    if segment is None or not is_plain(segment) or not _is_torchtunes(segment):
        reason = "torchtune has a constant lr, and a cosine to 0 after a linear warm-up"
        raise refuse_schedule(settings, "torchtune", reason)
    if segment.kind.name == "constant":
        return None
    return {"_component_": _COSINE, "num_warmup_steps": segment.settings.warmup}


def _is_torchtunes(segment: "Segment") -> bool:
    if segment.kind.name == "constant":
        return not segment.settings.warmup
    return segment.kind.name == "cosine" and not segment.settings.number("final")
