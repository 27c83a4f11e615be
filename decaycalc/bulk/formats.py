"""How results stand behind their rows: as JSON members, or as CSV columns."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from decaycalc.answers import Answer
from decaycalc.conversion.convert import Conversion
from decaycalc.errors import ContradictionError, DecaycalcError
from decaycalc.report.document import to_json

# Stands for a number in a pattern; no convention's text holds it.
_MARK = "\x01"
CSV_COLUMNS = (
    "result", "result_parameter", "result_lr", "result_equivalence", "result_note", "error",
)  # fmt: skip


def error_fields(error: DecaycalcError) -> dict[str, object]:
    """Return an error as JSON holds it."""
    return {"type": error.kind, "message": str(error), **error.fields()}


def _result(conversion: Mapping[str, Any]) -> dict[str, object]:
    """Return the result columns of one conversion."""
    fields = {
        "result": conversion["value"],
        "result_parameter": conversion["parameter"],
        "result_lr": conversion["lr"],
        "result_equivalence": conversion["equivalence"],
        "result_note": conversion["note"],
    }
    return fields | ({"result_layers": conversion["layers"]} if conversion["layers"] else {})


def _marked(conversion: Conversion) -> dict[str, object]:
    """Return a conversion with a mark for each number that is still to come."""
    marks = {"value": _MARK} | ({} if conversion.lr is None else {"lr": _MARK})
    return conversion.to_dict() | marks


class JsonMembers:
    """Results as members that end a JSON object: the text behind the row's last one."""

    def pattern(self, conversions: Sequence[Conversion], *, listed: bool) -> tuple[str, ...]:
        """Return the text around the numbers of conversions that have none yet."""
        text = self._members(list(map(_marked, conversions)), listed=listed)
        return tuple(text.split(to_json(_MARK)))

    def result(self, answer: Answer, *, listed: bool) -> str:
        """Return the text of an answer."""
        return self._members([made.to_dict() for made in answer.conversions], listed=listed)

    def _members(self, conversions: list[dict[str, object]], *, listed: bool) -> str:
        fields = {"conversions": conversions} if listed else _result(conversions[0])
        return to_json(fields, indent=None)[1:]

    def error(self, line: int, error: DecaycalcError) -> str:
        """Return what stands in a bad row's place."""
        return to_json({"line": line, "error": error_fields(error)}, indent=None)


class CsvColumns:
    """Results as further columns."""

    def pattern(self, conversions: Sequence[Conversion], *, listed: bool) -> tuple[str, ...]:
        """Return the text around the numbers of conversions that have none yet."""
        return tuple(self._columns([*map(_marked, conversions)], listed=listed).split(_MARK))

    def result(self, answer: Answer, *, listed: bool) -> str:
        """Return the text of an answer."""
        return self._columns([made.to_dict() for made in answer.conversions], listed=listed)

    def _columns(self, conversions: list[dict[str, object]], *, listed: bool) -> str:
        if listed:
            raise ContradictionError("a CSV row has room for one target: give 'to'")
        fields = _result(conversions[0])
        if "result_layers" in fields:
            raise ContradictionError("one number a layer has no room in CSV: use JSON lines")
        return "," + to_csv([*fields.values(), None])

    def error(self, line: int, error: DecaycalcError) -> str:
        """Return what stands behind a bad row."""
        return "," + to_csv([*[None] * (len(CSV_COLUMNS) - 1), f"line {line}: {error}"])


def to_csv(cells: Sequence[object]) -> str:
    """Return cells as CSV without a line's end."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow(cells)
    return stream.getvalue()
