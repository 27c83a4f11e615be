"""diffusion-pipe's TOML.

Source: diffusion-pipe 8f83dbf train.py.
"""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.by_class import (
    class_by_name,
    class_default,
    flag_fields,
    optimizer_of,
)
from decaycalc.training.reading.devices import devices_field
from decaycalc.training.reading.optimizers import refused
from decaycalc.training.reading.schedules import compose, steps_of
from decaycalc.training.reading.settings import Settings, left_open
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training

_SIZE, _IMAGES = "micro_batch_size_per_gpu", "image_micro_batch_size_per_gpu"
_FORCED = "force_constant_lr"
_CLASSES = {
    "adamw": "torch.AdamW", "offload": "torch.AdamW", "sgd": "torch.SGD",
    "adamw8bit": "bitsandbytes.AdamW8bit", "adamw8bitkahan": "bitsandbytes.AdamW8bit",
    "adamw_optimi": "optimi.AdamW", "stableadamw": "optimi.StableAdamW",
}  # fmt: skip
_LEAST = Fraction(1, 10**6)  # the last lr of the cosine


_class = class_by_name(_CLASSES)


def _optimizer(settings: Settings) -> Optimizer:
    if settings.flag("gradient_release"):
        return refused("optimizer.gradient_release: the weights decay once for each micro-batch")
    return optimizer_of(settings, _class)


def _beta2(settings: Settings) -> Sourced | None:
    """Return that β2 follows the batch of all devices, where its half-life is given."""
    path = "optimizer.beta2_half_life"
    note = f"{path}: β2 is 1/2 to the power of B over it"
    return left_open("beta2", note, where=path) if settings.has(path) else None


def _by_resolution(settings: Settings) -> Sourced | None:
    """Return that a size for each resolution is not one."""
    if not settings.is_list(_SIZE):
        return None
    return left_open("batch_size", f"{_SIZE} differs from resolution to resolution", where=_SIZE)


def _schedule(settings: Settings) -> str | None:
    """Return torch's schedulers in a row; a fall is as long as the run, behind a warm-up too."""
    if settings.has(_FORCED):
        return "constant"
    name, warmup = settings.word("scheduler"), steps_of(settings, "warmup_steps")
    if name == "constant":
        start = Fraction(1, warmup) if warmup else None
        return compose("constant", warmup=warmup, start=start)
    lr = settings.number("lr")
    if warmup is not None or not lr:
        return None
    return {"linear": "linear", "cosine": compose("cosine", final=_LEAST / lr)}.get(name)


def _finish(settings: Settings, made: Training) -> Training:
    is_apart = settings.has(_IMAGES)
    return made.with_notes(f"{_IMAGES}: batches of images have another size" if is_apart else "")


_BETA1, _BETA2 = betas("optimizer.betas", "0.9", "0.999")

TRAINER = Trainer(
    kind="diffusion-pipe",
    title="diffusion-pipe",
    version="diffusion-pipe 8f83dbf",
    signatures=(
        Signature(
            all_of=("optimizer.type", _SIZE),
            any_of=("pipeline_stages", "save_every_n_epochs", "model.type", "caching_batch_size",
                    "checkpoint_every_n_minutes", "eval_every_n_epochs", "partition_method"),
            at_least=2,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.type",)),
        Field(name="weight_decay", paths=("optimizer.weight_decay",),
              derive=class_default("weight_decay", _class)),
        Field(name="lr", paths=(_FORCED, "optimizer.lr")),
        _BETA1,
        replace(_BETA2, overrule=_beta2),
        *Field.within("optimizer", eps="1e-8", momentum="0", dampening="0", nesterov="false",
                      gradient_release="false"),
        *flag_fields("optimizer"),
        Field(name="batch_size", paths=(_SIZE,), overrule=_by_resolution, default="1"),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1"),
        devices_field("pipeline_stages"),
        Field(name="steps", paths=("max_steps",)),
        *Field.within("", epochs=None),
        Field(name="scheduler", paths=("lr_scheduler",), default="constant"),
        *Field.within("", warmup_steps="0"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: Exemption(rule="1-D tensors and llm_adapter.embed", mask="no-1d"),
    harmless=("model*", "adapter*", "dataset*", "monitoring*", "eval*", "save*", "checkpoint*",
              "activation*", "caching_batch_size", "steps_per_print", _IMAGES, "gradient_clipping",
              "optimizer.stabilize", "blocks_to_swap", "compile*", "partition*"),
    finish=_finish,
)  # fmt: skip
