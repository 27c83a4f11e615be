"""DeepSpeed-Chat's fine-tuning and reward model: flags of transformers' examples, others' groups.

Source: DeepSpeedExamples 45b4b715 applications/DeepSpeed-Chat training/step{1,2}*/main.py,
dschat/utils/utils.py (get_optimizer_grouped_parameters).
"""

from decaycalc.record import replace
from decaycalc.training.reading.optimizers import ADAM
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group
from decaycalc.training.trainers import hf_no_trainer

_DEFAULTS = {"optimizer": "FusedAdam", "weight_decay": "0", "beta1": "0.9", "beta2": "0.95",
             "batch_size": "16", "epochs": "1", "scheduler": "cosine"}  # fmt: skip


def _own(field: Field) -> Field:
    """Return a field of the examples with DeepSpeed-Chat's default."""
    default = _DEFAULTS.get(field.name)
    return field if default is None else replace(field, default=default, source="")


def _lora(settings: Settings) -> tuple[Group, ...]:
    """Return LoRA's weights, which have an lr of their own where there are any."""
    rank, rate = settings.number("lora_dim"), settings.text("lora_learning_rate")
    return (Group(name="LoRA", selector="names with lora_", lr=rate),) if rank else ()


TRAINER = Trainer(
    kind="deepspeed-chat",
    title="DeepSpeed-Chat",
    version="DeepSpeedExamples 45b4b715",
    signatures=(
        Signature(
            all_of=("zero_stage",),
            any_of=("data_split", "lora_dim", "num_warmup_steps", "per_device_train_batch_size",
                    "only_optimize_lora", "lora_module_name", "gradient_checkpointing",
                    "enable_tensorboard", "deepspeed", "num_padding_at_beginning"),
            at_least=3,
            none_of=("actor_learning_rate", "micro_train_batch_size", "with_tracking"),
        ),
    ),
    fields=(
        *(_own(field) for field in hf_no_trainer.FIELDS),
        *Field.within("", lora_dim="0", lora_learning_rate="5e-4"),
    ),
    # FusedAdam, or DeepSpeedCPUAdam with --offload: both decay as AdamW.
    optimizer=lambda _: Optimizer(convention="deepspeed-adam", uses=ADAM),
    schedule=hf_no_trainer.schedule,
    exempt=lambda _: Exemption(
        rule="names with bias, layer_norm.weight, layernorm.weight, norm.weight or ln_f.weight"
    ),
    harmless=("data*", "sft*", "max_seq_len", "zero_stage", "deepspeed", "offload", "lora*",
              "only_optimize_lora", "gradient_checkpointing", "*tensorboard*", "output_dir"),
    finish=lambda settings, made: made.with_groups(*_lora(settings)),
)  # fmt: skip
