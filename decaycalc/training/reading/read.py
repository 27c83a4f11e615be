"""read: a document and its trainer's table to a Training."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from decaycalc.conventions.run import Run
from decaycalc.errors import ContradictionError, InvalidValueError, UnreadableFileError
from decaycalc.training.reading.devices import said_of_given
from decaycalc.training.reading.exemptions import NONE_EXEMPT
from decaycalc.training.reading.numbers import decimal_text, ungrouped
from decaycalc.training.reading.optimizers import unknown_optimizer
from decaycalc.training.reading.program import Beside, overriding
from decaycalc.training.reading.settings import Settings, derived, of_file
from decaycalc.training.reading.trainer import Optimizer, Trainer
from decaycalc.training.reading.unused import not_used
from decaycalc.training.record import Exemption, Group, Origin, Sourced, Training
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Scalar


def read(
    document: Document,
    trainer: Trainer,
    given: Mapping[str, str] | None = None,
    program: Beside | None = None,
) -> Training:
    """Return the run that a document describes to a trainer; what is given overrides the file.

    Of the program that lies beside it, if one does, the defaults are taken.

    Raises:
        UnreadableFileError: a quantity that no run can have.
        ContradictionError: a world size given where the file's batch counts all devices.
    """
    settings = Settings(trainer.prepare(document), trainer, given, program)
    try:
        return trainer.finish(settings, _training(settings))
    except InvalidValueError as error:
        raise UnreadableFileError(document.name, str(error)) from None


def _training(settings: Settings) -> Training:
    trainer, document = settings.trainer, settings.document
    optimizer = _optimizer(settings)
    value = _value(settings, optimizer)
    run = _run(settings, optimizer)
    schedule = _schedule(settings)
    betas, eps = _betas(settings, optimizer), _eps(settings, optimizer)
    exempt = trainer.exempt(settings)
    quantities = (
        *_ordered(settings),
        *_derived(settings, run, schedule),
        *_stored_as(settings),
    )
    return Training(
        source=document.name,
        kind=trainer.kind,
        title=trainer.title,
        convention=optimizer.convention,
        value=value,
        run=run,
        schedule=schedule.value,
        unit=ungrouped(trainer.unit(settings)),
        betas=betas,
        eps=eps,
        quantities=quantities,
        exempt=exempt,
        groups=_groups(exempt),
        missing=_missing(settings, quantities),
        not_used=not_used(settings),
        notes=_notes(settings, optimizer, schedule),
        refusal=optimizer.refusal,
    )


def _optimizer(settings: Settings) -> Optimizer:
    """Return the trainer's optimizer; one that only the run would tell is none."""
    optimizer, said = settings.trainer.optimizer(settings), settings.consulted.get("optimizer")
    if said is None or said.value is not None or not said.where or optimizer.convention is None:
        return optimizer
    return unknown_optimizer("")


# Where files say what the weights are stored as, or that a model is loaded so.
_DTYPES = ("torch_dtype", "model_dtype", "dtype", "model.dtype", "training.dtype", "pure_bf16",
           "bf16", "trainer.precision")  # fmt: skip
_AS_BFLOAT16 = frozenset({"bfloat16", "bf16", "torch.bfloat16", "true", "bf16-true", "full"})


def _stored_as(settings: Settings) -> tuple[Sourced, ...]:
    """Return what the weights are stored as where the file says bfloat16, nothing else.

    `bf16: true` alone is autocast over float32 weights, unless the model is loaded in bfloat16 as
    transformers 5 does by default (dtype "auto"): so it counts, and the finding names its line.
    """
    for path in _DTYPES:
        node = settings.node(path)
        if isinstance(node, Scalar) and (node.text or "").strip().lower() in _AS_BFLOAT16:
            return (of_file("dtype", "bfloat16", path, node.line),)
    return ()


def _value(settings: Settings, optimizer: Optimizer) -> str | None:
    """Return the number that the convention takes, none where it does not reach the weights."""
    if optimizer.refusal:
        return None
    if optimizer.value is None or "value" in settings.given:
        return _weight_decay(settings)
    settings.consulted["value"] = optimizer.value
    return optimizer.value.value


