"""SpeechBrain's HyperPyYAML: an optimizer as `!name:torch.optim.X`, a scheduler as `!new:`.

Source: speechbrain 9c826ef39 speechbrain/core.py, speechbrain/nnet/schedulers.py,
recipes/*/*/hparams.
"""

from decaycalc.record import replace
from decaycalc.training.reading.by_class import optimizer_of
from decaycalc.training.reading.classes import FLAGS, OptimizerClass, find_class
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.optimizers import ADAM
from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.settings import Settings, derived, of_file, texts_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Sourced, Training
from decaycalc.training.trainers.syntax.tree import Entries, Node, Scalar

_OPTIM = "name:torch.optim."
_SCHEDULERS = "new:speechbrain.nnet.schedulers."
_HELD = "_call_"


def _made(settings: Settings, mark: str) -> dict[str, str]:
    """Return the class of each top-level entry that makes one of a family, by the entry's key."""
    root = settings.document.root.entries
    found = {key: _class_name(node) for key, node in root.items()}
    return {
        key: name.removeprefix(mark)
        for key, name in found.items()
        if name.startswith(mark) and (mark != _OPTIM or ".lr_scheduler." not in name)
    }


def _class_name(node: Node) -> str:
    if isinstance(node, Entries):
        return "".join(texts_of(node.entries.get(_HELD)))
    return (node.text or "") if isinstance(node, Scalar) else ""


def _key(settings: Settings) -> str:
    """Return the key of the optimizer: the first, that of a pre-trained part last."""
    keys = list(_made(settings, _OPTIM))
    own = [key for key in keys if not any(part in key for part in ("wav2vec", "whisper", "labse"))]
    return next(iter((*own, *keys)), "")


def _optimizer_name(settings: Settings) -> Sourced | None:
    key = _key(settings)
    if not key:
        return None
    node = settings.document.root.entries[key]
    name = _made(settings, _OPTIM)[key]
    return of_file("optimizer", name, key, node.line)


def _class_of(settings: Settings) -> OptimizerClass | None:
    return find_class(f"torch.optim.{settings.text('optimizer') or ''}")


def _argument(name: str, *, default: str | None = None, source: str = "") -> Field:
    """Return the field of one argument of the optimizer, wherever that stands."""

    def derive(settings: Settings) -> Sourced | None:
        found = settings.read(name, f"{_key(settings)}.{name}")
        if found is not None or default is not None:
            return found
        known = _class_of(settings)
        return None if known is None else known.default(name)

    return Field(name=name, derive=derive, default=default, source=source)


def _optimizer(settings: Settings) -> Optimizer:
    made = optimizer_of(settings, _class_of)
    return replace(made, uses=tuple(name for name in made.uses if name not in ADAM))


def _scheduler(settings: Settings) -> Sourced | None:
    """Return the schedulers' classes; where a pre-trained part has one too, it is the other."""
    made = {**_made(settings, _SCHEDULERS), **_made(settings, f"{_OPTIM}lr_scheduler.")}
    names = " and ".join(dict.fromkeys(made.values()))
    return derived("scheduler", names, ", ".join(made)) if names else None


def _warmup(settings: Settings) -> Sourced | None:
    """Return the warm-up of the first scheduler that has one."""
    paths = tuple(f"{key}.n_warmup_steps" for key in _made(settings, _SCHEDULERS))
    return settings.read("warmup_steps", *paths)


def _of_noam(settings: Settings) -> Sourced | None:
    """Return the lr of Noam's scheduler, which takes the place of the optimizer's in every step."""
    made = _made(settings, _SCHEDULERS)
    keys = [key for key, name in made.items() if name == "NoamScheduler"]
    if len(made) != 1 or not keys:
        return None
    return settings.read("lr", f"{keys[0]}.lr_initial")


def _schedule(settings: Settings) -> str | None:
    """Return Noam's schedule, which peaks at its lr; NewBob waits for a loss to stop falling."""
    name = settings.word("scheduler")
    if name == "none":
        return "constant"
    if name != "noamscheduler" or len(_made(settings, _SCHEDULERS)) != 1:
        return None
    (key,) = _made(settings, _SCHEDULERS)
    warmup = settings.number("warmup_steps")
    if not warmup or settings.has(f"{key}.model_size"):
        return None
    return compose("inverse-sqrt", warmup=int(warmup), ramp="one")


def _finish(settings: Settings, made: Training) -> Training:
    notes = []
    others = [key for key in _made(settings, _OPTIM) if key != _key(settings)]
    if others:
        names = ", ".join(others)[:120]
        notes.append(f"{names}: an optimizer of its own, with an lr and a decay that are not shown")
    if settings.told("dynamic_batching").lower() == "true":
        notes.append("dynamic_batching: batches are by length, batch_size is not what holds")
    return made.with_notes(*notes)


TRAINER = Trainer(
    kind="speechbrain",
    title="SpeechBrain",
    version="speechbrain 9c826ef39",
    signatures=(
        Signature(
            any_of=("__set_seed", "__set_torchseed", "number_of_epochs", "epoch_counter.limit",
                    "train_logger", "lr_annealing", "checkpointer.recoverables", "checkpointer",
                    "save_folder"),
            at_least=4,
        ),
    ),
    fields=(
        Field(name="optimizer", derive=_optimizer_name),
        _argument("weight_decay"),
        replace(_argument("lr"), overrule=_of_noam),
        _argument("momentum", default="0", source="torch 2.13"),
        _argument("dampening", default="0", source="torch 2.13"),
        _argument("nesterov", default="false", source="torch 2.13"),
        *map(_argument, FLAGS),
        Field(name="batch_size", paths=("batch_size", "train_dataloader_opts.batch_size")),
        Field(name="grad_accum", paths=("grad_accumulation_factor",), default="1"),
        Field(name="world_size", default="1"),
        Field(name="epochs", paths=("number_of_epochs", "N_epochs", "epoch_counter.limit")),
        Field(name="scheduler", derive=_scheduler, default="none"),
        Field(name="warmup_steps", derive=_warmup),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=lambda _: NONE_EXEMPT,
    harmless=("checkpointer*", "error_rate_computer*", "valid_*", "test_*", "dynamic_batching",
              "augment_warmup", "dynamic_batch_sampler*", "batch_ordering", "normalize*",
              "progress_*"),
    finish=_finish,
)  # fmt: skip
