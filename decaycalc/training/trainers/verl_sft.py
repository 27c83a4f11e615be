"""verl's supervised fine-tuning by fsdp_sft_trainer: overrides of Hydra on its command line.

Source: verl b178a3cd5 verl/trainer/config/sft_trainer.yaml, config/optim/fsdp.yaml,
verl/trainer/fsdp_sft_trainer.py, verl/workers/config/optimizer.py.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.classes import find_class
from decaycalc.training.reading.optimizers import unknown_optimizer
from decaycalc.training.reading.schedules import compose, percent
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption

_OPTIM = "verl b178a3cd5 trainer/config/optim/fsdp.yaml"


def _optimizer(settings: Settings) -> Optimizer:
    """Return an Adam of any library by its class; no other class is given the betas."""
    name = f"{settings.text('implementation')}.{settings.text('optimizer')}"
    found = find_class(name) if "adam" in name.lower() else None
    if found is None:
        return unknown_optimizer(name)
    return found.optimizer()


def _schedule(settings: Settings) -> str | None:
    if settings.word("scheduler") != "cosine":
        return None
    share = settings.number("warmup_ratio")
    return compose("cosine", warmup=percent(share) if share else None)


TRAINER = Trainer(
    kind="verl-sft",
    title="verl SFT",
    config_is_settings=False,  # the file that Hydra composes is where the defaults are read
    version="verl b178a3cd5 trainer/config/sft_trainer.yaml",
    signatures=(
        Signature(all_of=("program:verl.trainer.fsdp_sft_trainer",)),
        Signature(all_of=("program:fsdp_sft_trainer.py",)),
        Signature(all_of=("model.partial_pretrain", "data.train_batch_size")),
    ),
    fields=(
        Field(name="optimizer", paths=("optim.optimizer",), default="AdamW",
              source=_OPTIM),
        Field(name="implementation", paths=("optim.optimizer_impl",), default="torch.optim",
              source=_OPTIM),
        *Field.within("optim", weight_decay="0.01", lr="1e-5"),
        *betas("optim.betas", "0.9", "0.95"),
        Field(name="eps", default="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("data.train_batch_size",), default="256"),
        Field(name="steps", paths=("trainer.total_training_steps",)),
        Field(name="epochs", paths=("trainer.total_epochs",), default="4"),
        Field(name="scheduler", paths=("optim.lr_scheduler",), default="cosine"),
        Field(name="warmup_ratio", paths=("optim.lr_warmup_steps_ratio",
                                          "optim.warmup_steps_ratio"), default="0.1"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: Exemption(rule="nothing"),
    # data.train_batch_size is of all devices.
    batch=lambda _: ("batch_size",),
    harmless=("data*", "model*", "trainer*", "optim.clip_grad"),
)  # fmt: skip
