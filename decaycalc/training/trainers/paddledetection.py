"""PaddleDetection's YAML configurations, laid over the files that their `_BASE_` names.

Source: PaddleDetection 666f597fd ppdet/optimizer/optimizer.py.
"""

from fractions import Fraction

from decaycalc.training.reading.arguments import numbers_of
from decaycalc.training.reading.bases import missing_bases, with_bases
from decaycalc.training.reading.by_class import PADDLE_USES, paddle_optimizer
from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.optimizers import refused
from decaycalc.training.reading.schedules import Options, brief, compose, epochs, factors
from decaycalc.training.reading.settings import Settings, by_default, derived, open_part, texts_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training
from decaycalc.training.trainers.syntax.tree import Entries, Items

_BUILDER, _RATE = "OptimizerBuilder", "LearningRate"


def _is_regularized(settings: Settings) -> bool:
    """Return whether a regularizer is there; `regularizer: false` takes the default's place."""
    path = f"{_BUILDER}.regularizer"
    return bool(settings.entries(path)) or not settings.texts(path)


def _optimizer(settings: Settings) -> Optimizer:
    if settings.has("slim") and not settings.has(_BUILDER):
        return refused(
            "a file of --slim_config lies over that of --config, which has the OptimizerBuilder"
        )
    made = paddle_optimizer(settings, PADDLE_USES)
    takes_none = made.convention is None or settings.word("optimizer") == "adamw"
    if takes_none or settings.word("regularizer") != "l1":
        return made
    return refused("an L1 regularizer is no weight decay")


def _decay(settings: Settings) -> Sourced | None:
    """Return the decay: AdamW's own weight_decay, of all others the regularizer's factor."""
    if settings.word("optimizer") == "adamw":
        own = settings.read("weight_decay", f"{_BUILDER}.optimizer.weight_decay")
        return own or by_default("weight_decay", "0.01", "paddle 3")
    if not _is_regularized(settings):
        return derived("weight_decay", "0", f"{_BUILDER}.regularizer: none")
    return settings.read("weight_decay", f"{_BUILDER}.regularizer.factor")


def _text(entry: Entries, *keys: str) -> str:
    return ",".join(text for key in keys for text in texts_of(entry.entries.get(key)))


def _named(settings: Settings) -> dict[str, Entries]:
    """Return the schedulers by name, whether a tag or a key names them."""
    entries = settings.listed(f"{_RATE}.schedulers")
    return {_text(entry, "_call_", "name"): entry for entry in entries}


def _names(settings: Settings) -> Sourced | None:
    names = " and ".join(_named(settings))
    return derived("scheduler", names, f"{_RATE}.schedulers") if names else None


def _warmup(named: dict[str, Entries]) -> Options:
    """Return the warm-up's length, with LinearWarmup's start or ExpWarmup's power."""
    power = named.get("ExpWarmup")
    if power is not None:
        count = typed_number(_text(power, "epochs"))
        own = epochs(count) if count else _text(power, "steps") or "1000"
        return {"warmup": own, "warmup_power": typed_number(_text(power, "power") or "2")}
    entry = named.get("LinearWarmup")
    if entry is None:
        return {}
    is_first = _text(entry, "epochs_first").lower() != "false"
    whole = typed_number(_text(entry, "epochs")) if is_first else None
    steps = typed_number(_text(entry, "steps")) or Fraction(500)
    start = typed_number(_text(entry, "start_factor") or "1/3")
    length = epochs(whole) if whole else str(int(steps))
    return {"warmup": length, "start": start or None}


def _schedule(settings: Settings) -> str | None:
    settings.find("scheduler")  # to be named where it has no form here
    named = _named(settings)
    if any(open_part(name, node) for each in named.values() for name, node in each.entries.items()):
        return None
    cosine, piecewise = named.get("CosineDecay"), named.get("PiecewiseDecay")
    own = cosine or piecewise
    warms = own is not None and _text(own, "use_warmup").lower() != "false"
    warm = _warmup(named) if warms else {}
    if cosine is not None:
        return _cosine(settings, cosine, warm)
    return None if piecewise is None else _piecewise(piecewise, warm)


