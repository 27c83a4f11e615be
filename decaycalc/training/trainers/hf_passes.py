"""How often the Trainer's descendants go over the same prompts: a run's length in their settings.

Source: trl f2cd57710 trl/trainer/grpo_trainer.py (the sampler repeats each prompt num_iterations
times), trl/experimental/ppo/ppo_trainer.py; LLaMA-Factory ff6d4d12e train/ppo/trainer.py.
"""

from fractions import Fraction
from math import ceil

from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import PER_DEVICE, Field
from decaycalc.training.record import Sourced

_OF_PPO = ("num_ppo_epochs", "missing_eos_penalty", "sft_model_path")
_OTHERS = ("num_epochs", "num_mini_batches")  # open-instruct's, which count otherwise


def _is_ppo(settings: Settings) -> bool:
    is_trl = any(settings.has(name) for name in _OF_PPO)
    return is_trl and not any(settings.has(name) for name in _OTHERS)


def _passes(settings: Settings) -> Fraction:
    """Return the passes over the completions of a prompt, 1 where there is but one."""
    if settings.texts("stage") == ("ppo",):
        return settings.number("factory_ppo_epochs") or Fraction(1)
    if _is_ppo(settings):
        return settings.number("num_ppo_epochs") or Fraction(1)
    if settings.has("num_generations") and settings.has("num_iterations"):
        return settings.number("num_iterations") or Fraction(1)
    return Fraction(1)


def epochs(settings: Settings) -> Sourced | None:
    """Return the epochs times the passes, None where those are one and the file tells the rest."""
    passes = _passes(settings)
    if passes == 1:
        return None
    count = settings.number("own_epochs") or Fraction(0)
    return derived("epochs", decimal_text(count * passes), "num_train_epochs · passes over each")


def steps(settings: Settings) -> Sourced | None:
    """Return the steps of PPO's episodes, or of the batches that max_steps counts there."""
    if settings.texts("stage") == ("ppo",):
        batches = settings.number("batches")
        buffer = settings.number("factory_buffer") or Fraction(1)
        if not batches or batches < 1:
            return None
        formula = "max_steps · ppo_buffer_size · ppo_epochs"
        return derived("steps", decimal_text(batches * buffer * _passes(settings)), formula)
    if not _is_ppo(settings) or not settings.has("total_episodes"):
        return None
    episodes = settings.number("total_episodes")
    parts = [settings.number(name) for name in PER_DEVICE]
    if episodes is None or any(not part for part in parts):
        return None
    size = Fraction(1)
    for part in parts:
        size *= part or 1
    count = ceil(episodes / size) * _passes(settings)
    return derived("steps", decimal_text(Fraction(count)), "total_episodes / B · num_ppo_epochs")


FIELDS = (
    Field(name="num_ppo_epochs", paths=("num_ppo_epochs",), default="4", source="trl f2cd57710"),
    Field(name="num_iterations", paths=("num_iterations",), default="1", source="trl f2cd57710"),
    Field(name="total_episodes", paths=("total_episodes",)),
    Field(name="factory_ppo_epochs", paths=("ppo_epochs",), default="4",
          source="LLaMA-Factory ff6d4d12e"),
    Field(name="factory_buffer", paths=("ppo_buffer_size",), default="1",
          source="LLaMA-Factory ff6d4d12e"),
    Field(name="batches", paths=("max_steps",), absent=("-1", "0")),
    Field(name="own_epochs", paths=("num_train_epochs",), default="3",
          source="transformers 5.24.0"),
)  # fmt: skip
