"""JSON documents: the three keys that each begins with, and their text."""

import json
from collections.abc import Mapping

from decaycalc import __version__
from decaycalc.errors import beyond_float64

SCHEMA_VERSION = 1


def document(name: str, body: Mapping[str, object]) -> dict[str, object]:
    """Return the document `decaycalc.<name>`: schema, schema_version, version, then the body."""
    head = {"schema": f"decaycalc.{name}", "schema_version": SCHEMA_VERSION}
    return {**head, "version": __version__, **body}


def to_json(value: object, *, indent: int | None = 2) -> str:
    """Return JSON text, numbers at full precision.

    Raises:
        InvalidValueError: a number that is not finite: sums and products may leave float64's range.
    """
    try:
        text = json.dumps(value, indent=indent, allow_nan=False, ensure_ascii=False)
    except ValueError:
        raise beyond_float64() from None
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which a name in a JSON file may hold
        return json.dumps(value, indent=indent, allow_nan=False)
    return text
