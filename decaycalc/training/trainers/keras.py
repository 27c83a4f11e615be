"""Keras' optimizer as JSON, alone or in a model's config (a .keras archive holds one).

Source: keras 3.15.1 optimizers/base_optimizer.py (get_config), saving/saving_lib.py,
optimizers/schedules/learning_rate_schedule.py.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction

from decaycalc.conventions.catalogue import find as find_convention
from decaycalc.errors import UnknownNameError
from decaycalc.record import replace
from decaycalc.training.reading.arguments import numbers_of
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.optimizers import UNDAMPENED_SGD, refused
from decaycalc.training.reading.schedules import compose, factors
from decaycalc.training.reading.script_notes import OF_WHOLE, notes_of
from decaycalc.training.reading.settings import Settings, by_default, derived, left_open, texts_of
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Sourced, Training
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.sniffing import Syntax
from decaycalc.training.trainers.syntax.tree import FLAGS_HOLD, Entries, Items, Node, Scalar, find

_VERSION = "keras 3.15.1"
# The defaults of constructors by the class in lower case, "" for all others.
_LRS = {"sgd": "0.01", "schedulefreeadamw": "0.0025", "": "0.001"}
_DECAYS = {"adamw": "0.004", "muon": "0.004"}
_IN_MODEL = "compile_config.optimizer"
_DEEPEST = 30


def _prepare(document: Document) -> Document:
    """Return the optimizer at the root, the model's layers beside it."""
    inner = find(document.root, _IN_MODEL)
    if not isinstance(inner, Entries):
        return document
    entries = {**inner.entries, "layers": Entries(entries=document.root.entries)}
    return replace(document, root=Entries(entries=entries))


def _optimizer(settings: Settings) -> Optimizer:
    """Return the class's convention; with no decay of its own, the layers' L2."""
    name = settings.text("optimizer") or ""
    penalties, unknown = _l2(settings), _open_l2(settings)
    if not settings.has("config.weight_decay") and (penalties or unknown):
        value = unknown or derived("value", penalties[0], "kernel_regularizer L2")
        note = f"layers have L2 of {', '.join(penalties[:6])}" if len(penalties) > 1 else ""
        uses = UNDAMPENED_SGD if name.lower() == "sgd" else ()
        return Optimizer(convention="keras-l2", uses=uses, value=value, note=note)
    try:
        key = find_convention(f"keras-{name.lower()}").key
    except UnknownNameError:
        return refused(f"{name[:40]!r} has no convention here")
    uses = UNDAMPENED_SGD if key == "keras-sgd" else ()
    is_saved = settings.document.syntax is not Syntax.PYTHON
    note = "exclude_from_weight_decay is not stored in the file" if is_saved else ""
    if penalties or unknown:
        given = ", ".join(penalties[:6]) or "a number that is not told"
        note = "; ".join(filter(None, (note, f"layers have L2 of {given} too, which is not read")))
    return Optimizer(convention=key, uses=uses, note=note)


def _l2(settings: Settings) -> tuple[str, ...]:
    """Return the numbers of the layers' L2 penalties on their kernels, each once.

    Until 2.3 Keras stored l2 as an L1L2 whose l1 is 0.
    """
    found = ("".join(texts_of(node)) for node in _penalties(settings))
    return tuple(dict.fromkeys(text for text in found if typed_number(text)))


def _open_l2(settings: Settings) -> Sourced | None:
    """Return what leaves the penalty open: a script's number that its text does not tell."""
    for node in _penalties(settings):
        if isinstance(node, Scalar) and node.open:
            note = f"kernel_regularizer: {node.open}"
            return left_open("value", note, where="kernel_regularizer", line=node.line)
    return None


def _penalties(settings: Settings) -> Iterator[Node | None]:
    """Yield the number of each L2 penalty on a kernel."""
    for node in _regularizers(settings.node("layers"), 0):
        if {"L2", "L1L2"} & set(texts_of(node.entries.get("class_name"))):
            yield find(node, "config.l2")


