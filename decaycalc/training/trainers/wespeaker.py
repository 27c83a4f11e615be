"""wespeaker's YAML: an optimizer of torch's, and an lr for 64 examples a step.

Source: wespeaker dfa7419 wespeaker/bin/train.py, wespeaker/utils/schedulers.py.
"""

from fractions import Fraction

from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.schedules import Options, compose, epochs
from decaycalc.training.reading.settings import Settings, derived, lr_per
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Sourced

_BASE = 64  # the examples of a step that the lr is meant for
_BATCH = ("batch_size", "world_size")


def _devices(settings: Settings) -> Sourced | None:
    """Return the number of GPUs in a list that is a text, "[0,1]"."""
    text = settings.told("gpus").strip("[] ")
    return derived("world_size", str(len(text.split(","))), "gpus") if text else None


def _schedule(settings: Settings) -> str | None:
    """Return the exponential fall over the run, with the warm-up's factor laid over it."""
    if settings.word("scheduler") != "exponentialdecrease":
        return None
    first, last = settings.number("initial_lr"), settings.number("final_lr")
    scale, warm = settings.product(*_BATCH), settings.number("warm_up_epoch")
    if not first or not last or scale is None or warm is None:
        return None
    start = Fraction(0) if settings.flag("warm_from_zero") else _BASE / scale
    fall: Options = {"gamma": last / first, "every": "100%", "over": "run"}
    if not warm or start >= 1:
        return compose("exponential", **fall)
    return compose(
        "exponential", **fall, warmup=epochs(warm), start=start or None, toward="product"
    )


TRAINER = Trainer(
    kind="wespeaker",
    title="wespeaker",
    version="wespeaker dfa7419",
    signatures=(
        Signature(
            all_of=("scheduler_args.initial_lr", "optimizer"),
            any_of=("dataloader_args.batch_size", "projection_args.project_type",
                    "scheduler_args.warm_up_epoch", "margin_update.final_margin"),
            at_least=2,
        ),
    ),
    fields=(
        *(field for field in class_fields("optimizer", "optimizer_args") if field.name != "lr"),
        Field(name="lr", derive=lr_per(_BASE, "scheduler_args.initial_lr", base="initial_lr",
              batch=_BATCH)),
        Field(name="batch_size", paths=("dataloader_args.batch_size",)),
        Field(name="world_size", default="1", derive=_devices),
        Field(name="epochs", paths=("num_epochs",)),
        Field(name="dataset_size", paths=("dataset_args.sample_num_per_epoch",), absent=("0",)),
        *Field.within("", scheduler=None),
        *Field.within("scheduler_args", initial_lr=None, final_lr=None, warm_up_epoch="6",
                      warm_from_zero="false"),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=lambda _: _BATCH,
    harmless=("dataset_args*", "dataloader_args*", "model*", "projection_args*", "margin*",
              "loss*", "scheduler_args*", "num_avg", "save_epoch_interval", "log_batch_interval"),
)  # fmt: skip
