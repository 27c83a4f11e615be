"""A plain training script in Python, or a notebook, by the optimizer that it makes.

The script is read, never run: what its text alone does not tell is left open and says why. Source:
torch 2.13.0 optim/*.py, optim/lr_scheduler.py and utils/data/dataloader.py; lightning 2.6.6.
"""

from decaycalc.record import replace
from decaycalc.training.reading.by_class import class_default, class_fields, optimizer_of
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import from_zero
from decaycalc.training.reading.optax_schedules import FIELDS, PREFIX, optax_schedule
from decaycalc.training.reading.schedules import compose, epochs
from decaycalc.training.reading.script_notes import NOTES, notes_of, said
from decaycalc.training.reading.settings import (
    Settings,
    by_default,
    derived,
    left_open,
    of_file,
    text_of,
)
from decaycalc.training.reading.torch_schedulers import (
    after_ramp,
    peak_of,
    schedule_of,
    scheduler_fields,
)
from decaycalc.training.reading.trainer import Field, Signature, Trainer
from decaycalc.training.record import Exemption, Group, Sourced, Training
from decaycalc.training.trainers.lightning import DEVICE_FIELDS, devices_of
from decaycalc.training.trainers.syntax.tree import (
    EACH_STEP_IN_EPOCHS,
    FLAGS_HOLD,
    SET_BY_SCRIPT,
    Entries,
    Scalar,
)

_ARGUMENTS = "optimizer"
_DECAY = f"{_ARGUMENTS}.weight_decay"
_LR = f"{_ARGUMENTS}.lr"
_GROUPS = "groups"
_LOADERS = ("torch.", "torch_geometric.")  # whose batches are of 1 by default


def _line(settings: Settings, path: str) -> int | None:
    node = settings.node(path)
    return None if node is None else node.line


def _decay(settings: Settings) -> Sourced | None:
    """Return what takes the place of the constructor's weight_decay: that of the groups."""
    if text := said(settings, "decay_set"):
        return left_open("weight_decay", f"the script sets it anew: {text}", where="decay_set")
    text = said(settings, "grouped_by")
    if text and not settings.has(_DECAY):
        return left_open("weight_decay", f"the groups may say it: {text}", where="grouped_by")
    if unknown := _spread(settings, "weight_decay"):
        return unknown
    decays = [_decay_of(settings, each) for each in settings.listed(_GROUPS)]
    is_open = (each for each in decays if each is not None and each.value is None)
    decays_any = (
        each for each in decays if each is not None and from_zero(each.value or "") != "0"
    )
    return next(is_open, None) or next(decays_any, None)


def _decay_of(settings: Settings, group: Entries) -> Sourced | None:
    """Return the decay of a group that is written out: its own, the constructor's, the class's."""
    node = group.entries.get("weight_decay")
    if node is None:
        given = settings.read("weight_decay", _DECAY)
        return given or class_default("weight_decay")(settings)
    where = "weight_decay of its group"
    if isinstance(node, Scalar) and node.open:
        return left_open("weight_decay", f"{where}: {node.open}", where=_GROUPS, line=node.line)
    return of_file("weight_decay", text_of(group, "weight_decay"), where, node.line)


def _is_free(settings: Settings, group: Entries) -> bool:
    """Return whether a group does not decay."""
    found = _decay_of(settings, group)
    return found is not None and from_zero(found.value or "") == "0"


def _spread(settings: Settings, name: str, where: str = _ARGUMENTS) -> Sourced | None:
    """Return what leaves an argument open where the script hands on a mapping of them."""
    text = said(settings, f"{where}.**")
    if not text or settings.has(f"{where}.{name}"):
        return None
    return left_open(name, f"{name} may be in {text}", where=f"{where}.**")


def _lr(settings: Settings) -> Sourced | None:
    """Return the peak of a scheduler; what is made with an lr of 0 gets one in its loop.

    Where each group has an lr of its own, the constructor's is nobody's.
    """
    found = peak_of(settings) or _lr_of_groups(settings) or _spread(settings, "lr")
    found = found or (None if settings.node(_LR) else _lr_set_elsewhere(settings))
    if found is not None or from_zero(settings.told(_LR)) != "0":
        return found
    return left_open("lr", "it is made with 0: the loop sets it", where=_LR)


