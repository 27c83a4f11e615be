"""timm's args.yaml, as its train.py writes it, and files or flags with the same names.

Source: huggingface/pytorch-image-models train.py (aa4b5850), timm 1.0.31 optim/_optim_factory.py,
scheduler/*.py.
"""

from collections.abc import Callable
from fractions import Fraction

from decaycalc.algebra.quantity import finite, root_of
from decaycalc.conventions.catalogue import find as find_convention
from decaycalc.errors import UnknownNameError
from decaycalc.record import replace
from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.decays import by_layer
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.optimizers import ADAM, UNDAMPENED_SGD, unknown_optimizer
from decaycalc.training.reading.schedules import Options, compose, epochs, of_lr
from decaycalc.training.reading.settings import Settings, by_default, derived
from decaycalc.training.reading.trainer import PER_DEVICE, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training

_OWN = (
    "opt_eps", "opt_betas", "opt_kwargs", "sched", "sched_on_updates", "warmup_lr", "warmup_epochs",
    "lr_base", "lr_base_size", "lr_base_scale", "min_lr", "cooldown_epochs", "decay_milestones",
    "decay_epochs", "model_ema", "aa", "reprob", "smoothing", "drop_path", "crop_pct", "lr",
    "epochs", "weight_decay", "layer_decay",
)  # fmt: skip
# torchvision's references, open_clip, EfficientDet (another default decay), DeiT, ConvNeXt and BEiT
# (another lr: by data_path) call their optimizer opt too.
_OTHER_PROGRAMS = (
    "lr_scheduler", "lr_step_size", "lr_warmup_epochs", "norm_weight_decay", "train_data",
    "train_num_samples", "workers_per_gpu", "syntax:Python", "fill_color", "soft_nms",
    "redundant_bias", "bench_labeler", "fused_focal_loss", "data_path", "data_set", "unscale_lr",
    "update_freq", "wd", "betas",
)  # fmt: skip
_MOMENTUM = ("sgd", "momentum", "nesterov", "lars", "larc", "rmsprop", "madgrad", "kron", "muon",
             "adafactorbv")  # fmt: skip
_FROM_LIBRARIES = {
    "fusedsgd": "apex-fused-sgd", "fusedmomentum": "apex-fused-sgd", "fusedadam": "pytorch-adam",
    "fusedadamw": "apex-fused-adam", "fusedlamb": "apex-fused-lamb",
    "fusednovograd": "apex-fused-novograd", "bnbsgd": "bitsandbytes-sgd",
    "bnbsgd8bit": "bitsandbytes-sgd", "bnbadam": "bitsandbytes-adam",
    "bnbadam8bit": "bitsandbytes-adam", "bnbadamw": "bitsandbytes-adamw",
    "bnbadamw8bit": "bitsandbytes-adamw", "momentum": "timm-sgd", "nesterov": "timm-sgd",
}  # fmt: skip
_SQRT = ("ada", "lamb")  # optimizers whose lr_base train.py scales by the square root
_DECAY_SHARE = Fraction(1, 5)
_LAYER_DECAY = ("layer_decay", "layer_decay_min_scale", "layer_decay_no_opt_scale")


def _name(settings: Settings) -> str:
    """Return the optimizer's name without Lookahead, which the factory strips."""
    return settings.word("optimizer").rpartition("_")[2]


def _optimizer(settings: Settings) -> Optimizer:
    name = _name(settings)
    key = _FROM_LIBRARIES.get(name, f"timm-{name}")
    try:
        convention = find_convention(key).key
    except UnknownNameError:
        return unknown_optimizer(name, setting="opt")
    uses = UNDAMPENED_SGD if name.startswith(_MOMENTUM) else ADAM
    note = "Lookahead's slow weights follow" if "lookahead" in settings.word("optimizer") else ""
    return Optimizer(convention=convention, uses=uses, note=note)


def _nesterov(settings: Settings) -> Sourced:
    is_nesterov = "sgd" in _name(settings) or _name(settings) in {"nesterov", "nlars", "nlarc"}
    return derived("nesterov", str(is_nesterov).lower(), "opt")


