"""JSON Schemas (draft 2020-12) of all JSON that the command line writes, by document name.

`python -m tests.renew` makes schemas.json of the annotations in `document_types`: importing those
takes all that writes a document with it.
"""

import json

from decaycalc.errors import UnknownNameError

FILE = f"{__file__.removesuffix('.py')}.json"


def _stored() -> dict[str, dict[str, object]]:
    with open(FILE, encoding="utf-8") as file:  # noqa: PTH123  (pathlib is slow to load)
        schemas: dict[str, dict[str, object]] = json.load(file)
        return schemas


_SCHEMAS = _stored()
NAMES = tuple(_SCHEMAS)


def schema(name: str) -> dict[str, object]:
    """Return the JSON Schema of a document, or of an error (`error`) or bulk row (`row`).

    Raises:
        UnknownNameError: there is no such document.
    """
    if name not in _SCHEMAS:
        raise UnknownNameError("schema", name, NAMES, hint=f"(one of {', '.join(NAMES)})")
    return _SCHEMAS[name]
