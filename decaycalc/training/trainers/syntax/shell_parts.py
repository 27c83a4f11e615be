"""Words of a shell script by their parts, as they are typed."""

from enum import StrEnum

from decaycalc.record import Record

# The words that begin and end a subshell, spelled as no script can.
SUBSHELL, SUBSHELL_END = "( ", ") "


class PartKind(StrEnum):
    """What a part of a word is: literal text, a variable, arithmetic, or what a program prints."""

    TEXT = "text"
    VARIABLE = "variable"
    ARITHMETIC = "arithmetic"
    COMMAND = "command"


class Part(Record):
    """One part of a word; what is not quoted is split at blanks when it is expanded."""

    kind: PartKind
    text: str
    quoted: bool = False


class Word(Record):
    """One word as typed; a bare `(` or `)` is a word of its own."""

    parts: tuple[Part, ...]
    line: int

    @property
    def plain(self) -> str:
        """The word's leading literal text."""
        first = self.parts[0] if self.parts else None
        return first.text if first is not None and first.kind is PartKind.TEXT else ""
