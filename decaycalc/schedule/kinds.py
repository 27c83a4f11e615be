"""The kinds of schedule as data: their names, parameters and whose definition each follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from decaycalc.errors import InvalidValueError
from decaycalc.schedule.length import Length, Unit

Value = float | str | Length | tuple[float, ...] | tuple[Length, ...] | None


class Type(StrEnum):
    """What a parameter takes; its text is shown in the list of schedules."""

    NUMBER = "number"
    NUMBERS = "number/number..."
    COUNT = "whole number"
    LENGTH = "length"
    LENGTHS = "length/length..."
    CHOICE = "choice"
    PATH = "path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a schedule; numbers lie from `low` to `high`."""

    name: str
    type: Type
    help: str
    default: Value = None
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1e9
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleKind:
    """One kind of schedule; `shapes.BUILDERS` makes its shape.

    `follows` names the functions that it reproduces step by step, and says where they differ.
    `variants` are names with defaults of their own, by parameter; a text where a number is due
    names the parameter whose value it is.
    """

    name: str
    title: str
    follows: str
    parameters: tuple[Parameter, ...]
    aliases: tuple[str, ...] = ()
    variants: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    counts_from_start: bool = False


def _number(
    name: str, text: str, default: float | None, *aliases: str, low: float = 0.0, high: float = 1e9
) -> Parameter:
    return Parameter(
        name=name, type=Type.NUMBER, help=text, default=default, low=low, high=high, aliases=aliases
    )


def _length(name: str, text: str, default: Value = None, *aliases: str) -> Parameter:
    return Parameter(name=name, type=Type.LENGTH, help=text, default=default, aliases=aliases)


def _choice(name: str, text: str, *choices: str) -> Parameter:
    return Parameter(name=name, type=Type.CHOICE, help=text, default=choices[0], choices=choices)


_INITIAL = _number("initial", "multiplier at the end of the warm-up", 1.0)
_FINAL = _number("final", "multiplier at the end", 0.0, "min_lr_rate", "min_lr_ratio")
_LENGTH = _length(
    "length", "where the shape ends, warm-up included (default: the run's end)", None,
    "num_training_steps",
)  # fmt: skip
_OVER = _choice(
    "over",
    "what the shape runs over: rest, after the warm-up; run, from its start with the warm-up laid"
    " over it (timm, Ultralytics, detectron2, mmengine, Darknet)",
    "rest", "run",
)  # fmt: skip
_GAMMA = "factor at each boundary"

COMMON = (
    _length("warmup", "steps of the warm-up (default: none)", None,
            "warmup_steps", "num_warmup_steps"),
    _number("start", "multiplier that the warm-up starts from", 0.0),
    _choice("ramp", "warm-up at step t: zero t/W, one (t+1)/W, inner (t+1)/(W+1),"
            " log log(t+1)/log(W) (DeepSpeed)", "zero", "one", "inner", "log"),
    _choice("toward", "what the warm-up rises to: auto, end or with over=run peak; end, the value"
            " where it ends; peak, initial; current, the shape's value at each step (YOLO);"
            " product, the share times that value (mmengine)",
            "auto", "end", "peak", "current", "product"),
    _number("warmup_power", "power of the warm-up's share (Darknet's burn-in: 4)", 1.0, low=1e-3),
    _number("floor", "least multiplier after the warm-up", 0.0),
    _length("per", "change the lr only every so often, as in 1epochs (default: every step)"),
    _length("warmup_per", "the same for the warm-up (default: as per)"),
    _length("delay", "steps that the whole curve is late; its first value holds until then"
            " (DeepSpeed: 1)"),
    _length("until", "where this segment ends and the next begins"),
)  # fmt: skip

