"""EasyR1's reinforcement learning: its YAML, and the overrides on a command line over it.

Source: EasyR1 b44b311b verl/trainer/config.py, main.py, ray_trainer.py, verl/workers/config.py,
actor/config.py, actor/dp_actor.py, fsdp_workers.py, verl/utils/torch_functional.py.
"""

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAMW, by_name
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.trainers import verl

_ACTOR = "worker.actor"
_OPTIM = f"{_ACTOR}.optim"

TRAINER = Trainer(
    kind="easyr1",
    title="EasyR1",
    version="EasyR1 b44b311b",
    signatures=(
        Signature(
            any_of=(f"{_OPTIM}.lr", f"{_OPTIM}.strategy", f"{_ACTOR}.global_batch_size",
                    f"{_ACTOR}.micro_batch_size_per_device_for_update", "data.rollout_batch_size",
                    "worker.rollout.n", f"{_ACTOR}.model.model_path"),
            at_least=3,
        ),
    ),
    fields=(
        Field(name="optimizer", paths=(f"{_OPTIM}.strategy",), default="adamw"),
        *Field.within(_OPTIM, weight_decay="0.01", lr="1e-6"),
        *betas(f"{_OPTIM}.betas", "0.9", "0.999"),
        Field(name="eps", default="1e-8"),
        # It counts the prompts of all devices: the worker multiplies it by rollout.n.
        Field(name="batch_size", paths=(f"{_ACTOR}.global_batch_size",), default="256"),
        Field(name="ppo_epochs", paths=(f"{_ACTOR}.ppo_epochs",), default="1"),
        Field(name="train_batch_size", paths=("data.rollout_batch_size",), default="512"),
        Field(name="rollouts", paths=("worker.rollout.n",), default="1"),
        Field(name="total_training_steps", paths=("trainer.max_steps",)),
        Field(name="total_epochs", paths=("trainer.total_epochs", "trainer.total_episodes"),
              default="15"),
        Field(name="steps", derive=verl.steps),
        Field(name="epochs", derive=verl.epochs),
        *Field.fixed(drop_last="true", strategy="fsdp"),
        Field(name="scheduler", paths=(f"{_OPTIM}.lr_scheduler_type",), default="constant"),
        Field(name="lr_warmup_steps", paths=(f"{_OPTIM}.lr_warmup_steps",)),
        Field(name="lr_warmup_steps_ratio", paths=(f"{_OPTIM}.lr_warmup_ratio",), default="0"),
        Field(name="min_lr_ratio", paths=(f"{_OPTIM}.min_lr_ratio",), default="0"),
        Field(name="num_cycles", default="0.5"),
    ),
    # adamw_bf16 keeps Adam's moments in bfloat16: its decay is AdamW's.
    optimizer=by_name({"adamw": ADAMW, "adamw_bf16": ADAMW}, setting="worker.actor.optim.strategy"),
    schedule=verl.schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=lambda _: ("batch_size",),
    unit=verl.unit,
    harmless=("config", "algorithm*", "data*", "trainer*", "worker*"),
)  # fmt: skip
