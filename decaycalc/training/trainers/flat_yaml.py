"""A reader of flat YAML mappings, the form in which training scripts write their arguments."""

from pathlib import Path

from decaycalc.errors import UnreadableFileError

_NULLS = {"", "~", "null", "none"}


def parse_flat_yaml(text: str, path: Path) -> dict[str, object]:
    """Return the mapping's scalars as texts (null as None) and its lists of scalars.

    Grammar: a line is `key: scalar`, `key:`, `- scalar` (an item of the key above), a comment or
    a document's mark. Nested mappings are no arguments and are passed over.

    Raises:
        UnreadableFileError: a line at the left margin that is none of these.
    """
    settings: dict[str, object] = {}
    key = ""
    for number, line in enumerate(text.splitlines(), start=1):
        bare = _uncommented(line).rstrip()
        if not bare.strip() or bare in {"---", "..."}:
            continue
        stripped = bare.strip()
        if stripped == "-" or stripped.startswith("- "):
            _append(settings, key, _scalar(stripped[1:]), (path, number))
        elif not bare[0].isspace():
            key, colon, value = bare.partition(":")
            if not colon or (value and not value[0].isspace()):
                raise UnreadableFileError(str(path), f"line {number}: expected key: value")
            key = key.strip().strip("'\"")
            settings[key] = _value(value.strip())
    return settings


def _append(
    settings: dict[str, object], key: str, item: str | None, place: tuple[Path, int]
) -> None:
    """Add an item to the list that the key above has begun."""
    path, number = place
    current = settings.get(key)
    if not key or (current is not None and not isinstance(current, list)):
        raise UnreadableFileError(str(path), f"line {number}: an item of no list")
    settings[key] = [*(current or []), item or ""]


def _uncommented(line: str) -> str:
    """Return the line without its comment: `#` at its beginning or after a blank."""
    for at, character in enumerate(line):
        if character == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at]
    return line


def _value(text: str) -> str | list[str] | None:
    """Return a scalar or an inline list."""
    if text.startswith("[") and text.endswith("]"):
        items = text[1:-1].split(",") if text[1:-1].strip() else []
        return [_scalar(item) or "" for item in items]
    return _scalar(text)


def _scalar(text: str) -> str | None:
    """Return a scalar's text without quotes, booleans in lower case, null as None."""
    bare = text.strip()
    if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"":
        return bare[1:-1]
    if bare.lower() in _NULLS:
        return None
    return bare.lower() if bare.lower() in {"true", "false"} else bare
