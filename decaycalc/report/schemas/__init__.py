"""JSON Schemas (draft 2020-12) of all JSON that the command line writes, by document name."""

from decaycalc.report.schemas.notation import Shape, to_schema
from decaycalc.report.schemas.shapes import DOCUMENTS, OTHERS

__all__ = ["NAMES", "schema"]

NAMES = (*DOCUMENTS, *OTHERS)


def schema(name: str) -> dict[str, object]:
    """Return the JSON Schema of a document, or of an error (`error`) or bulk row (`row`).

    Raises:
        UnknownNameError: there is no such document.
    """
    if name not in NAMES:
        from decaycalc.errors import UnknownNameError  # noqa: PLC0415  (only when it goes wrong)

        raise UnknownNameError("schema", name, NAMES, hint=f"(one of {', '.join(NAMES)})")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"decaycalc.{name}",
    }
    if name in OTHERS:
        return {**head, **to_schema(OTHERS[name])}
    return {**head, **_document(name, DOCUMENTS[name])}


def _document(name: str, shapes: tuple[Shape, ...]) -> dict[str, object]:
    """Return a document's schema: the three keys that each has, and one of the shapes."""
    bodies = [to_schema(shape) for shape in shapes]
    return {
        "type": "object",
        "properties": {
            "schema": {"const": f"decaycalc.{name}"},
            "schema_version": {"const": 1},
            "version": {"type": "string"},
        },
        "required": ["schema", "schema_version", "version"],
        **({"allOf": bodies} if len(bodies) == 1 else {"anyOf": bodies}),
    }
