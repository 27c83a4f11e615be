"""What the Trainer's descendants count: the completions of a prompt, the passes over them.

Source: trl f2cd57710 trl/trainer/grpo_trainer.py (the sampler repeats each prompt num_iterations
times), trl/experimental/ppo/ppo_trainer.py; LLaMA-Factory ff6d4d12e train/ppo/trainer.py.
"""

from fractions import Fraction
from math import ceil

from decaycalc.record import replace
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.settings import Settings, by_default, derived, left_open, unit_of
from decaycalc.training.reading.trainer import PER_DEVICE, Field
from decaycalc.training.record import Sourced, Training

_OF_PPO = ("num_ppo_epochs", "missing_eos_penalty", "sft_model_path")
_OLDER = "per_device_train_batch_size counts completions from trl 0.15 on; in 0.14 it was prompts"
_GROUPED = {"grpo": "8", "rloo": "2"}
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
    if settings.text("num_generations") is not None:
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
    size = settings.product(*PER_DEVICE)
    if episodes is None or not size:
        return None
    count = ceil(episodes / size) * _passes(settings)
    return derived("steps", decimal_text(Fraction(count)), "total_episodes / B · num_ppo_epochs")


def _completions(settings: Settings) -> Sourced | None:
    """Return the completions of a prompt that GRPO or RLOO has where the file does not say it."""
    words = (settings.document.program, settings.told("rlhf_type"),
             settings.told("rl"))  # fmt: skip
    for name, value in _GROUPED.items():
        if any(name in word.lower() for word in words):
            return by_default("num_generations", value, f"trl f2cd57710 {name}_config.py")
    return None


def _of_another_kind(settings: Settings) -> Sourced | None:
    """Return that ms-swift's other kinds of training leave num_generations unused."""
    return None if settings.told("rlhf_type") in {"", "grpo"} else left_open("num_generations")


def unit(settings: Settings) -> str | None:
    """Return the prompts that B counts, None where examples are trained on as they are."""
    number = settings.text("num_generations")
    return None if number is None else unit_of("prompts", number, "completions")


def by_prompts(settings: Settings, made: Training) -> Training:
    """Return a run whose batch counts prompts, as its data do; its settings count completions.

    Source: trl f2cd57710 trl/trainer/grpo_trainer.py, RepeatSampler; ms-swift 3602360a5
    swift/megatron/arguments/megatron_args.py, init_iters.
    """
    count, size = settings.count("num_generations"), made.run.given("batch_size")
    if count is None or size is None or "batch_size" in settings.given:
        return made
    run = replace(made.run, batch_size=size / count)
    whole = derived(
        "examples_per_step",
        decimal_text(run.examples_per_step or Fraction(0)),
        "completions of a step / num_generations",
    )
    quantities = tuple(whole if each.name == whole.name else each for each in made.quantities)
    made = replace(made, run=run, quantities=quantities)
    return made.with_notes(_OLDER) if settings.has("num_generations") else made


PER_PROMPT = Field(
    name="num_generations",
    paths=("num_generations", "trl.num_generations"),
    overrule=_of_another_kind,
    derive=_completions,
)
FIELDS = (
    PER_PROMPT,
    Field(name="num_ppo_epochs", paths=("num_ppo_epochs",), default="4", source="trl f2cd57710"),
    Field(name="num_iterations", paths=("num_iterations", "trl.num_iterations"), default="1",
          source="trl f2cd57710"),
    Field(name="total_episodes", paths=("total_episodes",)),
    Field(name="factory_ppo_epochs", paths=("ppo_epochs",), default="4",
          source="LLaMA-Factory ff6d4d12e"),
    Field(name="factory_buffer", paths=("ppo_buffer_size",), default="1",
          source="LLaMA-Factory ff6d4d12e"),
    Field(name="batches", paths=("max_steps",), absent=("-1", "0")),
    Field(name="own_epochs", paths=("num_train_epochs",), default="3",
          source="transformers 5.24.0"),
)  # fmt: skip
