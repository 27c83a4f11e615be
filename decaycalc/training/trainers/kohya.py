"""kohya's sd-scripts: TOML whose sections mean nothing, and the same names as flags.

Source: sd-scripts 48d368fa library/train_util.py, get_optimizer, get_scheduler_fix,
read_config_from_file.
"""

import shlex
from collections.abc import Mapping
from fractions import Fraction

from decaycalc.errors import UnreadableFileError
from decaycalc.record import replace
from decaycalc.training.reading.arguments import argument, argument_of, arguments_of, numbers_of
from decaycalc.training.reading.by_class import optimizer_of
from decaycalc.training.reading.classes import FLAGS, OptimizerClass, find_class
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.optimizers import UNDAMPENED_SGD
from decaycalc.training.reading.schedules import compose, percent, ratio
from decaycalc.training.reading.settings import Settings, by_default, left_open, of_file, texts_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Group, Sourced, Training
from decaycalc.training.trainers import hf_trainer
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.shell import flags_tree
from decaycalc.training.trainers.syntax.shell_variables import Typed
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar, find

_VERSION = "sd-scripts 48d368fa"
_NAMES = {
    "": "torch.AdamW", "adamw": "torch.AdamW", "adamw8bit": "bitsandbytes.AdamW8bit",
    "pagedadamw8bit": "bitsandbytes.PagedAdamW8bit", "pagedadamw": "bitsandbytes.PagedAdamW",
    "pagedadamw32bit": "bitsandbytes.PagedAdamW32bit", "lion": "lion_pytorch.Lion",
    "lion8bit": "bitsandbytes.Lion8bit", "pagedlion8bit": "bitsandbytes.PagedLion8bit",
    "sgdnesterov": "torch.SGD", "sgdnesterov8bit": "bitsandbytes.SGD8bit",
    "prodigy": "prodigyopt.Prodigy", "adafactor": "transformers.Adafactor",
    "adamwschedulefree": "schedulefree.AdamWScheduleFree",
    "sgdschedulefree": "schedulefree.SGDScheduleFree",
    "radamschedulefree": "schedulefree.RAdamScheduleFree",
}  # fmt: skip
# Each of these is kohya's own; one of the others beside it tells the file.
_OWN = (
    "optimizer_type",
    "network_module",
    "optimizer_args",
    "max_train_epochs",
    "network_dim",
    "LoRA_type",
)
_SHARED = ("pretrained_model_name_or_path", "train_batch_size", "max_train_steps",
           "lr_warmup_steps", "unet_lr", "train_data_dir", "dataset_config")  # fmt: skip


def _prepare(document: Document) -> Document:
    """Take the sections away: their names mean nothing.

    Source: sd-scripts 48d368fa library/train_util.py, read_config_from_file.
    """
    flat: dict[str, Node] = {}
    for key, node in document.root.entries.items():
        flat |= node.entries if isinstance(node, Entries) else {key: node}
    return replace(document, root=Entries(entries={**flat, **_added(document, flat)}))


def _added(document: Document, flat: Mapping[str, Node]) -> Mapping[str, Node]:
    """Return the flags that kohya_ss' window puts behind all others."""
    node = flat.get("additional_parameters")
    if not isinstance(node, Scalar):
        return {}
    try:
        words = shlex.split(node.text or "")
    except ValueError as error:
        raise UnreadableFileError(document.name, f"additional_parameters: {error}") from None
    return flags_tree(tuple(Typed(text=word, line=node.line or 0) for word in words)).entries


def _name(settings: Settings) -> str:
    """Return the optimizer's name; two older switches stand before it."""
    if settings.is_on("use_8bit_adam"):
        return "adamw8bit"
    if settings.is_on("use_lion_optimizer"):
        return "lion"
    return settings.word("optimizer")


def _class(settings: Settings) -> OptimizerClass | None:
    name = _name(settings)
    library = "dadaptation" if name.startswith("dadapt") else "torch"
    return find_class(_NAMES.get(name, name), library=library)


def _optimizer(settings: Settings) -> Optimizer:
    made = optimizer_of(settings, _class)
    is_nesterov = _name(settings).startswith("sgdnesterov")
    return replace(made, uses=UNDAMPENED_SGD) if is_nesterov else made


def _class_default(settings: Settings) -> Sourced | None:
    """Return the decay within optimizer_args, else the class's own."""
    own = argument_of(settings, "weight_decay", "optimizer_args", "weight_decay")
    if own is not None:
        return own
    found = _class(settings)
    value, library = ("0", _VERSION) if found is None else (found.weight_decay, found.library)
    return by_default("weight_decay", value, library)