KINDS: tuple[ScheduleKind, ...] = (
    ScheduleKind(
        name="constant",
        title="the peak lr throughout",
        follows="torch ConstantLR's end, optax constant_schedule, transformers constant",
        parameters=(_number("value", "multiplier", 1.0),),
        aliases=("fixed", "none", "constant-with-warmup"),
    ),
    ScheduleKind(
        name="linear",
        title="a straight line from initial to final",
        follows="torch LinearLR, optax linear_schedule, transformers linear",
        parameters=(_INITIAL, _FINAL, _LENGTH, _OVER),
        aliases=("triangle",),
    ),
    ScheduleKind(
        name="cosine",
        title="half a cosine from initial to final",
        follows="optax cosine_decay_schedule; after its end it holds, where torch"
        " CosineAnnealingLR and transformers cosine go up again: after=mirror",
        parameters=(
            _INITIAL,
            _FINAL,
            _LENGTH,
            _OVER,
            _number("exponent", "power of the cosine's share", 1.0, low=1e-3),
            _choice("after", "after the end", "hold", "mirror"),
            _choice("counts", "the first step's place: zero, at the start; one, a step on",
                    "zero", "one"),
        ),
        aliases=("cosine-with-min-lr",),
        variants={"cosine-warmup-with-min-lr": {"ramp": "one", "counts": "one", "toward": "peak"}},
    ),
    ScheduleKind(
        name="cosine-restarts",
        title="half cosines one after the other",
        follows="torch CosineAnnealingWarmRestarts (period, growth), transformers"
        " cosine_with_restarts (cycles), optax sgdr_schedule (gamma)",
        parameters=(
            _INITIAL,
            _FINAL,
            _LENGTH,
            _length("period", "length of the first cycle"),
            Parameter(
                name="cycles", type=Type.COUNT, help="cycles in the length", default=0.0,
                aliases=("num_cycles",),
            ),
            Parameter(
                name="growth",
                type=Type.COUNT,
                help="factor from a cycle's length to the next",
                default=1.0,
                low=1,
                high=1000,
            ),
            _number("gamma", "factor from a cycle's peak to the next", 1.0),
        ),
        aliases=("sgdr",),
        variants={"cosine-with-restarts": {"cycles": 1.0}},
    ),
    ScheduleKind(
        name="step",
        title="times gamma at each boundary",
        follows="torch StepLR (every) and MultiStepLR (at), optax piecewise_constant_schedule",
        parameters=(
            _INITIAL,
            Parameter(name="at", type=Type.LENGTHS, help="boundaries, 30/60/80epochs"),
            _length("every", "distance of the boundaries"),
            Parameter(name="gamma", type=Type.NUMBERS, help=_GAMMA, default=(0.1,), high=1e3),
        ),
        aliases=("multistep", "steps"),
        counts_from_start=True,
    ),
    ScheduleKind(
        name="exponential",
        title="times gamma every so often, continuously",
        follows="torch ExponentialLR, optax exponential_decay; staircase: step with every",
        parameters=(
            _INITIAL,
            _number("gamma", _GAMMA, None, low=1e-300, high=1.0),
            _length("every", "steps per factor gamma (default: 1)"),
            _OVER,
        ),
        aliases=("exp",),
    ),
    ScheduleKind(
        name="polynomial",
        title="a power of the share of the run that is left",
        follows="torch PolynomialLR, optax polynomial_schedule, transformers polynomial",
        parameters=(
            _INITIAL,
            _FINAL,
            _LENGTH,
            _OVER,
            _number("power", "power of the share", 1.0, low=1e-3),
        ),
        aliases=("poly",),
    ),
    ScheduleKind(
        name="inverse",
        title="(1 + gamma*u)^-power",
        follows="Caffe inv; power 1 is TensorFlow's InverseTimeDecay",
        parameters=(
            _INITIAL,
            _number("gamma", "rate per step", None, high=1e6),
            _number("power", "power", 1.0),
        ),
        aliases=("inv",),
    ),
    ScheduleKind(
        name="inverse-sqrt",
        title="1/sqrt(1 + u/timescale)",
        follows="transformers inverse_sqrt, big_vision rsqrt",
        parameters=(
            _INITIAL,
            _length("timescale", "timescale (default: the warm-up, else 10000 steps)"),
        ),
        aliases=("rsqrt", "noam"),
    ),
    ScheduleKind(
        name="wsd",
        title="warm-up, stable, decay",
        follows="transformers warmup_stable_decay, a name for shape=cosine with start=final",
        parameters=(
            _INITIAL,
            _FINAL,
            _LENGTH,
            _length(
                "decay",
                "length of the decay at the end (default: 20%)",
                Length(amount=Fraction(20), unit=Unit.PERCENT),
                "num_decay_steps",
            ),
            _choice("shape", "shape of the decay; exponential is Megatron's, 2^left - 1",
                    "linear", "cosine", "1-sqrt", "exponential"),
        ),
        aliases=("trapezoid",),
        variants={"warmup-stable-decay": {"shape": "cosine", "start": "final"}},
    ),
    ScheduleKind(
        name="one-cycle",
        title="up to the peak, then far below the start",
        follows="torch OneCycleLR, which reaches its ends a step before optax's"
        " cosine_onecycle_schedule and linear_onecycle_schedule: follow=optax",
        parameters=(
            _LENGTH,
            _number("rise", "share of the length that goes up", 0.3, high=1.0),
            _number("fall", "share where the second of three phases ends (optax)", 0.85, high=1.0),
            _number("div", "peak over the first multiplier", 25.0, low=1e-6),
            _number("final_div", "first multiplier over the last", 1e4, low=1e-6),
            Parameter(
                name="phases", type=Type.COUNT, help="2 or 3", default=2.0, low=2, high=3
            ),
            _choice("shape", "shape of the phases", "cosine", "linear"),
            _choice("follow", "whose ends", "torch", "optax"),
        ),
        aliases=("onecycle",),
    ),
    ScheduleKind(
        name="file",
        title="a CSV or JSON file of step and multiplier, lr or learning_rate (weight_decay for a"
        " decay schedule), or a Trainer's trainer_state.json",
        follows="the file; constant before its first and after its last row",
        parameters=(
            Parameter(name="path", type=Type.PATH, help="the file, also as in file:curve.csv"),
            _choice("interpolate", "between two rows", "linear", "hold"),
        ),
        counts_from_start=True,
    ),
)  # fmt: skip


# What no text can say: the lr depends on the course of the losses.
FOLLOW_LOSSES = ("reduce-lr-on-plateau", "plateau", "greedy")


def find_kind(name: str) -> ScheduleKind | None:
    """Return the kind of that name, alias or variant, None when there is none.

    Raises:
        InvalidValueError: A scheduler whose lr is not known before the run.
    """
    if name in FOLLOW_LOSSES:
        text = "follows the losses of the run; give the lr that it took as file:PATH"
        raise InvalidValueError("schedule", name, text)
    for kind in KINDS:
        if name == kind.name or name in kind.aliases or name in kind.variants:
            return kind
    return None
