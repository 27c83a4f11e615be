"""LeRobot's train_config.json and the flags of lerobot-train; a policy has a preset of its own.

Source: lerobot 7427f3180 src/lerobot/optim/{optimizers,schedulers}.py, configs/train.py,
policies/*/configuration_*.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.arguments import element
from decaycalc.training.reading.classes import find_class
from decaycalc.training.reading.schedules import compose, ratio
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Derive, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Origin, Sourced, Training

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
    "smolvla": {**_PI, "lr": "1e-4", "weight_decay": "1e-10"},
}
# The optimizer's own defaults, where a file names one and no number.
_DECAYS = {"adam": "0", "adamw": "1e-2", "sgd": "0"}


def _preset(name: str) -> Derive:
    """Return what derives a quantity from the policy's preset, else the optimizer's default."""

    def derive(settings: Settings) -> Sourced | None:
        policy = "".join(settings.texts("policy.type"))
        own = _PRESETS.get(policy, {}).get(name)
        if settings.has("optimizer.type") and name == "weight_decay":
            own, policy = _DECAYS.get("".join(settings.texts("optimizer.type"))), "optimizers.py"
        if own is None:
            return None
        where = f"{_VERSION} {policy}"
        return Sourced(name=name, value=own, origin=Origin.DEFAULT, where=where)

    return derive


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    found = find_class(name) if name in _DECAYS else None
    if found is None:
        return Optimizer(convention=None, refusal=f"optimizer {name[:60]!r} has no convention here")
    return found.optimizer()


def _schedule(settings: Settings) -> str | None:
    """Source: lerobot 7427f3180 src/lerobot/optim/schedulers.py."""
    kind, count = settings.word("scheduler"), settings.number("warmup_steps")
    warmup = int(count) if count else None
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
        final=ratio(settings, "decay_lr", "lr") or None,
        over="run" if warmup else None,
    )


def _no_schedule(settings: Settings) -> Sourced | None:
    """Return that a file with an optimizer and no scheduler has a constant lr."""
    if not settings.has("optimizer.type"):
        return _preset("scheduler")(settings)
    return derived("scheduler", "none", "scheduler: null")


def _finish(settings: Settings, made: Training) -> Training:
    """Give ACT's backbone the lr that it has of its own."""
    if "".join(settings.texts("policy.type")) != "act":
        return made
    lr = "".join(settings.texts("policy.optimizer_lr_backbone")) or "1e-5"
    own = Group(name="backbone", selector="names that begin with model.backbone", lr=lr)
    return replace(made, groups=(*made.groups, own))


def _field(name: str, *paths: str) -> Field:
    """Return a field that the policy's preset has where the file is silent."""
    return Field(name=name, paths=paths, derive=_preset(name))


def _beta(name: str, at: int, *, default: str) -> Field:
    """Return the field of one beta, from the file, the preset or the optimizer's default."""
    own = element(name, "optimizer.betas", at)

    def derive(settings: Settings) -> Sourced | None:
        found = own.derive(settings) if own.derive is not None else None
        return _preset(name)(settings) if found is None else found

    return Field(name=name, covers=own.covers, default=default, derive=derive)


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
        _field("optimizer", "optimizer.type"),
        _field("weight_decay", "optimizer.weight_decay", "policy.optimizer_weight_decay"),
        _field("lr", "optimizer.lr", "policy.optimizer_lr"),
        _beta("beta1", 0, default="0.9"),
        _beta("beta2", 1, default="0.999"),
        Field(name="eps", paths=("optimizer.eps",), default="1e-8"),
        Field(name="momentum", paths=("optimizer.momentum",), default="0"),
        Field(name="dampening", paths=("optimizer.dampening",), default="0"),
        Field(name="nesterov", paths=("optimizer.nesterov",), default="false"),
        Field(name="batch_size", paths=("batch_size",), default="8"),
        Field(name="world_size", default="1"),
        Field(name="steps", paths=("steps",), default="100000"),
        Field(name="scheduler", paths=("scheduler.type",), derive=_no_schedule),
        Field(name="scheduler_name", paths=("scheduler.name", "policy.scheduler_name"),
              default="cosine"),
        _field("warmup_steps", "scheduler.num_warmup_steps", "policy.scheduler_warmup_steps"),
        _field("decay_steps", "scheduler.num_decay_steps", "policy.scheduler_decay_steps"),
        _field("decay_lr", "scheduler.decay_lr", "policy.scheduler_decay_lr"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: Exemption(rule="nothing"),
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("policy*", "dataset*", "env*", "eval*", "wandb*", "scheduler*",
              "optimizer.grad_clip_norm", "log_freq", "save_freq", "peft*"),
    finish=_finish,
)  # fmt: skip