def _scaled_lr(settings: Settings) -> Sourced | None:
    """Return lr_base scaled by the batch size, as train.py does where lr is not set."""
    base, size = settings.number("lr_base"), settings.number("lr_base_size")
    batch = settings.product(*PER_DEVICE)
    if base is None or not size or batch is None:
        return None
    share = batch / size
    scale = settings.word("lr_base_scale")
    if not scale:
        scale = "sqrt" if any(part in _name(settings) for part in _SQRT) else "linear"
    if scale == "sqrt":
        peak = finite(base * root_of(share, 2), "lr") if share > 0 else 0.0
        lr = typed_number(repr(peak))
        formula = "lr_base · sqrt(B / lr_base_size)"
    else:
        lr, formula = base * share, "lr_base · B / lr_base_size"
    return derived("lr", None if lr is None else decimal_text(lr), formula)


def _warmup(settings: Settings) -> Fraction:
    return settings.number("warmup_epochs") or Fraction(0)


def _ramp(settings: Settings) -> Options:
    """Return the warm-up from warmup_lr."""
    warm = _warmup(settings)
    if warm <= 0:
        return {}
    return {"warmup": epochs(warm), "start": of_lr(settings, "warmup_lr")}


def _schedule(settings: Settings) -> str | None:
    make = _SCHEDULES.get(settings.word("scheduler") or "none")
    return None if make is None else make(settings)


def _per(settings: Settings) -> str | None:
    return None if settings.flag("sched_on_updates") else "1epochs"


def _annealed(settings: Settings, kind: str, **more: Fraction | None) -> str | None:
    """Return a cosine or polynomial to min_lr over the epochs, cooldown after it.

    Without warmup_prefix it is counted from the start, the warm-up laid over it.
    """
    if settings.number("cycle_limit") != 1 or settings.number("k_decay") != 1:
        return None
    prefix, cooldown = settings.flag("warmup_prefix"), settings.number("cooldown_epochs")
    length = None
    if cooldown:
        whole = settings.number("sched_epochs") or Fraction(0)
        length = epochs(whole + (_warmup(settings) if prefix else 0))
    return compose(
        kind,
        final=of_lr(settings, "min_lr"),
        length=length,
        per=_per(settings),
        over=None if prefix or _warmup(settings) <= 0 else "run",
        **more,
        **_ramp(settings),
    )


def _offset(settings: Settings) -> Fraction:
    """Return by how many epochs a warm-up prefix moves the boundaries."""
    return _warmup(settings) if settings.flag("warmup_prefix") else Fraction(0)


def _step(settings: Settings) -> str | None:
    every, gamma = settings.number("decay_epochs") or Fraction(90), settings.number("decay_rate")
    if _offset(settings):
        return None
    ramp = _ramp(settings)
    per = _per(settings) if ramp or every.denominator != 1 else None
    toward = "peak" if ramp else None
    return compose("step", every=epochs(every), gamma=gamma, per=per, toward=toward, **ramp)


def _multistep(settings: Settings) -> str | None:
    """Return the milestones, each an epoch early; under sched_on_updates it is an update only.

    Source: timm 1.0.31 scheduler/multistep_lr.py: milestone m applies at t == m - 1.
    """
    marks = [typed_number(text) for text in settings.texts("decay_milestones")]
    if not marks or any(mark is None or mark < 1 for mark in marks):
        return None
    offset = _offset(settings) - (0 if settings.flag("sched_on_updates") else 1)
    at = epochs(*((mark or 0) + offset for mark in marks))
    gamma = settings.number("decay_rate")
    ramp = _ramp(settings)
    own = {"per": _per(settings), "toward": "peak"} if ramp else {}
    return compose("step", at=at, gamma=gamma, **own, **ramp)


def _stable(settings: Settings) -> str | None:
    """Return warm-up, stable, decay; the decay is a fifth of what follows the warm-up."""
    whole, warm = settings.number("sched_epochs") or Fraction(0), _warmup(settings)
    after = whole if settings.flag("warmup_prefix") else whole - warm
    decay = settings.number("decay_epochs")
    if decay is None or 0 < decay < 1:
        decay = Fraction(round((_DECAY_SHARE if decay is None else decay) * after))
    if not 0 < decay <= after:
        return None
    return compose(
        "wsd",
        decay=epochs(decay),
        shape="1-sqrt",
        final=of_lr(settings, "min_lr"),
        per=_per(settings),
        **_ramp(settings),
    )


def _constant(settings: Settings) -> str:
    ramp = _ramp(settings)
    return compose("constant", per=_per(settings) if ramp else None, **ramp)


