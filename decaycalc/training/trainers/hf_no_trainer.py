"""transformers' examples without its Trainer, run_*_no_trainer.py, and what was made from them.

Source: transformers 00661e38a examples/pytorch/language-modeling/run_clm_no_trainer.py.
"""

from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAMW
from decaycalc.training.reading.settings import Settings, by_default, left_open
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training
from decaycalc.training.trainers import hf_trainer

_VERSION = "transformers 00661e38a run_clm_no_trainer.py"
_TASKS = ("clm", "fim", "mlm", "glue", "ner", "qa", "swag", "summarization", "translation",
          "image_classification")  # fmt: skip
_TORCH = "torch 2.13"
_DEFAULTS = {"weight_decay": "0", "lr": "5e-5", "epochs": "3", "scheduler": "linear"}
_OF_SCHEDULERS = {"world_size", "num_cycles", "num_restarts", "power", "lr_end", "timescale",
                  "min_lr", "min_lr_rate"}  # fmt: skip


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return a default that the examples have, and what was made from them need not."""
    name = field.name
    if name not in _DEFAULTS:
        return None
    if settings.document.program.endswith("_no_trainer.py"):
        return by_default(name, _DEFAULTS[name], _VERSION)
    note = f"{field.paths[0]} is not set: a program of its own has its own default"
    return left_open(name, note, where=f"the program's {field.paths[0]}")


def _finish(settings: Settings, made: Training) -> Training:
    """Say that a program made from the examples may have another optimizer."""
    if settings.document.program.endswith("_no_trainer.py"):
        return made
    has_groups = settings.program is None or "no_decay" in settings.program.names
    groups = " with their groups" if has_groups else ""
    return made.with_notes(
        f"a program made from transformers' examples: AdamW{groups} is taken for its own"
    )


def _exempt(settings: Settings) -> Exemption:
    """Return the examples' rule; a program beside the script that has none lets all decay."""
    if settings.program is not None and "no_decay" not in settings.program.names:
        return NONE_EXEMPT
    return Exemption(
        rule="names with bias, and LayerNorm.weight or layer_norm.weight as the script has it:"
        " norms by other names (ln_1, input_layernorm) decay"
    )


def schedule(settings: Settings) -> str | None:
    """Return `get_scheduler`'s schedule, which a constant one has without its warm-up."""
    name = settings.word("scheduler").rpartition(".")[2]
    return hf_trainer.find_schedule(
        settings, None if name == "constant" else hf_trainer.warmup(settings)
    )


FIELDS = (
    Field(name="optimizer", default="AdamW"),
    Field(name="weight_decay", paths=("weight_decay",)),
    Field(name="lr", paths=("learning_rate",)),
    *Field.fixed(source=_TORCH, beta1="0.9", beta2="0.999", eps="1e-8"),
    Field(name="batch_size", paths=("per_device_train_batch_size",), default="8"),
    Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1"),
    Field(name="steps", paths=("max_train_steps",)),
    Field(name="epochs", paths=("num_train_epochs",)),
    Field(name="scheduler", paths=("lr_scheduler_type",)),
    Field(name="warmup_steps", paths=("num_warmup_steps",), default="0"),
    *(field for field in hf_trainer.FIELDS if field.name in _OF_SCHEDULERS),
)

TRAINER = Trainer(
    kind="hf-no-trainer",
    title="transformers without its Trainer",
    version=_VERSION,
    signatures=(
        *(
            Signature(
                all_of=(f"program:run_{task}_no_trainer.py",),
                any_of=("model_name_or_path", "per_device_train_batch_size", "learning_rate",
                        "output_dir", "num_train_epochs", "max_train_steps"),
                at_least=2,
            )
            for task in _TASKS
        ),
        Signature(
            all_of=("num_warmup_steps", "per_device_train_batch_size"),
            any_of=("learning_rate", "lr_scheduler_type", "num_train_epochs", "max_train_steps"),
        ),
    ),
    fields=FIELDS,
    optimizer=lambda _: ADAMW,
    schedule=schedule,
    default=_default,
    exempt=_exempt,
    harmless=("checkpointing_steps", "lr_scheduler_kwargs*"),
    finish=_finish,
)  # fmt: skip