def _lr_set_elsewhere(settings: Settings) -> Sourced | None:
    """Return what leaves the lr open that a constructor is not given: groups, or the loop."""
    if text := said(settings, "grouped_by"):
        return left_open("lr", f"the groups may say it: {text}", where="grouped_by")
    if (line := _line(settings, "scheduler")) and settings.told("scheduler.class") == SET_BY_SCRIPT:
        return left_open("lr", f"the script sets it in its groups (line {line})", where="scheduler")
    return None


def _lr_of_groups(settings: Settings) -> Sourced | None:
    """Return the lr of the first group that decays, else of the first, where each has its own."""
    groups = settings.listed(_GROUPS)
    if not groups or any("lr" not in each.entries for each in groups):
        return None
    chosen = next((each for each in groups if not _is_free(settings, each)), groups[0])
    where, line = "lr of its group", chosen.entries["lr"].line
    if why := _why_open(chosen):
        return left_open("lr", f"{where}: {why}", where=_GROUPS, line=line)
    return of_file("lr", text_of(chosen, "lr"), where, line)


def _batch(settings: Settings) -> Sourced | None:
    """Return the loader's default, where the script makes one and nothing else says the batch."""
    if not settings.has("loader"):
        return None
    if (sampler := settings.node("loader.batch_sampler")) is not None:
        note = f"a sampler makes the batches (line {sampler.line})"
        return left_open("batch_size", note, where="loader.batch_sampler")
    if unknown := _spread(settings, "batch_size", "loader"):
        return unknown
    kinds = settings.told("loader.class").split()
    if not kinds or not all(kind.startswith(_LOADERS) for kind in kinds):
        return left_open("batch_size", "the loader is another library's", where="loader.class")
    return by_default("batch_size", "1", "torch 2.13")


def _passes(settings: Settings) -> Sourced:
    """Return one pass a step, unless the script has words for several."""
    if text := said(settings, "accumulates"):
        note = f"the script may add up several batches before a step: {text}; give --grad-accum"
        return left_open("grad_accum", note, where="accumulates")
    return derived("grad_accum", "1", "a step a batch")


def _devices(settings: Settings) -> Sourced:
    """Return one device, unless the script has words for several processes."""
    if settings.has("trainer"):
        found = devices_of(settings)
        return found or left_open("world_size", "the Trainer takes all devices that there are",
                                  where="trainer")  # fmt: skip
    if text := said(settings, "processes"):
        note = f"the script runs in several processes: {text}; give --world-size"
        return left_open("world_size", note, where="processes")
    return derived("world_size", "1", "one process")


def _epochs(settings: Settings) -> Sourced | None:
    """Return the default of Lightning's Trainer."""
    return (
        by_default("epochs", "1000", "lightning 2.6.6") if settings.has("trainer.class") else None
    )


# What transformers' functions and its names for them make. Source: transformers 5.24.0
# optimization.py.
_WARMED = {
    "linear": "linear", "get_linear_schedule_with_warmup": "linear",
    "cosine": "cosine", "get_cosine_schedule_with_warmup": "cosine",
    "constant_with_warmup": "constant", "get_constant_schedule_with_warmup": "constant",
}  # fmt: skip
_PLAIN = frozenset({"constant", "get_constant_schedule"})


def _schedule(settings: Settings) -> str | None:
    """Return the scheduler's text, none where it is not clear how often it is stepped."""
    name = settings.text("scheduler")
    if name is not None and name.startswith(PREFIX):
        return optax_schedule(settings, name)
    if name is not None and settings.text("interval") is None:
        return None
    if (name or "").startswith("get_"):
        return _warmed(settings, name)
    return after_ramp(settings, schedule_of(settings))


def _warmed(settings: Settings, name: str | None) -> str | None:
    """Return a schedule of transformers', which is stepped with the optimizer."""
    own = settings.told("scheduler.name") if name == "get_scheduler" else name
    if own in _PLAIN:
        return "constant"
    kind, interval = _WARMED.get(own or ""), settings.word("interval")
    if kind is None or interval == "epoch" or settings.has("scheduler.num_cycles"):
        return None
    warm, count = settings.number("num_warmup_steps"), settings.number("num_training_steps")
    if warm is None or (count is None and kind != "constant"):
        return None
    is_told_in_epochs = interval == EACH_STEP_IN_EPOCHS
    whole = settings.number("epochs" if is_told_in_epochs else "steps")
    length = None
    if count not in {None, whole}:
        length = epochs(count) if is_told_in_epochs else str(int(count))
    return compose(kind, warmup=str(int(warm)) if warm else None, length=length)