_SCHEDULES: dict[str, Callable[[Settings], str | None]] = {
    "cosine": lambda settings: _annealed(settings, "cosine"),
    "poly": lambda settings: _annealed(settings, "polynomial", power=settings.number("decay_rate")),
    "step": _step,
    "multistep": _multistep,
    "wsd": _stable,
    "constant": _constant,
    "none": lambda _: "constant",
}


def _drop_last(settings: Settings) -> Sourced:
    """Return whether an epoch's short last step is left out: the loader drops a short batch.

    Batches that do not fill up an accumulation are a step all the same.
    Source: timm 1.0.31 data/loader.py, create_loader; train.py, updates_per_epoch.
    """
    drops = str(settings.count("grad_accum") == 1).lower()
    return by_default("drop_last", drops, "timm 1.0.31 data/loader.py")


def _length(settings: Settings) -> Sourced | None:
    """Return the epochs with warm-up prefix and cooldown, as create_scheduler_v2 counts them."""
    found = settings.find("sched_epochs")
    whole = settings.number("sched_epochs") or Fraction(0)
    extra = Fraction(0)
    name = settings.word("scheduler") or "none"
    if name in {"cosine", "tanh", "poly"}:
        extra += settings.number("cooldown_epochs") or 0
    if name != "none" and settings.flag("warmup_prefix"):
        extra += _warmup(settings)
    if not extra:
        return replace(found, name="epochs")
    return derived("epochs", decimal_text(whole + extra), "epochs + warm-up prefix + cooldown")


def _finish(settings: Settings, made: Training) -> Training:
    """Give earlier layers less lr; a lowest scale is not told by the rate alone."""
    if settings.number("layer_decay_min_scale") or settings.number("layer_decay_no_opt_scale"):
        said = f"layer_decay {settings.text('layer_decay')}"
        return made.with_notes(f"{said}: a layer's lr falls by it down to a scale of its own")
    return by_layer(made, settings, "timm")


TRAINER = Trainer(
    kind="timm",
    title="timm",
    version="timm train.py aa4b5850",
    signatures=(Signature(all_of=("opt",), any_of=_OWN, none_of=_OTHER_PROGRAMS),),
    fields=(
        Field(name="optimizer", paths=("opt",), default="sgd"),
        *Field.within("", weight_decay="2e-5", lr_base="0.1", lr_base_size="256",
                      lr_base_scale=None),
        Field(name="lr", paths=("lr",), absent=("0", "0.0"), derive=_scaled_lr),
        Field(name="momentum", paths=("momentum",), default="0.9"),
        Field(name="nesterov", derive=_nesterov),
        *betas("opt_betas", "0.9", "0.999"),
        Field(name="eps", paths=("opt_eps",), default="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("batch_size", "b"), default="128"),
        Field(name="grad_accum", paths=("grad_accum_steps",), default="1"),
        Field(name="world_size", paths=("world_size",), default="1"),
        Field(name="sched_epochs", paths=("epochs",), default="300"),
        Field(name="epochs", overrule=_length),
        Field(name="drop_last", derive=_drop_last),
        Field(name="scheduler", paths=("sched",), default="cosine"),
        *Field.within("", sched_on_updates="false", warmup_epochs="5", warmup_lr="1e-5",
                      warmup_prefix="false", min_lr="0", cooldown_epochs="0", decay_rate="0.1",
                      decay_epochs=None, decay_milestones=None),
        Field(name="cycle_limit", paths=("lr_cycle_limit",), default="1"),
        Field(name="k_decay", paths=("lr_k_decay",), default="1"),
        *(Field(name=name, paths=(name,)) for name in _LAYER_DECAY),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    # Source: timm 1.0.31 optim/_param_groups.py, param_groups_weight_decay.
    exempt=lambda _: Exemption(
        rule="one-dimensional tensors and biases, and what the model's no_weight_decay lists",
        mask="timm",
    ),
    harmless=(
        "lr_noise*", "lr_cycle*", "bn_momentum", "model_ema*", "split_bn", "epoch_repeats",
        "clip_mode", "train_*", "layer_decay*", "opt_kwargs*", "validation_batch_size*",
        "patience_epochs", "local_rank", "decay_milestones", "grad_checkpointing", "crop_pct",
    ),
    marks=("create_optimizer", "create_optimizer_v2", "optim_factory"),
    finish=_finish,
)  # fmt: skip
