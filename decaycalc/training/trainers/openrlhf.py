"""OpenRLHF's training of policies and rewards by examples, by its flags, new and old.

Source: OpenRLHF 3c3be623 (new) and 76351db1 (old) openrlhf/cli/train_{sft,dpo,rm}.py,
utils/deepspeed/deepspeed.py, utils/deepspeed/deepspeed_utils.py.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.optimizers import ADAM, by_name
from decaycalc.training.reading.schedules import compose, percent
from decaycalc.training.reading.settings import Settings, by_default
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_VERSION = "OpenRLHF 3c3be623"
# What the programs' parsers default to, where they differ.
_DEFAULTS = {
    "train_sft": {"lr": "5e-6", "epochs": "2"},
    "train_dpo": {"lr": "1e-5", "epochs": "1"},
    "train_rm": {"lr": "9e-6", "epochs": "1"},
}
_PROGRAMS = tuple(f"openrlhf.cli.{name}" for name in _DEFAULTS)


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return the default that the program's own parser has."""
    program = settings.document.program.rpartition(".")[2]
    value = _DEFAULTS.get(program, {}).get(field.name)
    return None if value is None else by_default(field.name, value, f"{_VERSION} cli/{program}.py")


def _schedule(settings: Settings) -> str | None:
    """Source: transformers optimization.py, get_scheduler, with min_lr = lr · min_lr_ratio."""
    name, share = settings.word("scheduler"), settings.number("warmup_ratio")
    warmup = percent(share) if share else None
    if name == "cosine_with_min_lr":
        return compose("cosine", warmup=warmup, final=settings.number("min_lr_ratio") or None)
    if name in {"cosine", "linear"}:
        return compose(name, warmup=warmup)
    if name == "constant_with_warmup":
        return compose("constant", warmup=warmup)
    return "constant" if name == "constant" else None


TRAINER = Trainer(
    kind="openrlhf",
    title="OpenRLHF",
    version=_VERSION,
    signatures=tuple(Signature(all_of=(f"program:{program}",)) for program in _PROGRAMS),
    fields=(
        Field(name="optimizer", paths=("optim",), default="adam"),
        Field(name="weight_decay", paths=("adam.weight_decay", "l2"), default="0"),
        Field(name="lr", paths=("adam.lr", "learning_rate")),
        *betas("adam.betas", "0.9", "0.95", older="adam_betas"),
        Field(name="eps", paths=("adam.eps",), default="1e-8"),
        Field(name="batch_size", paths=("train.batch_size", "train_batch_size"), default="128"),
        Field(name="epochs", paths=("train.max_epochs", "max_epochs")),
        Field(name="scheduler", paths=("lr_scheduler",), default="cosine_with_min_lr"),
        Field(name="warmup_ratio", paths=("lr_warmup_ratio",), default="0.03"),
        Field(name="min_lr_ratio", paths=("min_lr_ratio",), default="0.1"),
    ),
    optimizer=by_name({"adam": Optimizer(convention="deepspeed-adam", uses=ADAM)}),
    schedule=_schedule,
    exempt=lambda _: Exemption(
        rule="names with bias, layer_norm.weight, layernorm.weight, norm.weight or ln_f.weight"
    ),
    default=_default,
    # The batch size is of all devices.
    batch=lambda _: ("batch_size",),
    harmless=("train*", "micro_train_batch_size", "adam*", "ds*", "data*", "eval*", "ckpt*",
              "logger*", "max_samples", "adam_offload", "beta"),
)  # fmt: skip
