"""Detectron's YAML configurations, on Caffe2.

Source: Detectron 04155a0 detectron/core/config.py, utils/lr_policy.py, modeling/optimizer.py.
"""

from fractions import Fraction

from decaycalc.training.reading.arguments import numbers_of
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.schedules import AT_THE_END, Option, Options, compose, factors
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced


def _levels(settings: Settings) -> tuple[Fraction, ...]:
    return numbers_of(" ".join(settings.texts("SOLVER.LRS")))


def _peak(settings: Settings) -> Sourced | None:
    """Return the first of the rates that stand in the file themselves."""
    levels = _levels(settings)
    if settings.word("scheduler") != "steps_with_lrs" or not levels:
        return None
    return derived("lr", decimal_text(levels[0]), "SOLVER.LRS")


def _schedule(settings: Settings) -> str | None:
    """Return the policy, times the warm-up.

    Source: Detectron 04155a0 detectron/utils/lr_policy.py.
    """
    if settings.word("warmup_method") not in {"linear", "constant"}:
        return None
    power = AT_THE_END if settings.word("warmup_method") == "constant" else None
    name, count = settings.word("scheduler"), int(settings.number("warmup_iters") or 0)
    gamma, steps = settings.number("gamma"), settings.number("steps")
    start = settings.number("warmup_factor")
    ramp: Options = {"warmup": count, "start": start, "warmup_power": power} if count else {}
    over: Options = {**ramp, "over": "run", "toward": "product"} if count else {}
    if name == "step":
        return compose("step", every=settings.count("step_size"), gamma=gamma, **ramp)
    if name == "cosine_decay":
        return compose("cosine", **over)
    if name == "exp_decay" and steps:
        return compose("exponential", gamma=gamma, every=int(steps), **over)
    return _steps(settings, name, ramp)


def _steps(settings: Settings, name: str, ramp: Options) -> str | None:
    """Return the steps, the first of which stands at 0."""
    first, *marks = numbers_of(" ".join(settings.texts("SOLVER.STEPS"))) or (None,)
    if first != 0:
        return None
    gamma: Option = settings.number("gamma") or Fraction(0)
    if name == "steps_with_lrs":
        levels = _levels(settings)[: len(marks) + 1]
        if len(levels) <= len(marks) or 0 in levels:
            return None
        gamma = factors(levels)
    elif name != "steps_with_decay":
        return None
    if not marks:
        return compose("constant", **ramp)
    return compose("step", at=tuple(marks), gamma=gamma, **ramp)


TRAINER = Trainer(
    kind="detectron",
    title="Detectron",
    version="Detectron 04155a0",
    signatures=(
        Signature(
            all_of=("SOLVER.LR_POLICY",),
            any_of=("SOLVER.MAX_ITER", "TRAIN.IMS_PER_BATCH", "SOLVER.WARM_UP_ITERS",
                    "TRAIN.BATCH_SIZE_PER_IM", "MODEL.CONV_BODY"),
            none_of=("SOLVER.MAX_EPOCH", "SOLVER.OPTIMIZING_METHOD"),
        ),
    ),
    fields=(
        Field(name="optimizer", default="SGD"),
        Field(name="weight_decay", paths=("SOLVER.WEIGHT_DECAY",), default="0.0005"),
        Field(name="lr", paths=("SOLVER.BASE_LR",), default="0.001", overrule=_peak),
        Field(name="momentum", paths=("SOLVER.MOMENTUM",), default="0.9"),
        Field(name="batch_size", paths=("TRAIN.IMS_PER_BATCH",), default="2"),
        Field(name="world_size", paths=("NUM_GPUS",), default="1"),
        Field(name="steps", paths=("SOLVER.MAX_ITER",), default="40000"),
        Field(name="scheduler", paths=("SOLVER.LR_POLICY",), default="step"),
        Field(name="gamma", paths=("SOLVER.GAMMA",), default="0.1"),
        Field(name="step_size", paths=("SOLVER.STEP_SIZE",), default="30000"),
        Field(name="warmup_iters", paths=("SOLVER.WARM_UP_ITERS",), default="500"),
        Field(name="warmup_factor", paths=("SOLVER.WARM_UP_FACTOR",), default="1/3"),
        Field(name="warmup_method", paths=("SOLVER.WARM_UP_METHOD",), default="linear"),
    ),
    # lr is inside the buffer, as Caffe has it; SCALE_MOMENTUM rescales that where lr falls.
    optimizer=lambda _: Optimizer(convention="caffe", uses=("momentum",)),
    schedule=_schedule,
    exempt=lambda _: Exemption(
        rule="biases and GroupNorm's parameters", switch="SOLVER.WEIGHT_DECAY_GN"
    ),
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("TRAIN*", "TEST*", "MODEL*", "FPN*", "FAST_RCNN*", "RPN*", "MRCNN*", "KRCNN*",
              "RETINANET*", "RESNETS*", "SOLVER.STEPS", "SOLVER.LRS", "SOLVER.WEIGHT_DECAY_GN",
              "SOLVER.SCALE_MOMENTUM*"),
    finish=lambda _, made: made.with_groups(
        Group(name="biases", selector="biases", lr_mult="2", weight_decay="0")
    ),
)  # fmt: skip
