"""VeOmni's YAML, of today's sections and of those before them.

Source: VeOmni d9774494 veomni/arguments/arguments_types.py, veomni/trainer/base.py,
veomni/optim/{lr_scheduler,optimizer}.py; the older keys a11d28ca~1.
"""

from fractions import Fraction
from math import ceil

from decaycalc.training.reading.devices import devices_field
from decaycalc.training.reading.exemptions import of_patterns
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAMW, by_name, refused
from decaycalc.training.reading.schedules import compose, of_lr, percent
from decaycalc.training.reading.settings import Settings, derived, unit_of, whole_or
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training

_NOW, _BEFORE = "train.optimizer", "train"
_OPTIMIZERS = {
    "adamw": ADAMW,
    "anyprecision_adamw": ADAMW,
    "muon": refused(
        "muon: muon_weight_decay is of the matrices, weight_decay of the rest: two numbers"
    ),
}
_TELLING = tuple(f"{place}.{name}" for place in (_NOW, _BEFORE)
                 for name in ("lr_decay_style", "lr_warmup_ratio", "lr_decay_ratio"))  # fmt: skip


def _older_name(settings: Settings) -> Sourced | None:
    """Return the name that stood where the section is now."""
    return None if settings.entries(_NOW) else settings.read("optimizer", _NOW)


def _is_packed(settings: Settings) -> bool:
    """Return whether a step is filled with tokens up to a length: not for images' diffusion."""
    return settings.flag("dyn_bsz") and settings.told("data.data_type") != "diffusion"


def _epoch_steps(settings: Settings) -> Fraction | None:
    """Return the steps of an epoch, where the file's own numbers are all that they rest on."""
    if not settings.entries(_NOW) or not _is_packed(settings):
        return None
    size, share = settings.number("train_size"), settings.number("bsz_warmup_ratio")
    tokens = settings.product("global_batch_size", "max_seq_len", whole=True)
    if size is None or share is None or tokens is None:
        return None
    return Fraction(ceil(int(size * (1 + share / 2)) / tokens))


def _steps(settings: Settings) -> Sourced | None:
    """Return the steps: those of an epoch, of which max_steps is the most, times the epochs.

    Source: VeOmni arguments_types.py, compute_train_steps and train_steps.
    """
    epochs, each = settings.count("epochs"), _epoch_steps(settings)
    most = settings.number("max_steps")
    known = [number for number in (each, most) if number is not None]
    if epochs is None or not known:
        return None
    formula = "num_train_epochs · max_steps"
    if each is not None:
        formula = "num_train_epochs · train_size / (global_batch_size · max_seq_len)"
    return derived("steps", decimal_text(epochs * min(known)), formula)


def _share(share: Fraction, total: Fraction | None) -> str:
    """Return a part of the run as a schedule has it, cut to whole steps."""
    part = total and share * total
    return percent(share) if not part or int(part) == part else str(int(part))


def _schedule(settings: Settings) -> str | None:
    name, share = settings.word("scheduler"), settings.number("lr_warmup_ratio")
    total = settings.number("steps")
    warmup = _share(share, total) if share else None
    warm = {"warmup": warmup, "start": of_lr(settings, "lr_start")}
    warm = warm if warmup not in {None, "0"} else {}
    if name in {"constant", "linear"}:
        return compose(name, **warm)
    decay = settings.number("lr_decay_ratio")
    if name != "cosine" or decay is None:
        return None
    final, length = of_lr(settings, "lr_min"), None
    if decay != 1:
        length = _share(decay, total)
    return compose("cosine", **warm, length=length, final=final)


def _exempt(settings: Settings) -> Exemption:
    names = [text for place in (_NOW, _BEFORE) for key in ("no_decay_modules", "no_decay_params")
             for text in settings.texts(f"{place}.{key}")]  # fmt: skip
    return of_patterns(names, switch=f"{_NOW}.no_decay_params")


def _finish(settings: Settings, made: Training) -> Training:
    notes = []
    if settings.number("bsz_warmup_ratio"):
        notes.append("bsz_warmup_ratio: B is smaller at the start of the run")
    if settings.text("max_steps") is not None and _epoch_steps(settings) is None:
        notes.append("max_steps is the most of an epoch: smaller data end it sooner")
    if settings.word("scheduler") == "linear":
        notes.append("lr does not fall below 1e-7")
    if settings.has("train.vit_lr"):
        notes.append("train.vit_lr: the lr of the vision tower is not read")
    return made.with_notes(*notes)


def _unit(settings: Settings) -> str:
    if not _is_packed(settings):
        return "examples"
    return unit_of("packs", settings.text("max_seq_len"), "tokens")


TRAINER = Trainer(
    kind="veomni",
    title="VeOmni",
    version="VeOmni d9774494",
    signatures=(
        Signature(all_of=("model.model_path", "train.micro_batch_size"), any_of=_TELLING),
        Signature(all_of=("model.config_path", "train.micro_batch_size"), any_of=_TELLING),
        Signature(all_of=("data.train_path", "train.micro_batch_size"), any_of=_TELLING),
    ),
    fields=(
        Field(name="optimizer", paths=(f"{_NOW}.type",), derive=_older_name, default="adamw"),
        *Field.within(_NOW, _BEFORE, weight_decay="0", lr="5e-5"),
        *Field.fixed(beta1="0.9", beta2="0.95", eps="1e-8",
                     source="VeOmni d9774494 veomni/optim/optimizer.py, build_optimizer"),
        Field(name="global_batch_size", paths=("train.global_batch_size",)),
        Field(name="batch_size", paths=("train.micro_batch_size",), default="1"),
        devices_field("train.accelerator.ulysses_size", "train.accelerator.cp_size",
                      "train.ulysses_parallel_size", "train.context_parallel_size"),
        *Field.within("data", train_size="10000000", max_seq_len="2048"),
        *Field.within("train", max_steps=None, bsz_warmup_ratio="0", dyn_bsz="true"),
        Field(name="epochs", paths=("train.num_train_epochs",), default="1"),
        Field(name="steps", derive=_steps),
        *Field.within(_NOW, _BEFORE, lr_warmup_ratio="0", lr_decay_ratio="1.0", lr_min="1e-7",
                      lr_start="0"),
        Field(name="scheduler", paths=(f"{_NOW}.lr_decay_style", f"{_BEFORE}.lr_decay_style"),
              default="constant"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=_exempt,
    batch=whole_or("global_batch_size", "batch_size", "world_size"),
    unit=_unit,
    harmless=("model*", "data*", "train.wandb*", "train.checkpoint*", "train.accelerator*",
              "train.save*", "train.bsz_warmup*", "train.dyn_bsz*", "train.optimizer.muon*",
              "train.ckpt*", "train.max_grad_norm", "train.empty_cache_steps",
              "train.gradient_checkpointing*", "train.eval*", "train.vit_lr"),
    finish=_finish,
)  # fmt: skip
