"""Scenic's configurations in Python, of optax' optimizers.

Source: scenic 4a38d47 scenic/train_lib/{optimizers,lr_schedules,train_utils}.py.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import NO_1D, NONE_EXEMPT
from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.optimizers import ADAM, refused, unknown_optimizer
from decaycalc.training.reading.schedules import compose, factors, of_lr, steps_of
from decaycalc.training.reading.settings import Settings, by_default, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training

_OPTIMIZER, _LR = "config.optimizer_configs", "config.lr_configs"
_PENALTY = "config.l2_decay_factor"
_SGD = Optimizer(convention="optax-sgd", uses=("momentum", "nesterov"))
_ADAM = Optimizer(convention="optax-adamw", uses=ADAM)
_OPTIMIZERS = {
    "adam": _ADAM,  # with a weight decay it is optax.adamw
    "adamw": _ADAM,
    "sgd": _SGD,
    "momentum": _SGD,
    "nesterov": _SGD,
}
# What a project's own trainer makes groups of.
_OF_PROJECTS = (f"{_OPTIMIZER}.layerwise_decay", "config.layerwise_decay",
                "config.explicit_weight_decay", "config.backbone_training.optimizer")  # fmt: skip


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    if settings.has(_PENALTY) and settings.told(_PENALTY).strip("0.") != "":
        return refused(f"{_PENALTY}: a penalty in the loss, which is not read here")
    if name == "adam" and settings.has(f"{_OPTIMIZER}.optimizer") and settings.has(_DECAY):
        return refused("optax.adam takes no weight_decay: the run does not start")
    return _OPTIMIZERS.get(name) or unknown_optimizer(name)


def _momentum(settings: Settings) -> Sourced | None:
    """Return the momentum that an older name had in flax, and that it has kept."""
    is_older = settings.word("optimizer") == "momentum"
    where = "scenic 4a38d47 train_lib/optimizers.py, get_optax_optimizer_config"
    return by_default("momentum", "0.9", where) if is_older else None


def _nesterov(settings: Settings) -> Sourced | None:
    is_it = settings.word("optimizer") == "nesterov"
    return derived("nesterov", "true", "config.optimizer nesterov") if is_it else None


def _exempt(settings: Settings) -> Exemption:
    return NO_1D if settings.flag("skip_scale_and_bias_regularization") else NONE_EXEMPT


def _schedule(settings: Settings) -> str | None:
    """Return the product of the factors, as far as it is a shape behind a warm-up."""
    if not settings.has(f"{_LR}.learning_rate_schedule"):
        # Beside other keys it is not plain what the project's own trainer does.
        return "constant" if list(settings.entries(_LR)) == ["base_learning_rate"] else None
    names = [name.strip() for name in settings.word("scheduler").split("*")]
    if settings.word("compound") != "compound" or "constant" not in names:
        return None
    warms = "linear_warmup" in names
    shapes = [name for name in names if name not in {"constant", "linear_warmup"}]
    make = _SHAPES.get("".join(shapes))
    warmup = steps_of(settings, "warmup_steps") if warms else None
    return None if make is None else make(settings, warmup)


def _constant(settings: Settings, warmup: int | None) -> str:
    return compose("constant", warmup=warmup, start=_start(settings, warmup))


def _start(settings: Settings, warmup: int | None) -> Fraction | None:
    return (settings.number("warmup_alpha") or None) if warmup else None


def _end(settings: Settings, name: str) -> int | None:
    """Return where a shape ends, None for the run's own end."""
    length = steps_of(settings, name)
    return None if length is None or length == settings.number("steps") else length


def _cosine(settings: Settings, warmup: int | None) -> str | None:
    """Return half a cosine between the warm-up and the cycle's end, if the cycle is the run's."""
    whole, cycle = settings.number("total_steps"), settings.number("steps_per_cycle")
    if cycle is None or (whole or cycle) != cycle or settings.has(f"{_LR}.start_decay_step"):
        return None
    if warmup is None and settings.number("warmup_steps"):
        return None  # the shape waits for a warm-up that the factors do not have
    length, final = _end(settings, "steps_per_cycle"), settings.number("alpha") or None
    return compose(
        "cosine", warmup=warmup, start=_start(settings, warmup), length=length, final=final
    )


