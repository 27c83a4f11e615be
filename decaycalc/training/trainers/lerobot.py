"""LeRobot's train_config.json and the flags of lerobot-train; a policy has a preset of its own.

Source: lerobot 7427f3180 src/lerobot/optim/{optimizers,schedulers}.py, configs/train.py,
policies/*/{configuration,modeling}_*.py.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.classes import find_class
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import refused, unknown_optimizer
from decaycalc.training.reading.schedules import compose, of_lr, steps_of
from decaycalc.training.reading.settings import Settings, by_default, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced, Training
from decaycalc.training.trainers.syntax.sniffing import Syntax

_VERSION = "lerobot 7427f3180"
_PI = {"optimizer": "adamw", "lr": "2.5e-5", "weight_decay": "0.01", "beta1": "0.9",
       "beta2": "0.95", "scheduler": "cosine_decay_with_warmup", "warmup_steps": "1000",
       "decay_steps": "30000", "decay_lr": "2.5e-6"}  # fmt: skip
_DIFFUSION = {"optimizer": "adam", "lr": "1e-4", "weight_decay": "1e-6", "beta1": "0.95",
              "beta2": "0.999", "scheduler": "diffuser", "warmup_steps": "500"}  # fmt: skip
# What holds where use_policy_training_preset is not turned off.
_PRESETS = {
    "act": {"optimizer": "adamw", "lr": "1e-5", "weight_decay": "1e-4", "scheduler": "none"},
    "diffusion": _DIFFUSION,
    "vqbet": {**_DIFFUSION, "scheduler": "vqbet"},
    "tdmpc": {"optimizer": "adam", "lr": "3e-4", "weight_decay": "0", "scheduler": "none"},
    "pi0": _PI,
    "pi05": _PI,
    "pi0_fast": _PI,
    "wall_x": {**_PI, "lr": "2e-5", "decay_steps": "100000", "decay_lr": "1e-6"},
    "vla_jepa": {**_PI, "lr": "1e-4", "weight_decay": "1e-10"},
    "eo1": {
        **_PI,
        "lr": "1e-4",
        "weight_decay": "0.1",
        "beta2": "0.999",
        "warmup_steps": "900",
        "decay_lr": "0",
    },
    "smolvla": {**_PI, "lr": "1e-4", "weight_decay": "1e-10"},
}
# The optimizers' and a scheduler's own defaults, where a file names one and no number.
_OPTIMIZERS = {
    "adam": {"lr": "1e-3", "weight_decay": "0"},
    "adamw": {"lr": "1e-3", "weight_decay": "1e-2"},
    "sgd": {"lr": "1e-3", "weight_decay": "0"},
}
_SCHEDULERS = {"constant_with_warmup": {"warmup_steps": "1000"}}
_OF_SCHEDULERS = ("warmup_steps", "decay_steps", "decay_lr")


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return what the policy's preset has for a field, else what the class that is named has."""
    section = "scheduler" if field.name in _OF_SCHEDULERS else "optimizer"
    kind, table = settings.told(f"{section}.type"), _OPTIMIZERS
    if not kind:
        kind, table = _policy(settings), _PRESETS
    elif section == "scheduler":
        table = _SCHEDULERS
    own = table.get(kind, {}).get(field.name)
    return None if own is None else by_default(field.name, own, f"{_VERSION} {kind}")


def _is_overruled(settings: Settings) -> bool:
    """Return whether a command sets an optimizer that the policy's preset takes the place of.

    In a train_config.json the two are the same: it is written after the preset was put in.
    Source: lerobot 7427f3180 src/lerobot/configs/train.py, validate.
    """
    if settings.document.syntax is not Syntax.SHELL:
        return False
    own = (path for field in TRAINER.fields for path in (*field.paths, *field.covers))
    sets = (settings.has(path) for path in own if path.startswith(("optimizer.", "scheduler.")))
    return any(sets) and settings.flag("preset")


def _optimizer(settings: Settings) -> Optimizer:
    if _is_overruled(settings):
        reason = "the policy's preset takes the place of --optimizer.* and --scheduler.*"
        way = "give --use_policy_training_preset=false, or --policy.optimizer_lr and the like"
        return refused(f"{reason}: {way}")
    name = settings.word("optimizer")
    found = find_class(name) if name in _OPTIMIZERS else None
    return unknown_optimizer(name) if found is None else found.optimizer()


