"""big_vision's Python configurations.

Source: big_vision 0127fb66 train.py, optax.py, utils.py create_learning_rate_schedule.
"""

import re
from fractions import Fraction

from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import unknown_optimizer
from decaycalc.training.reading.schedules import compose, epochs, percent
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_SAME_DECAY = frozenset({"scale_by_adam", "big_vision.scale_by_adafactor", "big_vision.momentum_hp",
                         "scale_by_adafactor", "identity", "trace"})  # fmt: skip
# Source: the data sets' own sizes, as tensorflow_datasets counts them.
_SIZES = {("imagenet2012", "train"): 1_281_167, ("cifar10", "train"): 50_000,
          ("cifar100", "train"): 50_000, ("imagenet21k", "full"): 14_197_122}  # fmt: skip

_SHARE = re.compile(r"(\d{1,3})%\]")


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    note = "wd is not times lr, only times the schedule"
    if name in _SAME_DECAY:
        return Optimizer(convention="big-vision", note=note)
    return unknown_optimizer(name, setting="optax_name")


def _size(settings: Settings) -> Sourced | None:
    """Return N of a data set whose size is known."""
    name, split = settings.word("data_name"), settings.word("data_split")
    whole, _, share = split.partition("[:")
    size = _SIZES.get((name, whole))
    match = _SHARE.fullmatch(share)
    if size is not None and match:  # tensorflow_datasets rounds to the nearest example
        size = round(size * Fraction(match[1]) / 100)
    elif share:
        return None
    return None if size is None else derived("dataset_size", str(size), f"{name}, split {split}")


def _steps(settings: Settings) -> Sourced | None:
    """Return round(epochs · N / B), as big_vision counts the steps."""
    parts = [settings.number(name) for name in ("total_epochs", "dataset_size", "batch_size")]
    if any(not part for part in parts):
        return None
    count, size, batch = (part or Fraction(1) for part in parts)
    return derived("steps", str(round(count * size / batch)), "round(total_epochs · N / B)")


def _warmup(settings: Settings) -> str | None:
    steps, count = settings.number("warmup_steps"), settings.number("warmup_epochs")
    share, examples = settings.number("warmup_percent"), settings.number("warmup_examples")
    batch = settings.number("batch_size")
    if steps:
        return str(int(steps))
    if count:
        return epochs(count)
    if examples and batch:
        return decimal_text(Fraction(int(examples / batch)))
    return percent(share) if share else None


def _schedule(settings: Settings) -> str | None:
    """Return the schedule; a cooldown, a factor over whatever falls already, has no text.

    Source: big_vision 0127fb66 utils.py, create_learning_rate_schedule.
    """
    name, warmup = settings.word("scheduler"), _warmup(settings)
    schedule = settings.entries(_SCHEDULE)
    if any(key.startswith("cooldown") for key in schedule) or "scale_with_batchsize" in schedule:
        return None
    if name == "cosine":
        return compose(name, warmup=warmup)
    if name in {"linear", "polynomial"}:
        power, final = settings.number("power"), settings.number("end") or None
        own = power if name == "polynomial" or power != 1 else None
        return compose("linear" if own is None else "polynomial", power=own, warmup=warmup,
                       final=final)  # fmt: skip
    if name == "rsqrt" and "shift" not in schedule:
        return compose("inverse-sqrt", timescale=settings.number("timescale"), warmup=warmup)
    is_plain = bool(schedule) or not settings.has(_SCHEDULE)  # else one schedule for each pattern
    is_constant = name == "stair" and is_plain and not {"steps", "mults"} & schedule.keys()
    return compose("constant", warmup=warmup) if is_constant else None


def _exempt(settings: Settings) -> Exemption:
    rule = (
        "all but what config.wd_mults names"
        if settings.has("config.wd_mults")
        else "all but kernels"
    )
    return Exemption(rule=rule, switch="wd_mults")


_SCHEDULE = "config.schedule"
TRAINER = Trainer(
    kind="big-vision",
    title="big_vision",
    version="big_vision 0127fb66",
    signatures=(
        Signature(all_of=("config.wd",), any_of=("config.input.batch_size", "config.optax_name",
                  "config.schedule.decay_type", "config.total_epochs", "config.total_steps")),
        Signature(all_of=("config.optax_name", "config.input.batch_size")),
    ),
    fields=(
        Field(name="optimizer", paths=("config.optax_name",), default="scale_by_adam"),
        Field(name="weight_decay", paths=("config.wd",), default="0"),
        Field(name="lr", paths=("config.lr",)),
        Field(name="batch_size", paths=("config.input.batch_size", "config.batch_size")),
        Field(name="data_name", paths=("config.input.data.name", "config.dataset")),
        Field(name="data_split", paths=("config.input.data.split", "config.train_split")),
        Field(name="dataset_size", derive=_size),
        Field(name="total_epochs", paths=("config.total_epochs", "config.num_epochs")),
        Field(name="steps", paths=("config.total_steps",), derive=_steps),
        Field(name="scheduler", paths=(f"{_SCHEDULE}.decay_type",), default="stair"),
        *Field.within(_SCHEDULE, warmup_steps=None, warmup_epochs=None, warmup_percent=None,
                      warmup_examples=None, timescale="10000", power="1"),
        Field(name="end", paths=(f"{_SCHEDULE}.end", f"{_SCHEDULE}.linear_end"), default="0"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),
    harmless=("config*", "*_batch_size", "*_steps", "*_epochs"),
)  # fmt: skip
