"""AReaL's YAML, of reinforcement learning and of training by examples.

Source: AReaL 4aef98d8d areal/api/cli_args.py, areal/engine/{fsdp,megatron}_engine.py,
areal/trainer/rl_trainer.py, areal/trainer/ppo/actor.py.
"""

import re
from fractions import Fraction

from decaycalc.training.reading.exemptions import NO_1D, NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAM, ADAMW, unknown_optimizer
from decaycalc.training.reading.schedules import compose, percent
from decaycalc.training.reading.settings import Settings, derived, left_open, unit_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_OPTIMIZER = "actor.optimizer"
_ENGINES = {
    "fsdp": {
        "adam": ADAMW,
        "adam_bf16": ADAMW,
        "sgd": Optimizer(convention="pytorch-sgd", uses=("momentum",)),
    },
    "archon": {"adam": ADAMW},
    "megatron": {
        "adam": Optimizer(convention="megatron-adam", uses=ADAM),
        "adam_bf16": Optimizer(convention="megatron-adam", uses=ADAM),
    },
}
# Stages of a pipeline and groups of experts, which the older form gives to Megatron unsaid.
_OF_MEGATRON = re.compile(r"[pe]([2-9]|\d\d)")
_RL = ("gconfig", "rollout")


def _engine(settings: Settings) -> str:
    """Return whose optimizer trains the actor; empty where only the run would tell."""
    text = settings.text("backend") or ""
    named = [name for name in _ENGINES if name in text]
    if named:
        return named[0]
    return "" if not text or _OF_MEGATRON.search(text) else "fsdp"


def _optimizer(settings: Settings) -> Optimizer:
    engine, name = _engine(settings), settings.word("optimizer")
    if not engine:
        return unknown_optimizer("", setting="the engine of actor")
    return _ENGINES[engine].get(name) or unknown_optimizer(f"{engine}'s {name}")


def _parts(settings: Settings) -> int | None:
    """Return the optimizer's steps of one training step."""
    is_rl = any(settings.entries(name) for name in _RL)
    return settings.count("ppo_n_minibatches") if is_rl else 1


def _batch_size(settings: Settings) -> Sourced | None:
    """Return the prompts, or examples, of one step of the optimizer."""
    whole, parts = settings.count("whole_batch"), _parts(settings)
    if whole is None or parts is None:
        return None
    if whole % parts:
        note = f"train_dataset.batch_size {whole} is no multiple of ppo_n_minibatches {parts}"
        return left_open("batch_size", note, where="train_dataset.batch_size")
    formula = "train_dataset.batch_size / ppo_n_minibatches"
    return derived("batch_size", str(whole // parts), formula if parts > 1 else formula[:24])


def _steps(settings: Settings) -> Sourced | None:
    total, parts = settings.number("total_train_steps"), _parts(settings)
    if total is None or parts is None:
        return None
    formula = "total_train_steps · ppo_n_minibatches" if parts > 1 else "total_train_steps"
    return derived("steps", decimal_text(total * parts), formula)


def _schedule(settings: Settings) -> str | None:
    """Return the schedule, which runs over all epochs and moves once in a training step."""
    name, share = settings.word("scheduler"), settings.number("warmup_steps_proportion")
    if name not in {"constant", "linear", "cosine"} or settings.number("total_train_steps"):
        return None
    warmup = percent(share) if share else None
    parts = _parts(settings) or 1
    per = parts if parts > 1 and (warmup or name != "constant") else None
    takes_least = name == "cosine" or (name == "linear" and _engine(settings) == "megatron")
    final = settings.number("min_lr_ratio") if takes_least else Fraction(0)
    return compose(name, warmup=warmup, final=final or None, per=per)


def _exempt(settings: Settings) -> Exemption:
    return NO_1D if _engine(settings) == "megatron" else NONE_EXEMPT


def _unit(settings: Settings) -> str:
    if not any(settings.entries(name) for name in _RL):
        return "examples"
    return unit_of("prompts", settings.text("n_samples"), "completions")


TRAINER = Trainer(
    kind="areal",
    title="AReaL",
    version="AReaL 4aef98d8d",
    signatures=(
        Signature(
            all_of=(f"{_OPTIMIZER}.lr",),
            any_of=("total_train_epochs", "trial_name", "train_dataset.batch_size",
                    f"{_OPTIMIZER}.warmup_steps_proportion", f"{_OPTIMIZER}.lr_scheduler_type",
                    "actor.backend", "allocation_mode"),
            at_least=3,
        ),
    ),
    fields=(
        Field(name="backend", paths=("actor.backend", "allocation_mode"), default="fsdp"),
        Field(name="optimizer", paths=(f"{_OPTIMIZER}.type",), default="adam"),
        *Field.within(_OPTIMIZER, weight_decay="0.01", lr="1e-3", beta1="0.9", beta2="0.999",
                      eps="1e-8"),
        *Field.fixed(momentum="0", source="torch 2.13"),
        Field(name="whole_batch", paths=("train_dataset.batch_size",)),
        *Field.within("actor", ppo_n_minibatches="4"),
        Field(name="batch_size", derive=_batch_size),
        *Field.within("gconfig", n_samples="1"),
        *Field.within("", total_train_steps=None),
        Field(name="steps", derive=_steps),
        Field(name="epochs", paths=("total_train_epochs",), default="1"),
        Field(name="scheduler", paths=(f"{_OPTIMIZER}.lr_scheduler_type",), default="constant"),
        *Field.within(_OPTIMIZER, warmup_steps_proportion="0.001", min_lr_ratio="0"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),  # train_dataset.batch_size is of all devices
    unit=_unit,
    harmless=("actor*", "critic*", "ref*", "teacher*", "gconfig*", "rollout*", "train_dataset*",
              "valid_dataset*", "sglang*", "vllm*", "saver*", "recover*", "evaluator*",
              "stats_logger*", "perf_tracer*", "cluster*", "launcher*", "eval_gconfig*",
              "scheduler*"),
)  # fmt: skip
