"""JSON and TOML by the standard library: numbers as typed, and the lines of their keys."""

import re
from collections.abc import Mapping

from decaycalc.errors import UnreadableFileError
from decaycalc.files.json_text import parse_json as parse_json_text
from decaycalc.files.toml_text import TomlSyntaxError
from decaycalc.files.toml_text import parse_toml as parse_toml_text
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar

_DEEPEST = 100
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:\n]', re.DOTALL)
_TOML_SECTION = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?")
_TOML_KEY = re.compile(r"""\s*([\w.\-"']+)\s*=""")


def parse_json(text: str, name: str) -> Entries:
    """Return a JSON object's tree.

    Raises:
        UnreadableFileError: not JSON, no object, or nested too deeply.
    """
    value = parse_json_text(text, name, parse_number=str)
    return _root(value, _json_lines(text), name, "JSON object")


def parse_toml(text: str, name: str) -> Entries:
    """Return a TOML document's tree.

    Raises:
        UnreadableFileError: not TOML, or nested too deeply.
    """
    try:
        value = parse_toml_text(text, name)
    except TomlSyntaxError as error:
        place = f"line {error.line}, column {error.column}"
        raise UnreadableFileError(name, f"not TOML: {error.reason} at {place}") from None
    return _root(value, _toml_lines(text), name, "TOML table")


def _root(value: object, lines: Mapping[str, int], name: str, what: str) -> Entries:
    if not isinstance(value, dict):
        raise UnreadableFileError(name, f"it holds no {what}")
    node = _node(value, "", lines, 0, name)
    assert isinstance(node, Entries)  # noqa: S101  (a dict becomes one; tells the type checker)
    return node


def _node(value: object, path: str, lines: Mapping[str, int], depth: int, name: str) -> Node:
    """Return a parsed value as a node with the line of its key."""
    line = lines.get(path)
    if depth > _DEEPEST:
        raise UnreadableFileError(name, f"it is nested more than {_DEEPEST} deep")
    if isinstance(value, dict):
        dot = f"{path}." if path else ""
        below = {
            key: _node(part, f"{dot}{key}", lines, depth + 1, name) for key, part in value.items()
        }
        return Entries(entries=below, line=line)
    if isinstance(value, list):
        parts = tuple(_node(part, path, lines, depth + 1, name) for part in value)
        return Items(items=parts, line=line)
    return Scalar(text=_text(value), line=line)


def _text(value: object) -> str | None:
    """Return a scalar's text; only TOML's whole numbers are numbers here."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _json_lines(text: str) -> dict[str, int]:
    """Return the line of each key's path."""
    lines: dict[str, int] = {}
    stack: list[str] = []  # the key under which each open brace or bracket stands
    line, key, last = 1, "", ""
    for match in _JSON_TOKEN.finditer(text):
        found = match[0]
        if found == "\n":
            line += 1
        elif found == ":":
            key = last
            lines.setdefault(".".join([*filter(None, stack), key]), line)
        elif found in "{[":
            stack.append(key)
            key = ""
        elif found in "}]":
            key = stack.pop() if stack else ""
        elif found[0] == '"':
            last = found[1:-1]
            line += found.count("\n")
    return lines


def _toml_lines(text: str) -> dict[str, int]:
    """Return the line of each key's path."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = _TOML_SECTION.match(line)
        key = _TOML_KEY.match(line)
        if key:
            path = ".".join(filter(None, (section, key[1].replace('"', "").replace("'", ""))))
            lines.setdefault(path, number)
        elif header:
            section = header[1].replace('"', "").replace("'", "")
    return lines
