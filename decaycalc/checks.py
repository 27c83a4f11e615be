"""Checks: named assertions about weight decays, read from TOML, for CI.

Each table is one check. It holds the fields of `decaycalc convert` (`value`, `from`, `lr`, ...) and
says what must be true of them:

- `to` and `equals`: the number in the other convention, to a relative `rtol` (1e-9 by default);
- `quantity` with `min`, `max` or `equals`: a number of the answer lies in a range;
- `group`, a rule as `--group` takes it: the numbers are those of its tensors;
- `recipes`: two recipes, by name or file, have the same decay (or the same `quantity`).

A check says all that it means: no default of an option enters it, wherever that is configured.
"""

from collections.abc import Mapping
from typing import Any, TypedDict, TypeGuard

from decaycalc.algebra.quantity import exact
from decaycalc.answers import Answer, Question, answer_of
from decaycalc.bulk.fields import SETTINGS, question_of
from decaycalc.conversion.decay import Decay, require_decay
from decaycalc.conversion.side import Side
from decaycalc.errors import (
    DecaycalcError,
    InvalidValueError,
    MissingQuantityError,
    NoEquivalentError,
    UnknownNameError,
    nearest_names,
)
from decaycalc.files.toml_text import parse_toml
from decaycalc.record import Record, replace

# Beside the tables of a pyproject.toml: which rules run on training files.
RULES_OF_SOURCES = frozenset({"select", "ignore", "fail-on", "fail_on"})
_OWN = frozenset({"value", "equals", "rtol", "quantity", "min", "max", "recipes", "about"})
_DEFAULT_RTOL = "1e-9"
# All but a flag, and the branch that few decays have.
_NUMBERS_OF_DECAY = Decay._fields[: Decay._fields.index("oscillating")]
_OF_DECAY = frozenset({"shrink", "survival", *_NUMBERS_OF_DECAY})
_RECIPE_QUANTITY = "shrink"


class Check(Record):
    """One check as it was written: its name, its fields (numbers as texts) and its line."""

    name: str
    fields: Mapping[str, Any]
    line: int


class CheckedJson(TypedDict):
    """What came of one assertion."""

    name: str
    passed: bool
    expected: str
    actual: float | None
    message: str
    line: int


class Checked(Record):
    """What came of a check: `expected` in words, `actual` None where there is no number.

    `exit_status` is 0 for a passed check, 1 for a failed one, 2 for one that makes no sense.
    """

    name: str
    passed: bool
    expected: str
    actual: float | None
    message: str
    line: int
    exit_status: int

    def to_dict(self) -> CheckedJson:
        """Return the result as JSON's `checks` holds it."""
        return {
            "name": self.name,
            "passed": self.passed,
            "expected": self.expected,
            "actual": self.actual,
            "message": self.message,
            "line": self.line,
        }


def parse_checks(text: str, *, path: str) -> tuple[Check, ...]:
    """Return the checks of a TOML text: its tables, or those of `[tool.decaycalc.check]`.

    Raises:
        TomlSyntaxError: no TOML.
        InvalidValueError: there is no check in it, or something else than tables.
    """
    document = parse_toml(text, path)
    tables = _within(document, "tool", "decaycalc", "check")
    prefix = "" if tables is None else "tool.decaycalc.check."
    if tables is None:
        if _is_project(document, path):
            raise InvalidValueError("file", path, "holds no table [tool.decaycalc.check]")
        tables = document
    if not isinstance(tables, dict) or not tables:
        raise InvalidValueError("file", path, "holds no table with a check")
    lines = text.splitlines()
    headers = _headers(lines)
    return tuple(
        _check(name, table, headers.get(_bare(f"{prefix}{name}"), 1), lines)
        for name, table in tables.items()
        if not (prefix and name in RULES_OF_SOURCES)
    )


def _is_project(document: Mapping[str, Any], path: str) -> bool:
    """Return whether a document is a pyproject.toml, whose tables are no checks of ours."""
    return path.endswith("pyproject.toml") or not {"tool", "build-system"}.isdisjoint(document)


def _within(document: Any, *keys: str) -> Any:
    """Return what stands under keys of keys, None where nothing does."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _check(name: str, table: Any, line: int, lines: list[str]) -> Check:
    """Return a check; the line of one with a field that no check has is that field's.

    Raises:
        InvalidValueError: it is no table.
    """
    if not isinstance(table, dict):
        raise InvalidValueError(
            "check", name, f"must be a table with a name of its own, [{name}-1]"
        )
    fields = {field: _typed(value) for field, value in table.items()}
    for field in _unknown(fields)[:1]:
        line = _line_of_field(field, lines, line)
    return Check(name=name, fields=fields, line=line)


def _unknown(fields: Mapping[str, Any]) -> list[str]:
    """Return the fields that no check has."""
    return [field for field in fields if field not in SETTINGS and field not in _OWN]


def _typed(value: Any) -> Any:
    """Return numbers as texts, as they were typed, and lists as tuples."""
    if isinstance(value, list):
        return tuple(map(_typed, value))
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _headers(lines: list[str]) -> dict[str, int]:
    """Return the line of each table's header, by its bare text."""
    found: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("["):
            found.setdefault(_bare(line).strip("[]"), number)
    return found


