"""Import of Hugging Face TrainingArguments written as JSON (`training_args.to_json_string()`)."""

import json
from pathlib import Path

from decaycalc.algebra.quantity import exact
from decaycalc.errors import UnreadableFileError
from decaycalc.training.published.record import Recipe
from decaycalc.training.trainers.result import (
    DEVICES_NOTE,
    Imported,
    compose,
    count,
    no_schedule,
    number,
    read_text,
    unread,
)

# transformers/training_args.py: the values that hold where the file is silent.
_DEFAULTS: dict[str, object] = {
    "learning_rate": "5e-05",
    "weight_decay": "0",
    "adam_beta1": "0.9",
    "adam_beta2": "0.999",
    "adam_epsilon": "1e-08",
    "num_train_epochs": "3",
    "per_device_train_batch_size": "8",
    "gradient_accumulation_steps": "1",
    "lr_scheduler_type": "linear",
    "optim": "adamw_torch",
}
_READ = {*_DEFAULTS, "max_steps", "warmup_ratio", "warmup_steps", "dataloader_drop_last"}
# Names that sound as if they mattered; they say when to evaluate, log and save, or how to compute.
_HARMLESS = {
    "accelerator_config", "auto_find_batch_size", "batch_eval_metrics", "eval_accumulation_steps",
    "eval_batch_size", "eval_steps", "gradient_checkpointing", "include_num_input_tokens_seen",
    "log_on_each_node", "logging_first_step", "logging_nan_inf_filter", "logging_steps",
    "per_device_eval_batch_size", "per_gpu_eval_batch_size", "per_gpu_train_batch_size",
    "save_steps", "skip_memory_metrics", "torch_empty_cache_steps", "train_batch_size",
}  # fmt: skip
_CONVENTIONS = (
    ("adafactor", "hf-adafactor"),
    ("lion", "lion-pytorch"),
    ("adamw", "hf-trainer"),
    ("sgd", "pytorch-sgd"),
    ("adagrad", "pytorch-adagrad"),
    ("rmsprop", "pytorch-rmsprop"),
)
_SCHEDULES = {
    "linear": "linear",
    "cosine": "cosine",
    "constant": "constant",
    "constant_with_warmup": "constant",
    "inverse_sqrt": "inverse-sqrt",
}


def read_huggingface(path: Path) -> Imported:
    """Return the run of a TrainingArguments file.

    Raises:
        UnreadableFileError: no JSON object, no TrainingArguments, or an unknown optimizer.
    Source: huggingface/transformers training_args.py, trainer.py.
    """
    given = _object(path)
    if not {"learning_rate", "weight_decay"} & set(given):
        raise UnreadableFileError(str(path), "it sets neither learning_rate nor weight_decay")
    settings = {**_DEFAULTS, **{key: value for key, value in given.items() if value is not None}}
    convention = _convention(str(settings["optim"]), path)
    batch = count(settings, "per_device_train_batch_size", path) or 1
    steps = _max_steps(settings, path)
    beta1, beta2 = (number(settings, f"adam_beta{at}", path) or "0" for at in (1, 2))
    schedule = _schedule(settings, path)
    recipe = Recipe(
        name="imported",
        title=f"TrainingArguments {path.name}",
        convention=convention,
        value=number(settings, "weight_decay", path),
        lr=number(settings, "learning_rate", path),
        batch_size=batch * (count(settings, "gradient_accumulation_steps", path) or 1),
        epochs=None if steps else number(settings, "num_train_epochs", path),
        steps=steps,
        drop_last=settings.get("dataloader_drop_last") is True,
        schedule=schedule,
        betas=None if "adam" not in convention and convention != "hf-trainer" else (beta1, beta2),
        eps=number(settings, "adam_epsilon", path),
        exempt="biases and LayerNorm, by the Trainer's name rule",
        source=str(path),
    )
    notes: tuple[str, ...] = (DEVICES_NOTE,)
    silent = [key for key in ("learning_rate", "weight_decay", "optim") if key not in given]
    notes += tuple(f"{key} is not set: the Trainer's own {_DEFAULTS[key]}" for key in silent)
    return Imported(
        recipe=recipe,
        notes=notes
        + no_schedule(settings["lr_scheduler_type"], schedule)
        + unread(given, {*_READ, *_HARMLESS}),
    )


def _object(path: Path) -> dict[str, object]:
    """Return the file's JSON object; numbers stay as they were typed."""
    text = read_text(path)
    try:
        document = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except RecursionError:
        raise UnreadableFileError(str(path), "its JSON is nested too deeply") from None
    except ValueError as error:
        raise UnreadableFileError(str(path), f"it is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise UnreadableFileError(str(path), "it holds no JSON object")
    return document


def _convention(optimizer: str, path: Path) -> str:
    for word, convention in _CONVENTIONS:
        if word in optimizer.lower():
            return convention
    raise UnreadableFileError(str(path), f"optim {optimizer!r} has no convention here")


def _max_steps(settings: dict[str, object], path: Path) -> int | None:
    """Return max_steps; -1 and 0 mean that the epochs decide."""
    text = number(settings, "max_steps", path)
    return None if text is None or exact(text) <= 0 else count(settings, "max_steps", path)


def _schedule(settings: dict[str, object], path: Path) -> str | None:
    """Return the scheduler with its warm-up as a schedule's text, None for one without text."""
    kind = _SCHEDULES.get(str(settings["lr_scheduler_type"]).lower().rpartition(".")[2])
    if kind is None:
        return None
    steps = exact(number(settings, "warmup_steps", path) or "0")
    ratio = exact(number(settings, "warmup_ratio", path) or "0")
    if 0 < steps < 1:  # newer versions take a ratio here
        steps, ratio = exact(0), steps
    warmup = str(int(steps)) if steps else f"{float(ratio * 100):g}%" if ratio else None
    return compose(kind, warmup=warmup)
