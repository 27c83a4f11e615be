"""OLMo-core's config.json, which it saves beside its checkpoints, and the scripts that make it.

Source: OLMo-core fa6c5014c src/olmo_core/optim/{adamw,lion,config,scheduler}.py, train/trainer.py.
"""

from fractions import Fraction
from math import ceil

from decaycalc.training.reading.arguments import element
from decaycalc.training.reading.numbers import decimal_text, from_zero
from decaycalc.training.reading.optimizers import ADAM, ADAMW, unknown_optimizer
from decaycalc.training.reading.schedules import compose, of_lr, percent, ratio
from decaycalc.training.reading.settings import Settings, by_default, derived, texts_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced, Training
from decaycalc.training.trainers.syntax.tree import Entries, Items, Scalar

_OPTIM, _SCHEDULER = "train_module.optim", "train_module.scheduler"
_LION = Optimizer(convention="lion-pytorch", uses=("beta1", "beta2"))
_OPTIMIZERS = {
    "AdamWConfig": ADAMW,
    "SkipStepAdamWConfig": ADAMW,
    "AdamConfig": Optimizer(convention="pytorch-adam", uses=ADAM),
    "LionConfig": _LION,
    "SkipStepLionConfig": _LION,
}
# The defaults of most classes, of Lion's and of Adam's.
_BY_CLASS = {"weight_decay": ("0.01", "0", "0"), "lr": ("0.001", "0.0001", "0.001")}


def _kind(settings: Settings, name: str) -> str:
    return (settings.text(name) or "").rpartition(".")[2]


def _optimizer(settings: Settings) -> Optimizer:
    name = _kind(settings, "optimizer")
    return _OPTIMIZERS.get(name) or unknown_optimizer(name)


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return the default of the optimizer's configuration class."""
    if field.name not in _BY_CLASS:
        return None
    own, (usual, lion, adam) = _kind(settings, "optimizer"), _BY_CLASS[field.name]
    value = lion if "Lion" in own else adam if own == "AdamConfig" else usual
    return by_default(field.name, value, f"OLMo-core fa6c5014c {own or 'OptimConfig'}")


def _steps(settings: Settings) -> Sourced | None:
    """Return the run's steps: as they are, or its tokens over those of a step, rounded up."""
    value, unit = settings.number("max_duration"), settings.word("duration_unit")
    if value is None or unit == "epochs":
        return None
    if unit != "tokens":
        return derived("steps", decimal_text(value), "trainer.max_duration")
    batch = settings.number("batch_size")
    if not batch:
        return None
    return derived("steps", str(ceil(value / batch)), "trainer.max_duration / global_batch_size")


def _epochs(settings: Settings) -> Sourced | None:
    value = settings.number("max_duration")
    if value is None or settings.word("duration_unit") != "epochs":
        return None
    return derived("epochs", decimal_text(value), "trainer.max_duration")


def _length(settings: Settings, *names: str) -> str | None:
    """Return a length in steps, tokens over those of a step; or a share of the run."""
    count = next((n for name in names[:-1] if (n := settings.number(name))), None)
    if count is None:
        share = settings.number(names[-1])
        return percent(share) if share else None
    if settings.word("units") == "tokens":
        count /= settings.number("batch_size") or Fraction(1)
    return str(int(count)) if count else None


def _schedule(settings: Settings) -> str | None:
    """Source: OLMo-core fa6c5014c optim/scheduler.py, get_lr, of steps counted from 1."""
    name = _kind(settings, "scheduler")
    if name in {"", "ConstantScheduler"}:
        return "constant"
    if settings.word("units") == "tokens" and not settings.number("batch_size"):
        return None
    warmup = _length(settings, "warmup", "warmup_steps", "warmup_fraction")
    start = ratio(settings, "warmup_min_lr", "lr") if warmup else None
    warm = {"warmup": warmup, "ramp": "one" if warmup else None, "start": start or None}
    if name == "ConstantWithWarmup":
        return compose("constant", **warm)
    if name in {"CosWithWarmup", "LinearWithWarmup"}:
        kind = "cosine" if name.startswith("Cos") else "linear"
        length = _length(settings, "t_max", "no_share")
        return compose(kind, **warm, length=length, final=settings.number("alpha_f") or None)
    if name != "WSD":
        return None
    decay = _length(settings, "decay", "decay_steps", "decay_fraction")
    final = of_lr(settings, "decay_min_lr")
    return compose("wsd", **warm, decay=decay, shape="linear", final=final)


