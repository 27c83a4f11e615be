"""MMEngine's Python configurations: mmdetection 3, mmpretrain, mmsegmentation 1 and others.

Source: mmengine 25434293 optim/optimizer/default_constructor.py, runner/runner.py;
mmpretrain ee7f2e88.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from decaycalc.record import replace
from decaycalc.training.reading.arguments import betas
from decaycalc.training.reading.bases import missing_bases, with_bases
from decaycalc.training.reading.by_class import class_default, flag_fields, optimizer_of
from decaycalc.training.reading.classes import OptimizerClass, find_class
from decaycalc.training.reading.devices import devices_field
from decaycalc.training.reading.exemptions import of_kinds
from decaycalc.training.reading.numbers import decimal_text, from_zero, typed_number
from decaycalc.training.reading.param_schedulers import is_open, schedule_of, schedulers_of
from decaycalc.training.reading.settings import Settings, derived, of_file, text_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced, Training
from decaycalc.training.trainers import mmyolo
from decaycalc.training.trainers.syntax.tree import Entries

_OPTIMIZER = "optim_wrapper.optimizer"
_PARAMWISE = "optim_wrapper.paramwise_cfg"
_BASE = "_base_"
_OF_LIBRARIES = {"lion": "lion_pytorch.Lion"}


def class_of(settings: Settings) -> OptimizerClass | None:
    """Return the optimizer's class: torch's, or one that MMEngine registers from elsewhere."""
    name = settings.text("optimizer") or ""
    return find_class(_OF_LIBRARIES.get(name.lower(), name))


def find_optimizer(settings: Settings) -> Optimizer:
    """Return what an optimizer's type makes of its weight decay."""
    made = optimizer_of(settings, class_of)
    if made.convention == "pytorch-sgd":
        made = replace(made, convention="mmengine")
    scales = settings.told("optim_wrapper.constructor") in mmyolo.CONSTRUCTORS
    return replace(made, value=mmyolo.scaled_decay(settings)) if scales else made


def scaled_lr(settings: Settings) -> Sourced | None:
    """Return the lr scaled by the batch size where auto_scale_lr is on; it is off by default."""
    if "lr" in settings.given or not settings.is_on("auto_scale_lr"):
        return None
    base, lr = settings.number("base_batch_size"), settings.number("base_lr")
    batch, devices = settings.number("batch_size"), settings.number("world_size")
    if not base or lr is None or batch is None or devices is None:
        return None
    value = decimal_text(lr * batch * devices / base)
    return derived("lr", value, "lr · W · batch_size / base_batch_size")


def _names(settings: Settings) -> Sourced | None:
    """Return the schedulers' types, joined, or the hook that sets the lr in their place."""
    hook = mmyolo.hook_name(settings)
    if hook is not None:
        return hook
    schedulers = schedulers_of(settings)
    if not schedulers:
        return None
    text = "+".join(text_of(each, "type") for each in schedulers)
    line = schedulers[0].line
    return of_file("scheduler", text, "param_scheduler", line)


# What paramwise_cfg's multipliers are of, by the first word of their names.
_KINDS = {"norm": "norms", "bias": "biases", "dwconv": "depthwise convolutions",
          "flat": "one-dimensional tensors"}  # fmt: skip


# Constructors that follow paramwise_cfg; others have rules of their own for lr and decay.
_KNOWN_CONSTRUCTORS = frozenset(
    {"", "DefaultOptimizerConstructor", "DefaultOptimWrapperConstructor",
     "LearningRateDecayOptimWrapperConstructor", *mmyolo.CONSTRUCTORS}
)  # fmt: skip


def _constructor(settings: Settings, path: str) -> str:
    """Return the name of a constructor whose rules are not known, empty where they are."""
    name = settings.told(f"{path.rpartition('.')[0]}.constructor")[:60]
    return "" if name in _KNOWN_CONSTRUCTORS else name


def exempt(settings: Settings, path: str) -> Exemption:
    """Return which multipliers of paramwise_cfg take tensors out of the decay.

    Source: mmengine 25434293 optim/optimizer/default_constructor.py.
    """
    named = _constructor(settings, path)
    if named:
        return Exemption(rule=f"what {named} leaves out, which is not known here")
    if settings.told(f"{path.rpartition('.')[0]}.constructor") in mmyolo.CONSTRUCTORS:
        return of_kinds("norms", "biases")
    own = Entries(entries=settings.entries(path))
    zero = [word for word in _KINDS if typed_number(text_of(own, f"{word}_decay_mult")) == 0]
    return of_kinds(*(_KINDS[word] for word in zero), switch="paramwise_cfg")


def groups(settings: Settings, path: str) -> tuple[Group, ...]:
    """Return the groups that paramwise_cfg's multipliers make, those of custom keys last.

    A tensor is its longest key's, and the other multipliers (an exemption of norms among them)
    are not its own; a multiplier that its key does not give is 1.

    Source: mmengine 25434293 optim/optimizer/default_constructor.py, `add_params`.
    """
    own = Entries(entries=settings.entries(path))
    kinds = (
        Group(name=name, selector=name, **_multiples(own, f"{word}_"))
        for word, name in _KINDS.items()
        if typed_number(text_of(own, f"{word}_decay_mult")) != 0
    )
    keys = settings.entries(f"{path}.custom_keys").items()
    custom = (
        Group(name=key, selector=f"names with {key}", **_multiples(node), **_numbers(node))
        for key, node in sorted(keys, key=lambda item: (-len(item[0]), item[0]))
        if isinstance(node, Entries)
    )
    changed = (group for group in kinds if (group.lr_mult, group.decay_mult) != ("1", "1"))
    return (*changed, *custom)


