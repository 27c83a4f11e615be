"""QLoRA's qlora.py by its flags: the Trainer with defaults of its own.

Source: qlora 7f4e95a qlora.py, TrainingArguments.
"""

from decaycalc.record import replace
from decaycalc.training.reading.trainer import Signature
from decaycalc.training.trainers import hf_trainer

_VERSION = "qlora 7f4e95a"
_DEFAULTS = {
    "optimizer": "paged_adamw_32bit", "weight_decay": "0", "lr": "0.0002", "batch_size": "1",
    "grad_accum": "16", "steps": "10000", "scheduler": "constant", "warmup_ratio": "0.03",
}  # fmt: skip

TRAINER = replace(
    hf_trainer.TRAINER,
    kind="qlora",
    title="QLoRA",
    signatures=(
        Signature(
            all_of=("program:qlora.py",),
            any_of=("model_name_or_path", "per_device_train_batch_size", "learning_rate",
                    "output_dir", "max_steps", "lora_r", "bits", "dataset"),
            at_least=2,
        ),
    ),
    fields=tuple(
        # Steps of -1 leave the run to its epochs.
        replace(field, default=_DEFAULTS[field.name], source=_VERSION, derive=None, absent=())
        if field.name in _DEFAULTS
        else field
        for field in hf_trainer.FIELDS
    ),
    harmless=(*hf_trainer.HARMLESS, "max_mmlu*", "mmlu*", "source_max_len", "target_max_len"),
)  # fmt: skip
