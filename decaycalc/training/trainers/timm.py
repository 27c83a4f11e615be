"""Import of timm's args.yaml, as its train.py writes it."""

from pathlib import Path

from decaycalc.algebra.quantity import exact, root_of
from decaycalc.errors import UnreadableFileError
from decaycalc.training.published.record import Recipe
from decaycalc.training.trainers.flat_yaml import parse_flat_yaml
from decaycalc.training.trainers.result import (
    DEVICES_NOTE,
    Imported,
    compose,
    count,
    decimal,
    no_schedule,
    number,
    read_text,
    unread,
)

# timm/optim/_optim_factory.py: name -> (convention, nesterov).
_OPTIMIZERS = {
    "sgd": ("timm-sgd", True),
    "nesterov": ("timm-sgd", True),
    "momentum": ("timm-sgd", False),
    "adam": ("pytorch-adam", False),
    "adamw": ("timm-adamw", False),
    "nadamw": ("timm-adamw", False),
    "lamb": ("timm-lamb", False),
    "adan": ("timm-adan", False),
    "lion": ("lion-pytorch", False),
    "rmsprop": ("pytorch-rmsprop", False),
    "adagrad": ("pytorch-adagrad", False),
}
_READ = {
    "batch_size", "cooldown_epochs", "decay_epochs", "decay_milestones", "decay_rate", "epochs",
    "grad_accum_steps", "lr", "lr_base", "lr_base_scale", "lr_base_size", "min_lr", "momentum",
    "opt", "opt_betas", "opt_eps", "sched", "warmup_epochs", "warmup_lr", "weight_decay",
}  # fmt: skip
_HARMLESS = {"log_interval", "recovery_interval", "validation_batch_size", "start_epoch",
             "lr_k_decay", "lr_noise", "lr_noise_pct", "lr_noise_std", "patience_epochs",
             "lr_cycle_decay", "lr_cycle_limit", "lr_cycle_mul", "warmup_prefix",
             "bn_momentum", "model_ema_decay", "model_ema_warmup", "split_bn", "sched_on_updates",
             "epoch_repeats", "gradient_checkpointing", "grad_checkpointing"}  # fmt: skip


def read_timm(path: Path) -> Imported:
    """Return the run of a timm args.yaml; `epochs` counts warm-up and annealing.

    Raises:
        UnreadableFileError: no flat YAML mapping, no `opt`, or an optimizer without convention.
    Source: huggingface/pytorch-image-models train.py, timm/optim, timm/scheduler.
    """
    settings = parse_flat_yaml(read_text(path), path)
    if "opt" not in settings:
        raise UnreadableFileError(str(path), "it sets no opt, so it is no timm args.yaml")
    name = str(settings["opt"]).lower()
    if name not in _OPTIMIZERS:
        raise UnreadableFileError(str(path), f"opt {name!r} has no convention here")
    convention, nesterov = _OPTIMIZERS[name]
    batch = count(settings, "batch_size", path)
    accum = count(settings, "grad_accum_steps", path) or 1
    lr, notes = _lr(settings, path, name, None if batch is None else batch * accum)
    betas = settings.get("opt_betas")
    schedule = _schedule(settings, path, lr)
    recipe = Recipe(
        name="imported",
        title=f"timm arguments {path.name}",
        convention=convention,
        value=number(settings, "weight_decay", path) or "0",
        lr=lr,
        momentum=(number(settings, "momentum", path) or "0.9") if "sgd" in convention else None,
        nesterov=nesterov,
        batch_size=None if batch is None else batch * accum,
        epochs=number(settings, "epochs", path),
        schedule=schedule,
        betas=(betas[0], betas[1]) if isinstance(betas, list) and len(betas) > 1 else None,
        eps=number(settings, "opt_eps", path),
        exempt="one-dimensional tensors and biases, and what the model's no_weight_decay lists",
        source=str(path),
    )
    notes = (DEVICES_NOTE, *notes)
    return Imported(
        recipe=recipe,
        notes=notes
        + no_schedule(settings.get("sched"), schedule)
        + unread(_telling(settings), {*_READ, *_HARMLESS}),
    )


def _telling(settings: dict[str, object]) -> tuple[str, ...]:
    """Return the keys that are set to something: null, false and 0 change nothing."""
    silent = (None, "0", "0.0", "false")
    return tuple(key for key, value in settings.items() if value not in silent)


def _lr(
    settings: dict[str, object], path: Path, optimizer: str, batch: int | None
) -> tuple[str | None, tuple[str, ...]]:
    """Return lr, given or scaled from lr_base by the batch size as train.py does."""
    lr = number(settings, "lr", path)
    lr = None if lr is None or not exact(lr) else lr  # 0 counts as not given, as in train.py
    base = number(settings, "lr_base", path)
    if lr is not None or base is None or batch is None:
        return lr, ()
    ratio = exact(batch) / (count(settings, "lr_base_size", path) or 256)
    scale = settings.get("lr_base_scale") or (
        "sqrt" if any(part in optimizer for part in ("ada", "lamb")) else "linear"
    )
    scaled = exact(base) * (root_of(ratio, 2) if scale == "sqrt" else ratio)
    note = f"lr follows from lr_base {base} by the {scale} rule, for one device"
    return repr(float(scaled)), (note,)


def _schedule(settings: dict[str, object], path: Path, lr: str | None) -> str | None:
    """Return the scheduler as a schedule's text, None for one that has no such text."""
    kind = settings.get("sched", "cosine")
    ramp: dict[str, str | int | None] = {}
    epochs = exact(number(settings, "warmup_epochs", path) or "0")
    if epochs and lr is not None:
        ramp["warmup"] = f"{float(epochs):g}epochs"
        start = number(settings, "warmup_lr", path)
        ramp["start"] = None if start is None else decimal(start, lr)
    rate = number(settings, "decay_rate", path) or "0.1"
    if kind == "cosine":
        floor = number(settings, "min_lr", path)
        final = None if floor is None or lr is None else decimal(floor, lr)
        per = None if settings.get("sched_on_updates") == "true" else "1epochs"
        return compose("cosine", final=None if final == "0.0" else final, per=per, **ramp)
    if kind == "step":
        every = number(settings, "decay_epochs", path) or "90"
        return compose("step", every=f"{float(exact(every)):g}epochs", gamma=rate, **ramp)
    if kind == "multistep":
        marks = settings.get("decay_milestones")
        if not isinstance(marks, list) or not marks:
            return None
        return compose("step", at="/".join(marks) + "epochs", gamma=rate, **ramp)
    return compose("constant", **ramp) if kind in {None, "none", ""} else None
