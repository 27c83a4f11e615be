"""slime's reinforcement learning by its flags, which are Megatron-LM's and those of its rollouts.

Source: slime 624b824a8 slime/utils/arguments.py, slime/backends/megatron_utils/model.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.optimizers import unknown_optimizer
from decaycalc.training.reading.settings import Settings, derived, left_open, unit_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced
from decaycalc.training.trainers import megatron

_VERSION = "slime 624b824a8 slime/utils/arguments.py"


def _completions(settings: Settings) -> int | None:
    """Return the completions of one rollout."""
    whole = settings.product("rollout_batch_size", "n_samples_per_prompt", whole=True)
    return None if whole is None else int(whole)


def _global_batch_size(settings: Settings) -> Sourced | None:
    whole, parts = _completions(settings), settings.number("num_steps_per_rollout")
    if whole is None or not parts:
        return None
    formula = "rollout_batch_size · n_samples_per_prompt / num_steps_per_rollout"
    return derived("global_batch_size", str(int(whole // parts)), formula)


def _prompts(settings: Settings) -> Sourced | None:
    """Return the prompts of a step of the optimizer, whose completions are all in it."""
    size, each = settings.count("global_batch_size"), settings.count("n_samples_per_prompt")
    if size is None or each is None:
        return None
    if size % each:
        note = f"global_batch_size {size} is no multiple of n_samples_per_prompt {each}"
        return left_open("batch_size", note, where="global_batch_size")
    return derived("batch_size", str(size // each), "global_batch_size / n_samples_per_prompt")


def _steps(settings: Settings) -> Sourced | None:
    rollouts, whole = settings.count("num_rollout"), _completions(settings)
    size = settings.count("global_batch_size")
    if rollouts is None or whole is None or size is None:
        return None
    formula = "num_rollout · rollout_batch_size · n_samples_per_prompt / global_batch_size"
    return derived("steps", str(rollouts * whole // size), formula)


def _optimizer(settings: Settings) -> Optimizer:
    backend = settings.word("train_backend")
    known = backend == "megatron"
    return megatron.TRAINER.optimizer(settings) if known else unknown_optimizer(f"of {backend}")


def _unit(settings: Settings) -> str:
    each = settings.text("n_samples_per_prompt")
    return "examples" if each == "1" else unit_of("prompts", each, "completions")


# What rollouts and their sizes say in slime, and what has a default of its own.
_OTHERS = {"global_batch_size", "batch_size", "world_size", "steps"}

_OF_OPENRLHF = ("actor_learning_rate", "micro_rollout_batch_size", "vllm_num_engines")

TRAINER: Trainer = replace(
    megatron.TRAINER,
    kind="slime",
    title="slime",
    signatures=(
        Signature(
            all_of=("rollout_batch_size",),
            any_of=("num_rollout", "rollout_num_gpus_per_engine", "num_steps_per_rollout",
                    "rollout_max_response_len", "hf_checkpoint", "lr_decay_style", "ref_load",
                    "rollout_function_path"),
            at_least=2,
            none_of=_OF_OPENRLHF,
        ),
    ),
    fields=(
        *(
            replace(field, default="1e-6", source=_VERSION) if field.name == "lr" else field
            for field in megatron.TRAINER.fields
            if field.name not in _OTHERS
        ),
        *Field.within("", source=_VERSION, train_backend="megatron", rollout_batch_size=None,
                      n_samples_per_prompt="1", num_rollout=None, num_steps_per_rollout=None),
        Field(name="global_batch_size", paths=("global_batch_size",), derive=_global_batch_size),
        Field(name="batch_size", derive=_prompts),
        Field(name="steps", derive=_steps),
        Field(name="epochs", paths=("num_epoch",)),
    ),
    optimizer=_optimizer,
    batch=lambda _: ("batch_size",),
    unit=_unit,
    harmless=(*megatron.TRAINER.harmless, "rollout_*", "eval_*", "sglang_*", "actor_*", "kl_*",
              "max_tokens_per_gpu", "eps_*", "wandb_*", "ref_*", "over_sampling_batch_size",
              "n_samples_per_eval_prompt", "num_rollout", "critic_*", "log_probs_*",
              "accumulate_*", "overlap_*"),
)  # fmt: skip
