"""fairseq: its YAML configurations, and the flags of fairseq-train.

Source: fairseq 3d262bb2 dataclass/configs.py, optim/*.py, optim/lr_scheduler/*.py.
"""

from decaycalc.training.reading.arguments import element, numbers_of
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAM, by_name
from decaycalc.training.reading.schedules import compose, of_lr, percent, ratio, steps_of
from decaycalc.training.reading.settings import Settings, by_default
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced

_OPTIMIZERS = {
    "adam": Optimizer(convention="fairseq-adam", uses=ADAM),
    "nag": Optimizer(convention="fairseq-nag", uses=("momentum",)),
    "adafactor": Optimizer(convention="fairseq-adafactor"),
    "adamax": Optimizer(convention="fairseq-adamax", uses=ADAM),
    "sgd": Optimizer(convention="pytorch-sgd", uses=("momentum",)),
    "adagrad": Optimizer(convention="pytorch-adagrad"),
}
_STAGES = ("warmup_steps", "hold_steps", "decay_steps")
_PHASES = ("lr_scheduler.phase_ratio", "phase_ratio")


def _momentum(settings: Settings) -> Sourced | None:
    """Return NAG's own default."""
    if settings.word("optimizer") != "nag":
        return None
    return by_default("momentum", "0.99", "fairseq 3d262bb2 optim/nag.py")


def _schedule(settings: Settings) -> str | None:
    name = settings.word("scheduler")
    warmup = settings.number("warmup_updates") if name != "inverse_sqrt" else None
    warm = int(warmup) if warmup else None
    if name == "polynomial_decay":
        return _polynomial(settings, warm)
    if name == "inverse_sqrt":
        start = of_lr(settings, "warmup_init_lr")
        return compose("inverse-sqrt", warmup=steps_of(settings, "warmup_sqrt"), start=start)
    if name == "cosine":
        return _cosine(settings, warm)
    if name == "tri_stage":
        return _tri_stage(settings)
    if name != "fixed" or settings.has("lr_scheduler.force_anneal") or settings.has("force_anneal"):
        return None
    return compose("constant", warmup=warm, ramp="one" if warm else None)


def _polynomial(settings: Settings, warm: int | None) -> str | None:
    """Return the polynomial; OFA's fork sets its length and warm-up by the run's own length.

    Source: OFA a36b91c fairseq/fairseq/optim/lr_scheduler/polynomial_decay_schedule.py.
    """
    final, power = of_lr(settings, "end_learning_rate"), settings.number("power")
    share = settings.number("warmup_ratio")
    if share:
        return compose("polynomial", power=power, warmup=percent(share), final=final)
    total = steps_of(settings, "total_num_update")
    length = None if total == settings.number("steps") else total
    return compose("polynomial", power=power, warmup=warm, length=length, final=final)


def _cosine(settings: Settings, warm: int | None) -> str | None:
    """Return the cosine of one period, or of several with falling peaks; None where min_lr falls.

    Source: fairseq 3d262bb2 optim/lr_scheduler/cosine_lr_scheduler.py.
    """
    final, period = of_lr(settings, "min_lr"), steps_of(settings, "lr_period_updates")
    first = (
        final if settings.number("warmup_init_lr") == 0 else ratio(settings, "warmup_init_lr", "lr")
    )
    rise = {"warmup": warm, "start": first if warm else None}
    total = settings.number("steps")
    if period is None or (total is not None and period >= total - (warm or 0)):
        length = None if period is None or period + (warm or 0) == total else period + (warm or 0)
        return compose("cosine", **rise, final=final, length=length)
    growth, shrink = settings.number("t_mult"), settings.number("lr_shrink")
    if growth is None or growth.denominator != 1 or (final and shrink != 1):
        return None
    gamma = None if shrink == 1 else shrink
    own = None if growth == 1 else int(growth)
    return compose("cosine-restarts", **rise, final=final, period=period, growth=own, gamma=gamma)