def _schedule(settings: Settings) -> str | None:
    """Source: lerobot 7427f3180 src/lerobot/optim/schedulers.py."""
    kind, warmup = settings.word("scheduler"), steps_of(settings, "warmup_steps")
    if kind == "none":
        return "constant"
    if kind == "diffuser" and settings.word("scheduler_name") in {"cosine", "linear"}:
        return compose(settings.word("scheduler_name"), warmup=warmup)
    if kind == "constant_with_warmup":
        return compose("constant", warmup=warmup)
    if kind == "cosine_annealing_with_warmup":
        return compose("cosine", warmup=warmup)
    return _decay(settings) if kind == "cosine_decay_with_warmup" else None


def _decay(settings: Settings) -> str | None:
    """Return the cosine over decay_steps, counted from the start; a shorter run shrinks both."""
    count, length = settings.number("warmup_steps"), settings.number("decay_steps")
    steps = settings.number("steps")
    if count is None or not length or steps is None:
        return None
    is_short = steps < length
    warmup = int(count * steps / length) if is_short else int(count)
    return compose(
        "cosine",
        warmup=warmup or None,
        ramp="inner" if warmup else None,
        length=None if steps <= length else int(length),
        final=of_lr(settings, "decay_lr"),
        over="run" if warmup else None,
    )


def _no_schedule(settings: Settings) -> Sourced | None:
    """Return that a file with an optimizer and no scheduler has a constant lr."""
    is_set = settings.has("optimizer.type")
    return derived("scheduler", "none", "scheduler: null") if is_set else None


def _policy(settings: Settings) -> str:
    return settings.told("policy.type")


def _exempt(settings: Settings) -> Exemption:
    """Source: lerobot 7427f3180 src/lerobot/policies/vqbet/vqbet_utils.py, configure_parameters."""
    if _policy(settings) == "vqbet":
        return Exemption(rule="biases, LayerNorm and Embedding weights of the transformer")
    return NONE_EXEMPT


def _finish(settings: Settings, made: Training) -> Training:
    """Give ACT's backbone and VQ-BeT's quantizer what they have of their own."""

    def own(key: str, default: str) -> str:
        return settings.told(f"policy.optimizer_{key}") or default

    groups = {
        "act": Group(name="backbone", selector="names that begin with model.backbone",
                     lr=own("lr_backbone", "1e-5")),
        "vqbet": Group(name="vqvae", selector="names with action_head.vqvae_model",
                       lr=own("vqvae_lr", "1e-3"),
                       weight_decay=own("vqvae_weight_decay", "1e-4")),
    }  # fmt: skip
    group = groups.get(_policy(settings))
    return made if group is None else made.with_groups(group)


TRAINER = Trainer(
    kind="lerobot",
    title="LeRobot",
    version=_VERSION,
    signatures=(
        Signature(all_of=("policy.type", "dataset.repo_id")),
        Signature(all_of=("policy.path", "dataset.repo_id")),
        Signature(all_of=("use_policy_training_preset",)),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.type",)),
        Field(name="weight_decay",
              paths=("optimizer.weight_decay", "policy.optimizer_weight_decay")),
        Field(name="lr", paths=("optimizer.lr", "policy.optimizer_lr")),
        *betas("optimizer.betas", "0.9", "0.999"),
        *Field.within("optimizer", eps="1e-8", momentum="0", dampening="0", nesterov="false"),
        Field(name="preset", paths=("use_policy_training_preset",), default="true"),
        Field(name="batch_size", paths=("batch_size",), default="8"),
        Field(name="world_size", default="1"),
        Field(name="steps", paths=("steps",), default="100000"),
        Field(name="scheduler", paths=("scheduler.type",), derive=_no_schedule),
        Field(name="scheduler_name", paths=("scheduler.name", "policy.scheduler_name"),
              default="cosine"),
        Field(name="warmup_steps",
              paths=("scheduler.num_warmup_steps", "policy.scheduler_warmup_steps")),
        Field(name="decay_steps",
              paths=("scheduler.num_decay_steps", "policy.scheduler_decay_steps")),
        Field(name="decay_lr", paths=("scheduler.decay_lr", "policy.scheduler_decay_lr")),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    default=_default,
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("policy*", "dataset*", "env*", "eval*", "wandb*", "scheduler*",
              "optimizer.grad_clip_norm", "log_freq", "save_freq", "peft*"),
    finish=_finish,
)  # fmt: skip
