"""verl's supervised fine-tuning by fsdp_sft_trainer: overrides of Hydra on its command line.

Source: verl b178a3cd5 verl/trainer/config/sft_trainer.yaml, config/optim/fsdp.yaml,
verl/trainer/fsdp_sft_trainer.py, verl/workers/config/optimizer.py.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.schedules import compose, percent
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.trainers import verl

_OPTIM = "verl b178a3cd5 trainer/config/optim/fsdp.yaml"


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
    # No other class than an Adam is given the betas.
    optimizer=lambda settings: verl.optimizer_of_library(settings, "adam"),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    # data.train_batch_size is of all devices.
    batch=lambda _: ("batch_size",),
    harmless=("data*", "model*", "trainer*", "optim.clip_grad"),
)  # fmt: skip
