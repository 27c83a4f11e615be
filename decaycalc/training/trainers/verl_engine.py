"""verl's supervised fine-tuning on its engines (sft_trainer): overrides, or the composed file.

Source: verl b178a3cd5 verl/trainer/config/sft_trainer_engine.yaml, optim/{fsdp,megatron}.yaml,
verl/workers/engine/{fsdp,megatron}/transformer_impl.py, utils/megatron/optimizer.py.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.by_class import flag_fields
from decaycalc.training.reading.exemptions import NO_1D, NONE_EXEMPT
from decaycalc.training.reading.optimizers import unknown_optimizer
from decaycalc.training.reading.schedules import compose, of_lr, percent, steps_of
from decaycalc.training.reading.settings import Settings, by_default
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced
from decaycalc.training.trainers import verl

_OVERRIDES = "optim.override_optimizer_config"
_PROGRAMS = ("verl.trainer.sft_trainer", "verl.trainer.sft_trainer_ray", "sft_trainer.py")


def _backend(settings: Settings) -> str:
    """Return whose optimizer it is: Hydra's choice of a group, or the class of a composed file."""
    words = (*settings.texts("optim"), *settings.texts("optim._target_"), "fsdp")
    word = words[0].rpartition(".")[2].lower()
    return "megatron" if word.startswith(("megatron", "mcore")) else word


def _default_optimizer(settings: Settings) -> Sourced:
    backend = _backend(settings)
    value, file = ("adam", "megatron") if backend == "megatron" else ("AdamW", "fsdp")
    return by_default("optimizer", value, f"verl b178a3cd5 trainer/config/optim/{file}.yaml")


def _optimizer(settings: Settings) -> Optimizer:
    backend = _backend(settings)
    if backend == "megatron":
        own = Optimizer(convention="megatron-adam", uses=("beta1", "beta2"))
        name = settings.word("optimizer")
        return own if name == "adam" else unknown_optimizer(name)
    if not backend.startswith("fsdp"):
        return unknown_optimizer(backend, setting="the optimizer of")
    return verl.optimizer_of_library(settings)


def _schedule(settings: Settings) -> str | None:
    name, is_megatron = settings.word("scheduler"), _backend(settings) == "megatron"
    if name not in {"constant", "cosine", "linear"} or (name == "linear" and not is_megatron):
        return None
    share = settings.number("lr_warmup_steps_ratio")
    warm = steps_of(settings, "lr_warmup_steps") or (percent(share) if share else None)
    if name == "constant":
        return compose("constant", warmup=warm)
    if is_megatron:
        length = steps_of(settings, "lr_decay_steps")
        if length is not None and isinstance(warm, str):  # the share is of that length
            return None
        return compose(name, warmup=warm, length=length, final=of_lr(settings, "min_lr"))
    if settings.text("num_cycles") != "0.5":
        return None
    return compose("cosine", warmup=warm, final=settings.number("min_lr_ratio") or None)


def _exempt(settings: Settings) -> Exemption:
    return NO_1D if _backend(settings) == "megatron" else NONE_EXEMPT


TRAINER = Trainer(
    kind="verl-engine",
    title="verl SFT on its engines",
    config_is_settings=False,  # the file that Hydra composes is where the defaults are read
    version="verl b178a3cd5 trainer/config/optim/*.yaml",
    signatures=(
        *(Signature(all_of=(f"program:{program}",)) for program in _PROGRAMS),
        Signature(all_of=("data.train_batch_size", "model.path", "optim._target_"),
                  any_of=("engine._target_", "data.max_token_len_per_gpu", "data.pad_mode")),
    ),
    fields=(
        Field(name="optimizer", paths=("optim.optimizer",), derive=_default_optimizer),
        *flag_fields(_OVERRIDES),
        Field(name="implementation", paths=("optim.optimizer_impl",), default="torch.optim"),
        Field(name="weight_decay", paths=(f"{_OVERRIDES}.weight_decay", "optim.weight_decay"),
              default="0.01"),
        Field(name="lr", paths=(f"{_OVERRIDES}.lr", "optim.lr"), default="1e-3"),
        *betas("optim.betas", "0.9", "0.999"),
        Field(name="eps", paths=(f"{_OVERRIDES}.eps",), default="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("data.train_batch_size",), default="256"),
        Field(name="steps", paths=("trainer.total_training_steps",)),
        Field(name="epochs", paths=("trainer.total_epochs",), default="4"),
        Field(name="scheduler", paths=("optim.warmup_style", "optim.lr_scheduler_type",
                                       "optim.lr_decay_style"), default="constant"),
        *Field.within("optim", lr_warmup_steps="-1", lr_warmup_steps_ratio="0", min_lr_ratio="0",
                      min_lr="0", lr_decay_steps=None, num_cycles="0.5"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    # data.train_batch_size is of all devices; the last batch of an epoch is dropped.
    batch=lambda _: ("batch_size",),
    harmless=("data*", "model*", "trainer*", "engine*", "checkpoint*", "profiler*", "optim",
              "optim._target_", "optim.clip_grad", "optim.total_training_steps"),
)  # fmt: skip
