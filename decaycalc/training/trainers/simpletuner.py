"""SimpleTuner's config.json, config.toml or config.env, its keys with or without flags' dashes.

Source: SimpleTuner bc8e6ab77 simpletuner/helpers/training/optimizer_param.py, custom_schedule.py,
trainer.py, configuration/env_file.py, and its field registry.
"""

from collections.abc import Mapping

from decaycalc.record import replace
from decaycalc.training.reading.arguments import argument
from decaycalc.training.reading.by_class import optimizer_of
from decaycalc.training.reading.classes import FLAGS, OptimizerClass, find_class
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.schedules import compose, ratio, steps_of
from decaycalc.training.reading.settings import Settings, by_default, derived, left_open
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced, Training
from decaycalc.training.trainers import hf_trainer
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Node, Scalar

_VERSION = "SimpleTuner bc8e6ab77"
_OPTIMIZERS = "SimpleTuner bc8e6ab77 optimizer_param.py"
# The weight decays that differ from those of the classes' own constructors.
_DECAYS = {"optimi-adamw": "0.0"}
_LIBRARIES = {"torch": "torch.optim", "bnb": "bitsandbytes.optim", "optimi": "optimi"}
_TORCHAO = frozenset({"ao-adamw8bit", "ao-adamw4bit", "ao-adamwfp8", "adamw_bf16"})
_OWN = ("model_family", "model_type", "model_flavour", "data_backend_config", "lora_type")


# The variables of a config.env whose names are not the keys in capitals.
_OF_ENV = {"DATALOADER_CONFIG": "data_backend_config", "LR_SCHEDULE": "lr_scheduler",
           "MAX_NUM_STEPS": "max_train_steps", "NUM_EPOCHS": "num_train_epochs",
           "TRAINING_NUM_PROCESSES": "num_processes"}  # fmt: skip
_EXTRA = "TRAINER_EXTRA_ARGS"  # flags, in a config.env


def _prepare(document: Document) -> Document:
    """Take the dashes off the keys, which older files write as on a command line."""
    bare = {key.lstrip("-"): node for key, node in document.root.entries.items()}
    if _is_env(bare):
        named = {_OF_ENV.get(key, key.lower()): node for key, node in bare.items()}
        bare = named | _flags(bare.get(_EXTRA))
    return replace(document, root=Entries(entries=bare, line=document.root.line))


def _is_env(entries: Mapping[str, Node]) -> bool:
    return "DATALOADER_CONFIG" in entries


def _flags(node: Node | None) -> dict[str, Node]:
    """Return the flags that a config.env hands on as they are."""
    if not isinstance(node, Scalar) or not node.text:
        return {}
    # Imported here: few files hold flags in a text.
    from decaycalc.training.trainers.syntax.shell import flags_tree  # noqa: PLC0415
    from decaycalc.training.trainers.syntax.shell_variables import Typed  # noqa: PLC0415

    line = node.line or 0
    words = tuple(Typed(text=word, line=line) for word in node.text.split())
    return dict(flags_tree(words).entries)


def _class(settings: Settings) -> OptimizerClass | None:
    name = settings.word("optimizer")
    library, _, own = name.partition("-")
    if name in _TORCHAO:
        return find_class("torchao.optim.AdamW")
    return find_class(f"{_LIBRARIES.get(library, library)}.{own.removesuffix('-paged')}")


def _optimizer(settings: Settings) -> Optimizer:
    """Return the class; one without a schedule has a rule of its own."""
    name = settings.word("optimizer")
    if name.endswith("schedulefree") or "schedulefree-" in name:
        return Optimizer(convention="schedule-free")
    return optimizer_of(settings, _class)


def _decay(settings: Settings) -> Sourced | None:
    """Return the weight decay in optimizer_config, else what SimpleTuner hands the class."""
    own = argument("weight_decay", "optimizer_config").derive
    if own is not None and (said := own(settings)) is not None:
        return said
    found, name = _class(settings), settings.word("optimizer")
    value = _DECAYS.get(name, None if found is None else found.weight_decay)
    return None if value is None else by_default("weight_decay", value, _OPTIMIZERS)


def _beta2(settings: Settings) -> Sourced:
    word = settings.word("optimizer")
    value = "0.99" if word.startswith("optimi-") or "lion" in word else "0.999"
    return by_default("beta2", value, _OPTIMIZERS)


