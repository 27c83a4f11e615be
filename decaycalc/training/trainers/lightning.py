"""Lightning CLI's config.yaml.

Source: lightning 2.6.6 loops/utilities.py, utilities/types.py; the schedulers are torch's own.
"""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.schedules import compose, epochs
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced
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


def _devices(settings: Settings) -> Sourced | None:
    """Return devices times nodes."""
    devices, nodes = settings.number("devices"), settings.number("num_nodes")
    if devices is None or nodes is None:
        return None
    return derived("world_size", decimal_text(devices * nodes), "devices · num_nodes")


def _length(settings: Settings, count: Fraction) -> str:
    """Return a number of scheduler steps: epochs, unless it is stepped with the optimizer."""
    return str(int(count)) if settings.word("interval") == "step" else epochs(count)


def _schedule(settings: Settings) -> str | None:
    """Source: torch 2.13 optim/lr_scheduler.py; Lightning steps a scheduler once an epoch."""
    name = (settings.text("scheduler") or "").rpartition(".")[2].lower()
    if not name:
        return "constant"
    per = None if settings.word("interval") == "step" else "1epochs"
    if name == "cosineannealinglr":
        return _cosine(settings, per)
    gamma = settings.number("gamma")
    if name == "steplr" and settings.number("step_size"):
        every = _length(settings, settings.number("step_size") or Fraction(1))
        return compose("step", every=every, gamma=gamma)
    if name == "multisteplr":
        at = "/".join(settings.texts("lr_scheduler.init_args.milestones"))
        unit = "" if per is None else "epochs"
        return compose("step", at=f"{at}{unit}", gamma=gamma) if at else None
    if name == "exponentiallr":
        return compose("exponential", gamma=gamma, every=_length(settings, Fraction(1)), per=per)
    return None


def _cosine(settings: Settings, per: str | None) -> str | None:
    whole, length = settings.number("max_length"), settings.number("T_max")
    lr, floor = settings.number("lr"), settings.number("eta_min")
    final = floor / lr if lr and floor else None
    if length is None:
        return None
    end = None if length == whole else _length(settings, length)
    return compose("cosine", length=end, final=final, per=per)


def _max_length(settings: Settings) -> Sourced | None:
    """Return the run's length in what the scheduler counts."""
    name = "steps" if settings.word("interval") == "step" else "epochs"
    length = settings.number(name)
    return None if length is None else derived("max_length", decimal_text(length), name)


TRAINER = Trainer(
    kind="lightning",
    title="Lightning CLI",
    version="lightning 2.6.6",
    signatures=(
        Signature(all_of=("optimizer.class_path",), any_of=("trainer.max_epochs", "trainer.devices",
                  "model.class_path", "seed_everything", "trainer.max_steps", "data.class_path"),
                  none_of=("train.micro_batch_size",)),
        Signature(all_of=(f"{_MODEL}.optimizer.class_path",)),
    ),
    fields=(
        *class_fields("optimizer.class_path", "optimizer.init_args"),
        Field(name="batch_size", paths=("data.init_args.batch_size", "data.batch_size")),
        Field(name="grad_accum", paths=("trainer.accumulate_grad_batches",), default="1"),
        Field(name="devices", paths=("trainer.devices",), absent=("auto", "-1")),
        Field(name="num_nodes", paths=("trainer.num_nodes",), default="1"),
        Field(name="world_size", default="1", derive=_devices),
        Field(name="steps", paths=("trainer.max_steps",), absent=("-1",)),
        Field(name="epochs", paths=("trainer.max_epochs",), absent=("-1",), default="1000"),
        Field(name="scheduler", paths=("lr_scheduler.class_path",)),
        Field(name="interval", paths=("lr_scheduler.interval",), default="epoch"),
        Field(name="T_max", paths=("lr_scheduler.init_args.T_max",)),
        Field(name="eta_min", paths=("lr_scheduler.init_args.eta_min",), default="0"),
        Field(name="gamma", paths=("lr_scheduler.init_args.gamma",), default="0.1"),
        Field(name="step_size", paths=("lr_scheduler.init_args.step_size",)),
        Field(name="max_length", derive=_max_length),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=lambda _: Exemption(rule="nothing", mask="all"),
    harmless=("trainer*", "model*", "data*", "seed_everything", "ckpt_path", "lr_scheduler*"),
    prepare=_prepare,
)  # fmt: skip