def _overrides(settings: Settings) -> tuple[Group, ...]:
    """Return the groups of parameters by their patterns; the first that fits a name has it."""
    node = settings.node(f"{_OPTIM}.group_overrides")
    groups = []
    for part in node.items if isinstance(node, Items) else ():
        own = part.entries if isinstance(part, Entries) else {}
        names = ", ".join(texts_of(own.get("params")))[:200]
        opts = own.get("opts")
        said = opts.entries if isinstance(opts, Entries) else {}
        lr, decay = (
            from_zero(node.text or "") if isinstance(node := said.get(key), Scalar) else None
            for key in ("lr", "weight_decay")
        )
        groups.append(Group(name=names, selector=f"names like {names}", lr=lr, weight_decay=decay))
    return tuple(groups)


def _exempt(settings: Settings) -> Exemption:
    spared = [each.name for each in _overrides(settings) if each.weight_decay == "0"]
    rule = f"names like {', '.join(spared)}" if spared else "nothing"
    is_usual = spared == ["embeddings.weight"]
    mask = "olmo" if is_usual else None if spared else "all"
    return Exemption(rule=rule, switch="group_overrides", mask=mask)


def _finish(settings: Settings, made: Training) -> Training:
    others = (each for each in _overrides(settings) if each.weight_decay != "0")
    note = (
        "trainer.hard_stop ends the run before its schedule"
        if settings.has("trainer.hard_stop")
        else ""
    )
    return made.with_groups(*others).with_notes(note)


TRAINER = Trainer(
    kind="olmo-core",
    title="OLMo-core",
    version="OLMo-core fa6c5014c",
    signatures=(
        Signature(
            all_of=("train_module", "data_loader"),
            any_of=(_OPTIM, _SCHEDULER, "data_loader.global_batch_size", "trainer.max_duration",
                    "train_module.rank_microbatch_size"),
            at_least=2,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=(f"{_OPTIM}._CLASS_",)),
        *Field.within(_OPTIM, weight_decay=None, lr=None),
        element("beta1", f"{_OPTIM}.betas", 0, default="0.9"),
        element("beta2", f"{_OPTIM}.betas", 1),
        Field(name="eps", paths=(f"{_OPTIM}.eps",), default="1e-8"),
        Field(name="batch_size", paths=("data_loader.global_batch_size",)),
        Field(name="max_duration", paths=("trainer.max_duration.value",)),
        Field(name="duration_unit", paths=("trainer.max_duration.unit",), default="steps"),
        Field(name="steps", derive=_steps),
        Field(name="epochs", derive=_epochs),
        Field(name="scheduler", paths=(f"{_SCHEDULER}._CLASS_",)),
        Field(name="units", paths=(f"{_SCHEDULER}.units",), default="steps"),
        *(
            Field(name=name, paths=(f"{_SCHEDULER}.{name}",), default=default)
            for name, default in (
                ("warmup", None), ("warmup_steps", None), ("warmup_fraction", None),
                ("warmup_min_lr", "0"), ("alpha_f", "0.1"), ("t_max", None), ("decay", None),
                ("decay_steps", None), ("decay_fraction", "0.1"), ("decay_min_lr", "0"),
            )
        ),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    default=_default,
    # data_loader.global_batch_size counts the tokens of all devices.
    batch=lambda _: ("batch_size",),
    unit=lambda _: "tokens",
    harmless=("model*", "dataset*", "trainer*", "launch*", "data_loader*", "train_module*"),
    finish=_finish,
)  # fmt: skip
