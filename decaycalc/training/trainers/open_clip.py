"""open_clip's flags.

Source: open_clip 89fb801 src/open_clip_train/params.py, main.py, scheduler.py.
"""

from decaycalc.training.reading.optimizers import ADAM, refused
from decaycalc.training.reading.schedules import compose, epochs, of_lr
from decaycalc.training.reading.settings import Settings, by_default
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

# What a run is given to train on; without it the program evaluates.
_TRAINS = ("train_data", "dataset_type", "train_num_samples")
_BY_MODEL = {"beta2": ("0.98", "0.999"), "eps": ("1e-6", "1e-8")}  # of a ViT, of any other


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return a default that the model's name decides."""
    if field.name not in _BY_MODEL:
        return None
    vit, other = _BY_MODEL[field.name]
    value = vit if "vit" in settings.word("model") else other
    return by_default(field.name, value, "open_clip 89fb801 params.py, get_default_params")


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    if name == "adamw":
        return Optimizer(convention="open-clip", uses=ADAM)
    return refused(f"--opt {name[:60]!r} has no convention here: timm's names convert as timm-NAME")


def _schedule(settings: Settings) -> str | None:
    """Source: open_clip 89fb801 scheduler.py: the warm-up is lr·(step + 1)/W."""
    if settings.flag("skip_scheduler"):
        return "constant"
    warmup = int(settings.number("warmup") or 0) or None
    warm = {"warmup": warmup, "ramp": "one" if warmup else None}
    name = settings.word("scheduler")
    if name == "cosine":
        return compose("cosine", **warm)
    if name == "const":
        return compose("constant", **warm)
    cooldown = settings.number("epochs_cooldown")
    if name != "const-cooldown" or cooldown is None or settings.number("cooldown_power") != 1:
        return None
    final = of_lr(settings, "lr_cooldown_end")
    return compose("wsd", **warm, decay=epochs(cooldown), final=final)


def _exempt(_: Settings) -> Exemption:
    rule = "tensors of fewer than two dimensions, names with bn, ln, bias or logit_scale"
    return Exemption(rule=rule, switch="--wd-exclude", mask="open-clip")


# CLAP has its flags, and an optimizer by a flag of its own.
_OF_CLAP = ("amodel", "tmodel", "datasetnames")
TRAINER = Trainer(
    kind="open-clip",
    title="open_clip",
    version="open_clip 89fb801",
    signatures=(
        Signature(all_of=("program:open_clip_train.main",), any_of=_TRAINS),
        Signature(all_of=("program:training.main",), any_of=_TRAINS, none_of=_OF_CLAP),
        Signature(all_of=("train_num_samples",), any_of=("train_data", "warmup", "accum_freq",
                                                         "precision", "dataset_type"),
                  none_of=_OF_CLAP),
    ),
    fields=(
        Field(name="model", paths=("model",), default="RN50"),
        Field(name="optimizer", paths=("opt",), default="adamw"),
        Field(name="weight_decay", paths=("wd",), default="0.2"),
        *Field.within("", lr="5e-4", beta1="0.9"),
        *Field.within("", beta2=None, eps=None, batch_size="64"),
        Field(name="grad_accum", paths=("accum_freq",), default="1"),
        Field(name="world_size", default="1"),
        Field(name="dataset_size", paths=("train_num_samples",)),
        Field(name="epochs", paths=("epochs",), default="32"),
        Field(name="drop_last", default="true", source="open_clip 89fb801 data.py"),
        Field(name="scheduler", paths=("lr_scheduler",), default="cosine"),
        *Field.within("", warmup="10000", epochs_cooldown=None, lr_cooldown_end="0",
                      skip_scheduler=None),
        Field(name="cooldown_power", paths=("lr_cooldown_power",), default="1"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    default=_default,
    harmless=("train_data*", "val_*", "imagenet_*", "precision", "workers", "report_to",
              "save_frequency", "zeroshot_frequency", "log_every_n_steps", "grad_clip_norm",
              "lock_*", "wd_exclude"),
)  # fmt: skip
