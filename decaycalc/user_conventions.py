"""A user's own conventions, from a TOML file: the catalogue's records with the same fields.

    [[convention]]                           # [[tool.decaycalc.convention]] in pyproject.toml
    key = "my-adamw"
    title = "our trainer's decay"
    parameter = "wd"
    shrink = "lr*wd/2"                       # or strength = "2*wd/loss_scale", or refusal = "why"
    coupling = "decoupled"
    optimizer = "adam"
    update = "w = w*(1 - lr*wd/2); w = w - lr*adam(g)"
    source = "trainer/optim.py, line 12"

`strength` and `shrink` are formulas as `parse_monomial` reads them, `update` is a rule as
`parse_rule` reads it. Every other field of `Convention` but `form` may be given; `defaults` is a
table of quantities, `refinements` one of quantities and what the number is multiplied by.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np

from decaycalc.algebra.monomial_text import parse_monomial
from decaycalc.algebra.quantity import OF_GROUPS, QUANTITIES, Monomial, exact
from decaycalc.conventions.catalogue import conventions
from decaycalc.conventions.record import FIT, Buffer, Convention, Coupling, Follows
from decaycalc.conventions.run import Loss, Run
from decaycalc.conversion.inverse import value_for_shrink
from decaycalc.conversion.shrinks import evaluated, shrink_of
from decaycalc.conversion.side import Side
from decaycalc.errors import (
    ContradictionError,
    InvalidValueError,
    UnknownNameError,
    UnreadableFileError,
)
from decaycalc.files.toml_text import parse_toml_file
from decaycalc.verification.rules.rule import State, parse_rule

_REQUIRED = ("key", "parameter", "source", "update")
_LARGEST = 1 << 20  # bytes; a thousand records are a third of it
_UNITS = ("half-squared-error", "squared-error")

_UNSAID = {
    "group": "Your own",
    "exempt": "not said",
    "trap": None,
    "verification": "its author's word",
}

_TOLERANCE = 1e-3  # relative; a rule may have a schedule of its own
_EXTRAS = tuple(
    name
    for name, quantity in QUANTITIES.items()
    if quantity.extra and not quantity.integer and name not in {"gradient_rms", "eps", *OF_GROUPS}
)

Table = Mapping[str, object]


def load_conventions(path: str) -> tuple[Convention, ...]:
    """Return the conventions of a TOML file, in its order.

    Raises:
        UnreadableFileError: no such file, or no convention in it.
        TomlSyntaxError: it is no TOML.
        InvalidValueError: a field that is missing, of the wrong kind or out of its domain.
        UnknownNameError: a field that there is not.
        TextSyntaxError: a formula or an update rule that cannot be read.
        ContradictionError: a key or an alias that is taken.
    """
    document = _document(path)
    tables = document.get("convention", _tool(document).get("convention"))
    if not isinstance(tables, list) or not tables:
        raise UnreadableFileError(path, "it holds no [[convention]]")
    taken = {name for record in conventions() for name in (record.key, *record.aliases)}
    records = []
    for number, table in enumerate(tables, start=1):
        record = _convention(table, f"convention {number} of {path}")
        _claim(record, taken)
        records.append(record)
    return tuple(records)


def _document(path: str) -> Table:
    """Return the TOML document of a file, or of a pipe."""
    return parse_toml_file(path, float, largest=_LARGEST, streams=True)


def _tool(document: Table) -> Table:
    """Return `[tool.decaycalc]` of a pyproject.toml, empty where there is none."""
    for name in ("tool", "decaycalc"):
        inner = document.get(name)
        document = inner if isinstance(inner, dict) else {}
    return document


def _claim(record: Convention, taken: set[str]) -> None:
    """Refuse a name that another convention has."""
    for name in (record.key, *record.aliases):
        if name in taken:
            raise ContradictionError(f"the convention {name!r} is there already: take another name")
        taken.add(name)


def _convention(table: object, where: str) -> Convention:
    """Return one table's record; `where` names it in errors."""
    if not isinstance(table, dict):
        raise InvalidValueError(where, table, "must be a table of fields")
    where = f"{where} ({table['key']})" if isinstance(table.get("key"), str) else where
    for name in table:
        if name not in _READERS:
            raise UnknownNameError(f"field in {where}:", name, _READERS)
    for name in _REQUIRED:
        if name not in table:
            raise InvalidValueError(where, name, "is missing")
    parameter = _name(table["parameter"], f"parameter of {where}", "parameter")
    fields: dict[str, Any] = {
        name: _READERS[name](value, f"{name} of {where}", parameter)
        for name, value in table.items()
    }
    coupling = Coupling.DECOUPLED if "shrink" in fields else Coupling.COUPLED
    record = Convention(**{**_UNSAID, "title": fields["key"], "coupling": coupling, **fields})
    if (record.strength is None) == (record.coupling == Coupling.COUPLED) and not record.refusal:
        raise ContradictionError(f"{where}: a strength is coupled, a shrink is decoupled")
    _check_rule(record, where)
    _check_agreement(record, where)
    return record


def _check_rule(record: Convention, where: str) -> None:
    """Refuse a rule that does not read the parameter, or reads what no run knows.

    Raises:
        InvalidValueError: it does.
        TextSyntaxError: the rule cannot be read at all.
    """
    read = parse_rule(record.update).quantities
    if record.parameter not in read:
        raise InvalidValueError(
            f"update of {where}", record.update, f"does not read {record.parameter}"
        )
    for name in sorted(read - {record.parameter} - QUANTITIES.keys()):
        raise UnknownNameError(f"quantity in the update of {where}:", name, QUANTITIES)


