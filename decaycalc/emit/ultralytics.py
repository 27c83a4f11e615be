"""The lines of Ultralytics' args.yaml, a file for `yolo cfg=`."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from decaycalc.emit.lines import Keys, Yours, refuse_schedule, whole, yaml_file
from decaycalc.emit.named_schedules import is_plain, the_segment
from decaycalc.emit.settings import SnippetSettings, written
from decaycalc.errors import NoEquivalentError

if TYPE_CHECKING:
    from decaycalc.schedule import Segment

_OPTIMIZERS = {"ultralytics-sgd": "SGD", "ultralytics-adamw": "AdamW"}
_EXEMPT = "Ultralytics exempts biases, norm modules and logit_scale, whatever the mask"
_BETA1 = "beta1 is the key momentum, 0.937 by default: give --betas to set it"
_LOSS = "its loss is the mean times the batch: a gradient is that much larger than a mean loss's"
_BETA2, _EPS = 0.999, 1e-8
_LEAST_WARMUP = 100  # iterations: its warm-up takes no fewer (engine/trainer.py)


def write(settings: SnippetSettings) -> tuple[str, tuple[str, ...]]:
    """Return the file's text and its notes.

    Raises:
        NoEquivalentError: an optimizer, a batch, a length or a schedule that it does not have.
    """
    name = written(settings, "ultralytics", _OPTIMIZERS)
    momentum = _momentum(settings, name)
    keys = {
        "task": Yours("TASK"),
        "mode": "train",
        "optimizer": name,
        "lr0": settings.lr,
        "weight_decay": settings.value,
        "momentum": momentum,
        **_batch(settings),
        **_schedule(settings, momentum),
    }
    notes = [_EXEMPT]
    if name == "SGD":
        notes.append(_LOSS)
    elif momentum is None:
        notes.append(_BETA1)
    return yaml_file(settings, keys), tuple(notes)


def _refuse(settings: SnippetSettings, reason: str) -> NoEquivalentError:
    return NoEquivalentError(settings.source.key, "ultralytics", reason)


def _momentum(settings: SnippetSettings, name: str) -> float | None:
    """Return the key `momentum`: SGD's own, beta1 of AdamW.

    Source: ultralytics 8.4.190 engine/trainer.py, build_optimizer.

    Raises:
        NoEquivalentError: an SGD that is not Nesterov's, a beta2 or epsilon that cannot be set.
    """
    if name == "SGD":
        if not settings.nesterov:
            raise _refuse(settings, "its SGD is always Nesterov's")
        return settings.momentum
    one, two = settings.betas or (None, None)
    if two not in {None, _BETA2}:
        raise _refuse(settings, f"beta2 is {_BETA2} there and has no key, not {two!r}")
    if settings.eps not in {None, _EPS}:
        raise _refuse(settings, f"eps is {_EPS} there and has no key, not {settings.eps!r}")
    return one


def _nominal(settings: SnippetSettings) -> Fraction:
    given = settings.run.given("nbs")
    return Fraction(dict(settings.convention.defaults)["nbs"]) if given is None else given


def _batch(settings: SnippetSettings) -> Keys:
    """Return the batch of all devices and nbs, which sets how many are accumulated.

    Raises:
        NoEquivalentError: the run accumulates another number of batches.
    """
    run, nominal = settings.run, _nominal(settings)
    batch = whole(run.batch_size) or 1
    batch *= whole(run.world_size) or 1
    # max(round(nbs / batch), 1), by Python's round.
    found, wanted = max(round(nominal / batch), 1), whole(run.grad_accum)
    if wanted is not None and wanted != found:
        reason = (
            f"with nbs {float(nominal):g} it accumulates {found} batches of {batch}, "
            f"not {wanted}: give --set nbs={batch * wanted}"
        )
        raise _refuse(settings, reason)
    return {"batch": batch, "nbs": whole(nominal)}


def _epochs(settings: SnippetSettings) -> int | None:
    epochs = settings.run.total_epochs
    if epochs is None:
        return None
    if epochs.denominator != 1:
        raise _refuse(settings, f"it runs for whole epochs, not {float(epochs):g}")
    return int(epochs)


def _schedule(settings: SnippetSettings, momentum: float | None) -> Keys:
    """Return the keys of length, lr and warm-up; its defaults would be another schedule.

    Raises:
        NoEquivalentError: a schedule that it has no keys for.
    """
    epochs = _epochs(settings)
    if settings.schedule is None:
        return {"epochs": epochs, "cos_lr": False, "lrf": 1.0, "warmup_epochs": 0.0}
    segment, per_epoch = the_segment(settings), settings.run.steps_per_epoch
    if segment is None or per_epoch is None or not _is_known(segment, per_epoch):
        reason = (
            "lr changes once an epoch, counted from the start: write "
            "linear or cosine:final=F,over=run,per=1epochs and, with a warm-up,"
            " warmup=Wepochs,toward=current,warmup_per=1"
        )
        raise refuse_schedule(settings, "ultralytics", reason)
    name, warmup = segment.kind.name, segment.settings.warmup
    final = 1.0 if name == "constant" else segment.settings.number("final")
    _check_warmup(settings, warmup, per_epoch)
    return {
        "epochs": epochs,
        "cos_lr": name == "cosine",
        "lrf": final,
        "warmup_epochs": warmup / per_epoch,
        # Its warm-up moves the momentum and the biases' lr too, unless these say the same.
        "warmup_momentum": momentum if warmup else None,
        "warmup_bias_lr": 0.0 if warmup else None,
    }


def _is_known(segment: "Segment", per_epoch: int) -> bool:
    """Return whether a schedule is one of Ultralytics'."""
    name, settings = segment.kind.name, segment.settings
    if name == "constant" and not settings.warmup:
        return is_plain(segment, overlay=True, per=settings.steps("per"))
    is_counted_so = settings.is_over_run or not settings.warmup
    # Its warm-up goes on with every step, under the value of the epoch.
    laid_over: dict[str, Any] = {"toward": "current", "warmup_per": 1} if settings.warmup else {}
    plain = is_plain(segment, overlay=True, per=per_epoch, **laid_over)
    return name in {"linear", "cosine"} and is_counted_so and plain


def _check_warmup(settings: SnippetSettings, warmup: int, per_epoch: int) -> None:
    """Refuse a warm-up of part of an epoch, or one that Ultralytics makes longer.

    Source: ultralytics 8.4.190 engine/trainer.py, nw = max(round(warmup_epochs * nb), 100).
    """
    if warmup % per_epoch:
        raise refuse_schedule(settings, "ultralytics", "give the warm-up in whole epochs")
    batches = warmup * (whole(settings.run.grad_accum) or 1)
    if warmup and batches < _LEAST_WARMUP:
        raise refuse_schedule(settings, "ultralytics", "its warm-up has at least 100 batches")
