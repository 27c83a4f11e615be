"""The fields of a row: the command's names, and the question that they ask."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from decaycalc.algebra.quantity import GIVEN, TARGETS
from decaycalc.answers import Question
from decaycalc.architecture.classes import classes_of
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.record import Convention
from decaycalc.conventions.runs import EXTRA_FIELDS, run_of, target_run_of
from decaycalc.conversion.plan import Match
from decaycalc.errors import ContradictionError, InvalidValueError, MissingQuantityError

if TYPE_CHECKING:
    from decaycalc.architecture.tensors import Architecture

RUN_NUMBERS = tuple(quantity.name for quantity in GIVEN)
TARGET_NUMBERS = tuple(f"to_{quantity.name}" for quantity in TARGETS)
NUMBERS = (*RUN_NUMBERS, *EXTRA_FIELDS)
_NUMBERS = (*NUMBERS, *TARGET_NUMBERS, "classes")
_FLAGS = ("nesterov", "to_nesterov", "drop_last", "no_bias", "all", "strict")
_TEXTS = (
    "from", "loss", "to_loss", "optimizer", "match", "dtype", "rounding", "arch", "decay_mask",
    "init", "schedule", "decay_schedule", "group",
)  # fmt: skip

_LISTS = ("to", "group")
_OF_NETWORKS = ("decay_mask", "init", "no_bias", "classes")

# Every field that a row may have beside `value`; `to` and `group` may be lists in JSON.
SETTINGS = frozenset((*_NUMBERS, *_FLAGS, *_TEXTS, "to"))
# What a result adds to its row.
RESULTS = (
    "result", "result_parameter", "result_lr", "result_equivalence", "result_note",
    "result_assumptions", "result_layers", "result_groups", "result_warnings", "conversions",
)  # fmt: skip

# What an error adds to its row, in JSON lines.
ERRORS = ("line", "error")

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
    _require_network(given)
    return Question(
        source=finder(source),
        run=run_of(given),
        target_run=target_run_of(given),
        targets=_targets(given.get("to"), finder),
        everything=given.get("all", False),
        match=Match(given.get("match", "optimum")),
        architecture=_architecture(given.get("arch"), bias=not given.get("no_bias", False)),
        mask=given.get("decay_mask"),
        init=given.get("init"),
        classes=classes_of(given.get("classes")),
        dtype=given.get("dtype"),
        rounding=given.get("rounding"),
        strict=given.get("strict", False),
        schedule=given.get("schedule"),
        decay_schedule=given.get("decay_schedule"),
        groups=_listed(given.get("group"), "group", "a rule"),
    )


def _require_network(given: Fields) -> None:
    """Refuse what is said of a network where there is none, as the command does.

    Raises:
        ContradictionError: one of these fields without `arch`.
    """
    stray = next((name for name in _OF_NETWORKS if given.get(name)), None)
    if stray is not None and given.get("arch") is None:
        raise ContradictionError(f"{stray} needs a network: give arch")


def _typed(name: str, value: Any) -> Any:
    """Return a field's value as its kind, a text, a flag or a tuple of texts.

    Raises:
        InvalidValueError: a JSON value of another kind.
    """
    if name in _FLAGS:
        return value if isinstance(value, bool) else _flag(name, value)
    if isinstance(value, str) or (name in _LISTS and isinstance(value, tuple)):
        return value
    kind = "number" if name in _NUMBERS or name == "value" else "text"
    raise InvalidValueError(name, _as_written(value), f"must be a {kind}")


def _as_written(value: Any) -> Any:
    """Return a field's value as its row holds it: a list, of which the fields make a tuple."""
    return list(value) if isinstance(value, tuple) else value


def _flag(name: str, value: Any) -> bool:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise InvalidValueError(name, _as_written(value), "must be true or false")


def _targets(names: str | tuple[Any, ...] | None, finder: Finder) -> tuple[Convention, ...]:
    """Return the target conventions, none where they are not named.

    Raises:
        UnknownNameError: no convention of that name.
        InvalidValueError: a list of something else than names.
    """
    return tuple(map(finder, _listed(names, "to", "a convention's name")))


def _listed(texts: str | tuple[Any, ...] | None, name: str, what: str) -> tuple[str, ...]:
    """Return the texts of a field that holds one or a list of them, none where it is absent.

    Raises:
        InvalidValueError: a list of something else than texts.
    """
    listed = (texts,) if isinstance(texts, str) else texts or ()
    for text in listed:
        if not isinstance(text, str):
            raise InvalidValueError(name, text, f"must be {what}")
    return listed


@lru_cache(maxsize=16)
def _architecture(spec: str | None, *, bias: bool) -> "Architecture | None":
    """Return the network of that name, read once."""
    if spec is None:
        return None
    if spec == "-":
        raise ContradictionError("arch '-' is stdin, which a row cannot read")
    from decaycalc.architecture import parse_architecture  # noqa: PLC0415  (the zoo, if asked for)

    return parse_architecture(spec, bias=bias)
