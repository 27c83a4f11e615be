"""A short notation of JSON shapes, and its JSON Schema.

A text names a type, with `?` where null is allowed too; a list of one shape is an array, a pair of
`map` and a shape an object with any keys; a dictionary is an object with these keys, of which those
ending in `?` may be absent. Objects may have further keys: documents change by addition only.
"""

from typing import Any

Shape = Any


def to_schema(shape: Shape) -> dict[str, Any]:
    """Return the JSON Schema of a shape.

    >>> to_schema("number?")
    {'type': ['number', 'null']}
    >>> to_schema({"name": "string", "value?": ["number"]})["required"]
    ['name']
    """
    if isinstance(shape, str):
        plain = shape.removesuffix("?")
        return {} if plain == "any" else {"type": [plain, "null"] if shape != plain else plain}
    if isinstance(shape, list):
        return {"type": "array", "items": to_schema(shape[0])}
    if isinstance(shape, tuple):
        return {"type": "object", "additionalProperties": to_schema(shape[1])}
    nullable = "?" in shape
    keys = {key.removesuffix("?"): part for key, part in shape.items() if key != "?"}
    return {
        "type": ["object", "null"] if nullable else "object",
        "properties": {key: to_schema(part) for key, part in keys.items()},
        "required": [key for key in shape if not key.endswith("?")],
    }
