"""BasicSR's YAML of image restoration, also Real-ESRGAN's, NAFNet's and Restormer's.

Source: BasicSR 8d56e3a basicsr/models/{base_model,sr_model,lr_scheduler}.py; NAFNet 2b4af71 and
Restormer df766d5, the same files; the schedulers of both count from the run's start.
"""

from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.schedules import Options, by_scheduler, compose
from decaycalc.training.reading.settings import Settings, derived, left_open
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Sourced, Training

_OPTIM, _SCHED, _DATA = "train.optim_g", "train.scheduler", "datasets.train"
_STEPS = ("multisteplr", "multisteprestartlr")
_STAGES = f"{_DATA}.mini_batch_sizes"
_OF_PARTS = ("train.optim_d", "train.dcn_lr_mul", "train.flow_lr_mul")


def _reached(settings: Settings) -> int:
    """Return how many steps the warm-up takes: it goes up to the last one before warmup_iter."""
    return max(int(settings.number("warmup_iter") or 0) - 1, 0)


def _lr(settings: Settings) -> Sourced | None:
    """Return the peak of a warm-up before steps: each starts from the lr before it.

    Source: BasicSR 8d56e3a models/lr_scheduler.py, MultiStepRestartLR, get_lr, which takes up the
    last lr of the warm-up, base · (warmup_iter - 1) / warmup_iter.
    """
    reached = _reached(settings)
    if not reached or settings.word("scheduler") not in _STEPS:
        return None
    base = settings.number("base_lr")
    if base is None:
        return None
    value = decimal_text(base * reached / (reached + 1))
    return derived("lr", value, "train.optim_g.lr · (warmup_iter - 1) / warmup_iter")


def _by_stages(settings: Settings) -> Sourced | None:
    """Return that a batch whose size falls from stage to stage has no one size."""
    if len(settings.texts(_STAGES)) < len(("first", "second")):
        return None
    note = f"{_STAGES}: the batch size changes over the run"
    return left_open("batch_size", note, where=_STAGES)


def _step(settings: Settings) -> str | None:
    """Return the steps; restarts at other lrs have no text."""
    restarts = [typed_number(text) for text in settings.texts(f"{_SCHED}.restarts")]
    at = [typed_number(text) for text in settings.texts(f"{_SCHED}.milestones")]
    known = tuple(number for number in at if number is not None)
    if any(restarts) or not known or len(known) < len(at):
        return None
    warm = _warm(_reached(settings))
    return compose("step", at=known, gamma=settings.number("gamma"), **warm)


def _warm(steps: int) -> Options:
    return {"warmup": steps, "ramp": "one"} if steps else {}


def _cosine(settings: Settings) -> str | None:
    """Return half a cosine after cycles that stay at the peak; others have no text."""
    lr = settings.number("lr")
    periods = [typed_number(text) or 0 for text in settings.texts(f"{_SCHED}.periods")]
    lows = settings.texts(f"{_SCHED}.eta_mins") or (settings.told(f"{_SCHED}.eta_min") or "0",)
    weights = {typed_number(text) for text in settings.texts(f"{_SCHED}.restart_weights")}
    *held, last = lows
    least, peaks = typed_number(last), {typed_number(text) for text in held}
    if not lr or least is None or len(periods) != len(lows) or weights - {1} or peaks - {lr}:
        return None
    start, end, whole = int(sum(periods[:-1])), int(sum(periods)), settings.number("steps")
    shape: Options = {"final": least / lr or None}
    if whole != end:
        shape["length"] = end - start
    warmup = int(settings.number("warmup_iter") or 0)
    if start:
        return None if warmup > 0 else f"constant:until={start}+{compose('cosine', **shape)}"
    over: Options = {"over": "run", **_warm(warmup)} if warmup > 0 else {}
    return compose("cosine", **shape, **over)


def _true_cosine(settings: Settings) -> str | None:
    """Return torch's half cosine, as NAFNet has it; it takes up the lr that a warm-up leaves."""
    lr, length = settings.number("lr"), settings.number("T_max")
    least, whole = settings.number("eta_min"), settings.number("steps")
    if not lr or not length or least is None or (settings.number("warmup_iter") or 0) > 0:
        return None
    end = None if length == whole else int(length)
    after = "mirror" if whole is None or length < whole else None
    return compose("cosine", length=end, final=least / lr or None, after=after)


_SCHEDULES = {
    "multisteplr": _step,
    "multisteprestartlr": _step,
    "cosineannealingrestartlr": _cosine,
    "cosineannealingrestartcycliclr": _cosine,
    "truecosineannealinglr": _true_cosine,
}


def _finish(settings: Settings, made: Training) -> Training:
    """Name what has an optimizer, or an lr, of its own."""
    others = [name for name in _OF_PARTS if settings.has(name)]
    said = f"not read: the optimizer, or the lr, of {', '.join(others)}"
    return made.with_notes(said if others else "")


def _fields() -> tuple[Field, ...]:
    """Return the class's fields, with the lr that a warm-up leaves before them."""
    own = class_fields(f"{_OPTIM}.type", _OPTIM, peak=_lr)
    (lr,) = (field for field in own if field.name == "lr")
    return (*own, Field(name="base_lr", paths=lr.paths, derive=lr.derive))


TRAINER = Trainer(
    kind="basicsr",
    title="BasicSR",
    version="BasicSR 8d56e3a",
    signatures=(
        Signature(all_of=(f"{_OPTIM}.type",), any_of=("train.total_iter", f"{_SCHED}.type",
                  f"{_DATA}.batch_size_per_gpu", "network_g.type"), at_least=2),
    ),
    fields=(
        *_fields(),
        Field(name="batch_size", paths=(f"{_DATA}.batch_size_per_gpu",), overrule=_by_stages,
              covers=(_STAGES,)),
        Field(name="world_size", paths=("num_gpu",), default="1", open=("auto",), absent=("0",)),
        Field(name="steps", paths=("train.total_iter",)),
        Field(name="scheduler", paths=(f"{_SCHED}.type",)),
        Field(name="warmup_iter", paths=("train.warmup_iter",), absent=("-1",)),
        *Field.within(_SCHED, gamma="0.1", T_max=None, eta_min="0"),
    ),
    optimizer=optimizer_of,
    schedule=by_scheduler(_SCHEDULES),
    exempt=lambda _: NONE_EXEMPT,
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("datasets*", "network*", "path*", "val*", "logger*", "train.ema_decay",
              "train.mixing_augs*", *_OF_PARTS, "train.optim_d*", "train.scheduler*",
              "dist_params*"),
    finish=_finish,
)  # fmt: skip
