"""mmcv 1.x's Python configurations: mmdetection 2 and its family.

Source: two public configurations; mmcv 1.x runner/hooks/lr_updater.py by its documentation.
"""

from collections.abc import Callable
from fractions import Fraction

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.bases import with_bases
from decaycalc.training.reading.by_class import class_default, flag_fields
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.schedules import AT_THE_END, Options, compose, multiplied, ratio
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.trainers import mmengine


def _schedule(settings: Settings) -> str | None:
    make = _POLICIES.get(settings.word("scheduler"))
    return None if make is None else make(settings, _ramp(settings))


def _ramp(settings: Settings) -> Options | None:
    """Return the linear or constant warm-up; None for another kind, which has no text here."""
    kind = settings.word("warmup")
    if kind in {"", "none"}:
        return {}
    if kind not in {"linear", "constant"}:
        return None
    unit = "epochs" if settings.flag("warmup_by_epoch") else ""
    length = settings.number("warmup_iters") or Fraction(0)
    return {
        "warmup": f"{decimal_text(length)}{unit}",
        "start": settings.number("warmup_ratio"),
        "warmup_power": AT_THE_END if kind == "constant" else None,
    }


def _unit(settings: Settings) -> str:
    return "epochs" if settings.flag("by_epoch") else ""


def _fixed(_: Settings, ramp: Options | None) -> str | None:
    return None if ramp is None else compose("constant", **ramp)


def _step(settings: Settings, ramp: Options | None) -> str | None:
    marks = [typed_number(text) for text in settings.texts("lr_config.step")]
    known = [decimal_text(mark) for mark in marks if mark is not None]
    if ramp is None or not known or len(known) < len(marks):
        return None
    where = "/".join(known) + _unit(settings)
    first = min(mark for mark in marks if mark is not None)
    single = not settings.is_list("lr_config.step")
    return compose(
        "step",
        every=where if single else None,
        at=None if single else where,
        gamma=settings.number("gamma"),
        **multiplied(ramp, first, by_epoch=settings.flag("by_epoch")),
    )


def _annealed(settings: Settings, ramp: Options | None, kind: str) -> str | None:
    """Return a cosine or polynomial, counted from the start, the warm-up laid over it."""
    if ramp is None:
        return None
    per = "1epochs" if settings.flag("by_epoch") else None
    if ramp:  # the warm-up goes by iterations, whatever the policy goes by
        ramp |= {"over": "run", "toward": "product", "warmup_per": 1 if per else None}
    final = settings.number("min_lr_ratio")
    final = ratio(settings, "min_lr", "lr") if final is None else final
    return compose(
        kind,
        final=final or None,
        power=settings.number("power") if kind == "polynomial" else None,
        per=per,
        **ramp,
    )


def _exponential(settings: Settings, ramp: Options | None) -> str | None:
    gamma = settings.number("gamma") if settings.has("lr_config.gamma") else None
    every = "1epochs" if settings.flag("by_epoch") else "1"
    if gamma is None or ramp is None:
        return None
    return compose(
        "step", every=every, gamma=gamma, **multiplied(ramp, Fraction(0), by_epoch=False)
    )


_POLICIES: dict[str, Callable[[Settings, Options | None], str | None]] = {
    "fixed": _fixed,
    "step": _step,
    "exp": _exponential,
    "linearannealing": lambda settings, ramp: _annealed(settings, ramp, "linear"),
    "cosineannealing": lambda settings, ramp: _annealed(settings, ramp, "cosine"),
    "poly": lambda settings, ramp: _annealed(settings, ramp, "polynomial"),
}


def _paramwise(settings: Settings) -> str:
    """Return where the multipliers are; mmdetection 1 called them options."""
    older = "optimizer.paramwise_options"
    return older if settings.has(older) else "optimizer.paramwise_cfg"


TRAINER = Trainer(
    kind="mmcv",
    title="mmcv 1.x",
    version="mmcv 1.x",
    signatures=(
        Signature(
            all_of=("optimizer.type", "lr_config"),
            any_of=("lr_config.policy", "runner", "total_epochs", "optimizer_config"),
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.type",)),
        Field(name="weight_decay", paths=("optimizer.weight_decay",),
              derive=class_default("weight_decay", mmengine.class_of)),
        *flag_fields("optimizer"),
        Field(name="base_lr", paths=("optimizer.lr",)),
        Field(name="lr", paths=("optimizer.lr",), overrule=mmengine.scaled_lr),
        Field(name="auto_scale_lr", paths=("auto_scale_lr.enable",), default="False"),
        Field(name="base_batch_size", paths=("auto_scale_lr.base_batch_size",)),
        *Field.within("optimizer", source="torch 2.13", momentum="0", dampening="0",
                      nesterov="False"),
        *betas("optimizer.betas", "0.9", "0.999"),
        Field(name="eps", paths=("optimizer.eps",), default="1e-8", source="torch 2.13"),
        # The loader's own number overrides that of all: mmpose 0.x's and mmcls 0.x's apis/train.py.
        Field(
            name="batch_size",
            paths=(
                "data.train_dataloader.samples_per_gpu",
                "data.samples_per_gpu",
                "data.imgs_per_gpu",
            ),
        ),
        Field(name="grad_accum", paths=("optimizer_config.cumulative_iters",
                                         "optimizer_config.update_interval"), default="1"),
        Field(name="world_size", default="1"),
        Field(name="epochs", paths=("runner.max_epochs", "total_epochs")),
        Field(name="steps", paths=("runner.max_iters",)),
        Field(name="scheduler", paths=("lr_config.policy",)),
        *Field.within("lr_config", by_epoch="True", gamma="0.1", power="1", min_lr="0",
                      min_lr_ratio=None, warmup=None, warmup_iters="0", warmup_ratio="0.1",
                      warmup_by_epoch="False"),
    ),
    optimizer=mmengine.find_optimizer,
    schedule=_schedule,
    exempt=lambda settings: mmengine.exempt(settings, _paramwise(settings)),
    harmless=("train_pipeline*", "test_*", "data*", "model*", "optimizer.paramwise*",
              "auto_scale_lr*", "base_lr",
              "lr_config.step", "optimizer_config*", "runner*", "log_config*", "momentum_config*"),
    prepare=with_bases,
    finish=lambda settings, made: mmengine.finish(settings, made, _paramwise(settings)),
)  # fmt: skip
