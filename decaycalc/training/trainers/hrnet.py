"""HRNet's YAML configurations of pose estimation, of Simple Baselines before it and of their kin.

Source: deep-high-resolution-net.pytorch 6f69e46 lib/config/default.py, lib/utils/utils.py
(get_optimizer), tools/train.py; human-pose-estimation.pytorch has the same builder.
"""

from decaycalc.training.reading.arguments import numbers_of
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import UNDAMPENED_SGD, by_name
from decaycalc.training.reading.schedules import compose, epochs
from decaycalc.training.reading.settings import Settings, by_default, derived
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced, Training

_BUILDER = "deep-high-resolution-net.pytorch 6f69e46 lib/utils/utils.py"
_OPTIMIZERS = {
    "sgd": Optimizer(convention="pytorch-sgd", uses=UNDAMPENED_SGD),
    "adam": Optimizer(convention="pytorch-adam", uses=("beta1", "beta2", "eps")),
}


def _of_builder(settings: Settings) -> Sourced | None:
    """Return Adam's weight decay: the builder hands it none, whatever TRAIN.WD says."""
    return by_default("weight_decay", "0", _BUILDER) if _is_adam(settings) else None


def _is_adam(settings: Settings) -> bool:
    return settings.word("optimizer") == "adam"


def _devices(settings: Settings) -> Sourced:
    """Return the devices that the file lists: a batch is each one's."""
    listed = numbers_of(" ".join(settings.texts("GPUS")))
    return derived("world_size", str(len(listed) or 1), "the devices in GPUS")


def _schedule(settings: Settings) -> str | None:
    marks = numbers_of(" ".join(settings.texts("TRAIN.LR_STEP")))
    gamma = settings.number("gamma")
    return compose("step", at=epochs(*marks), gamma=gamma) if marks else "constant"


def _finish(settings: Settings, made: Training) -> Training:
    notes = ["the scheduler steps before each epoch: from torch 1.1 on lr falls one epoch sooner"]
    if _is_adam(settings) and settings.has("TRAIN.WD"):
        notes.append("TRAIN.WD is not handed to Adam: lib/utils/utils.py, get_optimizer")
    return made.with_notes(*notes)


TRAINER = Trainer(
    kind="hrnet",
    title="HRNet",
    version="deep-high-resolution-net.pytorch 6f69e46",
    signatures=(
        Signature(
            all_of=("MODEL.NUM_JOINTS", "TRAIN.LR_STEP"),
            any_of=("TRAIN.LR", "TRAIN.WD", "TRAIN.OPTIMIZER"),
            at_least=2,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("TRAIN.OPTIMIZER",), default="adam"),
        Field(name="weight_decay", paths=("TRAIN.WD",), default="1e-4", overrule=_of_builder),
        Field(name="lr", paths=("TRAIN.LR",), default="0.001"),
        Field(name="momentum", paths=("TRAIN.MOMENTUM",), default="0.9"),
        Field(name="nesterov", paths=("TRAIN.NESTEROV",), default="false"),
        *Field.fixed(beta1="0.9", beta2="0.999", eps="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("TRAIN.BATCH_SIZE_PER_GPU", "TRAIN.BATCH_SIZE"),
              default="32"),
        Field(name="world_size", derive=_devices),
        Field(name="epochs", paths=("TRAIN.END_EPOCH",), default="140"),
        Field(name="gamma", paths=("TRAIN.LR_FACTOR",), default="0.1"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=lambda _: ("batch_size", "world_size"),
    harmless=("MODEL*", "DATASET*", "TEST*", "DEBUG*", "LOSS*", "CUDNN*", "TRAIN.GAMMA*",
              "TRAIN.LR_STEP", "TRAIN.SHUFFLE", "TRAIN.BEGIN_EPOCH", "TRAIN.RESUME", "GPUS"),
    finish=_finish,
)  # fmt: skip
