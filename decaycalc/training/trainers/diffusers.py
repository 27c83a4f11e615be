"""diffusers' example scripts, by their flags; defaults differ from script to script.

Source: huggingface/diffusers 58eb52c0 examples/.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAM, ADAMW, unknown_optimizer
from decaycalc.training.reading.schedules import compose, ratio, steps_of
from decaycalc.training.reading.settings import Settings, by_default, derived, left_open
from decaycalc.training.reading.trainer import (
    PER_DEVICE,
    Field,
    Optimizer,
    Signature,
    Trainer,
)
from decaycalc.training.record import Group, Sourced, Training

_OWN = (
    "lr_warmup_steps", "max_train_steps", "train_batch_size", "adam_weight_decay", "scale_lr",
    "use_8bit_adam", "instance_prompt", "instance_data_dir", "validation_prompt",
    "checkpointing_steps", "prior_loss_weight", "snr_gamma", "with_prior_preservation",
)  # fmt: skip
_OTHER_PROGRAMS = (
    "optimizer_type", "network_module", "per_device_train_batch_size", "optimizer_args",
    "model_family", "data_backend_config",  # SimpleTuner's
    "data_config.train_batch_size", "train_sp_batch_size",  # x-flux' and FastVideo's
)  # fmt: skip
# What a script's own parser says; of the others nothing is known here.
_NAMES = ("weight_decay", "batch_size", "lr")
_SCRIPTS = {
    script: values
    for values, scripts in {
        ("1e-2", "16", "1e-4"): ("train_text_to_image", "train_text_to_image_lora",
                                 "train_text_to_image_sdxl", "train_text_to_image_lora_sdxl",
                                 "textual_inversion", "textual_inversion_sdxl",
                                 "train_instruct_pix2pix"),
        ("1e-2", "4", "5e-6"): ("train_dreambooth", "train_controlnet", "train_controlnet_sdxl",
                                "train_controlnet_flux", "train_controlnet_sd3"),
        ("1e-2", "4", "5e-4"): ("train_dreambooth_lora",),
        ("1e-4", "4", "1e-4"): ("train_dreambooth_flux", "train_dreambooth_lora_flux",
                                "train_dreambooth_lora_sd3", "train_dreambooth_lora_sdxl",
                                "train_dreambooth_sd3", "train_dreambooth_lora_flux_kontext",
                                "train_dreambooth_lora_hidream", "train_dreambooth_lora_lumina2",
                                "train_dreambooth_lora_qwen_image", "train_dreambooth_lora_sana"),
        ("1e-2", "4", "1e-5"): ("train_custom_diffusion",),
        ("1e-6", "16", "1e-4"): ("train_unconditional",),
    }.items()
    for script in scripts
}  # fmt: skip
# Scripts that give a text encoder, where it is trained, a decay and an lr of its own.
_TEXT_ENCODERS = frozenset(
    {"train_dreambooth_lora_sdxl", "train_dreambooth_lora_sd3", "train_dreambooth_sd3",
     "train_dreambooth_flux", "train_dreambooth_lora_flux"}
)  # fmt: skip
# Scripts whose scheduler has gradient_accumulation_steps times the steps, not devices times.
_STRETCHED = frozenset({"train_text_to_image_sdxl", "train_text_to_image_lora_sdxl"})
_UNCONDITIONAL = "train_unconditional"  # its scheduler counts the batches of all epochs
_OF_UNCONDITIONAL = {"beta1": "0.95", "scheduler": "cosine"}  # defaults that no other script has


def _script(settings: Settings) -> str:
    return settings.document.program.rpartition("/")[2].removesuffix(".py")


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return the default that the script has for a field, as far as it is known."""
    name, script = field.name.removeprefix("base_"), _script(settings)
    known = dict(zip(_NAMES, _SCRIPTS.get(script, ()), strict=False))
    known |= _OF_UNCONDITIONAL if script == _UNCONDITIONAL else {}
    if name in known:
        return by_default(name, known[name], f"diffusers 58eb52c0 {script}.py")
    if name not in _NAMES:
        return None
    note = f"{name} is not set, and the default of {script[:60] or 'the script'} not known"
    return left_open(name, note)


def _scaled_lr(settings: Settings) -> Sourced | None:
    """Return lr · accumulation · batch · W where --scale_lr is there."""
    if "lr" in settings.given or not settings.is_on("scale_lr"):
        return None
    lr = settings.product("base_lr", *PER_DEVICE)
    formula = "learning_rate · accumulation · batch · W"
    return None if lr is None else derived("lr", decimal_text(lr), formula)


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    if name == "prodigy":
        return Optimizer(convention="prodigy")
    if name != "adamw":
        return unknown_optimizer(name)
    if settings.flag("use_8bit_adam"):
        return Optimizer(convention="bitsandbytes-adamw", uses=ADAM)
    return ADAMW


