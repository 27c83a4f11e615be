"""ms-swift's flags: the Trainer's names, with defaults of its own.

Source: ms-swift 3602360a5 swift/trainers/arguments.py, swift/arguments/sft_args.py.
"""

from math import ceil

from decaycalc.record import replace
from decaycalc.training.reading.devices import data_parallel, devices_field, shared_by
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.optimizers import unknown_optimizer
from decaycalc.training.reading.settings import Settings, by_default, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature
from decaycalc.training.record import Exemption, Group, Sourced, Training
from decaycalc.training.trainers import hf_trainer

_VERSION = "ms-swift 3602360a5"
_EXAMPLES = 16  # of a step, where gradient_accumulation_steps is not set
_COMMANDS = ("pt", "sft", "rlhf")
_PROGRAMS = (
    "swift",
    *(f"swift/cli/{name}.py" for name in _COMMANDS),
    *(f"swift.cli.{name}" for name in _COMMANDS),
)
_TUNERS = ("tuner_type", "train_type", "sft_type")
# The devices that share a sequence or a model's tensors take the same examples.
# Source: ms-swift 3602360a5 swift/sequence_parallel/utils.py, swift/trainers/mixin.py.
_PARTS = ("sequence_parallel_size", "deepspeed_autotp_size")
_OWN = {"weight_decay": "0.1", "beta2": "0.95", "scheduler": "cosine", "batch_size": "1"}


def default_lr(settings: Settings) -> Sourced:
    """Return the lr of full training or of an adapter, which is what ms-swift trains by default."""
    tuner = next((texts[0] for key in _TUNERS if (texts := settings.texts(key))), "lora")
    value = "1e-5" if tuner == "full" else "1e-4"
    return by_default("lr", value, _VERSION)


def _data_parallel(settings: Settings) -> Sourced | None:
    """Return the devices that take examples of their own: all over those of a sequence.

    GRPO's trainer multiplies the accumulation by the latter, so that no example is lost there.

    Source: ms-swift 3602360a5 swift/rlhf_trainers/grpo_trainer.py, __init__.
    """
    return data_parallel(*(_PARTS[1:] if _is_grpo(settings) else _PARTS))(settings)


def _is_grpo(settings: Settings) -> bool:
    return settings.told("rlhf_type") == "grpo"


def _accumulation(settings: Settings) -> Sourced | None:
    """Return the accumulation that makes 16 examples a step, were all devices data-parallel.

    GRPO accumulates nothing by default: ms-swift 3602360a5 swift/arguments/rlhf_args.py.
    """
    if _is_grpo(settings):
        return by_default("grad_accum", "1", _VERSION)
    batch, devices = settings.count("batch_size"), settings.count("world_size")
    if batch is None or devices is None:
        return None
    count = max(ceil(_EXAMPLES / batch / (devices * (shared_by(settings, *_PARTS) or 1))), 1)
    return derived("grad_accum", str(count), f"ceil({_EXAMPLES} / batch / devices)")


def _field(field: Field) -> Field:
    if field.name in _OWN:
        return replace(field, default=_OWN[field.name], source=_VERSION, derive=None)
    if field.name == "lr":
        return replace(field, default=None, derive=default_lr)
    if field.name == "world_size":  # its own args.json tells it
        return replace(
            devices_field(*_PARTS), paths=("global_world_size",), overrule=_data_parallel
        )
    if field.name == "grad_accum":
        return replace(field, default=None, derive=_accumulation)
    return field


def _optimizer(settings: Settings) -> Optimizer:
    """Return what --optimizer makes of the decay; most leave it the Trainer's.

    Source: ms-swift 3602360a5 swift/optimizers/mapping.py.
    """
    name = settings.told("optimizer").lower()
    if name == "muon":  # Moonlight's, which decays every tensor
        return Optimizer(convention="muon-keller")
    if name in {"", "default", "lorap", "multimodal"}:
        return hf_trainer.TRAINER.optimizer(settings)
    return unknown_optimizer(name, setting="--optimizer")


def _exempt(settings: Settings) -> Exemption:
    is_muon = settings.told("optimizer").lower() == "muon"
    return NONE_EXEMPT if is_muon else hf_trainer.trainer_exempt(settings)


def _finish(settings: Settings, made: Training) -> Training:
    """Give LoRA+'s B matrices their own lr; its groups are made of no other tuner.

    Source: ms-swift 3602360a5 swift/tuners/peft.py, create_optimizer_param_groups.
    """
    made = hf_trainer.finish(settings, made)
    share = settings.told("lorap_lr_ratio")
    name = settings.told("optimizer").lower() or "lorap"
    if name != "lorap" or typed_number(share) is None:
        return made
    return made.with_groups(Group(name="lora_B", selector="names with lora_B", lr_mult=share))


TRAINER = replace(
    hf_trainer.TRAINER,
    kind="ms-swift",
    title="ms-swift",
    signatures=(
        *(
            Signature(
                all_of=(f"program:{program}",),
                any_of=(*hf_trainer.OWN, "model", "learning_rate", "tuner_type", "train_type"),
                at_least=2,
            )
            for program in _PROGRAMS
        ),
        *(
            Signature(all_of=(key,), any_of=hf_trainer.OWN, at_least=2, none_of=("base_model",))
            for key in _TUNERS
        ),
    ),
    optimizer=_optimizer,
    exempt=_exempt,
    fields=tuple(_field(field) for field in hf_trainer.FIELDS),
    harmless=(*hf_trainer.HARMLESS, "optimizer", "lora_*", "loss_scale", "packing*"),
    finish=_finish,
)
