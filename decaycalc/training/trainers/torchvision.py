"""torchvision's reference training scripts, by their flags.

Source: pytorch/vision references/classification/train.py (017e9b99), and train.py of
references/{detection,segmentation,video_classification}; --bias-weight-decay and
--transformer-embedding-decay are newer and were not checked.
"""

from fractions import Fraction

from decaycalc.training.reading.arguments import numbers_of
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import UNDAMPENED_SGD, by_name
from decaycalc.training.reading.schedules import Options, compose, epochs, multiplied, of_lr
from decaycalc.training.reading.settings import Settings, by_default, derived
from decaycalc.training.reading.trainer import (
    PER_DEVICE,
    Field,
    Optimizer,
    Signature,
    Trainer,
)
from decaycalc.training.record import Exemption, Group, Sourced, Training

_OWN = (
    "lr_step_size", "lr_gamma", "lr_warmup_epochs", "lr_warmup_method", "lr_warmup_decay",
    "norm_weight_decay", "bias_weight_decay", "transformer_embedding_decay", "ra_sampler",
    "ra_reps", "model_ema_steps", "train_crop_size", "val_crop_size", "lr_steps", "lr_milestones",
    "aspect_ratio_group_factor",
)  # fmt: skip
_GENERIC = ("lr_steps", "lr_milestones", "lr_gamma")  # which many a file has
_TASKS = ("classification", "detection", "segmentation", "video")
# The flags that only one of the tasks has.
_OF_TASK = {
    "detection": ("lr_steps", "aspect_ratio_group_factor", "trainable_backbone_layers",
                  "rpn_score_thresh", "use_copypaste"),
    "segmentation": ("aux_loss",),
    "video": ("lr_milestones", "clip_len", "clips_per_video", "frame_rate", "kinetics_version"),
}  # fmt: skip
_DEFAULTS = {
    "lr": ("0.1", "0.02", "0.01", "0.01"),
    "batch_size": ("32", "2", "8", "24"),
    "epochs": ("90", "26", "30", "45"),
    "scheduler": ("steplr", "multisteplr", "polynomiallr", "multisteplr"),
    "lr_warmup_epochs": ("0", "0", "0", "10"),
    "lr_warmup_method": ("constant", "linear", "linear", "linear"),
    "lr_warmup_decay": ("0.01", "0.001", "0.01", "0.001"),
}
_WARMUP = 1000  # iterations of detection's first epoch
_AUX = "10"  # the factor of lr of segmentation's auxiliary classifier
_OPTIMIZERS = {
    "sgd": Optimizer(convention="torchvision", uses=("momentum",)),
    "sgd_nesterov": Optimizer(convention="torchvision", uses=UNDAMPENED_SGD),
    "rmsprop": Optimizer(convention="pytorch-rmsprop", uses=("momentum",)),
    "adamw": Optimizer(convention="pytorch-adamw"),
}


def _task(settings: Settings) -> str:
    """Return which of the scripts it is, by the flags that it alone has."""
    found = (task for task, flags in _OF_TASK.items() if any(map(settings.has, flags)))
    return next(found, _TASKS[0])


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return the default that the script has for a field."""
    name, task = field.name.removeprefix("base_"), _task(settings)
    if name not in _DEFAULTS:
        return None
    value = _DEFAULTS[name][_TASKS.index(task)]
    return by_default(name, value, f"torchvision references, {task}")


def _scaled(settings: Settings) -> Sourced | None:
    """Return --lr times the devices, as the script for videos has it."""
    base, devices = settings.number("base_lr"), settings.number("world_size")
    if _task(settings) != "video" or base is None or devices is None:
        return None
    return derived("lr", decimal_text(base * devices), "--lr · W")


def _nesterov(settings: Settings) -> Sourced:
    is_nesterov = "nesterov" in settings.word("optimizer")
    return derived("nesterov", str(is_nesterov).lower(), "--opt")


def _schedule(settings: Settings) -> str | None:
    """Return the scheduler, which begins when the warm-up has ended (SequentialLR)."""
    name, task = settings.word("scheduler"), _task(settings)
    if task == "detection":
        return _detection(settings, name)
    warm = settings.number("lr_warmup_epochs") or Fraction(0)
    if task == "segmentation":
        main: str | None = compose("polynomial", power=Fraction(9, 10))
    else:
        main = _milestones(settings, warm) if task == "video" else _main(settings, name)
    if main is None or warm <= 0:
        return main
    start = settings.number("lr_warmup_decay")
    if settings.word("lr_warmup_method") == "constant":
        first = compose("constant", value=start, until=epochs(warm))
    else:
        per = "1epochs" if task == _TASKS[0] else None
        first = compose("linear", initial=start, final=1, per=per, until=epochs(warm))
    return f"{first}+{main}"


def _detection(settings: Settings, name: str) -> str | None:
    """Return the scheduler with the first epoch's warm-up, whose factor it multiplies."""
    ramp: Options = {"warmup": _WARMUP, "start": settings.number("lr_warmup_decay")}
    if name == "cosineannealinglr":
        return compose("cosine", per="1epochs", **ramp, warmup_per=1, over="run", toward="product")
    if name != "multisteplr":
        return None
    at = "/".join(settings.texts("lr_steps")) or "16/22"
    first = min(numbers_of(at.replace("/", " ")), default=Fraction(0))
    ramp = multiplied(ramp, first, by_epoch=True)
    return compose("step", at=f"{at}epochs", gamma=settings.number("lr_gamma"), **ramp)


