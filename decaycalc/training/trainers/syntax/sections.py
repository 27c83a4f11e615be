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