def _check_agreement(record: Convention, where: str) -> None:
    """Refuse a formula and an update rule of which one is wrong.

    Raises:
        ContradictionError: without a gradient the rule removes another share than the formula says.
    """
    if not record.has_shrink or record.optimizer == FIT or record.estimate:
        return
    side, rule = _sample(record), parse_rule(record.update)
    value = value_for_shrink(side, Fraction(1, 1000))
    scale = evaluated(side, side.loss_scale)
    known = {name: side.get(name) for name in rule.quantities}
    names = {name: float(number) for name, number in known.items() if number is not None}
    names |= {"lr": 0.01, "loss_scale": float(scale), record.parameter: float(value)}
    state, w = State(), np.array([[1.0, -2.0], [3.0, 0.5]])
    for _ in range(7):  # some optimizers only fill their state in the first steps
        before, w = w, rule.step(state, w, 0 * w, names=names)
    expected, actual = float(side.exact_shrink(shrink_of(side, value))), 1 - w / before
    if np.abs(actual - expected).max() > _TOLERANCE * abs(expected):
        raise ContradictionError(
            f"{where}: its update removes {float(np.mean(actual)):g} of a weight a step where its "
            f"formula says {expected:g}"
        )


def _sample(record: Convention) -> Side:
    """Return the record in a run where every quantity that it needs is known."""
    optional = {name for name, _ in record.refinements}
    extras = tuple((name, "0.5") for name in _EXTRAS if name not in optional)
    run = Run(
        lr="0.01",
        momentum=0,
        batch_size=32,
        dataset_size=960,
        steps=90,
        n_weights=4,
        n_layers=3,
        extras=extras,
    )
    return Side(convention=record, run=run, layer=Fraction(5))


Reader = Callable[[object, str, str], object]
"""How a field is read: its TOML value, its name in errors, the record's parameter."""


def _text(value: object, where: str, _: str) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InvalidValueError(where, value, "must be a text of one line")
    return value.strip()


def _name(value: object, where: str, parameter: str) -> str:
    text = _text(value, where, parameter)
    if not text.isidentifier() or not text.isascii() or text in QUANTITIES:
        raise InvalidValueError(where, value, "must be a name that no quantity has, such as wd")
    return text


def _key(value: object, where: str, parameter: str) -> str:
    text = _text(value, where, parameter)
    words = text.split("-")
    if not all(w.isalnum() and w.isascii() and w == w.lower() for w in words):
        raise InvalidValueError(where, value, "must be lower-case words joined by hyphens")
    return text


def _keys(value: object, where: str, parameter: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidValueError(where, value, "must be a list of names")
    return tuple(_key(item, where, parameter) for item in value)


def _flag(value: object, where: str, _: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidValueError(where, value, "must be true or false")
    return value


def _formula(value: object, where: str, parameter: str) -> Monomial:
    return parse_monomial(_text(value, where, parameter), parameter=parameter, what=where)


def _number(value: object, where: str, _: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidValueError(where, value, "must be a number")
    if exact(value, name=where) < 0:
        raise InvalidValueError(where, value, "must not be negative")
    return str(value)


def _default(value: object, where: str, parameter: str) -> str:
    return "none" if value == "none" else _number(value, where, parameter)


def _quantity(value: object, where: str, _: str) -> str:
    if not isinstance(value, str) or value not in QUANTITIES:
        raise UnknownNameError(f"quantity in {where}:", str(value), QUANTITIES)
    return value


def _table(of_one: Reader) -> Reader:
    """Return the reader of a table of quantities, in which `of_one` reads what each is."""

    def read(value: object, where: str, parameter: str) -> tuple[tuple[str, object], ...]:
        if not isinstance(value, dict):
            raise InvalidValueError(where, value, "must be a table of quantities")
        names = {_quantity(name, where, ""): inner for name, inner in value.items()}
        return tuple(
            (name, of_one(inner, f"{name} in {where}", parameter)) for name, inner in names.items()
        )

    return read


def _quantity_or_number(value: object, where: str, parameter: str) -> str:
    is_quantity = isinstance(value, str) and value in QUANTITIES
    return str(value) if is_quantity else _number(value, where, parameter)


def _choice(choices: type[StrEnum]) -> Reader:
    """Return the reader of one of an enumeration's words."""

    def read(value: object, where: str, _: str) -> StrEnum:
        if value not in [choice.value for choice in choices]:
            raise InvalidValueError(where, value, f"must be one of {', '.join(choices)}")
        return choices(str(value))

    return read


def _unit(value: object, where: str, _: str) -> str:
    if value not in _UNITS:
        raise InvalidValueError(where, value, f"must be one of {', '.join(_UNITS)}")
    return str(value)


_READERS: dict[str, Reader] = {
    "key": _key,
    "aliases": _keys,
    "title": _text,
    "group": _text,
    "parameter": _name,
    "strength": _formula,
    "shrink": _formula,
    "refusal": _text,
    "coupling": _choice(Coupling),
    "optimizer": _key,
    "variant": _text,
    "buffer": _choice(Buffer),
    "has_momentum": _flag,
    "decays_after_step": _flag,
    "proximal": _flag,
    "compounds": _quantity,
    "follows": _choice(Follows),
    "loss": _choice(Loss),
    "loss_unit": _unit,
    "loss_kinds": _keys,
    "defaults": _table(_quantity_or_number),
    "refinements": _table(_formula),
    "update": _text,
    "default": _default,
    "exempt": _text,
    "trap": _text,
    "source": _text,
    "verification": _text,
    "since": _text,
    "until": _text,
    "estimate": _text,
    "common": _flag,
}
"""The fields of a table, and how each is read."""