def _eps(settings: Settings) -> Sourced:
    """Return the eps in optimizer_config, else 1e-6, but 1e-8 for torch's own classes."""
    own = argument("eps", "optimizer_config").derive
    if own is not None and (said := own(settings)) is not None:
        return said
    value = "1e-8" if settings.word("optimizer").startswith("torch-") else "1e-6"
    return by_default("eps", value, _OPTIMIZERS)


def _scaled(settings: Settings) -> Sourced | None:
    """Return the lr times the batch, or times its root, where that is asked for."""
    if "lr" in settings.given or not settings.flag("lr_scale"):
        return None
    batch, base = settings.product(*PER_DEVICE, whole=True), settings.number("base_lr")
    if base is None or batch is None:
        note = "lr_scale multiplies learning_rate by the batch, which is not known"
        return left_open("lr", note, where="lr_scale")
    if settings.flag("lr_scale_sqrt"):
        return derived("lr", f"{float(base) * float(batch) ** 0.5:.12g}", "learning_rate · √B")
    return derived("lr", decimal_text(base * batch), "learning_rate · B")


def _schedule(settings: Settings) -> str | None:
    """Return the schedules that are transformers'; its sine and cosine repeat by the warm-up."""
    name, warm = settings.word("scheduler"), steps_of(settings, "warmup_steps")
    if name in {"sine", "cosine", "cosine_with_restarts"}:
        return None
    if name == "polynomial":
        power, final = settings.number("power"), ratio(settings, "lr_end", "lr")
        return compose(
            "polynomial", power=power, final=final or None, warmup=str(warm) if warm else None
        )
    own = None if name == "constant" or not warm else str(warm)
    return hf_trainer.find_schedule(settings, own)


def _finish(settings: Settings, made: Training) -> Training:
    names = [name for name in ("text_encoder_lr", "lyrics_embedder_lr") if settings.has(name)]
    notes = (f"{name}: those tensors have an lr of their own" for name in names)
    return made.with_notes(*notes)


TRAINER = Trainer(
    kind="simpletuner",
    title="SimpleTuner",
    version=_VERSION,
    signatures=(
        *(
            Signature(
                all_of=(f"{dashes}data_backend_config",),
                any_of=tuple(f"{dashes}{name}" for name in (*_OWN[:3], "lora_type", "optimizer",
                                                            "learning_rate", "train_batch_size")),
                at_least=2,
            )
            for dashes in ("", "--")
        ),
        Signature(
            all_of=("DATALOADER_CONFIG",),
            any_of=("MODEL_FAMILY", "MODEL_TYPE", "MAX_NUM_STEPS", "TRAIN_BATCH_SIZE", "OPTIMIZER",
                    "LR_SCHEDULE", "LEARNING_RATE"),
            at_least=2,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer",), default="adamw_bf16"),
        Field(name="weight_decay", covers=("optimizer_config",), derive=_decay),
        Field(name="base_lr", paths=("learning_rate",), default="4e-7"),
        Field(name="lr", paths=("learning_rate",), overrule=_scaled, default="4e-7"),
        *Field.within("", lr_scale="false", lr_scale_sqrt="false"),
        Field(name="beta1", paths=("optimizer_beta1",), default="0.9"),
        Field(name="beta2", paths=("optimizer_beta2",), derive=_beta2),
        Field(name="eps", covers=("optimizer_config",), derive=_eps),
        argument("momentum", "optimizer_config", default="0"),
        argument("dampening", "optimizer_config", default="0"),
        argument("nesterov", "optimizer_config", default="false"),
        *(argument(name, "optimizer_config") for name in FLAGS),
        Field(name="batch_size", paths=("train_batch_size",), default="4"),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1"),
        Field(name="world_size", paths=("num_processes",), default="1"),
        Field(name="steps", paths=("max_train_steps",), absent=("0", "-1")),
        Field(name="epochs", paths=("num_train_epochs",), absent=("0",), default="1"),
        Field(name="scheduler", paths=("lr_scheduler",), default="constant_with_warmup"),
        Field(name="warmup_steps", paths=("lr_warmup_steps",), default="0"),
        Field(name="power", paths=("lr_power",), default="0.8"),
        Field(name="lr_end", paths=("lr_end",), default="4e-7"),
        Field(name="num_restarts", paths=("lr_num_cycles",), default="1"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: of_kinds(switch="with DeepSpeed's optimizer it differs"),
    harmless=("vae_batch_size", "num_train_epochs", "checkpoint*", "validation*", "ema_*",
              "optimizer_config", "text_encoder_lr", "lyrics_*", "lr_end", "lr_power"),
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
