"""verl's supervised fine-tuning by fsdp_sft_trainer: overrides of Hydra on its command line.

Source: verl b178a3cd5 verl/trainer/config/sft_trainer.yaml, verl/trainer/fsdp_sft_trainer.py.
"""

from decaycalc.training.reading.arguments import element
from decaycalc.training.reading.schedules import compose, percent
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption


def _schedule(settings: Settings) -> str | None:
    if settings.word("scheduler") != "cosine":
        return None
    share = settings.number("warmup_ratio")
    return compose("cosine", warmup=percent(share) if share else None)


TRAINER = Trainer(
    kind="verl-sft",
    title="verl SFT",
    version="verl b178a3cd5 trainer/config/sft_trainer.yaml",
    signatures=(
        Signature(all_of=("program:verl.trainer.fsdp_sft_trainer",)),
        Signature(all_of=("program:fsdp_sft_trainer.py",)),
        Signature(all_of=("model.partial_pretrain", "data.train_batch_size")),
    ),
    fields=(
        Field(name="optimizer", default="AdamW"),
        Field(name="weight_decay", paths=("optim.weight_decay",), default="0.01"),
        Field(name="lr", paths=("optim.lr",), default="1e-5"),
        element("beta1", "optim.betas", 0, default="0.9"),
        element("beta2", "optim.betas", 1, default="0.95"),
        Field(name="eps", default="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("data.train_batch_size",), default="256"),
        Field(name="steps", paths=("trainer.total_training_steps",)),
        Field(name="epochs", paths=("trainer.total_epochs",), default="4"),
        Field(name="scheduler", paths=("optim.lr_scheduler",), default="cosine"),
        Field(name="warmup_ratio", paths=("optim.lr_warmup_steps_ratio",
                                          "optim.warmup_steps_ratio"), default="0.1"),
    ),
    optimizer=lambda _: Optimizer(convention="pytorch-adamw", uses=("beta1", "beta2", "eps")),
    schedule=_schedule,
    exempt=lambda _: Exemption(rule="nothing"),
    # data.train_batch_size is of all devices.
    batch=lambda _: ("batch_size",),
    harmless=("data*", "model*", "trainer*", "optim.clip_grad"),
)  # fmt: skip