def _weight_decay(settings: Settings) -> str | None:
    """Return the number in the file, checked to be one."""
    number = settings.number("weight_decay")
    if number is None:
        return None
    if number < 0:
        raise settings.fail(settings.find("weight_decay"), "must be at least 0")
    text = settings.text("weight_decay") or ""
    return text.replace("_", "")


def _run(settings: Settings, optimizer: Optimizer) -> Run:
    """Return the run's quantities."""
    steps, epochs = _length(settings)
    size = _size(settings)
    nesterov = "nesterov" in optimizer.uses and settings.flag("nesterov")
    part: dict[str, Any] = {
        name: settings.number(name) for name in ("momentum", "dampening") if name in optimizer.uses
    }
    _refuse_unused(settings)
    try:
        return Run(
            lr=settings.number("lr"),
            nesterov=nesterov or None,
            **part,
            **size,
            dataset_size=_optional(settings, "dataset_size"),
            steps=steps,
            epochs=epochs,
            drop_last=_has(settings, "drop_last") and settings.flag("drop_last"),
            loss=settings.text("loss") if _has(settings, "loss") else None,
            extras=tuple(optimizer.extras),
        )
    except ContradictionError as error:
        raise UnreadableFileError(settings.document.name, str(error)) from None


def _has(settings: Settings, name: str) -> bool:
    return settings.trainer.field(name) is not None or name in settings.given


def _optional(settings: Settings, name: str) -> Fraction | None:
    return settings.number(name) if _has(settings, name) else None


def _length(settings: Settings) -> tuple[Fraction | None, Fraction | None]:
    """Return the run's steps and epochs; what is given beats the file, steps beat epochs.

    Steps that the file sets and only a run would tell, `--max_steps $1`, leave both open.
    """
    given = settings.given
    if "epochs" in given and "steps" not in given:
        return None, settings.number("epochs")
    steps = settings.number("steps") if _has(settings, "steps") else None
    if steps is not None and steps <= 0:
        settings.consulted.pop("steps")
        steps = None
    found = settings.consulted.get("steps")
    is_open = found is not None and found.origin is Origin.MISSING and bool(found.where)
    if steps is not None or is_open:
        return steps, None
    return None, _optional(settings, "epochs")


def _size(settings: Settings) -> dict[str, Any]:
    """Return the parts of B, by the run's own names; other factors join the batch size.

    Without one of them B is not known, be the others as they are.
    """
    names = settings.trainer.batch(settings)
    counts = {name: settings.count(name) for name in names}
    values = {name: None if n is None else Fraction(n) for name, n in counts.items()}
    batch = values.pop(names[0])
    own = {name: values.pop(name, None) for name in ("grad_accum", "world_size")}
    for factor in values.values():
        batch = None if batch is None or factor is None else batch * factor
    batch = None if any(own[name] is None for name in names if name in own) else batch
    return {"batch_size": batch, **own}


def _refuse_unused(settings: Settings) -> None:
    """Refuse a world size that would enter nothing.

    Raises:
        ContradictionError: it was given, and the batch in the file counts all devices.
    """
    if "world_size" in settings.given and "world_size" not in settings.consulted:
        raise ContradictionError(
            f"world_size {settings.given['world_size']} changes nothing: the batch size in"
            f" {settings.document.name!r} counts all devices"
        )


def _schedule(settings: Settings) -> Sourced:
    """Return the schedule's text with the keys that it was made from."""
    if "schedule" in settings.given:
        return Sourced(name="schedule", value=settings.given["schedule"], origin=Origin.GIVEN)
    before, opened = len(settings.asked), len(settings.opened)
    text = settings.trainer.schedule(settings)
    used = [settings.consulted[name] for name in dict.fromkeys(settings.asked[before:])]
    keys = ", ".join(found.where for found in used if found.origin is Origin.FILE)
    # What the file sets and only a run would tell (auto, ???, $STEPS) leaves the whole open.
    unknown = any(found.origin is Origin.MISSING and found.where for found in used)
    unknown = unknown or len(settings.opened) > opened
    # So does a last lr, given outright, over a peak that is not known.
    unknown = unknown or any(found.name == "lr" and found.value is None for found in used)
    if text is None or unknown:
        return Sourced(name="schedule", value=None, origin=Origin.MISSING, where=keys)
    if not keys:
        where = settings.trainer.version
        return Sourced(name="schedule", value=text, origin=Origin.DEFAULT, where=where)
    return derived("schedule", text, keys)


