"""RLinf's reinforcement learning and fine-tuning of language and robot models, in YAML.

Source: RLinf a3816b596 rlinf/hybrid_engines/fsdp/fsdp_model_manager.py (build_optimizer,
build_lr_scheduler) and utils.py (get_lr_scheduler), rlinf/workers/actor/fsdp_actor_worker.py,
rlinf/workers/sft/fsdp_sft_worker.py, rlinf/runners/sft_runner.py, rlinf/config.py.
"""

from fractions import Fraction

from decaycalc.training.reading.exemptions import NO_1D, NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.optimizers import ADAM, ADAMW, refused, unknown_optimizer
from decaycalc.training.reading.schedules import compose, of_lr, steps_of
from decaycalc.training.reading.settings import Settings, derived
from decaycalc.training.reading.trainer import Derive, Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced, Training

_OPTIM = "actor.optim"
_BACKENDS = {"fsdp": ADAMW, "megatron": Optimizer(convention="megatron-adam", uses=ADAM)}
# Their workers make a torch Adam for each part: fsdp_sac_policy_worker, fsdp_iql_policy_worker.
_OWN = ("sac", "rlt", "iql", "td3")
_HALF = Fraction(1, 2)
_WITHOUT = "this loss trains by optimizers of its own, which take no weight_decay"


def _optimizer(settings: Settings) -> Optimizer:
    if any(part in settings.word("loss_type") for part in _OWN):
        return refused(_WITHOUT)
    name = settings.word("backend")
    return _BACKENDS.get(name) or unknown_optimizer(name, setting="training_backend")


def _is_sft(settings: Settings) -> bool:
    return settings.word("task_type") == "sft"


def _global_batch(settings: Settings) -> Sourced | None:
    """Return B of reasoning: a step's completions over its mini-batches, whatever the file says.

    Source: RLinf a3816b596 rlinf/workers/actor/fsdp_actor_worker.py, n_mini_batches.
    """
    if _is_sft(settings) or settings.word("task_type") == "embodied":
        return None
    whole = settings.product("rollout_batch_size", "group_size", whole=True)
    count = settings.count("n_minibatches")
    value = decimal_text(Fraction(whole // count)) if whole and count else None
    return derived("batch_size", value, "rollout_batch_size · group_size / n_minibatches")


def _of_sft(name: str, path: str) -> Derive:
    """Return what reads a length where the runner counts by it: in fine-tuning; -1 is none."""

    def length(settings: Settings) -> Sourced | None:
        found = settings.read(name, path) if _is_sft(settings) else None
        return None if found is None or (found.value or "").startswith("-") else found

    return length


def _schedule(settings: Settings) -> str | None:
    """Return the schedule of FSDP's worker; rollouts, not steps, move it outside fine-tuning."""
    name, total = settings.word("scheduler"), steps_of(settings, "total_training_steps")
    if settings.word("backend") != "fsdp" or name == "torch_constant":
        return "constant" if name == "torch_constant" else None
    warmup = _warmup(settings, total)
    if name == "constant" and not warmup:
        return "constant"
    if not _is_sft(settings):
        return None
    if name == "constant":
        return compose("constant", warmup=warmup)
    return _cosine(settings, name, total, warmup)


def _cosine(settings: Settings, name: str, total: int | None, warmup: int | None) -> str | None:
    """Return a cosine over its own steps: longer runs, where it would rise again, are left open."""
    steps = steps_of(settings, "steps")
    if total is None or (steps is not None and steps > total):
        return None
    if settings.has(f"{_OPTIM}.min_lr_rate"):
        final = settings.number("min_lr_rate") or None
    else:
        final = of_lr(settings, "min_lr")
    if name == "cosine" and settings.number("num_cycles") == _HALF:
        return compose("cosine", length=total, warmup=warmup, final=final)
    if name in {"openpi_cosine", "ref_warmup_cosine"}:
        start = Fraction(1, warmup + 1) if warmup else None
        return compose("cosine", length=total, warmup=warmup, start=start, final=final)
    return None


def _warmup(settings: Settings, total: int | None) -> int | None:
    steps = settings.number("lr_warmup_steps")
    if steps is not None and steps < 0:
        share = settings.number("lr_warmup_steps_ratio")
        return int(share * total) if share and total else None
    return steps_of(settings, "lr_warmup_steps")


def _exempt(settings: Settings) -> Exemption:
    return NO_1D if settings.word("backend") == "megatron" else NONE_EXEMPT


def _finish(settings: Settings, made: Training) -> Training:
    """Give the value head its own lr, where the loss trains one."""
    lr = settings.text("value_lr")
    if lr is None or "critic" not in settings.word("loss_type"):
        return made
    return made.with_groups(Group(name="value head", selector="value_head", lr=lr))


TRAINER = Trainer(
    kind="rlinf",
    title="RLinf",
    version="RLinf a3816b596",
    signatures=(
        Signature(
            all_of=("actor.training_backend", "runner.task_type"),
            any_of=(f"{_OPTIM}.lr", f"{_OPTIM}.weight_decay", "actor.global_batch_size"),
        ),
    ),
    fields=(
        Field(name="backend", paths=("actor.training_backend",)),
        *Field.within("runner", task_type=None),
        *Field.within("algorithm", loss_type="actor", group_size=None, n_minibatches=None),
        *Field.within(_OPTIM, weight_decay="0.01", lr=None),
        Field(name="beta1", paths=(f"{_OPTIM}.adam_beta1",)),
        Field(name="beta2", paths=(f"{_OPTIM}.adam_beta2",)),
        Field(name="eps", paths=(f"{_OPTIM}.adam_eps",), default="1e-8"),
        *Field.within("data", rollout_batch_size=None),
        Field(name="batch_size", paths=("actor.global_batch_size",), overrule=_global_batch),
        Field(name="steps", derive=_of_sft("steps", "runner.max_steps")),
        Field(name="epochs", derive=_of_sft("epochs", "runner.max_epochs")),
        Field(name="scheduler", paths=(f"{_OPTIM}.lr_scheduler",), default="constant"),
        *Field.within(_OPTIM, total_training_steps="0", lr_warmup_steps="-1",
                      lr_warmup_steps_ratio="0", num_cycles="0.5", min_lr="0", min_lr_rate=None,
                      value_lr=None),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=lambda _: ("batch_size",),  # global_batch_size counts the samples of all devices
    harmless=("runner*", "cluster*", "algorithm*", "rollout*", "env*", "data*", "actor*", "reward*",
              "critic*", "inference*", "hydra*", "defaults*"),
    finish=_finish,
)  # fmt: skip
