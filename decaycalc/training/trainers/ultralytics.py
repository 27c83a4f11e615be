"""Ultralytics' args.yaml.

Source: ultralytics 8.4.190 and 8.3.100 engine/trainer.py, cfg/default.yaml, utils/loss.py.
"""

from fractions import Fraction
from math import ceil

from decaycalc.record import replace
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.optimizers import UNDAMPENED_SGD, unknown_optimizer
from decaycalc.training.reading.schedules import compose, epochs
from decaycalc.training.reading.settings import Settings, derived, left_open
from decaycalc.training.reading.trainer import Derive, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Origin, Sourced, Training

_ADAM_USES = ("beta1", "beta2")
_LONG = 10_000  # iterations from which `auto` chooses SGD
_TORCH = {
    "adam": "pytorch-adam",
    "adamax": "pytorch-adamax",
    "nadam": "pytorch-nadam",
    "radam": "pytorch-radam",
}


def accumulation(settings: Settings) -> Sourced | None:
    """Return max(round(nbs / batch), 1), by Python's round, half to even."""
    batch, nominal = settings.number("batch_size"), settings.number("nbs")
    if not batch or nominal is None:
        return None
    count = max(round(nominal / batch), 1)
    return derived("grad_accum", str(count), "max(round(nbs / batch), 1)")


def _open_batch(settings: Settings) -> Sourced | None:
    """Return that a batch of -1 or a share of the memory is found by AutoBatch in the run."""
    found = settings.read("batch_size", "batch")
    number = None if found is None else typed_number(found.value or "")
    if found is None or number is None or number >= 1 or number == 0:
        return None
    note = f"batch {found.value}: AutoBatch finds the size, give --batch-size"
    return replace(found, value=None, origin=Origin.MISSING, note=note)


def _loss(settings: Settings) -> Sourced | None:
    """Return the loss of a classifier and of RT-DETR: a mean, which the accumulation adds up.

    Source: ultralytics 8.3.100 and 8.4.190 utils/loss.py, nn/tasks.py: no factor of the batch.
    """
    is_rtdetr = "rtdetr" in settings.told("model").lower()
    if settings.told("task") != "classify" and not is_rtdetr:
        return None
    count = settings.text("grad_accum")
    return derived("loss", count, "the mean of a batch, added up over accumulate of them")


def scaled_decay(settings: Settings) -> Sourced:
    """Return weight_decay · batch · accumulate / nbs, the number that the optimizer gets."""
    parts = [settings.number(name) for name in ("weight_decay", "batch_size", "grad_accum", "nbs")]
    formula = "weight_decay · batch · accumulate / nbs"
    if any(part is None for part in parts) or not parts[3]:
        return left_open("value", where=formula)
    decay, batch, count, nominal = (Fraction(part or 0) for part in parts)
    return derived("value", decimal_text(decay * batch * count / nominal), formula)


def find_optimizer(settings: Settings, name: str) -> Optimizer:
    """Return what an optimizer of Ultralytics makes of its number."""
    extras = (("nbs", settings.text("nbs") or "64"),)
    if name == "sgd":
        uses = UNDAMPENED_SGD
        return Optimizer(convention="ultralytics-sgd", uses=uses, extras=extras)
    if name == "musgd":
        note = (
            "MuSGD's decay acts in its SGD half, beside the Muon step; the heads' cv3 have three"
            " times the lr"
        )
        uses = UNDAMPENED_SGD
        return Optimizer(convention="ultralytics-sgd", uses=uses, extras=extras, note=note)
    if name == "adamw":
        return Optimizer(convention="ultralytics-adamw", uses=_ADAM_USES, extras=extras)
    if name in _TORCH:
        return Optimizer(convention=_TORCH[name], uses=_ADAM_USES, value=scaled_decay(settings))
    if name == "rmsprop":
        return Optimizer(
            convention="pytorch-rmsprop", uses=("momentum",), value=scaled_decay(settings)
        )
    return unknown_optimizer(name)


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    return find_optimizer(settings, "sgd" if name == "auto" else name)


def schedule_of(settings: Settings, *, warmup: str | None = None, length: str | None = None) -> str:
    """Return a value an epoch, counted from the start; the warm-up lies over it, step by step.

    `warmup` and `length` are those of the warm-up and of the shape where not the file's hold.
    """
    kind = "cosine" if settings.flag("cos_lr") else "linear"
    warm = settings.number("warmup_epochs")
    final = settings.number("lrf")
    if not warm or warm <= 0:
        return compose(kind, final=final, length=length, over="run", per="1epochs")
    return compose(
        kind,
        final=final,
        length=length,
        warmup=warmup or epochs(warm),
        over="run",
        per="1epochs",
        toward="current",
        warmup_per=1,
    )