def _betas(settings: Settings, optimizer: Optimizer) -> tuple[str, str] | None:
    if "beta1" not in optimizer.uses:
        return None
    first, second = settings.number("beta1"), settings.number("beta2")
    return None if first is None or second is None else (decimal_text(first), decimal_text(second))


def _eps(settings: Settings, optimizer: Optimizer) -> str | None:
    if "eps" not in optimizer.uses:
        return None
    number = settings.number("eps")
    return None if number is None else decimal_text(number)


def _ordered(settings: Settings) -> tuple[Sourced, ...]:
    """Return what was consulted, in the order of the trainer's fields."""
    names = [field.name for field in settings.trainer.fields]
    shown = [name for name in names if name in settings.consulted]
    others = [name for name in settings.consulted if name not in names]
    found = [settings.consulted[name] for name in (*shown, *others)]
    # A quantity that need not be there, and is not, is no news.
    return tuple(each for each in found if each.value is not None or each.note or each.where)


def _derived(settings: Settings, run: Run, schedule: Sourced) -> tuple[Sourced, ...]:
    """Return B as the product that it is, and the schedule."""
    size = run.examples_per_step
    names = settings.trainer.batch(settings)
    parts = (
        found.where if found.origin is Origin.FILE else found.name
        for found in (settings.consulted[name] for name in names)
    )
    found = () if size is None else (
        derived("examples_per_step", decimal_text(size), " · ".join(parts)),
    )  # fmt: skip
    return (*found, schedule)


def _groups(exempt: Exemption) -> tuple[Group, ...]:
    """Return the decayed group, and the exempt one where the rule names any tensor."""
    if exempt.rule == NONE_EXEMPT.rule:
        return (Group(name="all", selector="every trained tensor"),)
    return (
        Group(name="decayed", selector="the other tensors"),
        Group(name="exempt", selector=exempt.rule, weight_decay="0"),
    )


def _missing(settings: Settings, quantities: tuple[Sourced, ...]) -> tuple[str, ...]:
    """Return the quantities without which there is no whole answer."""
    known = {found.name for found in quantities if found.value is not None}
    needed = ("weight_decay", "lr", *settings.trainer.batch(settings))
    missing = [name for name in needed if name in settings.consulted and name not in known]
    missing += [found.name for found in quantities if found.value is None and found.note]
    if not known & {"steps", "epochs"}:
        missing.append("epochs")
    return tuple(dict.fromkeys(missing))


def _notes(settings: Settings, optimizer: Optimizer, schedule: Sourced) -> tuple[str, ...]:
    """Return what a reader must not miss, one sentence each."""
    notes = [optimizer.refusal, optimizer.note]
    notes += [
        found.note
        for found in settings.consulted.values()
        if found.origin in {Origin.MISSING, Origin.DERIVED}
    ]
    name = (settings.text("scheduler") or "")[:60] if "scheduler" in settings.consulted else ""
    if schedule.value is None and name:
        told = f"{name} is not read" if name.startswith("of ") else f"{name!r} has no equal here"
        notes.append(f"the lr schedule {told}: give --schedule")
    notes += [said_of_given(settings), _on_program(settings), settings.document.note]
    return tuple(dict.fromkeys(note for note in notes if note))


def _on_program(settings: Settings) -> str:
    """Return what is said of the program that a script starts: not there, or with an own method."""
    program = settings.program
    if program is not None:
        return overriding(program) if settings.trainer.arguments else ""
    name = settings.document.program.rpartition("/")[2]
    if not settings.trainer.marks or not name.endswith(".py"):
        return ""
    return (
        f"its program {name[:60]} is not here: by its flags it is taken for"
        f" {settings.trainer.title}'s"
    )
