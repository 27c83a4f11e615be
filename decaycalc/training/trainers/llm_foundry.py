"""llm-foundry's and Composer's YAML configurations.

Source: llm-foundry 8c8dd48f llmfoundry/optim, utils/builders.py; composer 64051888.
"""

import re
from fractions import Fraction
from math import ceil

from decaycalc.record import replace
from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.optimizers import ADAM, unknown_optimizer
from decaycalc.training.reading.schedules import compose, epochs, percent
from decaycalc.training.reading.settings import Settings, by_default, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Scalar, find

_TIME = re.compile(r"([\d_.eE+-]+?)(ba|ep|dur|tok|sp)?")
# The class's own default. Source: composer 64051888 composer/optim/decoupled_weight_decay.py,
# llm-foundry 8c8dd48f llmfoundry/optim/lion.py.
_CLASSES = {
    "decoupled_adamw": ("composer-adamw", "1e-5", ADAM),
    "decoupled_lionw": ("llm-foundry-lion", "0", ("beta1", "beta2")),
    "decoupled_sgdw": ("composer-sgdw", "0", ("momentum", "nesterov")),
}
_OWN = ("max_duration", "optimizer.name", "optimizer.lr")
_SHAPES = {
    "cosine_with_warmup": "cosine",
    "linear_decay_with_warmup": "linear",
    "constant_with_warmup": "constant",
}


def _prepare(document: Document) -> Document:
    """Lift the parameters of a file for mcli, which hands them to the trainer as its own file."""
    inner = find(document.root, "parameters")
    return replace(document, root=inner) if isinstance(inner, Entries) else document


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    if name not in _CLASSES:
        return unknown_optimizer(name)
    key, _, uses = _CLASSES[name]
    lr = settings.text("lr")
    extras = () if lr is None else (("lr_initial", lr),)
    note = "the decay of a step is weight_decay itself, times the schedule: not times lr"
    return Optimizer(convention=key, uses=uses, extras=extras, note=note)


def _class_default(settings: Settings) -> Sourced:
    name = settings.word("optimizer")
    return by_default("weight_decay", _CLASSES[name][1], f"{name}'s class")


def _time(text: str | None) -> tuple[Fraction | None, str]:
    """Return a time and its unit, `100ba`; a bare number counts batches."""
    found = _TIME.fullmatch((text or "").strip())
    return (None, "") if found is None else (typed_number(found[1]), found[2] or "ba")


def _in_steps(settings: Settings, name: str) -> Fraction | None:
    """Return a time in steps, None where it is counted otherwise or not known."""
    number, unit = _time(settings.text(name))
    if number is None or unit in {"ep", "dur"}:
        return None
    if unit == "ba":
        return number
    batch = settings.number("batch_size")
    length = settings.number("sequence_length") if unit == "tok" else Fraction(1)
    return number / (batch * length) if batch and length else None


def _length(settings: Settings, name: str) -> str | None:
    """Return a time as a schedule's length, None for nothing and for the whole run."""
    number, unit = _time(settings.text(name))
    if not number or (unit == "dur" and number == 1):
        return None
    if unit == "ep":
        return epochs(number)
    if unit == "dur":
        return percent(number)
    steps = _in_steps(settings, name)
    return None if steps is None else str(int(steps))


def _is_open(settings: Settings, name: str) -> bool:
    """Return whether a time counts tokens or samples of a batch that is not known."""
    number, unit = _time(settings.text(name))
    return bool(number) and unit in {"tok", "sp"} and _in_steps(settings, name) is None


def _steps(settings: Settings) -> Sourced | None:
    """Return the steps until max_duration is reached: the last one may go beyond it.

    Source: composer 64051888 composer/trainer/trainer.py, _train_loop.
    """
    steps = _in_steps(settings, "max_duration")
    return None if steps is None else derived("steps", str(ceil(steps)), "max_duration")


def _epochs(settings: Settings) -> Sourced | None:
    number, unit = _time(settings.text("max_duration"))
    if number is None or unit != "ep":
        return None
    return derived("epochs", decimal_text(number), "max_duration")


def _schedule(settings: Settings) -> str | None:
    shape = _SHAPES.get(settings.word("scheduler"))
    if shape is None or _is_open(settings, "t_warmup") or _is_open(settings, "t_max"):
        return None
    warmup = _length(settings, "t_warmup")
    if shape == "constant":
        return compose("constant", warmup=warmup)
    final = settings.number("alpha_f") or None
    return compose(shape, warmup=warmup, length=_length(settings, "t_max"), final=final)


def _exempt(settings: Settings) -> Exemption:
    switch = "optimizer.param_groups, optimizer.disable_grad"
    node = settings.node("optimizer.filter_bias_norm_wd")  # ModernBERT's main.py
    if isinstance(node, Scalar) and (node.text or "").lower() == "true":
        return Exemption(rule="biases and norms", switch="optimizer.filter_bias_norm_wd")
    if settings.has("optimizer.param_groups"):
        return Exemption(rule="what optimizer.param_groups says", switch=switch)
    return of_kinds(switch=switch)


TRAINER = Trainer(
    kind="llm-foundry",
    title="llm-foundry",
    version="llm-foundry 8c8dd48f",
    signatures=(
        Signature(all_of=_OWN),
        Signature(all_of=tuple(f"parameters.{name}" for name in _OWN)),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.name",)),
        Field(name="weight_decay", paths=("optimizer.weight_decay",), derive=_class_default),
        Field(name="lr", paths=("optimizer.lr",)),
        *betas("optimizer.betas", "0.9", "0.999"),
        *Field.within("optimizer", eps="1e-8", momentum="0", nesterov="false"),
        Field(name="batch_size", paths=("global_train_batch_size",)),
        Field(name="sequence_length", paths=("max_seq_len", "variables.max_seq_len")),
        Field(name="max_duration", paths=("max_duration",)),
        Field(name="steps", derive=_steps),
        Field(name="epochs", derive=_epochs),
        Field(name="scheduler", paths=("scheduler.name",)),
        *Field.within("scheduler", t_warmup="0ba", t_max="1dur", alpha_f="0"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),
    unit=lambda _: "sequences",
    prepare=_prepare,
    harmless=("device_train_microbatch_size", "device_eval_batch_size", "eval*", "algorithms*",
              "train_loader*", "callbacks*", "loggers*", "fsdp*", "model*", "save*",
              "optimizer.param_groups*", "optimizer.filter_bias_norm_wd", "scheduler.scale_warmup"),
)  # fmt: skip
