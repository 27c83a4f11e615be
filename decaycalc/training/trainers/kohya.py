"""kohya's sd-scripts: TOML whose sections mean nothing, and the same names as flags.

Source: sd-scripts 48d368fa library/train_util.py, get_optimizer, get_scheduler_fix,
read_config_from_file.
"""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.arguments import argument, arguments_of, numbers_of
from decaycalc.training.reading.classes import OptimizerClass, find_class
from decaycalc.training.reading.schedules import compose, percent
from decaycalc.training.reading.settings import Settings, texts_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Origin, Sourced, Training
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Node

_VERSION = "sd-scripts 48d368fa"
_NAMES = {
    "": "torch.AdamW", "adamw": "torch.AdamW", "adamw8bit": "bitsandbytes.AdamW8bit",
    "pagedadamw8bit": "bitsandbytes.PagedAdamW8bit", "pagedadamw": "bitsandbytes.PagedAdamW",
    "pagedadamw32bit": "bitsandbytes.PagedAdamW32bit", "lion": "lion_pytorch.Lion",
    "lion8bit": "bitsandbytes.Lion8bit", "pagedlion8bit": "bitsandbytes.PagedLion8bit",
    "sgdnesterov": "torch.SGD", "sgdnesterov8bit": "bitsandbytes.SGD8bit",
}  # fmt: skip
_REFUSED = {
    "prodigy": Optimizer(convention="prodigy"),
    "adafactor": Optimizer(convention="hf-adafactor-relative"),
}
_BY_PREFIX = {
    "dadapt": "dadaptation",
    "adamwschedulefree": "schedule-free",
    "sgdschedulefree": "schedule-free",
    "radamschedulefree": "schedule-free",
}
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


_SHAPES = {
    "constant_with_warmup": "constant",
    "linear": "linear",
    "cosine": "cosine",
    "cosine_with_restarts": "cosine-restarts",
    "polynomial": "polynomial",
    "cosine_with_min_lr": "cosine",
}


def _prepare(document: Document) -> Document:
    """Take the sections away: their names mean nothing.

    Source: sd-scripts 48d368fa library/train_util.py, read_config_from_file.
    """
    flat: dict[str, Node] = {}
    for key, node in document.root.entries.items():
        flat |= node.entries if isinstance(node, Entries) else {key: node}
    return replace(document, root=Entries(entries=flat))


def _name(settings: Settings) -> str:
    """Return the optimizer's name; two older switches stand before it."""
    if settings.has("use_8bit_adam") and settings.flag("use_8bit_adam"):
        return "adamw8bit"
    if settings.has("use_lion_optimizer") and settings.flag("use_lion_optimizer"):
        return "lion"
    return settings.word("optimizer")


def _class(settings: Settings) -> OptimizerClass | None:
    name = _name(settings)
    return find_class(_NAMES.get(name, name))


def _optimizer(settings: Settings) -> Optimizer:
    name = _name(settings)
    if name == "adafactor" and settings.word("relative_step") == "false":
        return Optimizer(convention="hf-adafactor")
    if name in _REFUSED:
        return _REFUSED[name]
    for prefix, convention in _BY_PREFIX.items():
        if name.startswith(prefix):
            decoupled = convention == "dadaptation" and settings.word("decouple") == "true"
            return Optimizer(convention=f"{convention}-decoupled" if decoupled else convention)
    found = _class(settings)
    if found is None:
        return Optimizer(convention=None, refusal=f"optimizer {name[:60]!r} has no convention here")
    made = found.optimizer()
    nesterov = ("momentum", "nesterov") if name.startswith("sgdnesterov") else made.uses
    return replace(made, uses=nesterov)


def _class_default(settings: Settings) -> Sourced | None:
    """Return the decay within optimizer_args, else the class's own."""
    node = arguments_of(settings, "optimizer_args").get("weight_decay")
    if node is not None:
        text, where = ",".join(texts_of(node)), "optimizer_args.weight_decay"
        return Sourced(
            name="weight_decay", value=text, origin=Origin.FILE, where=where, line=node.line
        )
    found = _class(settings)
    value, library = ("0", _VERSION) if found is None else (found.weight_decay, found.library)
    return Sourced(name="weight_decay", value=value, origin=Origin.DEFAULT, where=library)


def _beta(name: str, at: int, default: str) -> Field:
    """Return the field of one number of the betas within optimizer_args."""

    def derive(settings: Settings) -> Sourced | None:
        node = arguments_of(settings, "optimizer_args").get("betas")
        found = numbers_of(",".join(texts_of(node)))
        if node is None or at >= len(found):
            return None
        where = "optimizer_args.betas"
        value = str(float(found[at]))
        return Sourced(name=name, value=value, origin=Origin.FILE, where=where, line=node.line)

    return Field(name=name, covers=("optimizer_args",), default=default, derive=derive)