def _stretch(settings: Settings) -> Fraction | None:
    """Return how many times longer a scheduler is than the run, None where it is not known.

    It steps once a device; a script multiplies its steps by the devices, or by the accumulation.
    """
    script = _script(settings)
    if script not in {*_STRETCHED, _UNCONDITIONAL}:
        return Fraction(1)
    accumulation, devices = settings.count("grad_accum"), settings.count("world_size")
    factor = Fraction(accumulation, devices) if accumulation and devices else None
    return None if script == _UNCONDITIONAL and factor != 1 else factor


def _schedule(settings: Settings) -> str | None:
    """Source: diffusers optimization.py, get_scheduler."""
    name = settings.word("scheduler")
    if name == "constant":  # it takes no warm-up
        return "constant"
    stretch, steps = _stretch(settings), steps_of(settings, "steps")
    # One that is shorter than the run goes up again behind its end.
    if stretch is None or stretch < 1 or (stretch > 1 and steps is None):
        return None
    length = int(steps * stretch) if steps is not None and stretch > 1 else None
    count = steps_of(settings, "lr_warmup_steps")
    warm = None if count is None else int(count * stretch)
    if name == "constant_with_warmup":
        return compose("constant", warmup=warm)
    if name == "cosine_with_restarts":
        cycles = settings.count("lr_num_cycles")
        return compose("cosine-restarts", length=length, cycles=cycles, warmup=warm)
    if name == "polynomial":
        power, final = settings.number("lr_power"), ratio(settings, "lr_end", "lr")
        return compose("polynomial", power=power, final=final, length=length, warmup=warm)
    return compose(name, length=length, warmup=warm) if name in {"linear", "cosine"} else None


def _finish(settings: Settings, made: Training) -> Training:
    """Give a trained text encoder its own decay and lr; say what of another's script is open."""
    script = _script(settings)
    if script not in _SCRIPTS and "warmup" in (made.schedule or ""):
        note = "Accelerate steps the scheduler once a device: the script may multiply its warm-up"
        made = made.with_notes(note)
    if not settings.is_on("train_text_encoder") or script not in _TEXT_ENCODERS:
        return made
    own = Group(
        name="text encoder",
        selector="the text encoder",
        lr=settings.text("text_encoder_lr"),
        weight_decay=settings.text("text_encoder_decay"),
    )
    return made.with_groups(own)


TRAINER = Trainer(
    kind="diffusers",
    title="diffusers examples",
    marks=("get_scheduler",),
    version="diffusers 58eb52c0",
    signatures=(Signature(any_of=_OWN, at_least=3, none_of=_OTHER_PROGRAMS),),
    fields=(
        *Field.within("", optimizer="adamw", use_8bit_adam="false"),
        Field(name="weight_decay", paths=("adam_weight_decay",)),
        Field(name="scale_lr", paths=("scale_lr",), default="false"),
        Field(name="base_lr", paths=("learning_rate",)),
        Field(name="lr", paths=("learning_rate",), overrule=_scaled_lr),
        Field(name="beta1", paths=("adam_beta1",), default="0.9"),
        Field(name="beta2", paths=("adam_beta2",), default="0.999"),
        Field(name="eps", paths=("adam_epsilon",), default="1e-8"),
        Field(name="batch_size", paths=("train_batch_size",)),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1"),
        Field(name="world_size", default="1"),
        Field(name="steps", paths=("max_train_steps",)),
        Field(name="epochs", paths=("num_train_epochs", "num_epochs")),
        Field(name="scheduler", paths=("lr_scheduler",), default="constant"),
        *Field.within("", lr_warmup_steps="500", lr_num_cycles="1", lr_power="1"),
        Field(name="lr_end", default="1e-7", source="diffusers optimization.py"),
        *Field.within("", train_text_encoder="false", text_encoder_lr="5e-6"),
        Field(name="text_encoder_decay", paths=("adam_weight_decay_text_encoder",),
              default="1e-3"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    default=_default,
    exempt=lambda _: of_kinds(switch="LoRA trains its adapters alone"),
    harmless=("max_grad_norm", "prior_*", "sample_batch_size", "validation_*", "checkpoint*",
              "gradient_checkpointing", "rank", "text_encoder_lr", "dataloader*"),
    finish=_finish,
    config_is_settings=False,
)  # fmt: skip
