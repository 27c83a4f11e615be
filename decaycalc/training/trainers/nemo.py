"""NeMo's YAML, of Megatron models and of speech models.

Source: NeMo 8cfedd72 core/optim/optimizers.py, core/optim/lr_scheduler.py.
"""

from decaycalc.training.reading.arguments import element
from decaycalc.training.reading.classes import OptimizerClass, class_weight_decay, find_class
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.schedules import compose, percent, ratio, steps_of
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced

_OPTIM, _SCHED = "model.optim", "model.optim.sched"
_FUSED = {
    "fused_adam": "apex.FusedAdam",
    "megatron_fused_adam": "apex.FusedAdam",
    "distributed_fused_adam": "apex.FusedAdam",
}
_REFUSED = {"lamb": "timm-lamb", "novograd": "apex-fused-novograd", "adan": "timm-adan"}


def _class(settings: Settings) -> OptimizerClass | None:
    """Return the class of a name: adam is torch's coupled Adam, the fused ones are decoupled."""
    name = settings.word("optimizer")
    return find_class(_FUSED.get(name, name))


def _optimizer(settings: Settings) -> Optimizer:
    name, found = settings.word("optimizer"), _class(settings)
    if found is not None:
        return found.optimizer()
    if name in _REFUSED:
        return Optimizer(convention=_REFUSED[name])
    reason = f"model.optim.name {name[:40]!r} has no convention here"
    return Optimizer(convention=None, refusal=reason)


def _weight_decay(settings: Settings) -> Sourced | None:
    found = _class(settings)
    return None if found is None else class_weight_decay(found)


def _batch(settings: Settings) -> tuple[str, ...]:
    """Return what makes up B: the global batch, else a batch on every device."""
    if settings.text("global_batch_size") is not None and "batch_size" not in settings.given:
        return ("global_batch_size",)
    return ("batch_size", "grad_accum", "world_size", "num_nodes")


def _warmup(settings: Settings) -> str | int | None:
    steps, share = steps_of(settings, "warmup_steps"), settings.number("warmup_ratio")
    return steps if steps is not None else percent(share) if share else None


def _schedule(settings: Settings) -> str | None:
    """Source: NeMo 8cfedd72 core/optim/lr_scheduler.py."""
    name = settings.word("scheduler")
    if not name:
        return "constant"
    warm = _warmup(settings)
    if name == "cosineannealing":
        held, steps = steps_of(settings, "constant_steps"), settings.count("steps")
        length = None if held is None or steps is None else steps - held
        if length is not None and length <= 0:  # a run shorter than its own constant phase
            return None
        final = ratio(settings, "min_lr", "lr") or None
        return compose("cosine", length=length, final=final, warmup=warm)
    return compose("constant", warmup=warm) if name == "warmuppolicy" else None


def _exempt(settings: Settings) -> Exemption:
    switch = "model.optim.do_layer_norm_weight_decay"
    if not _is_megatron(settings):
        return Exemption(rule="nothing", mask="all")
    if settings.flag("do_layer_norm_weight_decay"):
        return of_kinds("biases", switch=switch)
    return of_kinds("norms", "biases", switch=switch)


def _is_megatron(settings: Settings) -> bool:
    return settings.has("model.micro_batch_size") or settings.has("model.global_batch_size")


TRAINER = Trainer(
    kind="nemo",
    title="NeMo",
    version="NeMo 8cfedd72",
    signatures=(Signature(all_of=(f"{_OPTIM}.name", f"{_OPTIM}.lr")),),
    fields=(
        Field(name="optimizer", paths=(f"{_OPTIM}.name",)),
        Field(name="weight_decay", paths=(f"{_OPTIM}.weight_decay",), derive=_weight_decay),
        Field(name="lr", paths=(f"{_OPTIM}.lr",)),
        Field(name="momentum", paths=(f"{_OPTIM}.momentum",), default="0", source="torch 2.13"),
        Field(name="dampening", paths=(f"{_OPTIM}.dampening",), default="0", source="torch 2.13"),
        Field(name="nesterov", paths=(f"{_OPTIM}.nesterov",), default="false",
              source="torch 2.13"),
        element("beta1", f"{_OPTIM}.betas", 0, default="0.9"),
        element("beta2", f"{_OPTIM}.betas", 1, default="0.999"),
        Field(name="eps", paths=(f"{_OPTIM}.eps",), default="1e-8", source="torch 2.13"),
        Field(name="global_batch_size", paths=("model.global_batch_size",)),
        Field(name="batch_size", paths=("model.micro_batch_size", "model.train_ds.batch_size")),
        Field(name="grad_accum", paths=("trainer.accumulate_grad_batches",), default="1"),
        Field(name="world_size", paths=("trainer.devices",), default="1", open=("-1", "auto")),
        Field(name="num_nodes", paths=("trainer.num_nodes",), default="1"),
        Field(name="steps", paths=("trainer.max_steps",), absent=("-1",)),
        Field(name="epochs", paths=("trainer.max_epochs",), absent=("-1",)),
        Field(name="scheduler", paths=(f"{_SCHED}.name",)),
        Field(name="warmup_steps", paths=(f"{_SCHED}.warmup_steps",)),
        Field(name="warmup_ratio", paths=(f"{_SCHED}.warmup_ratio",)),
        Field(name="constant_steps", paths=(f"{_SCHED}.constant_steps",)),
        Field(name="min_lr", paths=(f"{_SCHED}.min_lr",), default="0"),
        Field(name="do_layer_norm_weight_decay", paths=(f"{_OPTIM}.do_layer_norm_weight_decay",),
              default="false"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    batch=_batch,
    harmless=("model.encoder*", "model.decoder*", "model.train_ds*", "model.validation_ds*",
              "model.preprocessor*", "model.spec_augment*", "exp_manager*", "trainer*",
              "model.optim.sched*", "model.data*", "model.test_ds*"),
    unit=lambda settings: "sequences" if _is_megatron(settings) else "examples",
)  # fmt: skip
