"""How results stand behind their rows: as JSON members, or as CSV columns."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from decaycalc.bulk.fields import RESULTS, Fields
from decaycalc.errors import ContradictionError, DecaycalcError
from decaycalc.report.document import to_json

# Stand for a number and for a text in what kinds of rows share; no convention's text holds them.
# The comma makes CSV quote the cell, as it does that of the text to come.
MARK, NOTE = "\x01", "\x02,"
_NO_COLUMNS = frozenset({"result_layers", "result_groups", "conversions"})  # lists of them
CSV_COLUMNS = (*(name for name in RESULTS if name not in _NO_COLUMNS), "error")


def _result(conversion: Fields) -> dict[str, object]:
    """Return the result columns of one conversion."""
    fields = {
        "result": conversion["value"],
        "result_parameter": conversion["parameter"],
        "result_lr": conversion["lr"],
        "result_equivalence": conversion["equivalence"],
        "result_note": conversion["note"],
        "result_assumptions": conversion["assumptions"],
    }
    return fields | ({"result_layers": conversion["layers"]} if conversion["layers"] else {})


class JsonMembers:
    """Results as members that end a JSON object: the text behind the row's last one."""

    mark, note = to_json(MARK), to_json(NOTE)[1:-1]

    def result(
        self,
        conversions: Sequence[Fields],
        warnings: Sequence[str],
        *,
        listed: bool,
        groups: Sequence[Any] = (),
    ) -> str:
        """Return the text of conversions and groups, as JSON holds them, and of warnings."""
        fields = {"conversions": conversions} if listed else _result(conversions[0])
        fields |= {"result_groups": groups} if groups else {}
        return to_json({**fields, "result_warnings": warnings}, indent=None)[1:]

    def error(self, line: int, error: DecaycalcError) -> str:
        """Return what stands in a bad row's place."""
        return to_json({"line": line, "error": error.to_dict()}, indent=None)


class CsvColumns:
    """Results as further columns."""

    mark, note = MARK, NOTE

    def result(
        self,
        conversions: Sequence[Fields],
        warnings: Sequence[str],
        *,
        listed: bool,
        groups: Sequence[Any] = (),
    ) -> str:
        """Return the text of conversions, as JSON holds them, and of warnings.

        Raises:
            ContradictionError: there is more of them than columns.
        """
        if listed:
            raise ContradictionError("a CSV row has room for one target: give 'to'")
        if groups:
            raise ContradictionError("groups have no room in CSV: use JSON lines")
        fields = _result(conversions[0])
        if "result_layers" in fields:
            raise ContradictionError("one number a layer has no room in CSV: use JSON lines")
        assumed = (f"{each['name']}={each['value']}" for each in conversions[0]["assumptions"])
        fields["result_assumptions"] = "; ".join(assumed)
        return "," + to_csv([*fields.values(), "; ".join(warnings), None])

    def error(self, line: int, error: DecaycalcError) -> str:
        """Return what stands behind a bad row."""
        return "," + to_csv([*[None] * (len(CSV_COLUMNS) - 1), f"line {line}: {error}"])


def to_csv(cells: Sequence[object]) -> str:
    """Return cells as CSV without a line's end."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow(cells)
    return stream.getvalue()
