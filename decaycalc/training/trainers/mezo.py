"""MeZO's scripts by their flags: the Trainer, or a loop of its own that estimates gradients.

Source: MeZO 552cb1b large_models/{run,trainer}.py, medium_models/{run,src/trainer}.py; ZO-LLM
bf210fa zo-bench/trainer.py.
"""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAM, refused
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature
from decaycalc.training.record import Exemption, Training
from decaycalc.training.trainers import hf_trainer

_VERSION = "MeZO 552cb1b"
_MEDIUM = ("zero_order_optim", "zero_order_eps", "efficient_zero_order")
# ZO-LLM's names, for which it makes Adam or SGD of the lr alone.
_WITHOUT_DECAY = ("zo_adam", "zo_sgd", "zo_sign_opt", "zo_conserv")
_ESTIMATED = Optimizer(
    convention="pytorch-sgd", note="the gradient is estimated; decay joins it as in plain SGD"
)
# What medium_models makes by its own flag, from groups of its own.
_BY_FLAG = {
    "adam": Optimizer(convention="hf-trainer", uses=ADAM),
    "sgd": Optimizer(convention="pytorch-sgd"),
}


def _is_medium(settings: Settings) -> bool:
    return any(map(settings.has, _MEDIUM))


def _is_own_loop(settings: Settings) -> bool:
    """Return whether the loop writes the weights itself."""
    if _is_medium(settings):
        return settings.is_on("zero_order_optim") and not settings.flag("by_optimizer")
    return settings.word("trainer") == "zo"


def _optimizer(settings: Settings) -> Optimizer:
    if _is_own_loop(settings):
        return _ESTIMATED
    if _is_medium(settings):
        name = settings.word("own_optimizer")
        return _BY_FLAG.get(name) or refused(f"--optimizer {name[:40]} is not MeZO's")
    name = settings.word("trainer")
    if name == "regular":
        return hf_trainer.TRAINER.optimizer(settings)
    if name in _WITHOUT_DECAY:
        return refused(f"ZO-LLM's {name} is not handed the weight_decay: nothing decays by it")
    if name == "none":
        return refused("--trainer is none, MeZO's default: nothing is trained")
    return refused(f"--trainer {name[:40]} is not MeZO's: regular, zo or none")


def _schedule(settings: Settings) -> str | None:
    """Return the Trainer's schedule; medium_models' own loop takes the lr as it is."""
    if _is_medium(settings) and _is_own_loop(settings):
        return "constant"
    return hf_trainer.TRAINER.schedule(settings)


def _exempt(settings: Settings) -> Exemption:
    if not _is_medium(settings):
        if settings.word("trainer") == "zo":
            return Exemption(rule="names with bias, layer_norm or layernorm")
        return hf_trainer.trainer_exempt(settings)
    if _is_own_loop(settings):
        return NONE_EXEMPT
    return Exemption(rule="names with bias or LayerNorm.weight")


def _finish(settings: Settings, made: Training) -> Training:
    made = hf_trainer.finish(settings, made)
    count = settings.number("grad_accum") or Fraction(1)
    if not _is_own_loop(settings) or count == 1:
        return made
    return made.with_notes(
        f"of the {count} micro-batches that a step reads, the last alone makes its gradient"
    )


_BESIDE = ("learning_rate", "per_device_train_batch_size", "max_steps", "num_train_epochs",
           "lr_scheduler_type", "weight_decay")  # fmt: skip
TRAINER = replace(
    hf_trainer.TRAINER,
    kind="mezo",
    title="MeZO",
    version=f"{_VERSION} on {hf_trainer.VERSION}",
    signatures=(
        Signature(all_of=("trainer", "zo_eps"), any_of=_BESIDE, at_least=2),
        Signature(
            all_of=("trainer", "learning_rate"),
            any_of=("only_train_option", "train_as_classification", "train_set_seed",
                    "num_train_sets", "num_dev"),
            at_least=2,
        ),
        *(Signature(all_of=(own,), any_of=_BESIDE, at_least=3) for own in _MEDIUM),
    ),
    fields=(
        *hf_trainer.FIELDS,
        *Field.within("", source=_VERSION, trainer="none", zero_order_optim="false"),
        Field(name="by_optimizer", paths=("zero_order_use_trainer_optim",), default="false",
              source=_VERSION),
        Field(name="own_optimizer", paths=("optimizer",), default="adam", source=_VERSION),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    harmless=(*hf_trainer.HARMLESS, "num_train*", "num_dev", "num_eval", "train_set_seed",
              "train_as_classification", "zero_order_*", "zo_*", "trainer", "load_float16"),
    finish=_finish,
)  # fmt: skip
