"""OneTrainer's JSON: its presets, and the configurations that it saves.

Source: OneTrainer 23df3832 modules/util/config/TrainConfig.py, modules/util/create.py,
modules/util/lr_scheduler_util.py, modules/util/NamedParameterGroup.py.
"""

from math import sqrt

from decaycalc.training.reading.by_class import (
    class_by_name,
    class_default,
    flag_fields,
    optimizer_of,
)
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.schedules import compose, percent
from decaycalc.training.reading.settings import Settings, derived, left_open
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Sourced, Training

_CREATE = "OneTrainer 23df3832 modules/util/create.py"
_SECTION = "optimizer"
_CLASSES = {
    "sgd": "torch.SGD", "adam": "torch.Adam", "adamw": "torch.AdamW",
    "sgd_8bit": "bitsandbytes.SGD8bit", "adam_8bit": "bitsandbytes.Adam",
    "adamw_8bit": "bitsandbytes.AdamW8bit", "ademamix": "bitsandbytes.AdEMAMix",
    "ademamix_8bit": "bitsandbytes.AdEMAMix8bit", "adagrad": "bitsandbytes.Adagrad",
    "adagrad_8bit": "bitsandbytes.Adagrad8bit", "rmsprop": "bitsandbytes.RMSprop",
    "rmsprop_8bit": "bitsandbytes.RMSprop8bit", "lion": "lion_pytorch.Lion",
    "lion_8bit": "bitsandbytes.Lion8bit", "lars": "bitsandbytes.LARS",
    "lars_8bit": "bitsandbytes.LARS8bit", "adafactor": "transformers.Adafactor",
    "prodigy": "prodigyopt.Prodigy", "schedule_free_adamw": "schedulefree.AdamWScheduleFree",
    "schedule_free_sgd": "schedulefree.SGDScheduleFree",
}  # fmt: skip
_UNETS = ("STABLE_DIFFUSION_15", "STABLE_DIFFUSION_2", "STABLE_DIFFUSION_XL")
_PRIORS = ("WUERSTCHEN", "STABLE_CASCADE")
_SCALES: dict[str, tuple[str, ...]] = {
    "none": (), "batch": ("batch_size",), "gradient_accumulation": ("grad_accum",),
    "both": ("batch_size", "grad_accum"), "global_batch": ("batch_size", "world_size"),
    "global_both": ("batch_size", "grad_accum", "world_size"),
}  # fmt: skip


_class = class_by_name(_CLASSES)


def _part(settings: Settings) -> str:
    """Return the part of the model that is diffused, which may have an lr of its own."""
    kind = settings.text("model_type") or ""
    if kind.startswith(_UNETS):
        return "unet"
    return "prior" if kind.startswith(_PRIORS) else "transformer"


def _lr(settings: Settings) -> Sourced | None:
    """Return the lr of that part, times the root of what the scaler counts."""
    path = f"{_part(settings)}.learning_rate"
    own = path if settings.has(path) else "learning_rate"
    scaler = settings.word("learning_rate_scaler")
    if scaler == "none":
        return settings.read("lr", own)
    lr, names = settings.number("own_lr" if own == path else "plain_lr"), _SCALES.get(scaler)
    size = None if names is None else settings.product(*names, whole=True)
    if lr is None or size is None or names is None:
        note = f"learning_rate_scaler {scaler[:20]} scales lr by what is not known"
        return left_open("lr", note, where="learning_rate_scaler")
    formula = f"{own} · sqrt({' · '.join(names)})"
    return derived("lr", f"{float(lr) * sqrt(size):.12g}", formula)


def _own_lr(settings: Settings) -> Sourced | None:
    return settings.read("own_lr", f"{_part(settings)}.learning_rate")


def _warmup(settings: Settings) -> str | None:
    """Return the warm-up: a share up to 1, else a number of micro-batches."""
    number = settings.number("warmup")
    if number is None or number <= 0:
        return None
    if number <= 1:
        return percent(number)
    accumulated = settings.count("grad_accum")
    steps = int(number / accumulated) if accumulated else 0
    return str(steps) if steps else None


def _schedule(settings: Settings) -> str | None:
    found, warmup = _class(settings), _warmup(settings)
    name = settings.word("scheduler")
    if name == "constant" or (found is not None and found.convention == "schedule-free"):
        return compose("constant", warmup=warmup)
    final = settings.number("learning_rate_min_factor") or None
    if name in {"linear", "cosine"}:
        return compose(name, warmup=warmup, final=final)
    cycles = settings.number("learning_rate_cycles")
    if name != "cosine_with_hard_restarts" or cycles is None or cycles.denominator != 1:
        return None
    return compose("cosine-restarts", cycles=int(cycles), warmup=warmup, final=final)


def _finish(settings: Settings, made: Training) -> Training:
    """Name the parts whose lr differs."""
    parts = [f"text_encoder{number}" for number in ("", "_2", "_3", "_4")]
    own = [part for part in parts if settings.has(f"{part}.learning_rate")]
    said = f"an lr of its own, which is not read: {', '.join(own)}" if own else ""
    return made.with_notes(said)


TRAINER = Trainer(
    kind="onetrainer",
    title="OneTrainer",
    version="OneTrainer 23df3832",
    signatures=(
        Signature(
            any_of=("base_model_name", "output_model_format", "training_method", "train_dtype",
                    "output_dtype", "layer_filter_preset", "timestep_distribution",
                    "concept_file_name", "output_model_destination", "masked_training"),
            at_least=3,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=(f"{_SECTION}.optimizer",), default="ADAMW"),
        Field(name="weight_decay", paths=(f"{_SECTION}.weight_decay",),
              derive=class_default("weight_decay", _class)),
        Field(name="lr", overrule=_lr, default="3e-6"),
        Field(name="own_lr", derive=_own_lr),
        Field(name="plain_lr", paths=("learning_rate",), default="3e-6"),
        *Field.within("", learning_rate_scaler="NONE", model_type="STABLE_DIFFUSION_15"),
        *Field.within(_SECTION, source=_CREATE, beta1="0.9", beta2="0.999", eps="1e-8",
                      momentum="0", dampening="0", nesterov="false"),
        *flag_fields(_SECTION, relative_step="false", scale_parameter="false", decouple="true"),
        *Field.within("", batch_size="1"),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1"),
        Field(name="world_size", default="1"),
        *Field.within("", epochs="100"),
        Field(name="scheduler", paths=("learning_rate_scheduler",), default="CONSTANT"),
        Field(name="warmup", paths=("learning_rate_warmup_steps",), default="200"),
        *Field.within("", learning_rate_min_factor="0", learning_rate_cycles="1"),
    ),
    optimizer=lambda settings: optimizer_of(settings, _class),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    harmless=("optimizer*", "unet*", "prior*", "transformer*", "text_encoder*", "vae*", "lora*",
              "ema*", "sample*", "concept*", "backup*", "save*", "decoder*", "effnet*",
              "embedding*", "additional_embeddings*", "noise*", "masked*", "validat*", "quant*",
              "learning_rate*", "timestep*", "secrets*", "cloud*", "loss*", "gradient*"),
    finish=_finish,
)  # fmt: skip