def _milestones(settings: Settings, warm: Fraction) -> str | None:
    marks = numbers_of(" ".join(settings.texts("lr_milestones")) or "20 30 40")
    if any(mark < warm for mark in marks):
        return None
    at = epochs(*(mark - warm for mark in marks))
    return compose("step", at=at, gamma=settings.number("lr_gamma"))


def _finish(settings: Settings, made: Training) -> Training:
    """Add what has a decay or an lr of its own."""
    own = [
        Group(name=name, selector=name, weight_decay=settings.text(f"{key}_weight_decay"))
        for name, key in (("norms", "norm"), ("biases", "bias"))
        if settings.number(f"{key}_weight_decay")
    ]
    if _task(settings) == "segmentation" and settings.flag("aux_loss"):
        own.append(Group(name="aux_classifier", selector="names with aux_classifier", lr_mult=_AUX))
    return made.with_groups(*own)


def _main(settings: Settings, name: str) -> str | None:
    """Return the scheduler itself, stepped once an epoch."""
    if name == "steplr":
        size = settings.number("lr_step_size") or Fraction(1)
        return compose("step", every=epochs(size), gamma=settings.number("lr_gamma"))
    if name == "cosineannealinglr":
        final = of_lr(settings, "lr_min")
        return compose("cosine", final=final, per="1epochs")
    if name == "exponentiallr":
        return compose("step", every="1epochs", gamma=settings.number("lr_gamma"))
    return None


def _exempt(settings: Settings) -> Exemption:
    names = ("norm_weight_decay", "bias_weight_decay", "transformer_embedding_decay")
    norms, biases, tables = (settings.number(name) for name in names)
    rules = ["norms"] if norms == 0 else []
    rules += ["biases"] if biases == 0 else []
    return of_kinds(
        *rules,
        switch="--norm-weight-decay, --bias-weight-decay, --transformer-embedding-decay",
        whole={norms, biases} <= {0, None} and tables is None,
    )


TRAINER = Trainer(
    kind="torchvision",
    title="torchvision references",
    marks=("MetricLogger",),
    version="torchvision references 017e9b99",
    signatures=(
        Signature(any_of=_OWN, at_least=2),
        *(
            Signature(
                all_of=(f"flag:{key}" if key in _GENERIC else key,),
                any_of=("lr_scheduler", "data_path", "model", "opt"),
                none_of=("num_epoch", "lr_scheduler.obj"),  # 3D-Speaker's
            )
            for key in _OWN
        ),
        Signature(all_of=("aux_loss",), any_of=("weights_backbone", "dataset")),
        Signature(all_of=("clip_len", "model"), any_of=("clips_per_video", "kinetics_version")),
    ),
    fields=(
        Field(name="optimizer", paths=("opt",), default="sgd"),
        Field(name="weight_decay", paths=("weight_decay", "wd"), default="1e-4"),
        *Field.within("", norm_weight_decay=None, bias_weight_decay=None),
        Field(name="base_lr", paths=("lr",)),
        Field(name="lr", paths=("lr",), overrule=_scaled),
        *Field.within("", aux_loss=None, momentum="0.9"),
        Field(name="nesterov", derive=_nesterov),
        Field(name="batch_size", paths=("batch_size", "b")),
        *Field.fixed(grad_accum="1", world_size="1"),
        Field(name="epochs", paths=("epochs",)),
        Field(name="scheduler", paths=("lr_scheduler",)),
        *Field.within("", lr_step_size="30", lr_gamma="0.1", lr_min="0"),
        *Field.within("", lr_warmup_epochs=None, lr_warmup_method=None, lr_warmup_decay=None),
    ),
    optimizer=by_name(_OPTIMIZERS, setting="--opt"),
    schedule=_schedule,
    exempt=_exempt,
    default=_default,
    batch=lambda _: PER_DEVICE,
    harmless=(
        "model_ema*",
        "transformer_embedding_decay",
        "workers",
        "amp",
        "lr_steps",
        "lr_milestones",
    ),
    finish=_finish,
)