def _exempt(settings: Settings) -> Exemption:
    """Return the groups whose decay is 0; those that a function makes are not known."""
    if (mask := settings.node(f"{_ARGUMENTS}.mask")) is not None:
        return Exemption(rule=f"not told: what its mask leaves out (line {mask.line})")
    if text := said(settings, "grouped_by"):
        return Exemption(rule=f"not told: the groups are of {text}")
    groups = settings.listed(_GROUPS)
    free = [text_of(each, "params") for each in groups if _is_free(settings, each)]
    if not free or len(free) == len(groups):
        return NONE_EXEMPT
    return Exemption(rule="; ".join(free), switch=f"groups in line {_line(settings, _GROUPS)}")


def _finish(settings: Settings, made: Training) -> Training:
    """Give groups what is their own, and say what else the script was found to do."""
    notes = list(notes_of(settings))
    if flags := settings.told("flags"):
        notes.append(FLAGS_HOLD.format(flags))
    opens = ((each.line, _why_open(each)) for each in settings.listed(_GROUPS))
    notes += [f"lr of the group in line {line} is not told: {why}" for line, why in opens if why]
    groups = [_group(settings, each, made) for each in settings.listed(_GROUPS)]
    own = [each for each in groups if each is not None]
    return made.with_groups(*own).with_notes(*notes)


def _why_open(group: Entries) -> str:
    """Return why a group's lr is not told; empty where it is, or has none of its own."""
    node = group.entries.get("lr")
    return node.open or "" if isinstance(node, Scalar) else ""


def _group(settings: Settings, entry: Entries, made: Training) -> Group | None:
    """Return a group whose lr or decay is neither the run's nor 0.

    One cycle gives all groups the lr of its own.
    """
    is_cycle = peak_of(settings) is not None
    lr = None if is_cycle else from_zero(text_of(entry, "lr") or "") or None
    lr = None if lr == from_zero(settings.text("lr") or "") else lr
    found = _decay_of(settings, entry)
    decay = None if found is None else from_zero(found.value or "")
    is_usual = decay in {None, "0", from_zero(made.value or "")}
    if lr is None and is_usual:
        return None
    return Group(
        name=f"line {entry.line}",
        selector=text_of(entry, "params"),
        lr=lr,
        weight_decay=None if is_usual and decay != "0" else decay,
    )


def _fields() -> tuple[Field, ...]:
    """Return the class's fields, the decay that of the groups where they say it."""
    return tuple(
        replace(field, overrule=_decay) if field.name == "weight_decay" else field
        for field in class_fields("optimizer.class", _ARGUMENTS, peak=_lr)
    )


TRAINER = Trainer(
    kind="python-script",
    title="Python script",
    version="torch 2.13",
    signatures=(Signature(all_of=("optimizer.class", "syntax:Python")),),
    fields=(
        *_fields(),
        Field(name="batch_size", paths=("loader.batch_size",), derive=_batch),
        Field(name="grad_accum", paths=("trainer.accumulate_grad_batches",), derive=_passes),
        *DEVICE_FIELDS[:-1],
        Field(name="world_size", derive=_devices),
        Field(name="drop_last", paths=("loader.drop_last",), default="false"),
        Field(name="steps", paths=("steps", "trainer.max_steps"), absent=("-1",)),
        Field(name="epochs", paths=("epochs", "trainer.max_epochs"), derive=_epochs),
        *FIELDS,
        *Field.within("scheduler", num_warmup_steps=None, num_training_steps=None),
        *Field.within("scheduler", begins=None, ramp_start_factor=None, ramp_end_factor="1",
                      ramp_factor=None, ramp_total_iters=None),
        *scheduler_fields(("scheduler.class",), ("scheduler",),
                          intervals=("scheduler.interval",)),
    ),
    optimizer=optimizer_of,
    schedule=_schedule,
    exempt=_exempt,
    harmless=("loader*", "trainer*", "groups*", "grouped_by", "scheduler*", "optimizer*",
              "processes", "accumulates", "decay_set", "flags", *NOTES),
    finish=_finish,
)  # fmt: skip
