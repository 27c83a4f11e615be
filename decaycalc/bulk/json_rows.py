"""Rows of JSON lines: each object comes back as it was, with its result's members added."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from decaycalc.bulk.converter import Converter
from decaycalc.bulk.fields import RESULTS, Finder
from decaycalc.bulk.formats import JsonMembers
from decaycalc.bulk.stream import BadRowError, Stream, Tally, UnforeseenError
from decaycalc.conventions.catalogue import find
from decaycalc.errors import DecaycalcError

_BLANK = " \t\r\n"


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
            known = error if isinstance(error, DecaycalcError) else UnforeseenError(error)
            stream.put(writer.error(stream.line, known))
            if stream.failed():
                break
    stream.flush()
    return stream.tally


def _answered(line: str, converter: Converter) -> str:
    """Return the row with its result.

    Raises:
        DecaycalcError: it is not a row, or has no answer.
    """
    try:
        row, end = _SCAN(line, 0)
    except (StopIteration, ValueError, RecursionError):
        row, end = None, 0
    if end != len(line) or type(row) is not dict:
        line, row = _tidied(line)
    elif not line.isascii():
        _check_encoding(line)
    columns = converter.columns(tuple(row))
    result = converter.row_text(columns, row, row.get("value"))
    if columns.collides:
        line = _without_results(line)
    separator = ", " if len(line) > len("{}") else ""
    return f"{line[:-1]}{separator}{result}"


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
        raise BadRowError("not a JSON object")
    return line, row


def _without_results(line: str) -> str:
    """Return an object's text without the members of an earlier result, all else untouched.

    >>> _without_results('{"a": 1e5, "result": 2.0}'), _without_results('{"result": 1,"a":-0}')
    ('{"a": 1e5}', '{"a":-0}')
    """
    kept = (text for name, text in _members(line) if name not in RESULTS)
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
