"""NeMo Automodel's YAML: an optimizer by its `_target_`, Megatron's scheduler of lr.

Source: NeMo Automodel 36044ad3d nemo_automodel/components/optim/{optimizer,scheduler}.py,
components/training/step_scheduler.py.
"""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.schedules import compose, of_lr, percent, steps_of
from decaycalc.training.reading.settings import Settings, left_open
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training

_SCHEDULER, _STEPS = "lr_scheduler", "step_scheduler"
_SHAPES = {"linear": "linear", "cosine": "cosine", "minus_sqrt": "1-sqrt",
           "exponential": "exponential"}  # fmt: skip
_TENTH, _MOST_STEPS = 10, 1000  # of the default warm-up
_OVERRIDES = "optimizer.param_group_overrides"


def _is_scheduled(settings: Settings) -> bool:
    """Return whether there is a scheduler; without its section there is none."""
    return bool(settings.entries(_SCHEDULER))


def _growing_decay(settings: Settings) -> Sourced | None:
    """Return that the scheduler's own λ has no one value, where it grows over the run."""
    style = settings.word("wd_incr_style")
    if style == "constant" or not _is_scheduled(settings):
        return None
    path = f"{_SCHEDULER}.wd_incr_style"
    return left_open("weight_decay", f"{path} {style[:20]}: λ grows over the run", where=path)


def _warmup(settings: Settings) -> str | None:
    """Return the warm-up: the file's steps, else min(1000, a tenth of the run)."""
    if settings.text("lr_warmup_steps") is not None:
        steps = steps_of(settings, "lr_warmup_steps")
        return None if steps is None else str(steps)
    total = steps_of(settings, "steps")
    if total is None:
        return percent(Fraction(1, _TENTH))
    return str(min(_MOST_STEPS, total // _TENTH)) if total >= _TENTH else None


def _final(settings: Settings) -> Fraction | None:
    """Return the last lr over the peak: 1/100 where the file is silent."""
    if settings.text("min_lr") is None:
        return Fraction(1, 100)
    return of_lr(settings, "min_lr")


def _start(settings: Settings) -> Fraction | None:
    """Return the first lr over the peak: 1/10 where the file is silent."""
    if settings.text("init_lr") is None:
        return Fraction(1, 10)
    return of_lr(settings, "init_lr")


def _schedule(settings: Settings) -> str | None:
    """Source: NeMo Automodel components/optim/scheduler.py, get_lr: a warm-up of t/W."""
    if not _is_scheduled(settings):
        return "constant"
    name, warmup = settings.word("scheduler"), _warmup(settings)
    warm = {"warmup": warmup, "start": _start(settings) if warmup else None}
    if name == "constant":
        return compose("constant", **warm)
    length = steps_of(settings, "lr_decay_steps")
    if name in {"linear", "cosine"}:
        if length is not None and warmup is not None and warmup.endswith("%"):
            return None  # the share is of the run
        return compose(name, **warm, length=length, final=_final(settings))
    shape, decay = _SHAPES.get(settings.word("lr_wsd_decay_style")), steps_of(settings, "wsd_decay")
    if name != "wsd" or shape is None or decay is None or length is not None:
        return None
    return compose("wsd", **warm, decay=decay, final=_final(settings), shape=shape)


def _exempt(settings: Settings) -> Exemption:
    if not settings.listed(_OVERRIDES):
        return NONE_EXEMPT
    return Exemption(rule=f"what {_OVERRIDES} give a wd_mult of 0", switch=_OVERRIDES)


def _finish(settings: Settings, made: Training) -> Training:
    """Say what the file leaves to the data, and what its overrides change."""
    said = ""
    is_open = settings.text("lr_warmup_steps") is None and settings.text("steps") is None
    if is_open and _is_scheduled(settings):
        said = "the default warm-up is min(a tenth of the steps, 1000): give --steps for its length"
    ends = ""
    if settings.text("steps") is not None and settings.has(f"{_STEPS}.num_epochs"):
        ends = "the run ends before max_steps where num_epochs passes over the data are fewer steps"
    others = f"{_OVERRIDES}: lr_mult and wd_mult of those tensors are not read"
    return made.with_notes(said, ends, others if settings.listed(_OVERRIDES) else "")


def _scheduled(field: Field) -> Field:
    """Return a field of the optimizer's with the scheduler's own key before it."""
    if field.name == "weight_decay":
        path = f"{_SCHEDULER}.end_wd"
        return replace(field, paths=(path, *field.paths), overrule=_growing_decay)
    if field.name == "lr":
        return replace(field, paths=(f"{_SCHEDULER}.max_lr", *field.paths))
    return field


TRAINER = Trainer(
    kind="nemo-automodel",
    title="NeMo Automodel",
    version="NeMo Automodel 36044ad3d",
    signatures=(
        Signature(
            all_of=("optimizer._target_",),
            any_of=(f"{_STEPS}.global_batch_size", f"{_STEPS}.local_batch_size",
                    f"{_STEPS}.ckpt_every_steps", f"{_STEPS}.max_steps"),
            at_least=2,
        ),
    ),
    fields=(
        *map(_scheduled, class_fields("optimizer._target_", "optimizer")),
        Field(name="batch_size", paths=(f"{_STEPS}.global_batch_size",), default="32"),
        Field(name="steps", paths=(f"{_STEPS}.max_steps",)),
        Field(name="epochs", paths=(f"{_STEPS}.num_epochs",), default="10"),
        Field(name="scheduler", paths=(f"{_SCHEDULER}.lr_decay_style",), default="cosine"),
        *Field.within(_SCHEDULER, lr_warmup_steps=None, lr_decay_steps=None, init_lr=None,
                      min_lr=None, lr_wsd_decay_style=None, wd_incr_style="constant"),
        Field(name="wsd_decay", paths=(f"{_SCHEDULER}.wsd_decay_steps",)),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),  # global_batch_size is of all devices
    harmless=("model*", "dataset*", "dataloader*", "validation*", "checkpoint*", "distributed*",
              "step_scheduler*", "lr_scheduler*", "packed_sequence*", "peft*", "benchmark*",
              "flow_matching*", "optimizer.master_weights", "optimizer.store*", "ci*", "loss_fn*",
              "data*", "optimizer.foreach", "optimizer.fused", "rng*", "clip_grad_norm*"),
    finish=_finish,
)  # fmt: skip
