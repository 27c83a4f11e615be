"""OLMo's YAML configurations.

Source: OLMo 59a53e3f olmo/config.py, olmo/optim.py.
"""

import re
from fractions import Fraction
from math import ceil

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.optimizers import ADAMW, by_name
from decaycalc.training.reading.schedules import compose, epochs, ratio
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_DURATION = re.compile(r"([\d_.eE+]+?)(ep|T)?")
_OPTIMIZERS = {
    "adamw": ADAMW,
    "lionw": Optimizer(convention="lion-pytorch", uses=("beta1", "beta2")),
}


def _duration(settings: Settings) -> tuple[Fraction | None, str]:
    """Return the run's length and its unit: "" for steps, "ep" for epochs, "T" for tokens."""
    found = _DURATION.fullmatch((settings.text("max_duration") or "").strip())
    return (None, "") if found is None else (typed_number(found[1]), found[2] or "")


def _whole(settings: Settings) -> Fraction | None:
    """Return the steps of max_duration, None where it counts epochs.

    Source: OLMo 59a53e3f olmo/train.py, max_steps.
    """
    length, unit = _duration(settings)
    if length is None or unit != "T":
        return None if unit == "ep" else length
    batch, tokens = settings.number("batch_size"), settings.number("sequence_length")
    return None if not batch or not tokens else Fraction(ceil(length / (batch * tokens)))


def _steps(settings: Settings) -> Sourced | None:
    """Return the run's steps, which stop_at or stop_after may end before the schedule's end."""
    whole = _whole(settings)
    for name in ("stop_at", "stop_after"):
        stop = settings.number(name)
        if stop and (whole is None or stop < whole):
            return derived("steps", decimal_text(stop), name)
    if whole is None:
        return None
    formula = "max_duration / (global_train_batch_size · max_sequence_length)"
    in_tokens = _duration(settings)[1] == "T"
    return derived("steps", decimal_text(whole), formula if in_tokens else "max_duration")


def _end(settings: Settings) -> str | None:
    """Return where the schedule ends, None for the run's own end."""
    whole, steps = _whole(settings), settings.number("steps")
    length, unit = _duration(settings)
    if unit == "ep" and length is not None:
        return None if steps is None else epochs(length)
    return None if whole is None or whole == steps else str(int(whole))


def _epochs(settings: Settings) -> Sourced | None:
    length, unit = _duration(settings)
    if length is None or unit != "ep":
        return None
    return derived("epochs", decimal_text(length), "max_duration")


def _length(settings: Settings, name: str) -> str | None:
    """Return a length in steps; one counted in tokens is divided by B."""
    number = settings.number(name)
    if not number:
        return None
    if settings.word("units") == "tokens":
        batch, tokens = settings.number("batch_size"), settings.number("sequence_length")
        if not batch or not tokens:
            return None
        number /= batch * tokens
    return str(int(number))


def _start(settings: Settings) -> Fraction:
    """Return what the warm-up begins at: a tenth of lr where warmup_min_lr is not set."""
    own = ratio(settings, "warmup_min_lr", "lr") if settings.text("warmup_min_lr") else None
    return Fraction(1, 10) if own is None else own


def _schedule(settings: Settings) -> str | None:
    name = settings.word("scheduler")
    warmup = _length(settings, "warmup_steps")
    start = _start(settings) if warmup else None
    warm = {"warmup": warmup, "start": start or None}
    if name in {"cosine_with_warmup", "linear_with_warmup"}:
        kind, final = name.partition("_")[0], settings.number("final") or None
        length = _length(settings, "t_max") or _end(settings)
        return compose(kind, **warm, length=length, final=final)
    if name == "inverse_sqrt_with_warmup" and warmup:
        return compose("inverse-sqrt", **warm)
    if name == "constant":
        return "constant"
    return compose("constant", **warm) if name == "constant_with_warmup" else None


def _exempt(settings: Settings) -> Exemption:
    parts = [] if settings.flag("decay_norm_and_bias") else ["norms", "biases"]
    parts += [] if settings.flag("decay_embeddings") else ["embeddings"]
    return of_kinds(*parts, switch="optimizer.decay_norm_and_bias, optimizer.decay_embeddings")


TRAINER = Trainer(
    kind="olmo",
    title="OLMo",
    version="OLMo 59a53e3f",
    signatures=(
        Signature(all_of=("max_duration", "optimizer.learning_rate", "scheduler.t_warmup")),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.name",), default="lionw"),
        Field(name="weight_decay", paths=("optimizer.weight_decay",), default="0.01"),
        Field(name="lr", paths=("optimizer.learning_rate",), default="1e-4"),
        *betas("optimizer.betas", "0.9", "0.95"),
        Field(name="eps", paths=("optimizer.eps",), default="1e-5"),
        Field(name="batch_size", paths=("global_train_batch_size",), default="512"),
        Field(name="sequence_length", paths=("model.max_sequence_length",), default="1024"),
        *Field.within("", max_duration=None, stop_at=None, stop_after=None),
        Field(name="steps", derive=_steps),
        Field(name="epochs", derive=_epochs),
        Field(name="scheduler", paths=("scheduler.name",), default="cosine_with_warmup"),
        Field(name="units", paths=("scheduler.units",), default="steps"),
        Field(name="warmup_steps", paths=("scheduler.t_warmup",), default="100"),
        Field(name="t_max", paths=("scheduler.t_max",)),
        Field(name="final", paths=("scheduler.alpha_f",), default="0.1"),
        Field(name="warmup_min_lr", paths=("scheduler.warmup_min_lr",)),
        *Field.within("optimizer", decay_norm_and_bias="false", decay_embeddings="false"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),
    unit=lambda _: "sequences",
    harmless=("device_train_microbatch_size", "device_eval_batch_size", "max_grad_norm*",
              "eval*", "save*", "optimizer.metrics_log_interval", "optimizer.decay_*",
              "scheduler.grad_clip*", "model*", "data*", "wandb*", "fsdp*"),
)  # fmt: skip
