"""Lightning CLI's config.yaml.

Source: lightning 2.6.6 loops/utilities.py, utilities/types.py; the schedulers are torch's own.
"""

from decaycalc.record import replace
from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.torch_schedulers import peak_of, schedule_of, scheduler_fields
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Sourced, Training
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries, find

_MODEL = "model.init_args"


def _prepare(document: Document) -> Document:
    """Lift an optimizer and a scheduler that stand among the model's arguments."""
    inner = find(document.root, _MODEL)
    if not isinstance(inner, Entries):
        return document
    lifted = {
        key: inner.entries[key] for key in ("optimizer", "lr_scheduler") if key in inner.entries
    }
    return replace(document, root=Entries(entries={**lifted, **document.root.entries}))


def devices_of(settings: Settings) -> Sourced | None:
    """Return devices times nodes; a list names the devices, `"0,1"` too."""
    text, nodes = settings.text("devices"), settings.number("num_nodes")
    if text is None or nodes is None:
        return None
    names = text.split(",")
    is_list = len(names) > 1 or any(map(settings.is_list, _DEVICES))
    count = len(names) if is_list else settings.number("devices") or 0
    return derived("world_size", decimal_text(count * nodes), "devices · num_nodes")


_DEVICES = ("trainer.devices", "trainer.gpus")
DEVICE_FIELDS = (
    Field(name="devices", paths=_DEVICES, absent=("auto", "-1")),
    Field(name="num_nodes", paths=("trainer.num_nodes",), default="1"),
    Field(name="world_size", default="1", derive=devices_of),
)


def say_where_epochs_end(settings: Settings, made: Training) -> Training:
    """Say that an epoch ends before its data do."""
    limits = {text.strip() for text in settings.texts("trainer.limit_train_batches")}
    if not limits - {"1.0", ""}:
        return made
    note = (
        f"trainer.limit_train_batches {', '.join(limits)[:20]}: an epoch ends before its data do;"
        " -N counts those of its batches alone"
    )
    return made.with_notes(note)


# Programs with class paths of their own beside a loop of their own, LitGPT among them.
_OF_OTHERS = (
    "train.micro_batch_size",
    "train.gradient_accumulation_steps",
    "train.max_train_steps",
    "train.num_epochs",
    "lr_scheduler.scheduler_type",
)
TRAINER = Trainer(
    kind="lightning",
    title="Lightning CLI",
    version="lightning 2.6.6",
    signatures=(
        Signature(all_of=("optimizer.class_path",), any_of=("trainer.max_epochs", "trainer.devices",
                  "model.class_path", "seed_everything", "trainer.max_steps", "data.class_path"),
                  none_of=_OF_OTHERS),
        Signature(all_of=(f"{_MODEL}.optimizer.class_path",)),
    ),
    fields=(
        *class_fields("optimizer.class_path", "optimizer.init_args", peak=peak_of),
        Field(name="batch_size", paths=("data.init_args.batch_size", "data.batch_size")),
        Field(name="grad_accum", paths=("trainer.accumulate_grad_batches",), default="1"),
        *DEVICE_FIELDS,
        Field(name="steps", paths=("trainer.max_steps",), absent=("-1",)),
        Field(name="epochs", paths=("trainer.max_epochs",), absent=("-1",), default="1000"),
        *scheduler_fields(("lr_scheduler.class_path",), ("lr_scheduler.init_args",),
                          intervals=("lr_scheduler.interval",)),
    ),
    optimizer=optimizer_of,
    schedule=schedule_of,
    exempt=lambda _: NONE_EXEMPT,
    harmless=("trainer*", "model*", "data*", "seed_everything", "ckpt_path", "lr_scheduler*"),
    prepare=_prepare,
    finish=say_where_epochs_end,
)  # fmt: skip
