"""open-instruct's finetune.py and dpo_tune_cache.py, by flags or a YAML file of them.

Source: open-instruct e6c3044aa open_instruct/{finetune,dpo_tune_cache,olmo_core_utils}.py,
utils.py, get_optimizer_grouped_parameters.
"""

from decaycalc.record import replace
from decaycalc.training.reading.devices import devices_field
from decaycalc.training.reading.optimizers import ADAM, ADAMW, refused
from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.settings import Settings, by_default, left_open
from decaycalc.training.reading.trainer import Derive, Field, Optimizer, Signature
from decaycalc.training.record import Exemption, Sourced
from decaycalc.training.trainers import hf_no_trainer, hf_trainer

_VERSION = "open-instruct e6c3044aa"
_OWN = ("dataset_mix_dir", "use_slow_tokenizer", "checkpointing_steps", "with_tracking",
        "use_flash_attn", "hf_entity", "chat_template_name", "exp_name")  # fmt: skip
# What the Trainer's files have beside a mixture of data, as alignment-handbook's.
_OF_THE_TRAINER = ("dataset_splits", "save_strategy", "logging_strategy", "eval_strategy",
                   "evaluation_strategy", "gradient_checkpointing_kwargs", "optim")  # fmt: skip
# What finetune.py and dpo_tune_cache.py have where nothing is set.
_DEFAULTS = {"epochs": ("2", "1"), "warmup_ratio": ("0.03", "0.1")}
_SCRIPTS = ("finetune.py", "dpo_tune_cache.py")
_OF_OLMO_CORE = ("dpo.py", "olmo_core_finetune.py", "grpo.py")
# Programs whose step is a part of what was rolled out.
_ROLLOUTS = ("num_unique_prompts_rollout", "local_mini_batch_size", "total_episodes",
             "num_samples_per_prompt_rollout", "rollout_batch_size")  # fmt: skip


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return the default that the script has for a field; of another program it is open."""
    name, program = field.name, settings.document.program.rpartition("/")[2]
    if name not in _DEFAULTS:
        return None
    if program not in _SCRIPTS:
        note = f"{name} is not set: open-instruct's scripts have their own"
        return left_open(name, note, where=f"the script's {name}")
    value = _DEFAULTS[name][_SCRIPTS.index(program)]
    return by_default(name, value, f"{_VERSION} {program}")


def _of_rollouts(name: str) -> Derive:
    """Return what says that the steps of reinforcement learning are of what was rolled out."""

    def overrule(settings: Settings) -> Sourced | None:
        own = next((name for name in _ROLLOUTS if settings.has(name)), None)
        if own is None:
            return None
        note = f"{own}: a step takes a part of what was rolled out: give -B and --steps"
        return left_open(name, note, where=own)

    return overrule


def _optimizer(settings: Settings) -> Optimizer:
    program = settings.document.program.rpartition("/")[2]
    if program in _OF_OLMO_CORE:
        return refused(f"{program} trains by OLMo-core, not read here")
    if settings.flag("qlora") or settings.flag("paged"):
        return Optimizer(convention="bitsandbytes-adamw", uses=ADAM)
    return ADAMW


def _schedule(settings: Settings) -> str | None:
    final = settings.number("final_lr_ratio")
    if settings.word("scheduler") == "linear" and final:
        return compose("linear", warmup=hf_trainer.warmup(settings), final=final)
    return hf_no_trainer.schedule(settings)


_CHANGED = {
    "weight_decay": Field(name="weight_decay", paths=("weight_decay",), default="0"),
    "scheduler": Field(name="scheduler", paths=("lr_scheduler_type",), default="linear"),
    "lr": Field(name="lr", paths=("learning_rate",), default="2e-5"),
    "batch_size": Field(name="batch_size", paths=("per_device_train_batch_size",), default="8",
                        overrule=_of_rollouts("batch_size")),
    "epochs": Field(name="epochs", paths=("num_train_epochs", "num_epochs"),
                    overrule=_of_rollouts("epochs")),
    "warmup_steps": Field(name="warmup_ratio", paths=("warmup_ratio",)),
    "world_size": devices_field("sequence_parallel_size"),
}  # fmt: skip

TRAINER = replace(
    hf_no_trainer.TRAINER,
    kind="open-instruct",
    title="open-instruct",
    version=_VERSION,
    signatures=(
        *(
            Signature(
                all_of=(own, "per_device_train_batch_size"), any_of=_OWN, none_of=_OF_THE_TRAINER
            )
            for own in ("dataset_mixer", "dataset_mixer_list", "mixer_list")
        ),
        *(
            Signature(
                all_of=(f"program:open_instruct/{script}",),
                any_of=("per_device_train_batch_size", "learning_rate", "model_name_or_path"),
                at_least=2,
            )
            for script in (*_SCRIPTS, *_OF_OLMO_CORE)
        ),
        Signature(any_of=_ROLLOUTS, at_least=3),
    ),
    fields=(
        *(_CHANGED.get(field.name, field) for field in hf_no_trainer.FIELDS),
        Field(name="final_lr_ratio", paths=("final_lr_ratio",)),
        Field(name="qlora", paths=("use_qlora",), default="false"),
        Field(name="paged", paths=("dpo_use_paged_optimizer",), default="false"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    default=_default,
    exempt=lambda _: Exemption(
        rule="names with bias, layer_norm.weight, layernorm.weight, norm.weight or ln_f.weight"
    ),
    finish=lambda _, made: made,
    harmless=(*hf_no_trainer.TRAINER.harmless, "beta", "num_mini_batches", "clip_grad_norm"),
)
