"""solo-learn's YAML of self-supervised and linear training: an lr for 256 examples a step.

Source: solo-learn 9187ea3 solo/args/{pretrain,linear}.py, solo/methods/base.py, solo/utils/misc.py.
"""

from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.optimizers import ADAM, ADAMW, SGD, by_name, refused
from decaycalc.training.reading.schedules import compose, epochs, of_lr, ratio
from decaycalc.training.reading.settings import Settings, derived, lr_per
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training

_OPTIMIZERS = {
    "sgd": Optimizer(convention="pytorch-sgd", uses=SGD),
    "adam": Optimizer(convention="pytorch-adam", uses=ADAM),
    "adamw": ADAMW,
    "lars": refused("LARS scales the decay with the norms of each tensor: it has no one number"),
}
_KWARGS = "optimizer.kwargs"
_SWITCH = "optimizer.exclude_bias_n_norm_wd"


def _devices(settings: Settings) -> Sourced | None:
    """Return the devices that a list names, one by its number alone, times the nodes."""
    names = [name for text in settings.texts("devices") for name in text.split(",")]
    nodes = settings.count("num_nodes")
    if not names or nodes is None:
        return None
    return derived("world_size", str(len(names) * nodes), "len(devices) · num_nodes")


def _schedule(settings: Settings) -> str | None:
    name, interval = settings.word("scheduler"), settings.word("interval")
    if name == "none":
        return "constant"
    if name == "step":
        at = [typed_number(text) for text in settings.texts("scheduler.lr_decay_steps")]
        known = tuple(number for number in at if number is not None)
        return compose("step", at=epochs(*known), gamma="0.1") if known else None
    if name != "warmup_cosine" or interval != "step":
        return None
    warmup, start = settings.number("warmup_epochs"), ratio(settings, "warmup_start_lr", "lr")
    final = of_lr(settings, "min_lr")
    if not warmup:
        return compose("cosine", final=final)
    return compose("cosine", warmup=epochs(warmup), start=start or None, final=final)


def _exempt(settings: Settings) -> Exemption:
    is_on = settings.flag("exclude_bias_n_norm_wd")
    return Exemption(rule="1-D tensors", switch=_SWITCH, mask="matrices") if is_on else NONE_EXEMPT


def _finish(settings: Settings, made: Training) -> Training:
    said = "the online classifier has an lr of its own, classifier_lr, and no weight decay"
    return made.with_notes(said if settings.has("optimizer.classifier_lr") else "")


TRAINER = Trainer(
    kind="solo-learn",
    title="solo-learn",
    version="solo-learn 9187ea3",
    signatures=(
        Signature(
            all_of=("optimizer.name", "optimizer.batch_size", "backbone.name"),
            any_of=("method", "pretrain_method", "method_kwargs", "optimizer.classifier_lr",
                    "pretrained_feature_extractor", "momentum.base_tau"),
        ),
    ),
    fields=(
        Field(name="optimizer", paths=("optimizer.name",)),
        *Field.within("optimizer", weight_decay=None),
        Field(name="base_lr", paths=("optimizer.lr",)),
        Field(name="lr", derive=lr_per(256, "optimizer.lr", base="base_lr",
              batch=("batch_size", "world_size"))),
        *Field.within(_KWARGS, source="torch 2.13", momentum="0", dampening="0", nesterov="false",
                      eps="1e-8"),
        *Field.fixed(beta1="0.9", beta2="0.999", source="torch 2.13"),
        *Field.within("optimizer", batch_size=None, exclude_bias_n_norm_wd="false"),
        Field(name="grad_accum", paths=("accumulate_grad_batches",), default="1"),
        *Field.within("", num_nodes="1"),
        Field(name="world_size", default="1", derive=_devices),
        Field(name="epochs", paths=("max_epochs",)),
        Field(name="scheduler", paths=("scheduler.name",), default="none"),
        *Field.within("scheduler", min_lr="0", warmup_start_lr="3e-5", warmup_epochs="10",
                      interval="step"),
    ),
    optimizer=by_name(_OPTIMIZERS),
    schedule=_schedule,
    exempt=_exempt,
    harmless=("data*", "backbone*", "method*", "momentum*", "checkpoint*", "optimizer*",
              "augmentations*", "hydra*", "wandb*", "knn*", "scheduler*", "name", "pretrain*",
              "auto_resume*", "performance*", "defaults*"),
    finish=_finish,
)  # fmt: skip
