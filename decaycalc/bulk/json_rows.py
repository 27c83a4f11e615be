"""Rows of JSON lines: each object comes back as it was, with its result's members added."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from decaycalc.bulk.converter import Converter
from decaycalc.bulk.fields import ERRORS, RESULTS, Finder
from decaycalc.bulk.formats import JsonMembers
from decaycalc.bulk.stream import BadRowError, Stream, Tally, as_ours
from decaycalc.conventions.catalogue import find

_BLANK = " \t\r\n"
_ENDLESS = re.compile(r"\d{4300}")  # Python reads no integer of more digits


def _not_finite(name: str) -> None:
    raise BadRowError(f"not JSON: {name}")


_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_not_finite)
_SCAN: Callable[[str, int], tuple[Any, int]] = _DECODER.scan_once  # type: ignore[attr-defined]


def convert_jsonl(stream: Stream, defaults: dict[str, Any], finder: Finder = find) -> Tally:
    """Answer rows of JSON lines: each object comes back with its result's members added."""
    writer = JsonMembers()
    converter = Converter(defaults, writer, finder)
    # A lone surrogate that a row has as \ud800 can only come back as it was written.
    stream.escapes = "backslashreplace"
    for line in stream.lines():
        if not line or line.isspace():
            continue
        stream.tally.rows += 1
        try:
            stream.put(_answered(line, converter))
        except Exception as error:  # noqa: BLE001  (no row may cost the others their answers)
            stream.put(_with_row(line, writer.error(stream.line, as_ours(error))))
            if stream.failed():
                break
    stream.flush()
    return stream.tally


def _answered(line: str, converter: Converter) -> str:
    """Return the row with its result.

    Raises:
        DecaycalcError: it is not a row, or has no answer.
    """
    line, row = _row(line)
    columns = converter.columns(tuple(row))
    result = converter.row_text(columns, row, row.get("value"))
    if columns.collides:
        line = _without(line, row, (*RESULTS, *(ERRORS if _has_failed(row) else ())))
    return _joined(line, result)


def _with_row(line: str, error: str) -> str:
    """Return a bad row with its error: its own members, where it is an object, come first.

    Not where readers of JSON would fail at it for the length of a number.
    """
    try:
        line, row = _row(line)
    except BadRowError:
        return error
    if _ENDLESS.search(line):
        return error
    return _joined(_without(line, row, (*RESULTS, *ERRORS)), error[1:])


def _has_failed(row: dict[str, Any]) -> bool:
    """Return whether a row holds the error of an earlier pass, not a member of its own."""
    error = row.get("error")
    return isinstance(error, dict) and {"type", "message"} <= error.keys()


def _joined(line: str, members: str) -> str:
    """Return an object's text with further members, whose text ends the object."""
    separator = ", " if line[1:-1].strip() else ""
    return f"{line[:-1]}{separator}{members}"


def _row(line: str) -> tuple[str, dict[str, Any]]:
    """Return the text of a line's object without what surrounds it, and the object.

    Raises:
        BadRowError: it is not UTF-8, not JSON or not an object.
    """
    try:
        row, end = _SCAN(line, 0)
    except (StopIteration, ValueError, RecursionError):
        row, end = None, 0
    if end != len(line) or type(row) is not dict:
        return _tidied(line)
    if not line.isascii():
        _check_encoding(line)
    return line, row


def _check_encoding(line: str) -> None:
    """Refuse bytes that are not UTF-8."""
    try:
        line.encode()
    except UnicodeEncodeError:
        raise BadRowError("not UTF-8") from None


def _tidied(line: str) -> tuple[str, dict[str, Any]]:
    """Return the line without what surrounds its object, and the object.

    Raises:
        BadRowError: it is not UTF-8, not JSON or not an object.
    """
    _check_encoding(line)
    line = line.strip(" \t\r\ufeff")
    try:
        row, end = _SCAN(line, 0)
    except StopIteration as error:
        raise BadRowError(f"not JSON: unexpected text at character {error.value + 1}") from None
    except json.JSONDecodeError as error:
        raise BadRowError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise BadRowError("not JSON: nested too deeply") from None
    if end != len(line):
        raise BadRowError(f"not JSON: unexpected text at character {end + 1}")
    if not isinstance(row, dict):
        raise BadRowError("not a JSON object: write one a line, without a list around them")
    return line, row


def _without(line: str, row: dict[str, Any], names: tuple[str, ...]) -> str:
    """Return an object's text without the members of these names, all else untouched.

    >>> _without('{"a": 1e5, "result": 2.0}', {"a": "1e5", "result": "2.0"}, ("result",))
    '{"a": 1e5}'
    """
    if row.keys().isdisjoint(names):
        return line
    kept = (text for name, text in _members(line) if name not in names)
    return "{" + ",".join(kept) + "}"


def _members(line: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each member of an object, and all its text between the commas."""
    at = start = 1
    while line[at - 1] != "}":
        name, at = _SCAN(line, _skip(line, start))
        _, at = _SCAN(line, _skip(line, _skip(line, at) + 1))
        end = _skip(line, at)
        yield name, line[start:end]
        at = start = end + 1


def _skip(line: str, at: int) -> int:
    """Return the place of the next letter that is not blank."""
    while line[at] in _BLANK:
        at += 1
    return at
