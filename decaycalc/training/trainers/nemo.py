"""NeMo's YAML, of Megatron models and of speech models.

Source: NeMo 8cfedd72 core/optim/{optimizers,lr_scheduler,novograd}.py, core/classes/modelPT.py.
"""

from collections.abc import Callable
from fractions import Fraction
from math import sqrt

from decaycalc.algebra.number import finite
from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.classes import OptimizerClass, find_class
from decaycalc.training.reading.exemptions import NONE_EXEMPT, of_kinds
from decaycalc.training.reading.optimizers import ADAM, unknown_optimizer
from decaycalc.training.reading.schedules import compose, of_lr, percent, steps_of
from decaycalc.training.reading.settings import Settings, by_default, derived, left_open, whole_or
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training

_OPTIM, _SCHED = "model.optim", "model.optim.sched"
_ARGUMENTS = (_OPTIM, f"{_OPTIM}.args", f"{_OPTIM}.args.params")
_CLASSES = {
    "fused_adam": "apex.FusedAdam",
    "megatron_fused_adam": "apex.FusedAdam",
    "distributed_fused_adam": "apex.FusedAdam",
    "lamb": "apex.FusedLAMB",
}
# NeMo's own classes, whose decay is 0 by default, and Megatron core's.
_OWN = {
    "mcore_distributed_optim": Optimizer(convention="megatron-adam", uses=ADAM),
    "novograd": Optimizer(
        convention="timm-novograd",
        note="NovoGrad's decay joins the momentum of normed gradients: in the long run it is"
        " about lr · weight_decay / (1 - beta1) a step, not lr · weight_decay",
    ),
    "adan": Optimizer(convention="timm-adan"),
    "adafactor": Optimizer(convention="fairseq-adafactor"),
}


def _class(settings: Settings) -> OptimizerClass | None:
    """Return the class of a name: adam is torch's coupled Adam, the fused ones are decoupled."""
    name = settings.word("optimizer")
    return None if name in _OWN else find_class(_CLASSES.get(name, name))


def _optimizer(settings: Settings) -> Optimizer:
    name, found = settings.word("optimizer"), _class(settings)
    if found is not None:
        return found.optimizer()
    if name in _OWN:
        return _OWN[name]
    return unknown_optimizer(name, setting="model.optim.name")


def _weight_decay(settings: Settings) -> Sourced | None:
    """Return the decay of the optimizer's class; Megatron core's has to be given."""
    name, found = settings.word("optimizer"), _class(settings)
    if found is not None:
        return found.default("weight_decay")
    if name not in _OWN or name == "mcore_distributed_optim":
        return None
    return by_default("weight_decay", "0", f"NeMo 8cfedd72 core/optim/{name}.py")


def _noam_lr(settings: Settings) -> Sourced | None:
    """Return the peak of NoamAnnealing, of whose lr optim.lr is a factor.

    Source: NeMo 8cfedd72 core/optim/lr_scheduler.py, NoamAnnealing.
    """
    if settings.word("scheduler") != "noamannealing":
        return None
    factor, width = settings.number("lr_factor"), settings.count("d_model")
    warmup = _stage(settings, "warmup")
    formula = "model.optim.lr / sqrt(d_model · warmup_steps)"
    if factor is None or width is None or isinstance(warmup, str):
        return left_open("lr", f"NoamAnnealing's lr is {formula}: not all of it is known")
    peak = finite(factor, "lr") / sqrt(width * (warmup or 1))
    return derived("lr", f"{peak:.12g}", formula)


def _whole(settings: Settings) -> Fraction | None:
    """Return the steps that the schedule runs over; without the trainer's, sched.max_steps."""
    return settings.number("steps") or settings.number("schedule_steps")


def _stage(settings: Settings, name: str) -> int | str | None:
    """Return a stage's length, in steps or as a share of a run whose steps are not known."""
    steps, share = steps_of(settings, f"{name}_steps"), settings.number(f"{name}_ratio")
    if steps is not None or not share:
        return steps
    whole = _whole(settings)
    return percent(share) if whole is None else int(share * whole) or None