def _tri_stage(settings: Settings) -> str | None:
    """Return warm-up, hold and exponential decay, whose steps may be shares of max_update.

    Source: fairseq 3d262bb2 optim/lr_scheduler/tri_stage_lr_scheduler.py.
    """
    shares = numbers_of(" ".join(settings.texts(_PHASES[0]) or settings.texts(_PHASES[1])))
    steps = settings.number("steps")
    if len(shares) == len(_STAGES) and steps:
        settings.text("phase_ratio")
        stages = [int(steps * share) for share in shares]
    else:
        stages = [int(settings.number(name) or 0) for name in _STAGES]
    warmup, hold, decay = stages
    final = settings.number("final_lr_scale")
    if not decay or not final:
        return None
    fall = compose("exponential", gamma=final, every=decay, floor=final)
    if not warmup + hold:
        return fall
    start = settings.number("init_lr_scale") if warmup else None
    return (
        f"{compose('constant', warmup=warmup or None, start=start, until=warmup + hold)} + {fall}"
    )


def _beta(name: str, at: int, default: str) -> Field:
    """Return the field of one beta, in a configuration or among the flags."""
    places = [element(name, path, at) for path in ("optimizer.adam_betas", "adam_betas")]

    def derive(settings: Settings) -> Sourced | None:
        found = (place.derive(settings) for place in places if place.derive is not None)
        return next((each for each in found if each is not None), None)

    covers = ("optimizer.adam_betas", "adam_betas")
    return Field(name=name, covers=covers, default=default, derive=derive)


TRAINER = Trainer(
    kind="fairseq",
    title="fairseq",
    version="fairseq 3d262bb2",
    signatures=(
        Signature(all_of=("optimizer._name", "optimization.lr")),
        Signature(all_of=("optimizer._name", "lr_scheduler._name")),
        Signature(all_of=("program:fairseq-train",)),
        Signature(all_of=("program:fairseq-hydra-train",)),
        Signature(any_of=("max_update", "update_freq", "max_sentences", "max_tokens", "adam_betas",
                          "warmup_updates", "lr_scheduler"), at_least=3),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer._name", "optimizer")),
        Field(name="weight_decay", paths=("optimizer.weight_decay", "weight_decay", "wd"),
              default="0"),
        Field(name="lr", paths=("optimization.lr", "lr"), default="0.25"),
        _beta("beta1", 0, "0.9"),
        _beta("beta2", 1, "0.999"),
        Field(name="eps", paths=("optimizer.adam_eps", "adam_eps"), default="1e-8"),
        Field(name="momentum", paths=("optimizer.momentum", "momentum"), default="0",
              derive=_momentum),
        Field(name="batch_size", paths=("dataset.batch_size", "batch_size", "max_sentences"),
              note="fairseq's max-tokens bounds a batch in tokens"),
        Field(name="grad_accum", paths=("optimization.update_freq", "update_freq"), default="1"),
        Field(name="world_size", paths=("distributed_training.distributed_world_size",
                                        "distributed_world_size"), default="1"),
        Field(name="steps", paths=("optimization.max_update", "max_update"), absent=("0",)),
        Field(name="epochs", paths=("optimization.max_epoch", "max_epoch"), absent=("0",)),
        Field(name="scheduler", paths=("lr_scheduler._name", "lr_scheduler"), default="fixed"),
        *Field.within("lr_scheduler", "", warmup_updates="0"),
        Field(name="warmup_sqrt", paths=("lr_scheduler.warmup_updates", "warmup_updates"),
              default="4000"),
        Field(name="warmup_init_lr", paths=("lr_scheduler.warmup_init_lr", "warmup_init_lr"),
              absent=("-1",), default="0"),
        *Field.within("lr_scheduler", "", power="1", end_learning_rate="0",
                      **dict.fromkeys(_STAGES, "0"), phase_ratio=None, init_lr_scale="0.01",
                      final_lr_scale="0.01", min_lr="0", total_num_update=None, warmup_ratio=None),
        Field(name="lr_period_updates", paths=("lr_scheduler.lr_period_updates",
                                               "lr_period_updates"), absent=("-1",)),
        *Field.within("lr_scheduler", "", t_mult="1", lr_shrink="0.1"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    harmless=("optimizer.fp16_adam_stats", "optimization.clip_norm", "clip_norm", "task*",
              "criterion*", "checkpoint*", "common*", "save_interval*", "dataset*", "model*",
              "optimization*"),
)  # fmt: skip