def _by_epochs(settings: Settings) -> Sourced | None:
    """Leave the steps open where max_train_epochs overrides them."""
    own = settings.in_file(Field(name="steps", paths=("max_train_steps",), absent=("0",)))
    given = settings.texts("max_train_epochs")
    by_epochs = any(given) and given != ("0",)
    only_epoch = own is None and settings.has("epoch")  # kohya_ss makes steps of it
    if not (by_epochs or only_epoch) or "steps" in settings.given:
        return None
    return Sourced(name="steps", value=None, origin=Origin.MISSING)


def _warmup(settings: Settings) -> str | None:
    """Return the warm-up: a number below 1 is a share of the steps."""
    length = settings.number("lr_warmup_steps") or Fraction(0)
    steps = settings.number("steps")
    if not length and settings.number("lr_warmup"):  # kohya_ss gives percents
        return f"{settings.text('lr_warmup')}%"
    if 0 < length < 1:
        return percent(length) if steps is None else str(int(length * steps))
    return str(int(length)) if length else None


def _schedule(settings: Settings) -> str | None:
    """Source: sd-scripts 48d368fa library/train_util.py, get_scheduler_fix."""
    name, warm = settings.word("scheduler"), _warmup(settings)
    if name == "constant":
        return "constant"  # diffusers' constant takes no warm-up
    more: dict[str, int | Fraction | None] = {}
    if name == "cosine_with_restarts":
        more = {"cycles": settings.count("num_cycles")}
    elif name == "polynomial":
        more = {"power": settings.number("power")}
    elif name == "cosine_with_min_lr":
        more = {"final": settings.number("min_lr_ratio")}
    shape = _SHAPES.get(name)
    return None if shape is None else compose(shape, **more, warmup=warm)


def _finish(settings: Settings, made: Training) -> Training:
    """Give the parts that have an lr of their own."""
    parts = (("U-Net", "unet_lr"), ("text encoder", "text_encoder_lr"))
    own = tuple(
        Group(name=name, selector=name, lr=texts[0])
        for name, key in parts
        if (texts := settings.texts(key)) and numbers_of(texts[0])
    )
    return replace(made, groups=own) if own else made


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
            none_of=_OF_BERT,
        )
        for own in _OWN
        for section in ("", "*.")
    ),
    fields=(
        # The other name is kohya_ss', whose presets are JSON.
        Field(name="optimizer", paths=("optimizer_type", "optimizer"), default=""),
        Field(name="use_8bit_adam", paths=("use_8bit_adam",), default="false"),
        Field(name="use_lion_optimizer", paths=("use_lion_optimizer",), default="false"),
        Field(name="weight_decay", derive=_class_default, covers=("optimizer_args",)),
        Field(name="lr", paths=("learning_rate",), default="2e-6"),
        _beta("beta1", 0, "0.9"),
        _beta("beta2", 1, "0.999"),
        argument("eps", "optimizer_args", default="1e-8"),
        argument("momentum", "optimizer_args", default="0.9"),
        argument("relative_step", "optimizer_args", default="true"),
        argument("decouple", "optimizer_args", default="false"),
        Field(name="nesterov", default="true"),
        Field(name="dampening", default="0"),
        Field(name="batch_size", paths=("train_batch_size",), default="1"),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1"),
        Field(name="world_size", default="1"),
        Field(name="epochs", paths=("max_train_epochs", "epoch"), absent=("0",)),
        Field(name="steps", paths=("max_train_steps",), absent=("0",), default="1600",
              overrule=_by_epochs),
        Field(name="scheduler", paths=("lr_scheduler",), default="constant"),
        Field(name="lr_warmup_steps", paths=("lr_warmup_steps",), absent=("0",), default="0"),
        Field(name="lr_warmup", paths=("lr_warmup",)),
        Field(name="num_cycles", paths=("lr_scheduler_num_cycles",), default="1"),
        Field(name="power", paths=("lr_scheduler_power",), default="1"),
        Field(name="min_lr_ratio", paths=("lr_scheduler_min_lr_ratio",)),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: Exemption(rule="nothing", mask="all"),
    harmless=("max_grad_norm", "unet_lr", "text_encoder_lr*", "network_*", "save_*", "sample_*",
              "caption_*", "optimizer_args*", "dataset_config", "max_data_loader*", "min_snr*",
              "bucket_*", "max_timestep", "min_timestep", "batch_size",
              "use_8bit_adam", "use_lion_optimizer", "*_bucket*", "gradient_checkpointing"),
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