def _until(settings: Settings) -> int | str | None:
    """Return where the warm-up and what is held after it end; None where they do not add up."""
    warmup, hold = _stage(settings, "warmup"), _stage(settings, "hold")
    if hold is None or type(warmup or hold) is not type(hold):
        return None
    if isinstance(hold, int):
        return hold + int(warmup or 0)
    share = settings.number("warmup_ratio") or Fraction(0)
    return percent(share + (settings.number("hold_ratio") or 0))


def _schedule(settings: Settings) -> str | None:
    """Source: NeMo 8cfedd72 core/optim/lr_scheduler.py."""
    name = settings.word("scheduler")
    make = _SCHEDULES.get(name)
    if not name:
        return "constant"
    return None if make is None else make(settings)


def _warm(settings: Settings, ramp: str | None = "inner") -> dict[str, int | str | None]:
    """Return the warm-up, (t + 1)/(W + 1) but for the schedules that are written otherwise."""
    warmup = _stage(settings, "warmup")
    return {"warmup": warmup, "ramp": ramp if warmup else None}


def _final(settings: Settings) -> Fraction | None:
    return of_lr(settings, "min_lr")


def _end(settings: Settings) -> int | None:
    """Return where the shape ends, None for the run's own end."""
    whole = _whole(settings)
    return None if whole is None or whole == settings.number("steps") else int(whole)


def _cosine(settings: Settings) -> str | None:
    """Return the cosine; what is held at min_lr after it comes off its length."""
    held, whole = _stage(settings, "constant"), _whole(settings)
    if held is None:
        return compose("cosine", length=_end(settings), final=_final(settings), **_warm(settings))
    length = None if whole is None or isinstance(held, str) else int(whole) - held
    if length is None or length <= 0:  # a run shorter than its own constant phase
        return None
    return compose("cosine", length=length, final=_final(settings), **_warm(settings, None))


def _noam(settings: Settings) -> str:
    """Return the root of the steps, whose peak is no round number."""
    warmup, low = _stage(settings, "warmup"), _final(settings)
    floor = None if low is None else f"{float(low):.9g}"
    timescale = None if warmup else 1
    return compose("inverse-sqrt", warmup=warmup, timescale=timescale, floor=floor)


def _inverse_root(settings: Settings) -> str | None:
    warmup = _stage(settings, "warmup")
    if isinstance(warmup, str):
        return None
    return compose("inverse-sqrt", **_warm(settings), timescale=(warmup or 0) + 1)


def _square_root(settings: Settings) -> str:
    """Return the root of what is left, counted from the run's start."""
    warm, floor = _warm(settings), _final(settings)
    return compose(
        "polynomial", power=Fraction(1, 2), over="run", length=_end(settings), floor=floor, **warm
    )


def _polynomial(settings: Settings) -> str | None:
    power, final = settings.number("power"), _final(settings)
    if settings.flag("cycle"):
        return None
    return compose("polynomial", power=power, final=final, length=_end(settings), **_warm(settings))


def _held_polynomial(settings: Settings) -> str | None:
    until, power = _until(settings), settings.number("power")
    if until is None or settings.flag("cycle") or _end(settings) is not None:
        return None
    held = compose("constant", **_warm(settings), until=until)
    return f"{held} + {compose('polynomial', power=power, final=of_lr(settings, 'min_lr'))}"


def _held_noam(settings: Settings) -> str | None:
    warmup, until, power = _stage(settings, "warmup"), _until(settings), settings.number("rate")
    if until is None or not isinstance(warmup, int):
        return None
    fall = compose("inverse", gamma=Fraction(1, warmup), power=power, floor=_final(settings))
    return f"{compose('constant', **_warm(settings), until=until)} + {fall}"


def _step(settings: Settings) -> str | None:
    every = steps_of(settings, "step_size")
    return None if every is None else compose("step", every=every, gamma=settings.number("gamma"))


_SCHEDULES: dict[str, Callable[[Settings], str | None]] = {
    "cosineannealing": _cosine,
    "noamannealing": _noam,
    "noamholdannealing": _held_noam,
    "warmuppolicy": lambda settings: compose("constant", **_warm(settings)),
    "warmupholdpolicy": lambda settings: compose("constant", **_warm(settings)),
    "warmupannealing": lambda settings: compose(
        "linear", length=_end(settings), final=_final(settings), **_warm(settings)
    ),
    "inversesquarerootannealing": _inverse_root,
    "squarerootannealing": _square_root,
    "polynomialdecayannealing": _polynomial,
    "polynomialholddecayannealing": _held_polynomial,
    "steplr": _step,
    "exponentiallr": lambda settings: compose(
        "exponential", gamma=settings.number("gamma"), every="1epochs", per="1epochs"
    ),
}