def _beta(name: str, at: int, default: str) -> Field:
    """Return the field of one number of the betas within optimizer_args."""

    def derive(settings: Settings) -> Sourced | None:
        own = argument_of(settings, name, "optimizer_args", "betas")
        if own is None or own.value is None:
            return own
        found = numbers_of(own.value)
        return replace(own, value=str(float(found[at]))) if at < len(found) else None

    return Field(name=name, covers=("optimizer_args",), default=default, derive=derive)


def _by_epochs(settings: Settings) -> Sourced | None:
    """Leave the steps open where max_train_epochs overrides them."""
    own = settings.in_file(Field(name="steps", paths=("max_train_steps",), absent=("0",)))
    given = settings.texts("max_train_epochs")
    by_epochs = any(given) and given != ("0",)
    # kohya_ss makes steps of its epochs, of its window's where a preset has none.
    only_epoch = own is None and (settings.has("epoch") or settings.has("LoRA_type"))
    if not (by_epochs or only_epoch) or "steps" in settings.given:
        return None
    return left_open("steps")


def _ticks(settings: Settings, name: str) -> str | None:
    """Return a length of the scheduler: a number below 1 is a share of the steps.

    The scheduler steps once a device, and a number of steps is not multiplied by them.
    """
    length = settings.number(name) or Fraction(0)
    if 0 < length < 1:
        steps = settings.number("steps")
        return percent(length) if steps is None else str(int(length * steps))
    devices = settings.number("world_size") if length else None
    return str(max(int(length / (devices or 1)), 1)) if length else None


def _warmup(settings: Settings) -> str | None:
    length = _ticks(settings, "lr_warmup_steps")
    if length is None and settings.number("lr_warmup"):  # kohya_ss gives percents
        return f"{settings.text('lr_warmup')}%"
    return length


def _schedule(settings: Settings) -> str | None:
    """Return the schedule; a class of its own, or arguments to it, are not followed.

    Source: sd-scripts 48d368fa library/train_util.py, get_scheduler_fix.
    """
    if settings.text("scheduler_class") or settings.text("scheduler_args"):
        return None
    make = _SCHEDULES.get(settings.word("scheduler"))
    return None if make is None else make(settings, _warmup(settings))


def _polynomial(settings: Settings, warm: str | None) -> str:
    final = ratio(settings, "lr_end", "lr")
    return compose("polynomial", power=settings.number("power"), final=final, warmup=warm)


def _is_half(settings: Settings) -> bool:
    """Return whether a cosine goes down once: it has half as many cycles as are asked for."""
    return settings.number("num_cycles") == 1


def _with_min_lr(settings: Settings, warm: str | None) -> str | None:
    final = settings.number("min_lr_ratio")
    if final is None or not _is_half(settings):  # transformers refuses the first
        return None
    return compose("cosine", final=final, warmup=warm)


def _stable_decay(settings: Settings, warm: str | None) -> str | None:
    low, decay = settings.number("min_lr_ratio") or None, _ticks(settings, "lr_decay_steps")
    if decay is None or not _is_half(settings):
        return None
    return compose("wsd", decay=decay, shape="cosine", final=low, warmup=warm, start=warm and low)


_SCHEDULES = {
    **hf_trainer.COMMON,
    "cosine": lambda _, warm: compose("cosine", warmup=warm),
    "cosine_with_restarts": lambda settings, warm: compose(
        "cosine-restarts", cycles=settings.count("num_cycles"), warmup=warm
    ),
    "polynomial": _polynomial,
    "cosine_with_min_lr": _with_min_lr,
    "warmup_stable_decay": _stable_decay,
}


def _finish(settings: Settings, made: Training) -> Training:
    """Give the parts that have an lr of their own, LoRA+'s up matrices among them.

    Source: sd-scripts 48d368fa networks/lora.py, prepare_optimizer_params.
    """
    parts = (("U-Net", "unet_lr", "unet_"), ("text encoder", "text_encoder_lr", "text_encoder_"))
    arguments = arguments_of(settings, "network_args")
    own: list[Group] = []
    for name, key, prefix in parts:
        lr = next((typed_number(text) for text in settings.texts(key)[:1]), None)
        own += [] if lr is None else [Group(name=name, selector=name, lr=settings.texts(key)[0])]
        plus = arguments.get(f"loraplus_{prefix}lr_ratio") or arguments.get("loraplus_lr_ratio")
        share = typed_number(",".join(texts_of(plus)))
        if share is not None:
            up = Group(name=f"{name} up", selector=f"lora_up of the {name}")
            own.append(
                replace(up, lr_mult=decimal_text(share))
                if lr is None
                else replace(up, lr=decimal_text(lr * share))
            )
    return replace(made, groups=tuple(own)) if own else made


