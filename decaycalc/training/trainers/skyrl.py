"""SkyRL's reinforcement learning, by overrides on its command line.

Source: SkyRL a9564572e skyrl/train/config/config.py, skyrl/train/trainer.py,
skyrl/backends/skyrl_train/distributed/fsdp_strategy.py and megatron/optimizer.py.
"""

from fractions import Fraction

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.exemptions import NO_1D, NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAM, ADAMW, unknown_optimizer
from decaycalc.training.reading.schedules import compose, steps_of
from decaycalc.training.reading.settings import Settings, derived, product_of, unit_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_OPTIMIZER = "trainer.policy.optimizer_config"
_STRATEGIES = {
    "fsdp": ADAMW,
    "fsdp2": ADAMW,
    "megatron": Optimizer(convention="megatron-adam", uses=ADAM),
}
_NAMES = ("constant", "constant_with_warmup", "linear", "cosine")


def _is_megatron(settings: Settings) -> bool:
    return settings.word("strategy") == "megatron"


def _optimizer(settings: Settings) -> Optimizer:
    name = settings.word("strategy")
    return _STRATEGIES.get(name) or unknown_optimizer(name, setting="the optimizer of strategy")


def _steps(settings: Settings) -> Sourced | None:
    """Return the optimizer's steps of a length in batches."""
    most, passes = settings.number("max_training_steps"), settings.number("passes")
    whole, mini = settings.count("train_batch_size"), settings.count("batch_size")
    if most is None or passes is None or whole is None or mini is None:
        return None
    formula = "max_training_steps · train_batch_size / policy_mini_batch_size · passes"
    return derived("steps", decimal_text(most * (whole // mini) * Fraction(passes)), formula)


def _schedule(settings: Settings) -> str | None:
    """Return transformers' schedule; Megatron's strategy has but the one with a warm-up."""
    name, warmup = settings.word("scheduler"), steps_of(settings, "num_warmup_steps")
    if name not in _NAMES or (_is_megatron(settings) and name != "constant_with_warmup"):
        return None
    if name == "constant":
        return "constant"
    return compose(name.removesuffix("_with_warmup"), warmup=warmup)


def _exempt(settings: Settings) -> Exemption:
    return NO_1D if _is_megatron(settings) else NONE_EXEMPT


TRAINER = Trainer(
    kind="skyrl",
    title="SkyRL",
    version="SkyRL a9564572e",
    signatures=(
        Signature(
            any_of=(f"{_OPTIMIZER}.lr", f"{_OPTIMIZER}.weight_decay", "trainer.policy.model.path",
                    "trainer.policy_mini_batch_size", "generator.n_samples_per_prompt",
                    "trainer.update_epochs_per_batch", "trainer.placement.colocate_all"),
            at_least=3,
        ),
    ),
    fields=(
        *Field.within("trainer", strategy="fsdp"),
        *Field.within(_OPTIMIZER, weight_decay="0.01", lr="1e-6"),
        *betas(f"{_OPTIMIZER}.adam_betas", "0.9", "0.999"),
        *Field.fixed(eps="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("trainer.policy_mini_batch_size",), default="256"),
        *Field.within("trainer", train_batch_size="1024", max_training_steps=None),
        *Field.within("generator", n_samples_per_prompt="5"),
        Field(name="passes", paths=("trainer.update_epochs_per_batch",), default="1"),
        Field(name="whole_epochs", paths=("trainer.epochs",), default="1"),
        Field(name="steps", derive=_steps),
        Field(name="epochs", derive=product_of("epochs", "trainer.epochs · update_epochs_per_batch",
                                               "whole_epochs", "passes")),
        *Field.within(_OPTIMIZER, scheduler="constant_with_warmup", num_warmup_steps="0"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),  # the mini-batch counts the prompts of all devices
    unit=lambda settings: unit_of("prompts", settings.text("n_samples_per_prompt"), "completions"),
    harmless=("trainer*", "generator*", "data*", "environment*", "skyrl_gym*"),
)  # fmt: skip
