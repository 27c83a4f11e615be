"""verl's reinforcement learning: overrides on its command line, and the configuration Hydra dumps.

Source: verl b178a3cd5 verl/trainer/config/ppo_trainer.yaml, actor/actor.yaml, optim/fsdp.yaml,
workers/fsdp_workers.py, utils/torch_functional.py.
"""

from fractions import Fraction

from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.by_class import flag_fields, optimizer_of
from decaycalc.training.reading.classes import find_class
from decaycalc.training.reading.exemptions import NO_1D, NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.schedules import compose, percent, ratio
from decaycalc.training.reading.settings import Settings, derived, product_of, unit_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_ACTOR = "actor_rollout_ref.actor"
_OPTIM = f"{_ACTOR}.optim"


def _is_megatron(settings: Settings) -> bool:
    """Return whether Megatron-LM trains the actor: by its strategy or the configuration's name."""
    return settings.word("strategy") == "megatron" or "megatron" in settings.told("config_name")


def _exempt(settings: Settings) -> Exemption:
    return NO_1D if _is_megatron(settings) else NONE_EXEMPT


def _optimizer(settings: Settings) -> Optimizer:
    if _is_megatron(settings):
        return Optimizer(convention="megatron-adam", uses=("beta1", "beta2"))
    return optimizer_of_library(settings)


def optimizer_of_library(settings: Settings, telling: str = "") -> Optimizer:
    """Return the class of any library that the file names, if its name holds a word."""
    name = f"{settings.text('implementation')}.{settings.text('optimizer')}"
    return optimizer_of(settings, lambda _: find_class(name if telling in name.lower() else ""))


def _steps_each(settings: Settings) -> Fraction | None:
    """Return the optimizer's steps of one training step: mini-batches times passes over them."""
    whole, mini = settings.count("train_batch_size"), settings.count("batch_size")
    passes, agents = settings.count("ppo_epochs"), _agents(settings)
    if not whole or not mini or not passes or not agents:
        return None
    return Fraction(whole * passes * agents, mini)


def _agents(settings: Settings) -> int | None:
    """Return the completions of each prompt that a mini-batch counts one by one: Search-R1's.

    Source: Search-R1 a14dc3a verl/trainer/ppo/ray_trainer.py, workers/fsdp_workers.py.
    """
    return settings.count("n_agent") if settings.trainer.field("n_agent") else 1


def _key(settings: Settings, name: str) -> str:
    """Return the last part of the key that a quantity has in the trainer's files."""
    field = settings.trainer.field(name)
    return name if field is None else field.paths[0].rpartition(".")[2]


# The passes over the data, each as often as its batches are gone over.
epochs = product_of("epochs", "total_epochs · ppo_epochs", "total_epochs", "ppo_epochs")


def steps(settings: Settings) -> Sourced | None:
    """Return the optimizer's steps of a length in training steps."""
    total, each = settings.number("total_training_steps"), _steps_each(settings)
    if total is None or each is None:
        return None
    names = ("total_training_steps", "train_batch_size", "batch_size")
    length, whole, mini = (_key(settings, name) for name in names)
    more = " · n_agent" if (_agents(settings) or 1) > 1 else ""
    formula = f"{length} · {whole} · ppo_epochs{more} / {mini}"
    return derived("steps", decimal_text(Fraction(int(total * each))), formula)


def _warmup(settings: Settings, each: Fraction | None) -> str | None:
    """Return the warm-up; Megatron's worker takes the ratio where the steps are 0, too."""
    steps, share = settings.number("lr_warmup_steps"), settings.number("lr_warmup_steps_ratio")
    if steps is None or (steps <= 0 and _is_megatron(settings)):
        return percent(share) if share else None
    return str(int(steps * (each or 1))) if steps else None


