"""alpaca-lora's finetune.py by its flags, and what was made from it: the Trainer, set by its own.

Source: alpaca-lora 8bb8579 finetune.py; DoRA's and LLM-Adapters' have a weight_decay beside.
"""

from decaycalc.record import replace
from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.trainer import Field, Signature
from decaycalc.training.trainers import hf_trainer
from decaycalc.training.trainers.hf_optim import HF_ADAMW

_VERSION = "alpaca-lora 8bb8579 finetune.py"
_TRAINER = hf_trainer.VERSION
_WARMUP = 100  # steps, whatever the flags say

TRAINER = replace(
    hf_trainer.TRAINER,
    kind="alpaca-lora",
    title="alpaca-lora",
    version=_VERSION,
    signatures=(
        Signature(
            all_of=("flag:base_model", "flag:data_path"),
            any_of=("cutoff_len", "val_set_size", "micro_batch_size",
                    "lora_target_modules", "train_on_inputs"),
        ),
    ),
    fields=(
        Field(name="optimizer", default="adamw_torch"),
        *Field.within("", weight_decay="0"),
        Field(name="lr", paths=("learning_rate",), default="3e-4"),
        *(
            Field(name=name, default=value, source=_TRAINER)
            for name, value in (("beta1", "0.9"), ("beta2", "0.999"), ("eps", "1e-8"))
        ),
        # The accumulation is what batch_size leaves to each device.
        Field(name="batch_size", paths=("batch_size",), default="128"),
        Field(name="epochs", paths=("num_epochs",), default="3"),
        Field(name="scheduler", default="linear", source=_TRAINER),
    ),
    optimizer=lambda _: HF_ADAMW,
    schedule=lambda _: compose("linear", warmup=_WARMUP),
    batch=lambda _: ("batch_size",),
    unit=lambda _: "examples",
    harmless=("micro_batch_size", "eval_step", "save_step", "val_set_size"),
    finish=lambda _, made: made,
)  # fmt: skip
