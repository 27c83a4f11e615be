"""MAE's scripts by their flags, and those of the programs that were made from it.

Source: mae efb2a80 main_{pretrain,finetune,linprobe}.py, submitit_{pretrain,finetune,linprobe}.py,
util/lr_sched.py, util/lr_decay.py; ConvNeXt-V2 8865aaa main_finetune.py, main_pretrain.py;
LLaMA-Adapter 521a09d alpaca_finetuning_v1/finetuning.py, */main_{pretrain,finetune}.py.
"""

from decaycalc.training.reading.decays import by_layer
from decaycalc.training.reading.exemptions import NO_1D
from decaycalc.training.reading.optimizers import ADAMW, refused
from decaycalc.training.reading.schedules import compose, epochs, of_lr
from decaycalc.training.reading.settings import Settings, by_default, lr_per, nodes_times_gpus
from decaycalc.training.reading.trainer import (
    PER_DEVICE,
    Field,
    Optimizer,
    Signature,
    Trainer,
)
from decaycalc.training.record import Exemption, Sourced, Training

_VERSION = "mae efb2a80"
# What the parsers of pre-training, fine-tuning and linear probing default to, then ConvNeXt V2's
# of pre-training and fine-tuning.
_DEFAULTS = {
    "weight_decay": ("0.05", "0.05", "0", "0.05", "0.05"),
    "blr": ("1e-3", "1e-3", "0.1", "1.5e-4", "5e-4"),
    "min_lr": ("0", "1e-6", "0", "0", "1e-6"),
    "warmup_epochs": ("40", "5", "10", "40", "20"),
    "epochs": ("400", "50", "90", "800", "100"),
    "batch_size": ("64", "64", "512", "64", "64"),
    "beta2": ("0.95", "0.999", "0.999", "0.95", "0.999"),
    "layer_decay": ("1", "0.75", "1", "1", "1"),
}
_PHASES = ("pretrain", "finetune", "linprobe")
_OF_LLAMA = ("llama_model_path", "llama_path", "llama_type", "adapter_layer")


def _phase(settings: Settings) -> str:
    """Return which of the scripts it is: by its name, else by the flags of pre-training.

    LLaMA-Adapter's, of either name, were all made from pre-training's.
    """
    program = settings.document.program
    if any(map(settings.has, _OF_LLAMA)):
        return _PHASES[0]
    for phase in _PHASES:
        if phase in program:
            return phase
    if "linear" in program:  # CAE's name for it
        return _PHASES[-1]
    pretrains = settings.has("mask_ratio") or settings.has("norm_pix_loss")
    return "pretrain" if pretrains else "finetune"


def _is_convnext(settings: Settings) -> bool:
    """Return whether it is ConvNeXt V2's script, which calls the accumulation update_freq."""
    is_named = settings.told("model").startswith("convnextv2")
    return (is_named or settings.has("update_freq")) and _phase(settings) != _PHASES[-1]


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return the default that the script has for a field."""
    if field.name not in _DEFAULTS:
        return None
    phase, is_second = _phase(settings), _is_convnext(settings)
    value = _DEFAULTS[field.name][_PHASES.index(phase) + (len(_PHASES) if is_second else 0)]
    where = f"{'ConvNeXt-V2 8865aaa' if is_second else _VERSION} main_{phase}.py"
    return by_default(field.name, value, where)


def _devices(settings: Settings) -> Sourced | None:
    """Return submitit's devices: eight for each node where nothing else is said."""
    is_submitted = "submitit" in settings.document.program
    if not is_submitted and not settings.has("job_dir") and not settings.has("nodes"):
        return None
    return nodes_times_gpus(settings)


def _optimizer(settings: Settings) -> Optimizer:
    return refused("its LARS has no convention here") if _phase(settings) == "linprobe" else ADAMW


def _schedule(settings: Settings) -> str:
    """Source: mae efb2a80 util/lr_sched.py, at fractions of an epoch."""
    count = settings.number("warmup_epochs")
    warmup = epochs(count) if count else None
    return compose("cosine", warmup=warmup, final=of_lr(settings, "min_lr"))


def _exempt(settings: Settings) -> Exemption:
    if _phase(settings) == "finetune":
        rule = f"{NO_1D.rule}, and what the model's no_weight_decay names"
        return Exemption(rule=rule, mask="timm")
    return NO_1D


def _finish(settings: Settings, made: Training) -> Training:
    """Give earlier blocks less lr, which fine-tuning alone does."""
    if _phase(settings) != "finetune":
        return made
    if not _is_convnext(settings):
        return by_layer(made, settings, "beit")
    in_groups = settings.word("layer_decay_type") == "group"
    return by_layer(made, settings, "convnext" if in_groups else "convnext-v2")


TRAINER = Trainer(
    kind="mae",
    title="MAE",
    marks=("adjust_learning_rate",),
    version=_VERSION,
    signatures=(
        Signature(
            all_of=("blr",),
            any_of=("mask_ratio", "norm_pix_loss", "accum_iter", "layer_decay", "nb_classes",
                    "finetune", "drop_path", "data_path", "warmup_epochs", "job_dir"),
        ),
    ),
    fields=(
        Field(name="optimizer", default="AdamW"),
        *Field.within("", weight_decay=None, blr=None),
        Field(name="lr", paths=("lr",), derive=lr_per(256, "blr", base="blr", batch=PER_DEVICE)),
        Field(name="beta1", default="0.9"),
        Field(name="beta2"),
        Field(name="eps", default="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("batch_size",)),
        Field(name="grad_accum", paths=("accum_iter", "update_freq"), default="1"),
        Field(name="world_size", derive=_devices, default="1"),
        *Field.within("", nodes="2", ngpus="8"),
        Field(name="epochs", paths=("epochs",)),
        *Field.fixed(drop_last="true", scheduler="cosine"),
        *Field.within("", warmup_epochs=None, min_lr=None, layer_decay=None),
        Field(name="layer_decay_type", paths=("layer_decay_type",), default="single",
              source="ConvNeXt-V2 8865aaa main_finetune.py"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    default=_default,
    harmless=("warmup_epochs", "mixup*", "smoothing", "job_dir"),
    finish=_finish,
)  # fmt: skip
