"""Hydra's composed config.yaml: an optimizer by its `_target_`, the rest under free names.

Hydra fixes no names for batch size and length: what stands under the usual ones is found, and said
to be unsure. Source: hydra 1.3, the `_target_` of instantiate.
"""

from decaycalc.record import replace
from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Origin, Training
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Node, Scalar, key_paths

_UNSURE = "found, unsure: Hydra fixes no names"
_PLACES = ("optimizer", "model.optimizer", "optim", "model.optim", "training.optimizer",
           "train.optimizer", "trainer.optimizer", "task.optimizer", "algo.optimizer")  # fmt: skip
_DEEPEST = 6


def _prepare(document: Document) -> Document:
    """Lift the first mapping whose `_target_` is an optimizer to the top."""
    found = _optimizer_node(document.root, 0)
    if found is None:
        return document
    return replace(document, root=Entries(entries={**document.root.entries, "optimizer": found}))


def _optimizer_node(node: Node, depth: int) -> Entries | None:
    """Return the first mapping that names a class of an `optim` module, or lies at `optimizer`."""
    if not isinstance(node, Entries) or depth > _DEEPEST:
        return None
    for key, part in node.entries.items():
        target = part.entries.get("_target_") if isinstance(part, Entries) else None
        text = (target.text or "") if isinstance(target, Scalar) else ""
        if isinstance(part, Entries) and text and ("optim" in key or ".optim." in text):
            return part
        below = _optimizer_node(part, depth + 1)
        if below is not None:
            return below
    return None


def _schedule(settings: Settings) -> str | None:
    paths = key_paths(settings.document.root)
    return None if any("sched" in path.rpartition(".")[2] for path in paths) else "constant"


def _finish(settings: Settings, made: Training) -> Training:
    free = {"batch_size", "epochs", "steps"}
    quantities = tuple(
        replace(found, note=_UNSURE)
        if found.name in free and found.origin is Origin.FILE
        else found
        for found in made.quantities
    )
    notes = made.notes
    if settings.has("defaults"):
        note = "the file's `defaults:` name other files, which are not read: give the composed one"
        notes = (*notes, note)
    return replace(made, quantities=quantities, notes=notes)


_BATCHES = ("batch_size", "data.batch_size", "datamodule.batch_size", "train.batch_size",
            "training.batch_size", "dataset.batch_size", "data.train.batch_size")  # fmt: skip
_EPOCHS = ("trainer.max_epochs", "max_epochs", "training.max_epochs", "train.epochs",
           "training.num_epochs", "training.epochs", "epochs")  # fmt: skip
_STEPS = ("trainer.max_steps", "max_steps", "training.max_steps", "train.max_steps")

TRAINER = Trainer(
    kind="hydra",
    title="Hydra",
    version="hydra 1.3",
    signatures=tuple(Signature(all_of=(f"{place}._target_",)) for place in _PLACES),
    fields=(
        *class_fields("optimizer._target_", "optimizer"),
        Field(name="batch_size", paths=_BATCHES),
        Field(name="grad_accum", paths=("trainer.accumulate_grad_batches",), default="1"),
        Field(name="world_size", default="1"),
        Field(name="steps", paths=_STEPS, absent=("-1",)),
        Field(name="epochs", paths=_EPOCHS, absent=("-1",)),
        Field(name="scheduler", paths=("scheduler._target_", "lr_scheduler._target_",
                                       "model.scheduler._target_")),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=lambda _: Exemption(rule="nothing", mask="all"),
    harmless=("optimizer._partial_", "model*", "data*", "trainer*", "logger*", "callbacks*",
              "hydra*", "defaults*", "paths*"),
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