def schedule(settings: Settings) -> str | None:
    """Return the schedule; it takes one step for each training step, not for each mini-batch.

    Source: verl b178a3cd5 workers/fsdp_workers.py, utils/megatron/optimizer.py.
    """
    name, each, megatron = settings.word("scheduler"), _steps_each(settings), _is_megatron(settings)
    known = {"constant", "cosine", "linear"} if megatron else {"constant", "cosine"}
    decay = settings.number("lr_decay_steps") if megatron else None
    if (settings.number("lr_warmup_steps") or decay) and each is None:
        return None
    if name not in known or (not megatron and settings.number("num_cycles") != Fraction(1, 2)):
        return None
    warm = _warmup(settings, each)
    per = int(each) if each is not None and each > 1 and (warm or name != "constant") else None
    if name == "constant":
        return compose("constant", warmup=warm, per=per)
    final = ratio(settings, "min_lr", "lr") if megatron else settings.number("min_lr_ratio")
    length = None if decay is None else int(decay * (each or 1))
    return compose(name, length=length, warmup=warm, final=final or None, per=per)


def unit(settings: Settings) -> str:
    """Return what B counts: prompts, of so many completions each."""
    agents = settings.text("n_agent") if settings.has("actor_rollout_ref.rollout.n_agent") else "1"
    if agents != "1":
        return f"completions, {(agents or '?')[:9]} of each prompt"
    return unit_of("prompts", settings.text("rollouts"), "completions")


TRAINER = Trainer(
    kind="verl",
    title="verl",
    config_is_settings=False,  # the file that Hydra composes is where the defaults are read
    version="verl b178a3cd5",
    signatures=(
        Signature(
            any_of=(f"{_OPTIM}.lr", f"{_ACTOR}.ppo_mini_batch_size", "algorithm.adv_estimator",
                    "actor_rollout_ref.rollout.n", "actor_rollout_ref.model.path",
                    f"{_ACTOR}.ppo_micro_batch_size_per_gpu"),
            at_least=3,
            # PRIME's fork: its mini-batches count completions, data.n_samples for each prompt.
            none_of=("data.n_samples",),
        ),
    ),
    fields=(
        Field(name="strategy", paths=(f"{_ACTOR}.strategy",), default="fsdp"),
        Field(name="optimizer", paths=(f"{_OPTIM}.optimizer",), default="AdamW"),
        Field(name="implementation", paths=(f"{_OPTIM}.optimizer_impl",), default="torch.optim"),
        # What overrides the optimizer's arguments is laid over them.
        Field(name="weight_decay", paths=(f"{_OPTIM}.override_optimizer_config.weight_decay",
                                          f"{_OPTIM}.weight_decay"), default="0.01"),
        Field(name="lr", paths=(f"{_OPTIM}.override_optimizer_config.lr", f"{_OPTIM}.lr"),
              default="1e-6"),
        *flag_fields(f"{_OPTIM}.override_optimizer_config"),
        *betas(f"{_OPTIM}.betas", "0.9", "0.999"),
        Field(name="eps", default="1e-8"),
        Field(name="batch_size", paths=(f"{_ACTOR}.ppo_mini_batch_size",), default="256"),
        Field(name="ppo_epochs", paths=(f"{_ACTOR}.ppo_epochs",), default="1"),
        Field(name="train_batch_size", paths=("data.train_batch_size",), default="1024"),
        Field(name="rollouts", paths=("actor_rollout_ref.rollout.n",), default="1"),
        Field(name="n_agent", paths=("actor_rollout_ref.rollout.n_agent",), default="1",
              source="Search-R1 a14dc3a"),
        *Field.within("trainer", total_training_steps=None, total_epochs="30"),
        Field(name="steps", derive=steps),
        Field(name="epochs", derive=epochs),
        Field(name="scheduler", paths=(f"{_OPTIM}.warmup_style", f"{_OPTIM}.lr_scheduler_type",
                                       f"{_OPTIM}.lr_decay_style"), default="constant"),
        Field(name="lr_warmup_steps", paths=(f"{_OPTIM}.lr_warmup_steps",), absent=("-1",)),
        *Field.within(_OPTIM, lr_warmup_steps_ratio="0", min_lr="0", lr_decay_steps=None,
                      min_lr_ratio="0", num_cycles="0.5"),
    ),
    optimizer=_optimizer,
    schedule=schedule,
    exempt=_exempt,
    # ppo_mini_batch_size counts the prompts of all devices.
    batch=lambda _: ("batch_size",),
    unit=unit,
    harmless=("critic*", "reward*", "algorithm*", "data*", "trainer*", "actor_rollout_ref*",
              "config_path", "config_name", "custom*", "global_profiler*", "ray*", "transfer*"),
)  # fmt: skip
