"""The fields of a row: the command's names, and the question that they ask."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from decaycalc.algebra.quantity import QUANTITIES, exact
from decaycalc.answers import Question
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.record import Convention
from decaycalc.conventions.run import Run
from decaycalc.conversion.plan import Match
from decaycalc.errors import ContradictionError, InvalidValueError, MissingQuantityError

if TYPE_CHECKING:
    from decaycalc.architecture.tensors import Architecture

EXTRAS = tuple(quantity.name for quantity in QUANTITIES.values() if quantity.extra)
RUN_NUMBERS = (
    "lr", "momentum", "dampening", "batch_size", "grad_accum", "world_size", "dataset_size",
    "epochs", "steps",
)  # fmt: skip
TARGET_NUMBERS = ("to_lr", "to_momentum", "to_dampening", "to_batch_size")
NUMBERS = (*RUN_NUMBERS, *EXTRAS)
_NUMBERS = (*NUMBERS, *TARGET_NUMBERS, "classes")
_FLAGS = ("nesterov", "to_nesterov", "drop_last", "no_bias", "all", "strict")
_TEXTS = (
    "from", "loss", "to_loss", "optimizer", "match", "dtype", "rounding", "arch", "decay_mask",
    "init", "schedule", "decay_schedule",
)  # fmt: skip

# Every field that a row may have beside `value`; `to` may be a list in JSON.
SETTINGS = frozenset((*_NUMBERS, *_FLAGS, *_TEXTS, "to"))
# What a result adds to its row.
RESULTS = (
    "result", "result_parameter", "result_lr", "result_equivalence", "result_note",
    "result_assumptions", "result_layers", "result_warnings", "conversions",
)  # fmt: skip

_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
Fields = Mapping[str, Any]
Finder = Callable[[str], Convention]
"""From a convention's name to the convention; raises UnknownNameError."""


def question_of(fields: Fields, finder: Finder = find) -> Question:
    """Return the question that a row's fields ask, without its value.

    Numbers are texts, as they were typed; what is not given is absent. `finder` knows the
    conventions by their names.

    Raises:
        DecaycalcError: a field that its quantity cannot have, or fields that contradict.
    """
    given = {name: _typed(name, value) for name, value in fields.items()}
    source = given.get("from")
    if source is None:
        raise MissingQuantityError("a row", ("from",))
    return Question(
        source=finder(source),
        run=_run(given),
        target_run=_target_run(given),
        targets=_targets(given.get("to"), finder),
        everything=given.get("all", False),
        match=_match(given.get("match", "optimum")),
        architecture=_architecture(given.get("arch"), bias=not given.get("no_bias", False)),
        mask=given.get("decay_mask"),
        init=given.get("init"),
        classes=_classes(given.get("classes")),
        dtype=given.get("dtype"),
        rounding=given.get("rounding"),
        strict=given.get("strict", False),
        schedule=given.get("schedule"),
        decay_schedule=given.get("decay_schedule"),
    )


def _typed(name: str, value: Any) -> Any:
    """Return a field's value as its kind, a text, a flag or a tuple of texts.

    Raises:
        InvalidValueError: a JSON value of another kind.
    """
    if name in _FLAGS:
        return value if isinstance(value, bool) else _flag(name, value)
    if isinstance(value, str) or (name == "to" and isinstance(value, tuple)):
        return value
    kind = "number" if name in _NUMBERS or name == "value" else "text"
    raise InvalidValueError(name, value, f"must be a {kind}")


def _flag(name: str, value: Any) -> bool:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise InvalidValueError(name, value, "must be true or false")


def _run(given: dict[str, Any]) -> Run:
    """Return the run of the source."""
    return Run(
        **{name: given.get(name) for name in RUN_NUMBERS},
        nesterov=given.get("nesterov"),
        drop_last=given.get("drop_last", False),
        loss=given.get("loss"),
        optimizer=given.get("optimizer"),
        extras=tuple((name, given[name]) for name in EXTRAS if name in given),
    )


def _target_run(given: dict[str, Any]) -> Run | None:
    """Return what differs in the target's run, None where nothing does."""
    names = (*TARGET_NUMBERS, "to_nesterov", "to_loss")
    values = {name.removeprefix("to_"): given[name] for name in names if name in given}
    return Run.part(**values) if values else None


def _targets(names: str | tuple[Any, ...] | None, finder: Finder) -> tuple[Convention, ...]:
    """Return the target conventions, none where they are not named.

    Raises:
        UnknownNameError: no convention of that name.
        InvalidValueError: a list of something else than names.
    """
    if names is None:
        return ()
    listed = (names,) if isinstance(names, str) else names
    for name in listed:
        if not isinstance(name, str):
            raise InvalidValueError("to", name, "must be a convention's name")
    return tuple(map(finder, listed))


def _match(name: str) -> Match:
    try:
        return Match(name)
    except ValueError:
        raise InvalidValueError("match", name, f"must be one of {', '.join(Match)}") from None


@lru_cache(maxsize=16)
def _architecture(spec: str | None, *, bias: bool) -> "Architecture | None":
    """Return the network of that name, read once."""
    if spec is None:
        return None
    if spec == "-":
        raise ContradictionError("arch '-' is standard input, which a row cannot read")
    from decaycalc.architecture import parse_architecture  # noqa: PLC0415  (the zoo, if asked for)

    return parse_architecture(spec, bias=bias)


def _classes(text: str | None) -> int | None:
    """Return the number of classes.

    Raises:
        InvalidValueError: not a whole number of at least 2.
    """
    if text is None:
        return None
    count = exact(text, name="classes")
    if count.denominator != 1 or count < 2:  # noqa: PLR2004
        raise InvalidValueError("classes", text, "must be a whole number of at least 2")
    return int(count)