def _batch_size(settings: Settings) -> Sourced | None:
    """Return the batch size of the data set's own file, which stands before train_batch_size.

    Source: sd-scripts 48d368fa library/config_util.py, BlueprintGenerator.
    """
    name = settings.told("dataset_config")
    if not name or "batch_size" in settings.given:
        return None
    beside = settings.document.named(name)
    if beside is None:
        note = f"batch_size may stand in {name[:60]}, which is not here"
        return left_open("batch_size", note, where=name)
    sizes = [find(part, "batch_size") for part in _datasets(beside.root)]
    found = list(dict.fromkeys(text for size in sizes for text in texts_of(size)))
    if len(found) > 1:
        note = f"{name[:60]} has several batch sizes"
        return left_open("batch_size", note, where=name)
    return of_file("batch_size", found[0], f"{name}: batch_size") if found else None


def _datasets(root: Entries) -> list[Entries]:
    """Return the data sets of a file, else what it says of all of them."""
    listed = root.entries.get("datasets")
    parts = listed.items if isinstance(listed, Items) else ()
    own = [part for part in parts if isinstance(part, Entries) and "batch_size" in part.entries]
    general = root.entries.get("general")
    return own or ([general] if isinstance(general, Entries) else [])


# BERT's own pre-training takes an optimizer_type and a train_batch_size too.
_OF_BERT = ("bert_config_file", "max_predictions_per_seq", "num_accumulation_steps")


TRAINER = Trainer(
    kind="kohya",
    title="kohya sd-scripts",
    version=_VERSION,
    signatures=tuple(
        Signature(
            all_of=(f"{section}{own}",),
            any_of=tuple(section + name for name in _SHARED),
            # Its sections are TOML's; other programs' YAML has sections that mean something.
            none_of=(*_OF_BERT, *(("syntax:YAML", "syntax:JSON") if section else ())),
        )
        for own in _OWN
        for section in ("", "*.")
    ),
    fields=(
        # The other name is kohya_ss', whose presets are JSON.
        Field(name="optimizer", paths=("optimizer_type", "optimizer"), default=""),
        *Field.within("", use_8bit_adam="false", use_lion_optimizer="false"),
        Field(name="weight_decay", derive=_class_default, covers=("optimizer_args",)),
        Field(name="lr", paths=("learning_rate",), default="2e-6"),
        _beta("beta1", 0, "0.9"),
        _beta("beta2", 1, "0.999"),
        argument("eps", "optimizer_args", default="1e-8"),
        argument("momentum", "optimizer_args", default="0.9"),
        *(argument(name, "optimizer_args") for name in FLAGS),
        *Field.fixed(nesterov="true", dampening="0"),
        Field(name="batch_size", paths=("train_batch_size",), default="1",
              overrule=_batch_size),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1"),
        Field(name="world_size", default="1"),
        Field(name="epochs", paths=("max_train_epochs", "epoch"), absent=("0",)),
        Field(name="steps", paths=("max_train_steps",), absent=("0",), default="1600",
              overrule=_by_epochs),
        Field(name="scheduler", paths=("lr_scheduler",), default="constant"),
        Field(name="scheduler_class", paths=("lr_scheduler_type",)),
        Field(name="scheduler_args", paths=("lr_scheduler_args",)),
        Field(name="lr_warmup_steps", paths=("lr_warmup_steps",), absent=("0",), default="0"),
        Field(name="lr_warmup", paths=("lr_warmup",)),
        Field(name="num_cycles", paths=("lr_scheduler_num_cycles",), default="1"),
        Field(name="power", paths=("lr_scheduler_power",), default="1"),
        Field(name="lr_decay_steps", paths=("lr_decay_steps",), absent=("0",), default="0"),
        Field(name="timescale", paths=("lr_scheduler_timescale",)),
        Field(name="lr_end", default="1e-7", source="transformers 5.24.0 optimization.py"),
        Field(name="min_lr_ratio", paths=("lr_scheduler_min_lr_ratio",)),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    harmless=("max_grad_norm", "unet_lr", "text_encoder_lr*", "network_*", "save_*", "sample_*",
              "caption_*", "optimizer_args*", "dataset_config", "max_data_loader*", "min_snr*",
              "bucket_*", "max_timestep", "min_timestep", "batch_size",
              "use_8bit_adam", "use_lion_optimizer", "*_bucket*", "gradient_checkpointing"),
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
