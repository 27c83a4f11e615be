"""OpenNMT-py's YAML, whose optimizers decay nothing but bitsandbytes', and Eole's, its successor.

Source: OpenNMT-py 97111d97 onmt/opts.py, onmt/utils/optimizers.py; Eole ce7139c
eole/config/training.py, eole/utils/optimizers.py.
"""

from fractions import Fraction
from math import sqrt

from decaycalc.algebra.number import finite
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAM, ADAMW, by_name
from decaycalc.training.reading.schedules import compose, steps_of
from decaycalc.training.reading.settings import Settings, by_default, derived, left_open
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced

_EOLE = "training"
_BNB = Optimizer(convention="bitsandbytes-adamw", uses=ADAM)
_OPTIMIZERS = {
    "sgd": Optimizer(convention="pytorch-sgd", uses=("momentum",)),
    "adam": Optimizer(convention="pytorch-adam", uses=ADAM),
    "adamw": ADAMW,
    "adagrad": Optimizer(convention="pytorch-adagrad"),
    "adadelta": Optimizer(convention="pytorch-adadelta"),
    "adamw8bit": _BNB,
    "pagedadamw8bit": _BNB,
    "pagedadamw32bit": _BNB,
}
_MOST_FALLS = 1000


def _weight_decay(settings: Settings) -> Sourced:
    """Return the decay that no option sets: bitsandbytes' classes are given 0.01 by OpenNMT-py."""
    if settings.entries(_EOLE):
        return by_default("weight_decay", "0", "Eole ce7139c eole/config/training.py")
    value = "0.01" if settings.word("optimizer").endswith("bit") else "0"
    return by_default("weight_decay", value, "OpenNMT-py 97111d97 onmt/utils/optimizers.py")


def _lr(settings: Settings) -> Sourced | None:
    """Return noam's peak, of which learning_rate is a factor."""
    if settings.word("scheduler") not in {"noam", "noamwd"}:
        return None
    factor, warmup = settings.number("factor"), settings.number("warmup_steps")
    width, formula = settings.number("width"), "learning_rate / sqrt(hidden_size · warmup_steps)"
    if factor is None or not width or not warmup or width < 0:
        note = f"noam's lr is {formula}: not all of it is known"
        return left_open("lr", note, where="decay_method")
    return derived("lr", f"{finite(factor, 'lr') / sqrt(width * warmup):.12g}", formula)


def _by_stages(settings: Settings) -> Sourced | None:
    """Return that an accumulation that changes over the run has no one number."""
    for path in (f"{_EOLE}.accum_count", "accum_count"):
        if len(settings.texts(path)) > 1:
            return left_open("grad_accum", f"{path} changes over the run", where=path)
    return None


def _schedule(settings: Settings) -> str | None:
    """Return the schedule, whose first step is 1; without a method lr falls step by step."""
    name, warmup = settings.word("scheduler"), steps_of(settings, "warmup_steps")
    if name == "noam":
        return compose("inverse-sqrt", warmup=warmup, ramp="one")
    if name == "cosine":
        return compose("cosine", warmup=warmup, ramp="one", counts="one")
    start, every = steps_of(settings, "start_decay_steps"), steps_of(settings, "decay_steps")
    total = steps_of(settings, "steps")
    if name != "none" or start is None or every is None or total is None:
        return None
    at = tuple(Fraction(step) for step in range(start - 1, total, every)[:_MOST_FALLS])
    return compose("step", at=at, gamma=settings.number("decay_rate")) if at else "constant"


def _unit(settings: Settings) -> str:
    return "tokens" if settings.word("batch_type") == "tokens" else "sentences"


def _own(name: str, key: str, default: str | None = None) -> Field:
    return Field(name=name, paths=(f"{_EOLE}.{key}", key), default=default)


TRAINER = Trainer(
    kind="opennmt",
    title="OpenNMT-py and Eole",
    version="OpenNMT-py 97111d97 onmt/opts.py",
    signatures=tuple(
        Signature(
            any_of=tuple(f"{place}{name}" for name in (
                "decay_method", "accum_count", "gpu_ranks", "save_checkpoint_steps", "valid_steps",
                "batch_type", "train_steps", "start_decay_steps", "bucket_size")),
            at_least=4,
        )
        for place in ("", f"{_EOLE}.")
    ),
    fields=(
        _own("optimizer", "optim", "sgd"),
        Field(name="weight_decay", paths=(f"{_EOLE}.weight_decay",), derive=_weight_decay),
        _own("factor", "learning_rate", "1.0"),
        Field(name="lr", overrule=_lr, paths=(f"{_EOLE}.learning_rate", "learning_rate"),
              default="1.0"),
        _own("beta1", "adam_beta1", "0.9"),
        _own("beta2", "adam_beta2", "0.999"),
        _own("eps", "adam_eps", "1e-8"),
        *Field.fixed(momentum="0", source="torch 2.13"),
        _own("batch_size", "batch_size", "64"),
        _own("batch_type", "batch_type", "sents"),
        Field(name="grad_accum", paths=(f"{_EOLE}.accum_count", "accum_count"), default="1",
              overrule=_by_stages),
        _own("world_size", "world_size", "1"),
        _own("steps", "train_steps", "100000"),
        _own("scheduler", "decay_method", "none"),
        _own("warmup_steps", "warmup_steps", "4000"),
        Field(name="width", paths=("model.hidden_size", "hidden_size", "rnn_size")),
        _own("start_decay_steps", "start_decay_steps", "50000"),
        _own("decay_steps", "decay_steps", "10000"),
        _own("decay_rate", "learning_rate_decay", "0.5"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    unit=_unit,
    harmless=("data*", "model*", "training*", "src_*", "tgt_*", "transforms*", "max_grad_norm",
              "valid_*", "save_*", "keep_checkpoint", "*_vocab*", "label_smoothing", "dropout*",
              "bucket_size", "report_every", "normalization", "max_generator_batches"),
)  # fmt: skip