def _regularizers(node: Node | None, depth: int) -> Iterator[Entries]:
    """Yield every kernel_regularizer within a tree."""
    if depth > _DEEPEST:
        return
    if isinstance(node, Items):
        for part in node.items:
            yield from _regularizers(part, depth + 1)
    elif isinstance(node, Entries):
        for key, part in node.entries.items():
            if key == "kernel_regularizer" and isinstance(part, Entries):
                yield part
            yield from _regularizers(part, depth + 1)


_LR = "config.learning_rate.config"


def _lr(settings: Settings) -> Sourced | None:
    """Return the peak of a schedule object."""
    if not settings.has(_LR):
        return None
    for key in ("warmup_target", "initial_learning_rate"):
        found = settings.read("lr", f"{_LR}.{key}")
        if found is not None:
            return found
    values = settings.texts(f"{_LR}.values")
    return derived("lr", values[0], f"{_LR}.values") if values else None


def _number(settings: Settings, key: str) -> Fraction | None:
    texts = settings.texts(f"{_LR}.{key}")
    return typed_number(texts[0]) if texts else None


def _schedule(settings: Settings) -> str | None:
    """Return the schedule object as a text; a bare number is constant but for Keras 2's decay."""
    if settings.has("sets_lr") or settings.text("lr") is None:
        return None
    name = (*settings.texts("config.learning_rate.class_name"), "")[0]
    if not name:
        rate = settings.number("decay")
        return compose("inverse", gamma=rate) if rate else "constant"
    make = _SCHEDULES.get(name)
    return None if make is None else make(settings)


def _is_set(settings: Settings, key: str) -> bool:
    return settings.told(f"{_LR}.{key}").lower() == "true"


def _polynomial(settings: Settings) -> str | None:
    length = _number(settings, "decay_steps")
    if not length or _is_set(settings, "cycle"):
        return None
    peak, low = settings.number("lr"), _number(settings, "end_learning_rate") or Fraction(0)
    final = low / peak if peak and low else None
    power = _number(settings, "power")
    return compose("polynomial", power=power, length=int(length), final=final)


def _exponential(settings: Settings) -> str | None:
    length = _number(settings, "decay_steps")
    kind = "step" if _is_set(settings, "staircase") else "exponential"
    gamma = _number(settings, "decay_rate")
    return compose(kind, gamma=gamma, every=int(length)) if length else None


def _inverse(settings: Settings) -> str | None:
    length, rate = _number(settings, "decay_steps"), _number(settings, "decay_rate")
    if not length or rate is None or _is_set(settings, "staircase"):
        return None
    return compose("inverse", gamma=rate / length)


def _piecewise(settings: Settings) -> str | None:
    """Return the steps; a value holds through its boundary."""
    values = numbers_of(" ".join(settings.texts(f"{_LR}.values")))
    marks = numbers_of(" ".join(settings.texts(f"{_LR}.boundaries")))
    if not marks or len(values) != len(marks) + 1 or 0 in values:
        return None
    return compose("step", at=tuple(mark + 1 for mark in marks), gamma=factors(values))


def _restarts(settings: Settings) -> str | None:
    """Return the cosines; peaks that fall towards a last lr of their own have no text."""
    growth, gamma = _number(settings, "t_mul"), _number(settings, "m_mul")
    period, final = _number(settings, "first_decay_steps"), _number(settings, "alpha") or None
    if not period or growth is None or growth.denominator != 1 or (final and gamma != 1):
        return None
    return compose(
        "cosine-restarts", period=int(period), growth=int(growth), gamma=gamma, final=final
    )