def _multiples(node: Entries, prefix: str = "") -> dict[str, Any]:
    """Return the multipliers of lr and decay that a mapping gives."""
    return _sound({name: text_of(node, f"{prefix}{name}") for name in ("lr_mult", "decay_mult")})


def _numbers(node: Entries) -> dict[str, Any]:
    """Return the lr and the decay that a custom key gives outright."""
    return _sound({name: text_of(node, name) for name in ("lr", "weight_decay")})


def _sound(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the texts that are numbers of at least 0, each as it reads back."""
    found = {name: from_zero(text) for name, text in texts.items()}
    return {name: text for name, text in found.items() if text is not None}


def _schedule(settings: Settings) -> str | None:
    """Return param_scheduler's schedule, or that of a hook in its place."""
    if mmyolo.hook_name(settings) is None:
        return schedule_of(settings)
    settings.find("scheduler")
    return mmyolo.hook_schedule(settings)


def _repeated(settings: Settings) -> Iterator[str]:
    """Yield a note where an epoch is several passes: mmengine's RepeatDataset, or mmcv 1.x's."""
    for place in ("train_dataloader.dataset", "data.train"):
        if settings.told(f"{place}.type").rpartition(".")[2].casefold() == "repeatdataset":
            times = settings.told(f"{place}.times")[:20] or "several"
            yield f"an epoch has {place} {times} times over: count it so often in --dataset-size"


def finish(settings: Settings, made: Training, path: str) -> Training:
    """Return a run with the groups of paramwise_cfg at `path`, and notes on what is not there.

    The multipliers of custom_keys win over the rule, and a multiplier that none gives is 1.
    """
    names = ", ".join(list(settings.entries(f"{path}.custom_keys"))[:6])
    note = f"custom_keys {names[:120]} have multipliers of their own, and lose the exemptions"
    named = _constructor(settings, path)
    rules: tuple[str, ...] = (
        (f"{named} sets lr and decay of each tensor by rules of its own",) if named else ()
    )
    rate = settings.told(f"{path}.layer_decay_rate")[:20]
    by_layer = f"layer_decay_rate {rate}: a layer's lr, and its decay of a step, fall by it"
    rules = (*rules, by_layer) if rate else rules
    own = settings.entries(f"{path}.custom_keys").items()
    unknown = [key for key, node in own if not isinstance(node, Entries) or is_open(node)]
    unread = f"custom_keys {', '.join(unknown)[:100]}: what they multiply by is not known here"
    rules = (*rules, unread) if unknown else rules
    rules = (*rules, *_repeated(settings)) if made.run.epochs is not None else rules
    notes = (*rules, *missing_bases(settings.document), *((note,) if names else ()))
    return made.with_groups(*groups(settings, path)).with_notes(*notes)


TRAINER = Trainer(
    kind="mmengine",
    title="MMEngine",
    version="mmengine 25434293",
    signatures=(
        Signature(all_of=(f"{_OPTIMIZER}.type",)),
        Signature(all_of=("optim_wrapper", "train_cfg")),
        Signature(all_of=("optim_wrapper", _BASE)),
    ),
    fields=(
        Field(name="optimizer", paths=(f"{_OPTIMIZER}.type",)),
        Field(name="weight_decay", paths=(f"{_OPTIMIZER}.weight_decay",),
              derive=class_default("weight_decay", class_of)),
        Field(name="base_lr", paths=(f"{_OPTIMIZER}.lr",)),
        Field(name="lr", paths=(f"{_OPTIMIZER}.lr",), overrule=scaled_lr),
        Field(name="auto_scale_lr", paths=("auto_scale_lr.enable",), default="False"),
        Field(name="base_batch_size", paths=("auto_scale_lr.base_batch_size",)),
        *Field.within(_OPTIMIZER, source="torch 2.13", momentum="0", dampening="0",
                      nesterov="False"),
        *flag_fields(_OPTIMIZER),
        *betas(f"{_OPTIMIZER}.betas", "0.9", "0.999"),
        Field(name="eps", paths=(f"{_OPTIMIZER}.eps",), default="1e-8", source="torch 2.13"),
        Field(name="batch_size", paths=("train_dataloader.batch_size",)),
        Field(name="grad_accum", paths=("optim_wrapper.accumulative_counts",), default="1"),
        # XTuner's files set it; its sampler gives the devices that share a sequence one example.
        devices_field("sequence_parallel_size"),
        Field(name="epochs", paths=("train_cfg.max_epochs", "max_epochs")),
        Field(name="steps", paths=("train_cfg.max_iters",)),
        Field(name="scheduler", covers=("param_scheduler",), derive=_names),
        Field(name="images", paths=(f"{_OPTIMIZER}.batch_size_per_gpu",)),
        Field(name="nominal", paths=(f"{_PARAMWISE}.base_total_batch_size",), default="64",
              source="mmyolo 8c4d9dc5"),
    ),
    optimizer=find_optimizer,
    schedule=_schedule,
    exempt=lambda settings: exempt(settings, _PARAMWISE),
    harmless=("train_pipeline*", "test_*", "val_*", "default_hooks*", "model*", "train_cfg*",
              "optim_wrapper.paramwise_cfg*", "base_lr", "vis_backends*", "max_epochs",
              "train_dataloader*", "auto_scale_lr*", "custom_hooks*", "tta_*"),
    prepare=with_bases,
    finish=lambda settings, made: finish(settings, made, _PARAMWISE),
)  # fmt: skip
