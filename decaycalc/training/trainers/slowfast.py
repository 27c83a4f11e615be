"""SlowFast's YAML configurations (PySlowFast: SlowFast, X3D, MViT and others).

Source: SlowFast 287ec00 slowfast/config/defaults.py, models/optimizer.py, utils/lr_policy.py.
"""

from decaycalc.training.reading.arguments import betas, numbers_of
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAM, ADAMW, SGD, by_name, refused
from decaycalc.training.reading.schedules import (
    Options,
    brief,
    compose,
    epochs,
    factors,
    of_lr,
)
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Derive, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced, Training

_OPTIMIZERS = {
    "sgd": Optimizer(convention="pytorch-sgd", uses=SGD),
    "adam": Optimizer(convention="pytorch-adam", uses=ADAM),
    "adamw": ADAMW,
    "mt_adamw": ADAMW,
}


def _optimizer(settings: Settings) -> Optimizer:
    named = by_name(_OPTIMIZERS)(settings)
    return refused("its LARS has no convention here") if settings.flag("lars") else named


def _scaled(name: str, path: str) -> Derive:
    """Return what multiplies an lr by NUM_SHARDS where BASE_LR_SCALE_NUM_SHARDS asks for that."""

    def overrule(settings: Settings) -> Sourced | None:
        shards = settings.number("shards")
        if shards == 1 or shards is None or not settings.flag("scales"):
            return None
        number = settings.number(f"plain_{name}")
        value = None if number is None else decimal_text(number * shards)
        return derived(name, value, f"{path} · NUM_SHARDS")

    return overrule


def _schedule(settings: Settings) -> str | None:
    """Return the policy at each step's exact epoch; the warm-up rises to its value where it ends.

    Source: SlowFast 287ec00 slowfast/utils/lr_policy.py.
    """
    name, count = settings.word("scheduler"), settings.number("warmup_epochs")
    ramp: Options = {}
    if count:
        ramp = {"warmup": epochs(count), "start": of_lr(settings, "start_lr")}
    if name == "cosine":
        final = of_lr(settings, "end_lr")
        if ramp and not settings.flag("after_warmup"):
            ramp |= {"over": "run", "toward": "end"}
        return compose("cosine", final=final, **ramp)
    return _steps(settings, ramp) if name == "steps_with_relative_lrs" else None


def _steps(settings: Settings, ramp: Options) -> str | None:
    """Return the steps; the first stands at 0."""
    marks = numbers_of(" ".join(settings.texts("SOLVER.STEPS")))
    levels = numbers_of(" ".join(settings.texts("SOLVER.LRS")))[: len(marks)]
    if len(marks) < 2 or marks[0] or len(levels) < len(marks) or levels[0] != 1 or 0 in levels:  # noqa: PLR2004
        return None
    return compose("step", at=epochs(*marks[1:]), gamma=brief(factors(levels)), **ramp)


def _exempt(settings: Settings) -> Exemption:
    rules = [] if settings.number("norm_decay") else ["batch normalisation"]
    rules += ["1-D tensors and biases"] if settings.flag("zero_1d") else []
    rule = " and ".join([*rules, "what the model's no_weight_decay names"])
    return Exemption(rule=rule, switch="BN.WEIGHT_DECAY, SOLVER.ZERO_WD_1D_PARAM")


def _finish(settings: Settings, made: Training) -> Training:
    """Give batch normalisation its own decay, and say what a layer decay does."""
    norms = settings.number("norm_decay")
    if norms:
        own = Group(name="batch normalisation", selector="batch normalisation",
                    weight_decay=decimal_text(norms))  # fmt: skip
        made = made.with_groups(own)
    if settings.number("layer_decay") == 1:
        return made
    rate = settings.text("layer_decay")
    note = f"LAYER_DECAY {rate}: a layer's lr, and its decay of a step, fall towards the input"
    return made.with_notes(note)


def _lr(name: str, key: str, default: str) -> tuple[Field, Field]:
    path = f"SOLVER.{key}"
    return (
        Field(name=f"plain_{name}", paths=(path,), default=default),
        Field(name=name, paths=(path,), default=default, overrule=_scaled(name, path)),
    )


TRAINER = Trainer(
    kind="slowfast",
    title="SlowFast",
    version="SlowFast 287ec00",
    signatures=(
        Signature(
            all_of=("SOLVER.BASE_LR",),
            any_of=("SOLVER.OPTIMIZING_METHOD", "SOLVER.LR_POLICY", "SOLVER.WARMUP_START_LR",
                    "SOLVER.MAX_EPOCH", "DATA.NUM_FRAMES"),
            at_least=2,
            none_of=("SOLVER.MAX_ITER",),
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("SOLVER.OPTIMIZING_METHOD",), default="sgd"),
        Field(name="lars", paths=("SOLVER.LARS_ON",), default="false"),
        Field(name="weight_decay", paths=("SOLVER.WEIGHT_DECAY",), default="1e-4"),
        Field(name="norm_decay", paths=("BN.WEIGHT_DECAY",), default="0"),
        *_lr("lr", "BASE_LR", "0.1"),
        Field(name="momentum", paths=("SOLVER.MOMENTUM",), default="0.9"),
        Field(name="dampening", paths=("SOLVER.DAMPENING",), default="0"),
        Field(name="nesterov", paths=("SOLVER.NESTEROV",), default="true"),
        *betas("SOLVER.BETAS", "0.9", "0.999"),
        Field(name="eps", default="1e-8"),
        Field(name="batch_size", paths=("TRAIN.BATCH_SIZE",), default="64"),
        Field(name="shards", paths=("NUM_SHARDS",), default="1"),
        Field(name="scales", paths=("SOLVER.BASE_LR_SCALE_NUM_SHARDS",), default="false"),
        Field(name="epochs", paths=("SOLVER.MAX_EPOCH",), default="300"),
        Field(name="drop_last", default="true", source="SlowFast 287ec00 datasets/loader.py"),
        Field(name="scheduler", paths=("SOLVER.LR_POLICY",), default="cosine"),
        *_lr("end_lr", "COSINE_END_LR", "0"),
        Field(name="after_warmup", paths=("SOLVER.COSINE_AFTER_WARMUP",), default="false"),
        Field(name="warmup_epochs", paths=("SOLVER.WARMUP_EPOCHS",), default="0"),
        *_lr("start_lr", "WARMUP_START_LR", "0.01"),
        Field(name="zero_1d", paths=("SOLVER.ZERO_WD_1D_PARAM",), default="false"),
        Field(name="layer_decay", paths=("SOLVER.LAYER_DECAY",), default="1"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size", "shards"),
    harmless=("TRAIN*", "TEST*", "DATA*", "MODEL*", "BN*", "MVIT*", "SLOWFAST*", "X3D*", "AUG*",
              "SOLVER.STEPS", "SOLVER.LRS", "SOLVER.CLIP*", "CONTRASTIVE*", "MASK*", "TASK*"),
    finish=_finish,
)  # fmt: skip
