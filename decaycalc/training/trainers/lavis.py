"""LAVIS' YAML (BLIP, BLIP-2, InstructBLIP) and MiniGPT-4's: lr by epoch there, by iteration here.

Source: LAVIS 506965b lavis/runners/runner_{base,iter}.py, lavis/common/optims.py; MiniGPT-4 d94738a
minigpt4/runners/runner_base.py, minigpt4/common/optims.py. Iterations are micro-batches in both.
`world_size` in the file is what a launcher overwrites.
"""

from fractions import Fraction

from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAMW, refused
from decaycalc.training.reading.schedules import Options, compose, ratio
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_EXEMPT = Exemption(rule="1-D tensors, and names with bias, ln or bn", mask="no-1d")


def _steps(settings: Settings) -> Sourced | None:
    """Return the updates of a run whose length is in iterations."""
    accum, most = settings.number("grad_accum"), settings.number("max_iters")
    each, turns = settings.number("iters_per_epoch"), settings.number("max_epoch")
    if accum is None:
        return None
    if most is not None:
        return derived("steps", decimal_text(most / accum), "max_iters / accum_grad_iters")
    if each is None or turns is None:
        return None
    formula = "max_epoch · iters_per_epoch / accum_grad_iters"
    return derived("steps", decimal_text(turns * each / accum), formula)


def _tells(settings: Settings, name: str) -> bool:
    """Return whether a file has a key, be its value open."""
    return settings.node(f"run.{name}") is not None


def _epochs(settings: Settings) -> Sourced | None:
    """Return the passes over the data of a run whose length is not in iterations."""
    turns = settings.number("max_epoch")
    is_by_epoch = not _tells(settings, "iters_per_epoch") and not _tells(settings, "max_iters")
    return derived("epochs", str(turns), "max_epoch") if is_by_epoch and turns else None


def _batch_size(settings: Settings) -> Sourced | None:
    """Return the batch of MiniGPT-4's data sets, of which each iteration takes one."""
    names = settings.entries("datasets")
    sizes = {settings.told(f"datasets.{name}.batch_size") for name in names}
    size = sizes.pop() if len(sizes) == 1 else ""
    return derived("batch_size", size, "datasets.*.batch_size") if size else None


def _period(settings: Settings) -> tuple[bool, str | None]:
    """Return whether it is known after how many updates the lr changes, and that, None for one."""
    accum, inner = settings.number("grad_accum"), settings.number("iters_per_inner_epoch")
    if _tells(settings, "max_iters"):
        most = settings.number("max_iters")
        is_whole = inner and most and accum and not most % inner and not inner % accum
        return bool(is_whole), str(int(inner / accum)) if inner and accum and is_whole else None
    if _tells(settings, "iters_per_epoch"):
        return settings.number("iters_per_epoch") is not None, None
    return settings.has("run.batch_size_train"), "1epochs"


def _schedule(settings: Settings) -> str | None:
    name, accum = settings.word("scheduler"), settings.number("grad_accum")
    warmup, each = settings.number("warmup_steps"), settings.number("iters_per_epoch")
    is_known, per = _period(settings)
    if accum is None or warmup is None or not is_known:
        return None
    start = ratio(settings, "warmup_lr", "lr")
    if start is None or start < 0:  # -1: the warm-up begins at the peak
        start, warmup = None, Fraction(0)
    if warmup > (each or settings.number("iters_per_inner_epoch") or warmup):
        return None  # counted anew, or left, at the end of the first epoch
    warm: Options = {"warmup": decimal_text(warmup / accum), "start": start} if warmup else {}
    if name == "constant_lr":
        return compose("constant", **warm)
    final = ratio(settings, "min_lr", "lr")
    if name != "linear_warmup_cosine_lr" or final is None:
        return None
    by_epoch: Options = {"per": per, "warmup_per": 1 if warm else None} if per else {}
    over = "run" if warm else None
    return compose("cosine", **warm, final=final or None, over=over, **by_epoch)


def _optimizer(settings: Settings) -> Optimizer:
    if settings.flag("evaluate"):
        return refused("evaluate: true trains nothing")
    return ADAMW


TRAINER = Trainer(
    kind="lavis",
    title="LAVIS and MiniGPT-4",
    version="LAVIS 506965b",
    signatures=(
        Signature(
            all_of=("run.init_lr", "run.lr_sched", "model.arch"),
            any_of=("run.task", "run.max_epoch", "run.batch_size_train", "run.warmup_lr",
                    "run.iters_per_epoch", "run.max_iters", "run.min_lr"),
            at_least=3,
        ),
    ),
    fields=(
        Field(name="lr", paths=("run.init_lr",)),
        *Field.within("run", weight_decay="0.05", beta2="0.999"),
        *Field.fixed(beta1="0.9", eps="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("run.batch_size_train",), derive=_batch_size),
        Field(name="grad_accum", paths=("run.accum_grad_iters",), default="1"),
        Field(name="world_size"),
        *Field.within("run", max_epoch=None, max_iters=None, iters_per_epoch=None,
                      iters_per_inner_epoch=None, evaluate="false"),
        Field(name="steps", derive=_steps),
        Field(name="epochs", derive=_epochs),
        Field(name="scheduler", paths=("run.lr_sched",)),
        *Field.within("run", min_lr=None, warmup_steps="0", warmup_lr="-1"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: _EXEMPT,
    harmless=("model*", "datasets*", "run*", "preprocess*"),
)  # fmt: skip
