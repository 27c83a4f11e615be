"""What the Trainer's `optim` makes of weight_decay, by the name that it holds."""

from decaycalc.training.reading.optimizers import ADAM, SGD, refused, unknown_optimizer
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Optimizer
from decaycalc.training.trainers import hf_deepspeed

HF_ADAMW = Optimizer(convention="hf-trainer", uses=ADAM)
_ADAMW = frozenset(
    {"adamw_torch", "adamw_torch_fused", "adamw_torch_xla", "adamw_torch_npu_fused",
     "adamw_apex_fused", "adamw_hf", "adamw_bnb_8bit", "adamw_8bit", "paged_adamw_8bit",
     "paged_adamw_32bit", "paged_adamw", "adamw_anyprecision", "adamw_torch_4bit",
     "adamw_torch_8bit"}
)  # fmt: skip
_OTHERS = {
    "adafactor": Optimizer(convention="hf-adafactor"),
    "sgd": Optimizer(convention="pytorch-sgd", uses=SGD),
    "adagrad": Optimizer(convention="pytorch-adagrad"),
    "rmsprop": Optimizer(convention="pytorch-rmsprop"),
    "grokadamw": Optimizer(convention="grokadamw"),
    "schedule_free_radam": Optimizer(convention="hf-trainer-schedule-free-radam"),
}
_BY_PREFIX = (
    ("rmsprop_bnb", "bitsandbytes-rmsprop"),
    ("lion_", "bitsandbytes-lion"),
    ("paged_lion_", "bitsandbytes-lion"),
    ("ademamix", "bitsandbytes-ademamix"),
    ("paged_ademamix", "bitsandbytes-ademamix"),
    ("schedule_free_", "schedule-free"),
)
_NOT_PASSED = ("galore_", "apollo_", "lomo", "adalomo")


def find_optim(name: str, settings: Settings) -> Optimizer:
    """Return what the Trainer's `optim` makes of weight_decay.

    Source: transformers 5.24.0 trainer_optimizer.py; `_setup_low_rank_optimizer` returns groups
    without weight_decay, LOMO takes the model instead of groups. Each is executed.
    """
    return hf_deepspeed.optimizer(settings) or _by_optim(name, settings)


def _by_optim(name: str, settings: Settings) -> Optimizer:
    word = name.lower().rpartition(".")[2]
    if word in _ADAMW:
        return HF_ADAMW
    if word in _OTHERS:
        return _OTHERS[word]
    if word == "stable_adamw":
        key = "optimi-decoupled" if settings.flag("decouple_lr") else "optimi-stableadamw"
        return Optimizer(convention=key, uses=ADAM)
    for prefix, convention in _BY_PREFIX:
        if word.startswith(prefix):
            return Optimizer(convention=convention)
    if word.startswith(_NOT_PASSED):
        return refused(f"the Trainer does not pass weight_decay to {name}: nothing decays by it")
    return unknown_optimizer(name, setting="optim")
