"""torchtune's recipe configurations.

Source: torchtune bd2a0fc7 recipes/{lora_finetune_distributed,ppo_full_finetune_single_device,
dev/grpo_full_finetune_distributed}.py, training/lr_schedulers.py.
"""

from fractions import Fraction

from decaycalc.training.reading.by_class import class_fields, optimizer_of
from decaycalc.training.reading.devices import devices_field
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.schedules import compose, epochs, steps_of
from decaycalc.training.reading.settings import Settings, derived, unit_of
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Sourced

_COSINE = "get_cosine_schedule_with_warmup"


def _is_ppo(settings: Settings) -> bool:
    return settings.has("ppo_batch_size")


def _is_grpo(settings: Settings) -> bool:
    return settings.has("grpo_samples") and not _is_ppo(settings)


def _once(settings: Settings) -> Sourced | None:
    """Return that what is accumulated of rollouts stays within a step's own examples."""
    if not _is_ppo(settings) and not _is_grpo(settings):
        return None
    return derived("grad_accum", "1", "a step takes its whole batch of rollouts")


def _of_rollouts(settings: Settings) -> Sourced | None:
    """Return the steps: PPO's num_steps counts rollouts, GRPO's the batches of them."""
    count, passes = settings.number("num_steps"), settings.number("ppo_epochs")
    if count is None or passes is None:
        return None
    if _is_grpo(settings):
        note = "at most: the run ends with its epochs, too"
        return derived("steps", decimal_text(count * passes), "num_steps · ppo_epochs", note=note)
    whole, mini = settings.count("rollouts"), settings.count("batch_size")
    if whole is None or mini is None:
        return None
    steps = count // whole * passes * (whole // mini)
    formula = "num_steps / batch_size · ppo_epochs · batch_size / ppo_batch_size"
    return derived("steps", decimal_text(Fraction(steps)), formula)


def _passed_over(settings: Settings) -> Sourced | None:
    """Return the epochs times the passes over each batch of rollouts, where those are several."""
    count, passes = settings.number("own_epochs"), settings.number("ppo_epochs")
    if not _is_grpo(settings) or not count or passes is None or passes == 1:
        return None
    return derived("epochs", decimal_text(count * passes), "epochs · ppo_epochs")


def _steps(settings: Settings) -> Sourced | None:
    """Return the most steps that the run may have: epochs · max_steps_per_epoch."""
    if _is_ppo(settings) or _is_grpo(settings):
        return _of_rollouts(settings)
    per_epoch, count = settings.number("max_steps_per_epoch"), settings.number("epochs")
    if not per_epoch or per_epoch < 1 or not count:
        return None
    note = "at most: an epoch ends with its data, or after max_steps_per_epoch"
    formula = "epochs · max_steps_per_epoch"
    return derived("steps", decimal_text(count * per_epoch), formula, note=note)


def _schedule(settings: Settings) -> str | None:
    name = (settings.text("scheduler") or "").rpartition(".")[2]
    if not name:
        return "constant"
    if name != _COSINE or settings.number("num_cycles") != Fraction(1, 2):
        return None
    warmup = steps_of(settings, "num_warmup_steps")
    if not _is_grpo(settings):
        return compose("cosine", warmup=warmup)
    # It is as long as the epochs are with one pass over each batch, whatever num_steps says.
    count = settings.number("own_epochs")
    if count is None or settings.number("ppo_epochs") != 1:
        return None
    return compose("cosine", warmup=warmup, length=epochs(count))


def _unit(settings: Settings) -> str:
    if _is_grpo(settings):
        return unit_of("prompts", settings.told("grpo_samples"), "completions")
    if settings.flag("packed"):
        return unit_of("packs", settings.told("tokenizer.max_seq_len"), "tokens")
    return "examples"


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
        Field(name="batch_size", paths=("ppo_batch_size", "batch_size")),
        Field(name="grad_accum", paths=("gradient_accumulation_steps",), default="1",
              overrule=_once),
        Field(name="rollouts", paths=("batch_size",)),
        *Field.within("", ppo_epochs="1", num_steps=None),
        devices_field("tensor_parallel_dim", "context_parallel_dim"),
        Field(name="max_steps_per_epoch", paths=("max_steps_per_epoch",)),
        Field(name="steps", derive=_steps),
        Field(name="epochs", paths=("epochs",), overrule=_passed_over),
        Field(name="own_epochs", paths=("epochs",)),
        Field(name="packed", paths=("dataset.packed", "packed"), default="false"),
        Field(name="scheduler", paths=("lr_scheduler._component_",)),
        *Field.within("lr_scheduler", num_warmup_steps=None, num_cycles="0.5"),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=lambda _: of_kinds(switch="with LoRA only the adapters are trained"),
    unit=_unit,
    harmless=("batch_size_val", "optimizer.fused", "optimizer_in_bwd", "clip_grad_norm",
              "log_every_n_steps", "forward_batch_size", "gamma", "lmbda",
              "compile*", "enable_activation*", "profiler*", "metric_logger*", "loss*",
              "checkpointer*", "tokenizer*", "lr_scheduler"),
)  # fmt: skip