def _linear(settings: Settings, warmup: int | None) -> str | None:
    final = of_lr(settings, "end_learning_rate")
    if settings.number("total_steps") is None or (warmup and final):
        return None  # the last lr comes off a product that a warm-up may have lowered
    if warmup is None and settings.number("warmup_steps"):
        return None
    start, length = _start(settings, warmup), _end(settings, "total_steps")
    return compose("linear", warmup=warmup, start=start, length=length, final=final)


def _piecewise(settings: Settings, warmup: int | None) -> str | None:
    """Return the steps: each factor is of the first lr, from the step behind its event on."""
    events, levels = (
        [typed_number(text) for text in settings.texts(f"{_LR}.{name}")]
        for name in ("decay_events", "decay_factors")
    )
    at = tuple(event + 1 for event in events if event is not None)
    known = tuple(level for level in levels if level)
    if not at or not len(at) == len(events) == len(known) == len(levels):
        return None
    falls = factors((Fraction(1), *known))
    return compose("step", at=at, gamma=falls, warmup=warmup, start=_start(settings, warmup))


def _root(settings: Settings, warmup: int | None) -> str | None:
    if warmup is None and settings.number("warmup_steps"):
        return None
    timescale = steps_of(settings, "timescale")
    start = _start(settings, warmup)
    return compose("inverse-sqrt", warmup=warmup, start=start, timescale=timescale)


_SHAPES = {
    "": _constant,
    "cosine_decay": _cosine,
    "linear_decay": _linear,
    "piecewise_constant": _piecewise,
    "rsqrt_decay": _root,
}


def _finish(settings: Settings, made: Training) -> Training:
    own = [path for path in _OF_PROJECTS if settings.has(path)]
    said = f"the project's own trainer makes groups, which are not read: {', '.join(own)}"
    return made.with_notes(said if own else "")


_DECAY = f"{_OPTIMIZER}.weight_decay"

TRAINER = Trainer(
    kind="scenic",
    title="Scenic",
    version="scenic 4a38d47",
    signatures=(
        Signature(
            any_of=(f"{_LR}.base_learning_rate", f"{_LR}.learning_rate_schedule", f"{_LR}.factors",
                    "config.trainer_name", "config.num_training_epochs", "config.dataset_configs"),
            at_least=3,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("config.optimizer_configs.optimizer", "config.optimizer")),
        Field(name="weight_decay", paths=(_DECAY,), default="0"),
        Field(name="lr", paths=(f"{_LR}.base_learning_rate",)),
        Field(name="beta1", paths=(f"{_OPTIMIZER}.beta1", f"{_OPTIMIZER}.b1"), default="0.9"),
        Field(name="beta2", paths=(f"{_OPTIMIZER}.beta2", f"{_OPTIMIZER}.b2"), default="0.999"),
        Field(name="eps", paths=(f"{_OPTIMIZER}.epsilon", f"{_OPTIMIZER}.eps"), default="1e-8"),
        Field(name="momentum", paths=(f"{_OPTIMIZER}.momentum",), derive=_momentum,
              default="0"),
        Field(name="nesterov", paths=(f"{_OPTIMIZER}.nesterov",), derive=_nesterov,
              default="false"),
        Field(name="skip_scale_and_bias_regularization", default="false",
              paths=(f"{_OPTIMIZER}.skip_scale_and_bias_regularization",
                     "config.skip_scale_and_bias_regularization")),
        Field(name="batch_size", paths=("config.batch_size",)),
        Field(name="steps", paths=("config.num_training_steps",)),
        Field(name="epochs", paths=("config.num_training_epochs",)),
        Field(name="scheduler", paths=(f"{_LR}.factors",)),
        Field(name="compound", paths=(f"{_LR}.learning_rate_schedule",)),
        *Field.within(_LR, warmup_steps="0", warmup_alpha="0", steps_per_cycle=None, alpha="0",
                      total_steps=None, end_learning_rate="0", timescale="10000"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),  # of all devices
    harmless=("config*", "*_SIZE", "*_steps", "*_epochs"),
    finish=_finish,
)  # fmt: skip