def _exempt(settings: Settings) -> Exemption:
    switch = "model.optim.do_layer_norm_weight_decay"
    if not _is_megatron(settings):
        return NONE_EXEMPT
    if settings.flag("do_layer_norm_weight_decay"):
        return of_kinds("biases", switch=switch)
    return of_kinds("norms", "biases", switch=switch)


def _is_megatron(settings: Settings) -> bool:
    return settings.has("model.micro_batch_size") or settings.has("model.global_batch_size")


def _finish(settings: Settings, made: Training) -> Training:
    """Say that a batch that grows is told by its last size."""
    if not settings.has("model.rampup_batch_size"):
        return made
    return made.with_notes("the batch size grows over the run: the last one is taken")


def _stages(name: str) -> tuple[Field, ...]:
    """Return the fields of a stage's length, in steps or as a share of the run."""
    return tuple(Field(name=part, paths=(f"{_SCHED}.{part}",), absent=("0",))
                 for part in (f"{name}_steps", f"{name}_ratio"))  # fmt: skip


TRAINER = Trainer(
    kind="nemo",
    title="NeMo",
    version="NeMo 8cfedd72",
    signatures=(Signature(all_of=(f"{_OPTIM}.name", f"{_OPTIM}.lr")),),
    fields=(
        Field(name="optimizer", paths=(f"{_OPTIM}.name",)),
        Field(name="weight_decay", paths=tuple(f"{place}.weight_decay" for place in _ARGUMENTS),
              derive=_weight_decay),
        Field(name="lr_factor", paths=(f"{_OPTIM}.lr",)),
        Field(name="lr", paths=(f"{_OPTIM}.lr",), overrule=_noam_lr),
        *Field.within(*_ARGUMENTS, source="torch 2.13", momentum="0", dampening="0",
                      nesterov="false"),
        *betas(f"{_OPTIM}.betas", "0.9", "0.999"),
        *Field.within(*_ARGUMENTS, source="torch 2.13", eps="1e-8"),
        Field(name="global_batch_size", paths=("model.global_batch_size",)),
        Field(name="batch_size", paths=("model.micro_batch_size", "model.train_ds.batch_size")),
        Field(name="grad_accum", paths=("trainer.accumulate_grad_batches",), default="1"),
        Field(name="world_size", paths=("trainer.devices",), default="1", open=("-1", "auto")),
        Field(name="num_nodes", paths=("trainer.num_nodes",), default="1"),
        Field(name="steps", paths=("trainer.max_steps",), absent=("-1",)),
        Field(name="epochs", paths=("trainer.max_epochs",), absent=("-1",)),
        Field(name="scheduler", paths=(f"{_SCHED}.name",)),
        Field(name="schedule_steps", paths=(f"{_SCHED}.max_steps",), absent=("-1",)),
        Field(name="d_model", paths=(f"{_SCHED}.d_model",)),
        *(field for name in ("warmup", "hold", "constant") for field in _stages(name)),
        *Field.within(_SCHED, min_lr="0", power="1", cycle="false"),
        Field(name="rate", paths=(f"{_SCHED}.decay_rate",), default="0.5"),
        Field(name="gamma", paths=(f"{_SCHED}.gamma",), default="0.1", source="torch 2.13"),
        Field(name="step_size", paths=(f"{_SCHED}.step_size",)),
        Field(name="do_layer_norm_weight_decay", paths=(f"{_OPTIM}.do_layer_norm_weight_decay",),
              default="false"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=whole_or("global_batch_size", "batch_size", "grad_accum", "world_size", "num_nodes"),
    harmless=("model.encoder*", "model.decoder*", "model.train_ds*", "model.validation_ds*",
              "model.preprocessor*", "model.spec_augment*", "exp_manager*", "trainer*",
              "model.optim.sched*", "model.data*", "model.test_ds*", "model.rampup_batch_size"),
    unit=lambda settings: "sequences" if _is_megatron(settings) else "examples",
    finish=_finish,
)  # fmt: skip