def _bare(header: str) -> str:
    """Return the text of a header without quotes and blanks."""
    return header.translate(_NO_QUOTES)


_NO_QUOTES = str.maketrans("", "", "\"' \t")


def _line_of_field(field: str, lines: list[str], header: int) -> int:
    """Return the line of a field below the line of its table's header, or the latter."""
    for number, line in enumerate(lines[header:], header + 1):
        if line.lstrip().startswith("["):
            break
        if line.partition("=")[0].strip(" \t\"'") == field:
            return number
    return header


def run_check(check: Check) -> Checked:
    """Return what comes of a check; an error in it is a failure with the error's status."""
    try:
        _require_known(check.fields)
        if "recipes" in check.fields:
            return _same_recipes(check)
        return _compared(check, _actual(check))
    except DecaycalcError as error:
        return _result(check, None, "an answer", str(error), status=error.exit_status)


def _require_known(fields: Mapping[str, Any]) -> None:
    """Refuse a field that no check has.

    Raises:
        UnknownNameError: there is one.
    """
    for field in _unknown(fields):
        known = [*sorted(_OWN), *sorted(SETTINGS)]
        own = f"(one of {', '.join(sorted(_OWN))}, or a quantity by its name, as lr)"
        hint = "" if nearest_names(field, known) else own
        raise UnknownNameError("field", field, known, hint=hint)


def _result(
    check: Check, actual: float | None, expected: str, message: str, *, status: int
) -> Checked:
    return Checked(
        name=check.name, passed=status == 0, expected=expected, actual=actual, message=message,
        line=check.line, exit_status=status,
    )  # fmt: skip


def _actual(check: Check) -> float:
    """Return the number that the check is about.

    Raises:
        DecaycalcError: there is none.
    """
    fields = {name: value for name, value in check.fields.items() if name in SETTINGS}
    if "value" not in check.fields:
        raise MissingQuantityError("a check", ("value",))
    if not isinstance(check.fields["value"], str):
        raise InvalidValueError("value", check.fields["value"], "must be a number")
    if not ({"to", "quantity"} & check.fields.keys()):
        raise MissingQuantityError("a check", ("to or quantity",))
    question = replace(question_of(fields), value=check.fields["value"])
    name = _quantity(check.fields, "value")
    if question.groups:
        return _number(_numbers_of_group(question), name)
    found = answer_of(question)
    numbers = numbers_of(found.to_dict())
    if numbers.get(name, 0) is None:
        _require_known_number(found, name)
    return _number(numbers, name)


def _require_known_number(found: Answer, name: str) -> None:
    """Refuse a number that an answer leaves open, by what it lacks.

    Raises:
        NoEquivalentError: the source's number has none of the kind.
        MissingQuantityError: a quantity of the run is unknown.
    """
    if name == "value":
        raise _unknown_value(found)
    if name == "strength" and not found.source.has_strength:
        raise NoEquivalentError(found.source.key, "a strength", "it fixes no objective")
    if found.value is not None and name in _OF_DECAY:
        require_decay(Side(convention=found.source, run=found.run), found.value, name)


def _unknown_value(found: Answer) -> DecaycalcError:
    """Return why an answer has no number in one other convention."""
    if len(found.conversions) != 1:
        return MissingQuantityError("a check of a value", ("one 'to'",))
    (made,) = found.conversions
    one, other = found.source.key, made.convention.key
    if made.missing:
        return MissingQuantityError(f"{one} to {other}", made.missing)
    return NoEquivalentError(one, other, "it has one number a layer")


def _numbers_of_group(question: Question) -> dict[str, float | None]:
    """Return the numbers of the one group that a check's rule makes, its penalty left out.

    Raises:
        DecaycalcError: there are several rules, or one that is malformed or fits no tensor.
    """
    from decaycalc.grouped_answers import answer_of_group  # noqa: PLC0415  (groups, if asked for)

    group, found = answer_of_group(question)
    own = {name: number for name, number in group.to_dict().items() if _is_number(number)}
    return {**own, **numbers_of({**found.to_dict(), "penalty": None})}


