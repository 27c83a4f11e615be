"""Hydra's composed config.yaml: an optimizer by its `_target_`, the rest under free names.

Hydra fixes no names for batch size and length: what stands under the usual ones is found, and said
to be unsure. Source: hydra 1.3, the `_target_` of instantiate.
"""

from collections.abc import Iterator

from decaycalc.record import replace
from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.settings import Settings, left_open
from decaycalc.training.reading.torch_schedulers import peak_of, schedule_of, scheduler_fields
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Origin, Sourced, Training
from decaycalc.training.trainers.lightning import DEVICE_FIELDS, devices_of, say_where_epochs_end
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, Node, Scalar, leaves

_UNSURE = "found, unsure: Hydra fixes no names"
_PLACES = ("optimizer", "model.optimizer", "optim", "model.optim", "training.optimizer",
           "train.optimizer", "trainer.optimizer", "task.optimizer", "algo.optimizer",
           "module.optimizer", "system.optimizer", "model.optimizer_g")  # fmt: skip
_DEEPEST = 6
# What the template's configuration has, whose second version counts a batch over all devices.
_TEMPLATE = ("task_name", "data._target_", "data.batch_size")


def _prepare(document: Document) -> Document:
    """Lift the first mapping whose `_target_` is an optimizer to the top."""
    found = next(_optimizers(document.root, 0), None)
    if found is None:
        return document
    return replace(document, root=Entries(entries={**document.root.entries, "optimizer": found}))


def _optimizers(node: Node, depth: int) -> Iterator[Entries]:
    """Yield each mapping that names a class of an `optim` module, or lies at `optimizer`."""
    if not isinstance(node, Entries) or depth > _DEEPEST:
        return
    for key, part in node.entries.items():
        target = part.entries.get("_target_") if isinstance(part, Entries) else None
        text = (target.text or "") if isinstance(target, Scalar) else ""
        is_one = bool(text) and "lr_scheduler" not in text and "sched" not in key
        if isinstance(part, Entries) and is_one and ("optim" in key or ".optim." in text):
            yield part
        else:
            yield from _optimizers(part, depth + 1)


def _schedule(settings: Settings) -> str | None:
    """Return torch's scheduler, stepped once an epoch unless an interval says otherwise."""
    if settings.text("scheduler") is not None:
        return schedule_of(settings)
    set_ones = (path for path, node in leaves(settings.document.root) if _is_set(node))
    parts = {part for path in set_ones for part in path.split(".")}
    return None if any("sched" in part for part in parts) else "constant"


def _of_template(settings: Settings) -> Sourced | None:
    """Return what leaves the devices open where the batch may be of all: the template divides it.

    Source: lightning-hydra-template bddbc24 src/data/mnist_datamodule.py, setup.
    """
    found = devices_of(settings)
    if not all(map(settings.has, _TEMPLATE)) or found is None or found.value in {None, "1"}:
        return None
    note = (
        f"data.batch_size is of all {found.value} devices where the data module divides it, as"
        " lightning-hydra-template's does: give --world-size 1 then, and else their number"
    )
    return left_open("world_size", note, where=found.where)


def _is_set(node: Node) -> bool:
    return not (isinstance(node, Scalar) and node.text is None and not node.open)


def _finish(settings: Settings, made: Training) -> Training:
    free = {"batch_size", "grad_accum", "epochs", "steps"}
    quantities = tuple(
        replace(found, note=_UNSURE)
        if found.name in free and found.origin is Origin.FILE
        else found
        for found in made.quantities
    )
    notes = made.notes
    if made.schedule is not None and settings.text("scheduler") is not None:
        notes = (*notes, _STEPPED)
    own = {id(each) for each in _optimizers(settings.document.root, 0)}
    if len(own) > 1:
        notes = (*notes, "the file has several optimizers: the first one is read")
    if settings.has("defaults"):
        note = "the file's `defaults:` name other files, which are not read: give the composed one"
        notes = (*notes, note)
    return say_where_epochs_end(settings, replace(made, quantities=quantities, notes=notes))


_INTERVALS = ("scheduler.interval", "lr_scheduler.interval", "model.scheduler_interval",
              "model.interval", "scheduler.pytorch_lightning_params.interval")  # fmt: skip
_STEPPED = "unsure: the program's code says how often the scheduler is stepped"
_SCHEDULERS = tuple(f"{place}{name}" for place in ("", "model.", "module.", "optim.", "training.",
                    "train.", "scheduler.") for name in ("scheduler", "lr_scheduler"))  # fmt: skip
_BATCHES = ("batch_size", "data.batch_size", "datamodule.batch_size", "train.batch_size",
            "training.batch_size", "dataset.batch_size", "data.train.batch_size",
            "dataloader.batch_size", "train_dataloader.batch_size")  # fmt: skip
_PASSES = tuple(f"{place}gradient_accumulat{ending}" for place in ("", "training.", "train.")
                for ending in ("e_every", "ion_steps"))  # fmt: skip
_EPOCHS = ("trainer.max_epochs", "max_epochs", "training.max_epochs", "train.epochs",
           "training.num_epochs", "training.epochs", "epochs")  # fmt: skip
_STEPS = ("trainer.max_steps", "max_steps", "training.max_steps", "train.max_steps")

TRAINER = Trainer(
    kind="hydra",
    title="Hydra",
    version="hydra 1.3",
    # SAM 2's and Omnivision's schedulers of lr and decay lie in lists beside the optimizer.
    signatures=tuple(
        Signature(all_of=(f"{place}._target_",), none_of=("options.lr", "optim.options.lr"))
        for place in _PLACES
    ),
    fields=(
        *class_fields("optimizer._target_", "optimizer", peak=peak_of),
        Field(name="batch_size", paths=_BATCHES),
        Field(name="grad_accum", paths=("trainer.accumulate_grad_batches", *_PASSES),
              default="1"),
        *DEVICE_FIELDS[:-1],
        Field(name="world_size", default="1", overrule=_of_template, derive=devices_of),
        Field(name="steps", paths=_STEPS, absent=("-1",)),
        Field(name="epochs", paths=_EPOCHS, absent=("-1",)),
        *scheduler_fields(tuple(f"{place}._target_" for place in _SCHEDULERS), _SCHEDULERS,
                          intervals=_INTERVALS),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    harmless=("optimizer._partial_", "model*", "data*", "trainer*", "logger*", "callbacks*",
              "hydra*", "defaults*", "paths*"),
    prepare=_prepare,
    finish=_finish,
)  # fmt: skip
