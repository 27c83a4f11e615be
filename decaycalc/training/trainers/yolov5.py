"""YOLOv5's hyp.yaml and opt.yaml, which lie in one folder.

Source: ultralytics/yolov5 5081342f train.py, utils/torch_utils.py (smart_optimizer), utils/loss.py.
"""

from fractions import Fraction
from math import ceil

from decaycalc.record import replace
from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.optimizers import UNDAMPENED_SGD, unknown_optimizer
from decaycalc.training.reading.schedules import epochs
from decaycalc.training.reading.settings import Settings, by_default, derived, left_open
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced
from decaycalc.training.trainers import ultralytics
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.sniffing import Syntax
from decaycalc.training.trainers.syntax.tree import Entries, Scalar, from_file, joined

_NEIGHBOURS = ("opt.yaml", "hyp.yaml")
_OF_DEFAULTS = "hyp.scratch-low.yaml"
_OF_HYP = ("lr0", "lrf", "momentum", "weight_decay", "warmup_epochs")


def _prepare(document: Document) -> Document:
    """Return hyp and opt as one; a whole opt.yaml holds its hyp itself."""
    is_opt = "weights" in document.root.entries
    name = _NEIGHBOURS[is_opt]
    inner = document.root.entries.get("hyp")
    if isinstance(inner, Entries):
        return replace(document, root=joined(inner, document.root))
    told = (inner.text or "") if is_opt and isinstance(inner, Scalar) else ""
    other = None if document.syntax is Syntax.SHELL else document.neighbour(name)
    if other is None and told:
        name, other = told.rpartition("/")[2], document.named(told)
    if other is None:
        return _without_hyp(document, told)
    return replace(document, root=joined(from_file(other.root, name), document.root))


def _without_hyp(document: Document, told: str) -> Document:
    """Return a command line whose hyp.yaml is not here: what it would set is open.

    Only the file that train.py takes by default is known.
    """
    if document.syntax is not Syntax.SHELL or told.endswith(_OF_DEFAULTS):
        return document
    unknown = Scalar(text=None, open=f"{told[:80]!r} is not here")
    under = Entries(entries=dict.fromkeys(_OF_HYP, unknown))
    return replace(document, root=joined(under, document.root))


def _nesterov(settings: Settings) -> Sourced | None:
    return left_open("nesterov") if settings.text("momentum") is None else None


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("optimizer")
    if settings.is_on("adam"):  # until 6.1, and in YOLOv7
        name = "adam"
    if name == "sgd":
        return Optimizer(convention="yolov5", uses=UNDAMPENED_SGD)
    if name in {"adamw", "adam"}:
        return ultralytics.find_optimizer(settings, name)
    return unknown_optimizer(name)


def _is_yolov7(settings: Settings) -> bool:
    """Source: YOLOv7 data/hyp.scratch.*.yaml; its opt.yaml has the batch of all devices."""
    return any(settings.has(key) for key in ("paste_in", "loss_ota", "total_batch_size"))


def _older_cosine(settings: Settings) -> Sourced | None:
    """Return what opt.yaml means where it has no cos_lr: a cosine, unless linear_lr is set.

    Source: yolov5 v6.0 train.py, YOLOv7 train.py; cos_lr and optimizer came with v6.1. YOLOv7's
    hyp.yaml is told by keys of its own.
    """
    if not settings.has("weights") and _is_yolov7(settings):
        return by_default("cos_lr", "true", "YOLOv7 train.py")
    if not settings.has("weights") or settings.has("optimizer"):
        return None
    if settings.document.syntax is Syntax.SHELL and not settings.has("linear_lr"):
        return left_open(
            "cos_lr", "a command line does not tell YOLOv5's version: --cos-lr is v6.1's"
        )
    value = "false" if settings.flag("linear_lr") else "true"
    return derived("cos_lr", value, "not linear_lr, which opt.yaml had before cos_lr")


def _schedule(settings: Settings) -> str | None:
    """Return the schedule; two more flags are YOLOv9's."""
    if settings.is_on("fixed_lr"):
        return "constant"
    if settings.is_on("flat_cos_lr"):
        return None
    if settings.text("cos_lr") is None:
        return None
    total, is_line = settings.number("epochs"), not settings.flag("cos_lr")
    # Until v6.0 the line reached lrf in the last epoch.
    ends_early = is_line and settings.has("linear_lr") and total is not None and total > 1
    length = epochs(total - 1) if ends_early and total else None
    return ultralytics.schedule_of(settings, warmup=_warmup(settings), length=length)


def _warmup(settings: Settings) -> str | None:
    """Return the least warm-up in steps where it holds: 100 batches, until v5.0 and in YOLOv7 1000.

    Source: yolov5 5081342f train.py, YOLOv7 train.py; the data set's size is none of the file's.
    """
    size = typed_number(settings.given.get("dataset_size", ""))
    sizes = [settings.number(name) for name in ("warmup_epochs", "batch_size", "grad_accum")]
    if not size or not all(sizes):
        return None
    count, batch, accumulation = (number or Fraction(1) for number in sizes)
    least = 1000 if _is_yolov7(settings) else 100
    return None if count * ceil(size / batch) >= least else str(round(least / accumulation))


TRAINER = Trainer(
    kind="yolov5",
    title="YOLOv5",
    config_is_settings=False,  # its --cfg is the network
    version="yolov5 5081342f",
    signatures=(
        Signature(all_of=("lr0", "lrf", "momentum", "weight_decay"), none_of=("mode", "task")),
        Signature(all_of=("hyp", "weights", "batch_size"), none_of=("mode", "task")),
    ),
    fields=(
        *Field.within("", optimizer="SGD", weight_decay="0.0005"),
        Field(name="lr", paths=("lr0",), default="0.01"),
        Field(name="momentum", paths=("momentum",), default="0.937"),
        Field(name="nesterov", default="true", derive=_nesterov),
        Field(name="beta1", paths=("momentum",), default="0.937"),
        Field(name="beta2", default="0.999"),
        Field(
            name="batch_size",
            paths=("total_batch_size", "batch_size"),
            absent=("-1",),
        ),
        Field(name="nbs", default="64"),
        Field(name="grad_accum", derive=ultralytics.accumulation),
        Field(name="epochs", paths=("epochs",)),
        Field(name="loss", default="batch-sum", source="yolov5 5081342f utils/loss.py"),
        Field(name="adam", paths=("adam",)),
        Field(name="cos_lr", paths=("cos_lr",), default="false", derive=_older_cosine),
        *Field.within(
            "", linear_lr="false", fixed_lr=None, flat_cos_lr=None, lrf="0.01", warmup_epochs="3"
        ),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=ultralytics.exempt,
    batch=lambda _: ("batch_size", "grad_accum"),
    harmless=("warmup_momentum", "warmup_bias_lr", "hyp*", "opt.*", "batch_size", "anchor_t"),
    prepare=_prepare,
)