def numbers_of(document: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the numbers of an answer by their names; `value` is that of the one conversion."""
    decay, penalty = document["decay"] or {}, document["penalty"] or {}
    schedule = document.get("schedule") or {}
    conversions = document["conversions"]
    numbers = {
        "value": conversions[0]["value"] if len(conversions) == 1 else None,
        "strength": document["strength"],
        "shrink": document["shrink"],
        "survival": decay.get("per_run_factor"),
        "share_of_loss": penalty.get("share_of_initial_loss"),
        **dict.fromkeys(_NUMBERS_OF_DECAY), **decay, **schedule,
        **{f"penalty_{name}" if name == "value" else name: penalty[name] for name in penalty},
    }  # fmt: skip
    return {name: number for name, number in numbers.items() if _is_number(number)}


def _is_number(value: object) -> TypeGuard[float | None]:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _number(numbers: Mapping[str, float | None], name: str) -> float:
    """Return a number by its name.

    Raises:
        UnknownNameError: no number is called so.
        MissingQuantityError: the setting leaves it open.
    """
    if name not in numbers:
        raise UnknownNameError("quantity", name, numbers, hint=f"(one of {', '.join(numbers)})")
    number = numbers[name]
    if number is None:
        raise MissingQuantityError(name, ("more of the run",))
    return number


def _float(fields: Mapping[str, Any], name: str) -> float:
    """Return a field's number.

    Raises:
        InvalidValueError: it is not a number.
    """
    text = fields[name]
    if not isinstance(text, str):
        raise InvalidValueError(name, text, "must be a number")
    return float(exact(text, name=name))


def _quantity(fields: Mapping[str, Any], default: str) -> str:
    """Return the name of the number that a check is about.

    Raises:
        InvalidValueError: it is not a text.
    """
    name = fields.get("quantity", default)
    if not isinstance(name, str):
        raise InvalidValueError("quantity", name, "must be a quantity's name")
    return name


def _compared(check: Check, actual: float) -> Checked:
    """Return whether a number is what the check says.

    Raises:
        MissingQuantityError: the check says nothing.
        InvalidValueError: a bound that is no number.
    """
    bounds = {name: check.fields[name] for name in ("equals", "min", "max") if name in check.fields}
    if not bounds:
        raise MissingQuantityError("a check", ("equals, min or max",))
    limits = {name: _float(bounds, name) for name in bounds}
    rtol = _float({"rtol": _DEFAULT_RTOL, **check.fields}, "rtol")
    name = check.fields.get("quantity") or check.fields["to"]
    texts = []
    if "equals" in limits and not _close(actual, limits["equals"], rtol):
        texts.append(f"is not {limits['equals']!r} to a relative {rtol:g}")
    if actual < limits.get("min", actual):
        texts.append(f"is below {limits['min']!r}")
    if actual > limits.get("max", actual):
        texts.append(f"is above {limits['max']!r}")
    expected = " and ".join(f"{kind} {limit!r}" for kind, limit in limits.items())
    message = f"{name} {actual!r} {' and '.join(texts) or 'as it should be'}"
    return _result(check, actual, expected, message, status=int(bool(texts)))


def _close(one: float, other: float, rtol: float) -> bool:
    return abs(one - other) <= rtol * abs(other)


def _same_recipes(check: Check) -> Checked:
    """Return whether two recipes have the same number.

    Raises:
        DecaycalcError: they are not two, or one leaves the number open.
    """
    names = check.fields["recipes"]
    if not _are_two_texts(names):
        given = list(names) if isinstance(names, tuple) else names
        raise InvalidValueError("recipes", given, "must be two names or files")
    quantity = _quantity(check.fields, _RECIPE_QUANTITY)
    first, second = (_number(_measured(name), quantity) for name in names)
    rtol = _float({"rtol": _DEFAULT_RTOL, **check.fields}, "rtol")
    same = _close(first, second, rtol)
    verb = "is" if same else "is not"
    message = f"{quantity} {first!r} of {names[0]} {verb} the {second!r} of {names[1]}"
    return _result(check, first, f"equals {second!r}", message, status=int(not same))


def _are_two_texts(names: object) -> bool:
    is_pair = isinstance(names, tuple) and len(names) == 2  # noqa: PLR2004
    return is_pair and all(isinstance(name, str) for name in names)  # type: ignore[attr-defined]


def _measured(name: str) -> dict[str, float | None]:
    """Return a recipe's numbers.

    Raises:
        UnknownNameError: no recipe is called so.
        UnreadableFileError: a file that is no training configuration.
    """
    from decaycalc.training.published.measure import measure_training_as_recipe  # noqa: PLC0415
    from decaycalc.training.source import load  # noqa: PLC0415  (recipes, if asked for)

    figures = measure_training_as_recipe(load(name)).to_dict()
    return {key: number for key, number in figures.items() if _is_number(number)}