def exempt(_: Settings) -> Exemption:
    """Source: ultralytics 8.4.190 engine/trainer.py, build_optimizer."""
    return Exemption(rule="names with bias, norm modules, logit_scale", mask="ultralytics")


def _set_by_auto(name: str, value: str, key: str) -> Derive:
    """Return what sets a quantity under `auto`, whatever the file says."""

    def derive(settings: Settings) -> Sourced | None:
        if settings.word("optimizer") != "auto":
            return None
        return derived(name, value, "optimizer auto", note=f"{key} is ignored under auto")

    return derive


def _finish(settings: Settings, made: Training) -> Training:
    """Leave the length open where `time` decides it, and give both readings of `auto`."""
    if settings.number("time") is not None:
        note = "time, in hours, overrides epochs: the run's length is open"
        run = replace(made.run, epochs=None)
        made = replace(made, run=run, notes=(*made.notes, note), missing=(*made.missing, "epochs"))
    return _readings(settings, made) if settings.word("optimizer") == "auto" else made


def _readings(settings: Settings, made: Training) -> Training:
    """Return both readings of `auto`, or the one that the data set's size decides."""
    short = _short_run(settings, made)
    size = made.run.given("dataset_size")
    if size is None:
        note = "optimizer auto: more than 10,000 iterations take SGD (8.4: MuSGD), else AdamW"
        return replace(made, alternatives=(short,), notes=(*made.notes, note))
    batch, nominal = settings.number("batch_size") or 1, settings.number("nbs") or 64
    iterations = ceil(size / max(batch, nominal)) * (settings.number("epochs") or 0)
    return made if iterations > _LONG else short


def _short_run(settings: Settings, made: Training) -> Training:
    """Return the reading of a run of at most 10,000 iterations: AdamW, its lr by the classes."""
    classes = settings.number("nc")
    lr = None if classes is None else Fraction(round(float(Fraction(1, 100) / (4 + classes)), 6))
    formula = "round(0.002 · 5 / (4 + nc), 6)"
    value = None if lr is None else decimal_text(lr)
    note = "" if lr is not None else "nc, the number of classes, decides it"
    origin = Origin.MISSING if lr is None else Origin.DERIVED
    sourced = Sourced(name="lr", value=value, origin=origin, where=formula, note=note)
    run = replace(made.run, lr=value, momentum=None, nesterov=None)
    quantities = tuple(
        sourced if found.name == "lr" else found
        for found in made.quantities
        if found.name not in {"momentum", "nesterov"}
    )
    return replace(
        made,
        convention="ultralytics-adamw",
        run=run,
        betas=("0.9", "0.999"),
        quantities=quantities,
        missing=(*made.missing, *(("lr",) if lr is None else ())),
        reading="auto, at most 10,000 iterations",
    )


FIELDS = (
    *Field.within("", optimizer="auto", weight_decay="0.0005"),
    Field(name="lr", paths=("lr0",), default="0.01", overrule=_set_by_auto("lr", "0.01", "lr0")),
    Field(
        name="momentum",
        paths=("momentum",),
        default="0.937",
        overrule=_set_by_auto("momentum", "0.9", "momentum"),
    ),
    Field(name="nesterov", default="true"),
    Field(name="beta1", paths=("momentum",), default="0.937"),
    Field(name="beta2", default="0.999"),
    Field(name="batch_size", paths=("batch",), default="16", overrule=_open_batch),
    Field(name="nbs", paths=("nbs",), default="64"),
    Field(name="grad_accum", derive=accumulation),
    *Field.within("", epochs="100", time=None, nc=None),
    Field(
        name="loss",
        derive=_loss,
        default="batch-sum",
        source="ultralytics 8.4.190 utils/loss.py",
    ),
    *Field.within("", cos_lr="false", lrf="0.01", warmup_epochs="3"),
)

TRAINER = Trainer(
    kind="ultralytics",
    title="Ultralytics",
    version="ultralytics 8.4.190",
    signatures=(Signature(all_of=("task", "mode", "lr0", "lrf")),),
    fields=FIELDS,
    optimizer=_optimizer,
    schedule=schedule_of,
    exempt=exempt,
    batch=lambda _: ("batch_size", "grad_accum"),
    harmless=("warmup_momentum", "warmup_bias_lr", "batch*", "close_mosaic", "auto_augment"),
    finish=_finish,
)