def _cosine(settings: Settings) -> str | None:
    """Return CosineDecay: with a warm-up it begins when that has ended."""
    length = _number(settings, "decay_steps")
    if not length:
        return None
    warm = _number(settings, "warmup_steps") or Fraction(0)
    target, first = _number(settings, "warmup_target"), _number(settings, "initial_learning_rate")
    is_warm = bool(warm and target)
    return compose(
        "cosine",
        warmup=int(warm) if is_warm else None,
        start=first / target if is_warm and first and target else None,
        length=int(length + (warm if is_warm else 0)),
        final=_number(settings, "alpha") or None,
    )


_SCHEDULES: dict[str, Callable[[Settings], str | None]] = {
    "CosineDecay": _cosine,
    "CosineDecayRestarts": _restarts,
    "ExponentialDecay": _exponential,
    "InverseTimeDecay": _inverse,
    "PiecewiseConstantDecay": _piecewise,
    "PolynomialDecay": _polynomial,
}


def _finish(settings: Settings, made: Training) -> Training:
    """Say what trains a penalty, and what null means here."""
    if flags := settings.told("flags"):
        made = made.with_notes(FLAGS_HOLD.format(flags))
    made = made.with_notes(*notes_of(settings, OF_WHOLE))
    if made.convention == "keras-l2":
        try:
            run = replace(made.run, optimizer=settings.word("optimizer"))
        except UnknownNameError:  # an optimizer of one's own
            return made
        return replace(made, run=run)
    if made.value is not None or made.refusal or settings.find("weight_decay").where:
        return made
    missing = tuple(name for name in made.missing if name != "weight_decay")
    note = "weight_decay is null: the optimizer decays nothing"
    if settings.document.syntax is Syntax.PYTHON:
        note = (
            "no weight_decay is set: the optimizer decays nothing; penalties of layers that another"
            " file makes are not read"
        )
    return replace(made, value="0", missing=missing, notes=(*made.notes, note))


def _accumulation(settings: Settings) -> Sourced | None:
    found = settings.read("grad_accum", "config.gradient_accumulation_steps")
    return found or derived("grad_accum", decimal_text(Fraction(1)), "none is set")


def _default(settings: Settings, field: Field) -> Sourced | None:
    """Return the default of a class's constructor, which a script need not say."""
    kind, usual = settings.word("optimizer"), {"lr": _LRS, "weight_decay": _DECAYS}.get(field.name)
    text = None if usual is None else usual.get(kind, usual.get("", None))
    return None if text is None else by_default(field.name, text, _VERSION)


def _exempt(settings: Settings) -> Exemption:
    """Return what does not decay: nothing, unless a script says so by a call."""
    line = None if (said := settings.node("excludes")) is None else said.line
    rule = (
        "nothing"
        if line is None
        else f"not told: what exclude_from_weight_decay names (line {line})"
    )
    return Exemption(
        rule=rule, mask="all" if line is None else None, switch="exclude_from_weight_decay"
    )


TRAINER = Trainer(
    kind="keras",
    title="Keras optimizer",
    version=_VERSION,
    signatures=(
        Signature(all_of=("class_name", "config", "syntax:Python")),
        Signature(all_of=("class_name", "config.learning_rate")),
        Signature(all_of=(f"{_IN_MODEL}.class_name",)),
    ),
    fields=(
        Field(name="optimizer", paths=("class_name",)),
        Field(name="weight_decay", paths=("config.weight_decay",)),
        Field(name="lr", paths=("config.learning_rate",), overrule=_lr),
        *Field.within("config", decay=None, momentum="0", nesterov="false"),
        Field(name="batch_size", paths=("fit.batch_size",)),
        Field(name="grad_accum", derive=_accumulation),
        Field(name="epochs", paths=("fit.epochs",)),
        Field(name="steps"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    exempt=_exempt,
    default=_default,
    batch=lambda _: ("batch_size", "grad_accum"),
    harmless=(
        "layers*",
        "config.learning_rate*",
        "config.beta*",
        "config.ema*",
        "config.*",
        "flags",
        *OF_WHOLE,
        "sets_lr",
        "excludes",
        "fit*",
    ),
    prepare=_prepare,
    finish=_finish,
)
