"""MONAI's bundles: an optimizer by its `_target_`, as Hydra has it, and references by `@`.

Source: MONAI 1.5 monai/bundle/{config_item,reference_resolver}.py, handlers/lr_schedule_handler.py;
model-zoo dfae206d models/*/configs/train.json.
"""

import re

from decaycalc.record import replace
from decaycalc.training.reading.settings import Settings, text_of
from decaycalc.training.reading.trainer import Signature, Trainer, moved
from decaycalc.training.record import Training
from decaycalc.training.trainers import hydra
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar, find

_REFERENCE = re.compile(r"\$?@([\w#]+)")
_HANDLERS, _STEPPER = ("train.handlers", "train_handlers.handlers"), "LrScheduleHandler"
_DEEPEST = 20  # of references to references, and of a tree


def _prepare(document: Document) -> Document:
    """Put what they refer to in the place of references, and leave expressions open."""
    tree = document.root
    root = {key: _resolved(node, tree, 0) for key, node in tree.entries.items()}
    return hydra.TRAINER.prepare(replace(document, root=replace(tree, entries=root)))


def _resolved(node: Node, root: Entries, depth: int) -> Node:
    if depth > _DEEPEST:
        return node
    if isinstance(node, Entries):
        parts = {key: _resolved(part, root, depth + 1) for key, part in node.entries.items()}
        return replace(node, entries=parts)
    if isinstance(node, Items):
        return replace(node, items=tuple(_resolved(part, root, depth + 1) for part in node.items))
    text = (node.text or "").strip()
    reference = _REFERENCE.fullmatch(text)
    found = None if reference is None else find(root, reference[1].replace("#", "."))
    if isinstance(found, Scalar):
        return replace(_resolved(found, root, depth + 1), line=node.line)
    if text.startswith(("$", "@")):
        return replace(node, text=None, open=f"{text[:60]} is only known when the bundle runs")
    return node


def _schedule(settings: Settings) -> str | None:
    """Return torch's schedule, if one handler steps it once an epoch."""
    handlers = (entry for path in _HANDLERS for entry in settings.listed(path))
    steppers = [entry for entry in handlers if text_of(entry, "_target_").endswith(_STEPPER)]
    if any(text_of(entry, "epoch_level", "true").lower() != "true" for entry in steppers):
        return None
    is_stepped = settings.text("scheduler") is None or len(steppers) == 1
    return hydra.TRAINER.schedule(settings) if is_stepped else None


def _finish(settings: Settings, made: Training) -> Training:
    crops = "num_samples: each image of a batch gives as many crops, which B does not count"
    has_crops = _holds(settings.document.root, "num_samples")
    return hydra.TRAINER.finish(settings, made).with_notes(crops if has_crops else "")


def _holds(node: Node, key: str) -> bool:
    """Return whether a tree has a key anywhere, in lists too."""
    if isinstance(node, Items):
        return any(_holds(part, key) for part in node.items)
    entries = node.entries if isinstance(node, Entries) else {}
    return key in entries or any(_holds(part, key) for part in entries.values())


_CHANGED = {
    "batch_size": ("train.dataloader.batch_size", "train_dataloader.batch_size", "batch_size"),
    "epochs": ("train.trainer.max_epochs", "trainer.max_epochs"),
    "steps": (),
}


TRAINER: Trainer = replace(
    hydra.TRAINER,
    kind="monai",
    title="MONAI bundles",
    version="MONAI 1.5",
    signatures=(
        Signature(
            all_of=("optimizer._target_",),
            any_of=("bundle_root", "imports", "train.dataloader._target_", "train.trainer._target_",
                    "validate.evaluator._target_", "validate.dataloader._target_",
                    "train.inferer._target_", "train_dataloader._target_"),
            at_least=2,
        ),
    ),
    fields=moved(hydra.TRAINER.fields, _CHANGED),
    schedule=_schedule,
    prepare=_prepare,
    harmless=(*hydra.TRAINER.harmless, "train*", "validate*", "lr_scheduler*", "network*", "loss*"),
    finish=_finish,
)  # fmt: skip
