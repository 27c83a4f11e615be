"""ms-swift's `megatron` command: Megatron-LM's flags, with defaults of its own.

Source: ms-swift 3602360a5 swift/megatron/arguments/megatron_args.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.trainers import hf_passes, megatron, ms_swift

_VERSION = "ms-swift 3602360a5"
_OWN = {
    "weight_decay": "0.1", "beta2": "0.95", "scheduler": "cosine", "batch_size": "1",
    "global_batch_size": "16",
}  # fmt: skip


def _field(field: Field) -> Field:
    if field.name in _OWN:
        return replace(field, default=_OWN[field.name], source=_VERSION)
    return replace(field, derive=ms_swift.default_lr) if field.name == "lr" else field


TRAINER: Trainer = replace(
    megatron.TRAINER,
    kind="megatron-swift",
    title="ms-swift with Megatron",
    signatures=(
        Signature(
            all_of=("program:megatron",),
            any_of=("micro_batch_size", "global_batch_size", "lr", "model", "load", "mcore_model"),
            at_least=2,
        ),
    ),
    fields=(
        *(_field(field) for field in megatron.TRAINER.fields),
        Field(name="epochs", paths=("num_train_epochs", "max_epochs")),
        hf_passes.PER_PROMPT,
    ),
    unit=lambda settings: hf_passes.unit(settings) or megatron.TRAINER.unit(settings),
    finish=lambda settings, made: hf_passes.by_prompts(
        settings, megatron.TRAINER.finish(settings, made)
    ),
)
