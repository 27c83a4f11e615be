"""prime-rl's TOML, of reinforcement learning and of training by examples.

Source: prime-rl 559b44772 packages/prime-rl-configs/src/prime_rl/configs/trainer.py, sft.py,
orchestrator.py; src/prime_rl/trainer/scheduler.py, optim/__init__.py.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAMW, UNDAMPENED_SGD, by_name
from decaycalc.training.reading.schedules import Options, compose, ratio
from decaycalc.training.reading.settings import Settings, unit_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer

_OPTIM = ("trainer.optim", "optim")
_SCHEDULER = ("trainer.scheduler", "scheduler")
_OPTIMIZERS = {
    "adamw": ADAMW,
    "sgd": Optimizer(convention="pytorch-sgd", uses=UNDAMPENED_SGD),
    "muon": Optimizer(convention="dion-muon"),
}
_LEAST = Fraction(1, 10**8)  # what a first lr of 0 becomes


def _schedule(settings: Settings) -> str | None:
    """Source: prime-rl 559b44772 src/prime_rl/trainer/scheduler.py: torch's schedulers in a row."""
    name, steps = settings.word("scheduler"), settings.number("steps")
    if name == "constant":
        return "constant"
    warmup, least = settings.number("warmup_steps"), ratio(settings, "min_lr", "lr")
    if steps is None or warmup is None or least is None:
        return None
    warm: Options = {"warmup": int(warmup), "start": least or _LEAST} if warmup else {}
    if name == "cosine":
        return compose("cosine", **warm, final=least or None)
    decay = settings.number("decay_steps")
    if name != "linear" or decay is None or decay == 1 or warmup + decay > steps:
        return None
    if not decay:
        return compose("constant", **warm)
    # The last step has the last lr already.
    held = "" if decay == steps else compose("constant", **warm, until=int(steps - decay)) + "+"
    return held + compose("linear", length=int(decay - 1), final=least or _LEAST)


def _batch(settings: Settings) -> tuple[str, ...]:
    return ("token_batch_size",) if settings.counts_all("token_batch_size") else ("batch_size",)


def _unit(settings: Settings) -> str:
    if settings.has("data.batch_size"):
        return unit_of("packs", settings.text("seq_len"), "tokens")
    return "tokens" if settings.counts_all("token_batch_size") else "completions"


TRAINER = Trainer(
    kind="prime-rl",
    title="prime-rl",
    version="prime-rl 559b44772",
    signatures=(
        Signature(
            any_of=("trainer.optim", "orchestrator.batch_size", "orchestrator.group_size",
                    "orchestrator.token_batch_size", "orchestrator.train.sampling",
                    "orchestrator.rollouts_per_example", "orchestrator.train.source"),
            at_least=3,
        ),
        Signature(all_of=("syntax:TOML", "optim.lr", "data.batch_size", "data.seq_len",
                          "model.name")),
    ),
    fields=(
        *Field.within(*_OPTIM, weight_decay="0.01", lr="1e-6", momentum="0.9", nesterov="true"),
        Field(name="optimizer", paths=tuple(f"{place}.type" for place in _OPTIM), default="adamw"),
        Field(name="beta1", paths=tuple(f"{place}.betas1" for place in _OPTIM), default="0.9"),
        Field(name="beta2", paths=tuple(f"{place}.betas2" for place in _OPTIM), default="0.999"),
        *Field.fixed(eps="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("orchestrator.batch_size", "data.batch_size"),
              default="128"),
        Field(name="token_batch_size", paths=("orchestrator.token_batch_size",)),
        *Field.within("data", seq_len="128"),
        Field(name="steps", paths=("max_steps", "trainer.max_steps", "orchestrator.max_steps")),
        Field(name="scheduler", paths=tuple(f"{place}.type" for place in _SCHEDULER),
              default="constant"),
        *Field.within(*_SCHEDULER, warmup_steps="10", decay_steps="10", min_lr="0"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    batch=_batch,  # the batch is of all devices
    unit=_unit,
    harmless=("orchestrator*", "inference*", "trainer*", "model*", "data*", "ckpt*", "eval*",
              "monitors*", "wandb*", "deployment*", "slurm*", "weight_broadcast*", "max_steps",
              "seq_len", "optim.max_norm", "micro_batch_size", "val*"),
)  # fmt: skip
