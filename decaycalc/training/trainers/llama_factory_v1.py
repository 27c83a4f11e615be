"""LLaMA-Factory's second generation (v1) of YAML configurations.

Source: LLaMA-Factory ff6d4d12e src/llamafactory/v1/config/training_args.py, core/base_trainer.py,
plugins/trainer_plugins/optimizers/optimizer.py.
"""

from decaycalc.training.reading.devices import data_parallel
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAMW, by_name
from decaycalc.training.reading.settings import Settings, by_default, whole_or
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced

_OPTIM = "optim_config"
# torch's AdamW with its own default decay, and the one plug-in there is.
_OPTIMIZERS = {"adamw": ADAMW, "muon": Optimizer(convention="muon-keller")}


def _decay(settings: Settings) -> Sourced:
    if settings.word("optimizer") == "muon":
        return by_default("weight_decay", "0.1", "LLaMA-Factory ff6d4d12e optimizers/optimizer.py")
    return by_default("weight_decay", "0.01", "torch 2.13")


def _data_parallel(settings: Settings) -> Sourced | None:
    """Return dp_size, else all devices over cp_size."""
    own = settings.read("world_size", "dp_size")
    return data_parallel("cp_size")(settings) if own is None else own


TRAINER = Trainer(
    kind="llama-factory-v1",
    title="LLaMA-Factory v1",
    version="LLaMA-Factory ff6d4d12e v1/config/training_args.py",
    signatures=(
        Signature(
            all_of=("micro_batch_size",),
            any_of=("dist_config", f"{_OPTIM}.name", "kernel_config", "model_class",
                    "sample_backend", "peft_config", "batching_strategy", "train_dataset"),
            at_least=2,
            none_of=("base_model",),
        ),
    ),
    fields=(
        Field(name="optimizer", paths=(f"{_OPTIM}.name",), default="adamw"),
        Field(name="weight_decay", paths=(f"{_OPTIM}.wd",), derive=_decay),
        Field(name="lr", paths=("learning_rate",), default="1e-4"),
        *Field.fixed(source="torch 2.13", beta1="0.9", beta2="0.999", eps="1e-8"),
        Field(name="global_batch_size", paths=("global_batch_size",)),
        Field(name="batch_size", paths=("micro_batch_size",), default="1"),
        Field(name="world_size", default="1", covers=("cp_size",), overrule=_data_parallel),
        Field(name="steps", paths=("max_steps",)),
        Field(name="epochs", paths=("num_train_epochs",), default="3"),
        Field(name="scheduler", paths=("lr_scheduler_config.name",), default="constant"),
    ),
    optimizer=by_name(_OPTIMIZERS, setting=_OPTIM),
    schedule=lambda settings: (
        "constant" if settings.word("scheduler") == "constant" else None
    ),
    exempt=lambda _: NONE_EXEMPT,
    batch=whole_or("global_batch_size", "batch_size", "world_size"),
    harmless=(f"{_OPTIM}*", "dist_config*", "kernel_config*", "peft_config*", "micro_batch_size",
              "batching_*", "max_grad_norm", "lr_scheduler_config*", "dataset_*"),
)  # fmt: skip
