"""The JSON Schemas, made of the annotations by which the code of the documents is checked."""

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints

from decaycalc.algebra.quantity import EXTRAS, NUMBERS
from decaycalc.conventions.run import RunJson
from decaycalc.report.document import SCHEMA_VERSION
from decaycalc.report.document_types import DOCUMENTS, OTHERS

Schema = dict[str, Any]

# What a run says beside its quantities; of these the last three only where they are known.
_BESIDE: dict[str, Schema] = {
    "nesterov": {"type": "boolean"},
    "drop_last": {"type": "boolean"},
    "loss": {"type": ["string", "number"]},
    "optimizer": {"type": "string"},
    "examples_per_step": {"type": "number"},
    "steps_per_epoch": {"type": "number"},
}
_ALWAYS = ("nesterov", "drop_last", "loss")
_PLAIN: dict[Any, Schema] = {
    Any: {},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    NoneType: {"type": "null"},
}


def schemas() -> dict[str, Schema]:
    """Return the schema of every document, and of what stands outside of documents."""
    bodies = {name: _document(name, kinds) for name, kinds in DOCUMENTS.items()}
    bodies |= {name: schema_of(kind) for name, kind in OTHERS.items()}
    return {
        name: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"decaycalc.{name}",
            **body,
        }
        for name, body in bodies.items()
    }


def _document(name: str, kinds: tuple[Any, ...]) -> Schema:
    """Return a document's schema: the three keys that each has, and one of the kinds."""
    bodies = [schema_of(kind) for kind in kinds]
    return {
        "type": "object",
        "properties": {
            "schema": {"const": f"decaycalc.{name}"},
            "schema_version": {"const": SCHEMA_VERSION},
            "version": {"type": "string"},
        },
        "required": ["schema", "schema_version", "version"],
        **({"allOf": bodies} if len(bodies) == 1 else {"anyOf": bodies}),
    }


def schema_of(kind: Any) -> Schema:
    """Return the JSON Schema of an annotation.

    A `TypedDict` and a record are objects of their fields, described by the first line of their
    docstring; a dictionary that is annotated with a record is that record, without the fields that
    the annotation names beside it where they are null. Objects may have further keys: documents
    change by addition only.

    >>> schema_of(float | None)
    {'type': ['number', 'null']}
    >>> schema_of(list[dict[str, int]])["items"]
    {'type': 'object', 'additionalProperties': {'type': 'integer'}}
    """
    if kind is RunJson:
        return _run()
    if kind in _PLAIN:
        return _PLAIN[kind]
    if get_origin(kind) is None:
        return _object(kind, absent=getattr(kind, "__optional_keys__", frozenset()))
    return _COMPOSED[get_origin(kind)](get_args(kind))


def _run() -> Schema:
    """Return the schema of a run: its quantities, each where it is declared, and what is beside."""
    number = {"type": "number"}
    return {
        "type": "object",
        "description": "The quantities of a run that are known, given or derived.",
        "properties": {**{each.name: number for each in (*NUMBERS, *EXTRAS)}, **_BESIDE},
        "required": [*(each.name for each in NUMBERS if each.default is not None), *_ALWAYS],
    }


def _either(kinds: tuple[Any, ...]) -> Schema:
    """Return the schema of one of several kinds, of which one may have fields."""
    parts = [schema_of(kind) for kind in kinds]
    return {**parts[0], "type": [part["type"] for part in parts]}


def _array(kinds: tuple[Any, ...]) -> Schema:
    return {"type": "array", "items": schema_of(kinds[0])}


def _mapping(kinds: tuple[Any, ...]) -> Schema:
    return {"type": "object", "additionalProperties": schema_of(kinds[1])}


def _record(kinds: tuple[Any, ...]) -> Schema:
    """Return the schema of a dictionary of a record's fields, some left out where they are null."""
    _, record, *absent = kinds
    made_of = _object(record, absent=frozenset(absent))
    for name in absent:
        made_of["properties"][name]["type"].remove("null")
    return made_of


def _object(kind: Any, *, absent: frozenset[str]) -> Schema:
    """Return the schema of an object of a class's fields."""
    hints = get_type_hints(kind, include_extras=True)
    fields = {name: each for name, each in hints.items() if name[0] != "_"}
    return {
        "type": "object",
        "description": kind.__doc__.partition("\n")[0],
        "properties": {name: schema_of(each) for name, each in fields.items()},
        "required": [name for name in fields if name not in absent],
    }


_COMPOSED: dict[Any, Callable[[tuple[Any, ...]], Schema]] = {
    Union: _either,
    UnionType: _either,
    list: _array,
    tuple: _array,
    dict: _mapping,
    Annotated: _record,
    NotRequired: lambda kinds: schema_of(kinds[0]),
}
