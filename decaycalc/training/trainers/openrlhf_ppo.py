"""OpenRLHF's reinforcement learning of an actor, by its flags, new and old.

Source: OpenRLHF 3c3be623 (new) and 76351db1 (old) openrlhf/cli/train_ppo_ray.py,
trainer/ppo_trainer.py, trainer/ray/ppo_actor.py.
"""

from decaycalc.record import replace
from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.settings import Settings, derived, product_of, unit_of
from decaycalc.training.reading.trainer import Field, Signature
from decaycalc.training.record import Sourced
from decaycalc.training.trainers import openrlhf


def _batch_size(settings: Settings) -> Sourced | None:
    """Return the prompts of an optimizer's step: train.batch_size counts their completions."""
    whole, each = settings.count("completions"), settings.count("rollouts")
    if not whole or not each or whole % each:
        return None
    return derived("batch_size", str(whole // each), "train.batch_size / n_samples_per_prompt")


TRAINER = replace(
    openrlhf.TRAINER,
    kind="openrlhf-ppo",
    title="OpenRLHF PPO",
    signatures=(Signature(all_of=("program:openrlhf.cli.train_ppo_ray",)),),
    fields=(
        Field(name="optimizer", paths=("actor.optim",), default="adam"),
        Field(name="weight_decay", paths=("actor.adam.weight_decay", "l2"), default="0"),
        Field(name="lr", paths=("actor.adam.lr", "actor_learning_rate"), default="1e-6"),
        *betas("actor.adam.betas", "0.9", "0.95", older="adam_betas"),
        Field(name="eps", paths=("actor.adam.eps",), default="1e-8"),
        Field(name="completions", paths=("train.batch_size", "train_batch_size"), default="128"),
        Field(name="rollouts", paths=("rollout.n_samples_per_prompt", "n_samples_per_prompt"),
              default="1"),
        Field(name="batch_size", derive=_batch_size),
        Field(name="episodes", paths=("train.num_episodes", "num_episodes"), default="1"),
        Field(name="passes", paths=("train.max_epochs", "max_epochs"), default="1"),
        # The passes over the prompts: episodes times the passes over what each made.
        Field(name="epochs", derive=product_of("epochs", "num_episodes · max_epochs",
                                               "episodes", "passes")),
        # The program counts len(prompts) · n // B.
        Field(name="drop_last", default="true"),
        Field(name="scheduler", paths=("actor.lr_scheduler", "lr_scheduler"),
              default="cosine_with_min_lr"),
        Field(name="warmup_ratio", paths=("actor.lr_warmup_ratio", "lr_warmup_ratio"),
              default="0.03"),
        Field(name="min_lr_ratio", paths=("actor.min_lr_ratio",), default="0.1"),
    ),
    unit=lambda settings: unit_of("prompts", settings.text("rollouts"), "completions"),
    harmless=(*openrlhf.TRAINER.harmless, "critic*", "reward*", "ref*", "vllm*", "rollout*",
              "algo*", "actor*", "micro_rollout_batch_size", "rollout_batch_size",
              "critic_learning_rate", "remote_rm_url"),
)  # fmt: skip
