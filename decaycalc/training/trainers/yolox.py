"""YOLOX's experiments, a Python class each, and the command lines that train one.

Source: YOLOX 6ddff48 yolox/exp/yolox_base.py, yolox/utils/lr_scheduler.py, tools/train.py.
"""

from fractions import Fraction
from itertools import pairwise

from decaycalc.record import replace
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.optimizers import refused
from decaycalc.training.reading.schedules import compose, epochs, of_lr
from decaycalc.training.reading.settings import Settings, product_of, texts_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import (
    Entries,
    Node,
    Scalar,
    find,
    from_file,
    joined,
)

_SGD = Optimizer(convention="pytorch-sgd", uses=("momentum", "nesterov"))
_OWN = ("basic_lr_per_img", "no_aug_epochs", "data_num_workers", "mosaic_prob", "mixup_prob",
        "warmup_epochs", "max_epoch", "input_size", "depth", "width")  # fmt: skip
_OF_A_RUN = 7  # the first of them
# What a command line may set by a word and its value.
_SAID = (*_OWN, "weight_decay", "momentum", "scheduler", "min_lr_ratio", "warmup_lr")


def _experiment(document: Document) -> Document | None:
    """Return the experiment's file that `-f` names, where it lies within reach."""
    node = find(document.root, "f")
    name = node.text if isinstance(node, Scalar) else None
    return document.named(name) if name and name.endswith(".py") else None


def _prepare(document: Document) -> Document:
    """Lay a command line over the experiment that it trains, and `max_epoch 10` at its end too."""
    words = [text for node in document.root.entries.values() for text in texts_of(node)]
    said = dict(pairwise(words))
    own: dict[str, Node] = {name: Scalar(text=said[name]) for name in _SAID if name in said}
    beside = _experiment(document)
    under = Entries() if beside is None else from_file(beside.root, beside.name.rpartition("/")[2])
    whole = joined(under, document.root)
    root = joined(whole, Entries(entries={"self": Entries(entries=own)})) if own else whole
    return replace(document, root=root)


def _optimizer(settings: Settings) -> Optimizer:
    """Return SGD; an experiment that is not here, or makes its own optimizer, has none."""
    name = (*settings.texts("f"), *settings.texts("n"), *settings.texts("name"), "")[0]
    is_known = name.lower().startswith(("yolox", "yolov3")) and not settings.has("f")
    if name and not is_known and _experiment(settings.document) is None:
        return refused(f"the experiment {name[:60]!r} is not here")
    if settings.node("self.get_optimizer") is not None:
        return refused("get_optimizer is the experiment's own: not known")
    return _SGD


def _schedule(settings: Settings) -> str | None:
    """Source: YOLOX 6ddff48 yolox/utils/lr_scheduler.py; a value a step, from epochs."""
    if settings.node("self.get_lr_scheduler") is not None:
        return None
    name, whole = settings.word("scheduler"), settings.number("epochs")
    count = settings.number("warmup_epochs") or Fraction(0)
    start = of_lr(settings, "warmup_lr")
    warm = {"warmup": epochs(count), "start": start} if count else {}
    if name == "cos":
        return compose("cosine")
    if name == "warmcos":
        return compose("cosine", **warm)
    if name != "yoloxwarmcos" or whole is None:
        return None
    last = settings.number("no_aug_epochs") or Fraction(0)
    return compose(
        "cosine",
        **warm,
        warmup_power=2 if count else None,
        length=epochs(whole - last) if last else None,
        final=settings.number("min_lr_ratio") or None,
    )


TRAINER = Trainer(
    kind="yolox",
    title="YOLOX",
    version="YOLOX 6ddff48 yolox/exp/yolox_base.py",
    signatures=(
        # Models have a depth, a width and an input size too.
        *(
            Signature(
                all_of=(f"self.{own}",),
                any_of=tuple(f"self.{name}" for name in _OWN if name != own),
            )
            for own in _OWN[:_OF_A_RUN]
        ),
        Signature(all_of=("program:yolox.tools.train",), any_of=("f", "n", "name", "exp_file")),
        Signature(all_of=("program:train.py", "n", "d"), any_of=("b", "fp16", "o", "c")),
        Signature(all_of=("program:train.py", "f", "d"), any_of=("b", "fp16", "o", "c")),
    ),
    fields=(
        Field(name="optimizer", default="SGD"),
        *Field.within("self", weight_decay="5e-4", basic_lr_per_img="0.00015625"),
        Field(name="lr", derive=product_of("lr", "basic_lr_per_img · B",
                                           "basic_lr_per_img", "batch_size")),
        Field(name="momentum", paths=("self.momentum",), default="0.9"),
        Field(name="nesterov", default="true"),
        Field(name="batch_size", paths=("b", "batch_size"), default="64",
              source="YOLOX 6ddff48 tools/train.py"),
        Field(name="epochs", paths=("max_epoch", "self.max_epoch"), default="300"),
        *Field.within("self", scheduler="yoloxwarmcos", warmup_epochs="5", warmup_lr="0",
                      no_aug_epochs="15", min_lr_ratio="0.05"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: of_kinds("norms", "biases"),
    # -b counts the images of all devices.
    batch=lambda _: ("batch_size",),
    harmless=("self.no_aug_*", "self.test_*", "self.eval_*", "self.get_*"),
    prepare=_prepare,
)  # fmt: skip
