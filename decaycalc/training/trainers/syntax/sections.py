"""Darknet's cfg files: sections of `key=value` lines, of which the first of a name counts."""

from decaycalc.errors import UnreadableFileError
from decaycalc.training.trainers.syntax.tree import Entries, Node, Scalar

_LONGEST_SHOWN = 40


def parse_sections(text: str, name: str) -> Entries:
    """Return each section's settings under its name, the first of equal sections and keys.

    Raises:
        UnreadableFileError: a line that is neither a section, a setting nor a comment.
    Source: pjreddie/darknet src/option_list.c, option_find returns the first.
    """
    sections: dict[str, dict[str, Node]] = {}
    current: dict[str, Node] | None = None
    for at, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        if bare[0] == "[" and bare[-1] == "]":
            fresh: dict[str, Node] = {}
            current = fresh
            sections.setdefault(bare[1:-1].strip(), fresh)
            continue
        key, equals, value = bare.partition("=")
        if not equals or current is None:
            shown = bare[:_LONGEST_SHOWN]
            raise UnreadableFileError(name, f"line {at}: expected key=value, not {shown!r}")
        current.setdefault(key.strip(), Scalar(text=value.strip(), line=at))
    return Entries(entries={key: Entries(entries=value) for key, value in sections.items()})


def parse_ini(text: str, name: str) -> Entries:
    """Return the tree of `[a.b]` sections of `key = value`, values as JSON or bare, as spaCy's.

    Raises:
        UnreadableFileError: a line that is neither a section, a setting nor a comment.
    """
    root: dict[str, Node] = {}
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if not bare or bare[0] in "#;" or (line[:1].isspace() and section):
            continue  # an indented line goes on with the value before
        if bare[0] == "[" and bare[-1] == "]":
            section = tuple(bare[1:-1].strip().split("."))
            continue
        key, equals, value = (part.strip() for part in bare.partition("="))
        if not equals or not section:
            raise UnreadableFileError(name, f"line {number}: neither a section nor a setting")
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        shown = None if value in {"", "null"} else value[1:-1] if quoted else value
        _put(root, (*section, key), Scalar(text=shown, line=number))
    return Entries(entries=root)


def _put(entries: dict[str, Node], path: tuple[str, ...], node: Node) -> None:
    """Set the value at a path, making the mappings on the way."""
    for key in path[:-1]:
        below = entries.get(key)
        inner = dict(below.entries) if isinstance(below, Entries) else {}
        entries[key] = Entries(entries=inner)
        entries = inner
    entries[path[-1]] = node
