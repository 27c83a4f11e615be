"""torchtune's recipe configurations.

Source: torchtune bd2a0fc7 recipes/lora_finetune_distributed.py, training/lr_schedulers.py.
"""

from fractions import Fraction

from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.devices import devices_field
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.schedules import compose, steps_of
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_COSINE = "get_cosine_schedule_with_warmup"


def _steps(settings: Settings) -> Sourced | None:
    """Return the most steps that the run may have: epochs · max_steps_per_epoch."""
    per_epoch = settings.number("max_steps_per_epoch")
    if not per_epoch or per_epoch < 1:
        return None
    epochs = settings.number("epochs") or Fraction(1)
    note = "at most: an epoch ends with its data, or after max_steps_per_epoch"
    formula = "epochs · max_steps_per_epoch"
    return derived("steps", decimal_text(epochs * per_epoch), formula, note=note)


def _schedule(settings: Settings) -> str | None:
    name = (settings.text("scheduler") or "").rpartition(".")[2]
    if not name:
        return "constant"
    if name != _COSINE or settings.number("num_cycles") != Fraction(1, 2):
        return None
    return compose("cosine", warmup=steps_of(settings, "num_warmup_steps"))


def _unit(settings: Settings) -> str:
    if settings.flag("packed"):
        length = (*settings.texts("tokenizer.max_seq_len"), "")[0]
        return f"packs of {length[:9]} tokens" if length else "packs of tokens"
    return "examples"


def _exempt(_: Settings) -> Exemption:
    return Exemption(rule="nothing", mask="all", switch="with LoRA only the adapters are trained")


TRAINER = Trainer(
    kind="torchtune",
    title="torchtune",
    version="torchtune bd2a0fc7",
    signatures=(
        Signature(all_of=("optimizer._component_",)),
        Signature(all_of=("model._component_", "optimizer._component_")),
    ),
    fields=(
        *class_fields("optimizer._component_", "optimizer"),
        Field(name="batch_size", paths=("batch_size",)),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1"),
        devices_field("tensor_parallel_dim", "context_parallel_dim"),
        Field(name="max_steps_per_epoch", paths=("max_steps_per_epoch",)),
        Field(name="steps", derive=_steps),
        Field(name="epochs", paths=("epochs",)),
        Field(name="packed", paths=("dataset.packed", "packed"), default="false"),
        Field(name="scheduler", paths=("lr_scheduler._component_",)),
        *Field.within("lr_scheduler", num_warmup_steps=None, num_cycles="0.5"),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=_exempt,
    unit=_unit,
    harmless=("batch_size_val", "optimizer.fused", "optimizer_in_bwd", "clip_grad_norm",
              "log_every_n_steps",
              "compile*", "enable_activation*", "profiler*", "metric_logger*", "loss*",
              "checkpointer*", "tokenizer*", "lr_scheduler"),
)  # fmt: skip