def _cosine(settings: Settings, entry: Entries, warm: Options) -> str | None:
    """Return the cosine over max_epochs but the last plateau; a run may end before."""
    plateau = typed_number(_text(entry, "last_plateau_epochs") or "0")
    most = typed_number(_text(entry, "max_epochs") or "1000")
    if most is None or plateau is None:
        return None
    most -= plateau
    final = typed_number(_text(entry, "min_lr_ratio") or "0") or None
    length = None if most == settings.number("epochs") else epochs(most)
    return compose("cosine", **warm, length=length, final=final)


def _piecewise(entry: Entries, warm: Options) -> str | None:
    """Return the steps; a list of gammas is each of base_lr, a single one falls tenfold a time."""
    at = numbers_of(_text(entry, "milestones") or "8,11")
    gammas = numbers_of(_text(entry, "gamma") or "0.1,0.01")
    if _text(entry, "values") or not at:
        return None
    if not isinstance(entry.entries.get("gamma"), Items) and _text(entry, "gamma"):
        gammas = tuple(gammas[0] / 10**place for place in range(len(at)))
    if len(gammas) != len(at) or 0 in gammas:
        return None
    falls = brief(factors((Fraction(1), *gammas)))
    if falls == (Fraction(1),):
        return compose("constant", **warm)
    return compose("step", at=epochs(*at), gamma=falls, **warm)


def _finish(settings: Settings, made: Training) -> Training:
    notes = list(missing_bases(settings.document))
    if settings.has(f"{_BUILDER}.optimizer.param_groups"):
        notes.append("param_groups have settings of their own, which are not shown")
    return made.with_notes(*notes)


TRAINER = Trainer(
    kind="paddledetection",
    title="PaddleDetection",
    version="PaddleDetection 666f597fd",
    signatures=(
        Signature(any_of=(f"{_RATE}.base_lr", f"{_BUILDER}.optimizer", "TrainReader.batch_size",
                          f"{_BUILDER}.regularizer", f"{_RATE}.schedulers"), at_least=2),
    ),
    fields=(
        Field(name="optimizer", paths=(f"{_BUILDER}.optimizer.type",), default="Momentum"),
        Field(name="regularizer", paths=(f"{_BUILDER}.regularizer.type",), default="L2"),
        Field(name="weight_decay", overrule=_decay, default="0.0001"),
        Field(name="lr", paths=(f"{_RATE}.base_lr",), default="0.01"),
        Field(name="momentum", paths=(f"{_BUILDER}.optimizer.momentum",), default="0.9"),
        Field(name="nesterov", paths=(f"{_BUILDER}.optimizer.use_nesterov",), default="false"),
        *Field.within(f"{_BUILDER}.optimizer", beta1="0.9", beta2="0.999"),
        Field(name="eps", paths=(f"{_BUILDER}.optimizer.epsilon",), default="1e-8"),
        Field(name="batch_size", paths=("TrainReader.batch_size",)),
        Field(name="world_size", default="1"),
        Field(name="epochs", paths=("epoch",)),
        Field(name="scheduler", covers=(f"{_RATE}.schedulers",), derive=_names),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: Exemption(
        rule="nothing", switch="weight_attr and bias_attr of layers in the model's code"
    ),
    batch=lambda _: ("batch_size", "world_size"),
    harmless=(f"{_BUILDER}*", f"{_RATE}*", "*Reader*", "TrainReader*", "EvalReader*",
              "TestReader*", "snapshot_epoch", "use_ema", "ema_*", "log_iter", "_BASE_"),
    prepare=with_bases,
    finish=_finish,
)  # fmt: skip
