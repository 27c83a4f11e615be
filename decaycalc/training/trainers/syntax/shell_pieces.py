"""Pieces of a shell's words: what stands in quotes, behind a dollar, or in brackets of its own."""

import re

from decaycalc.errors import UnreadableFileError
from decaycalc.training.trainers.syntax.shell_parts import Part, PartKind

_ESCAPED = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*")


class Pieces:
    """A script's text, and how far it is read."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.at, self.line = 0, 1

    def fail(self, what: str) -> UnreadableFileError:
        """Return the complaint about the line that is being read."""
        return UnreadableFileError(self.name, f"line {self.line}: {what}")

    def single_quoted(self) -> Part:
        """Read '...'."""
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise self.fail("a quote without its end")
        text = self.text[self.at + 1 : end]
        self.line += text.count("\n")
        self.at = end + 1
        return Part(kind=PartKind.TEXT, text=text, quoted=True)

    def escaped(self) -> Part:
        """Read the rest of $'...', where a backslash hides a quote; escapes stay as typed."""
        match = _ESCAPED.match(self.text, self.at)
        if match is None:
            raise self.fail("a quote without its end")
        self.line += match[0].count("\n")
        self.at = match.end()
        return Part(kind=PartKind.TEXT, text=match[1], quoted=True)

    def double_quoted(self) -> list[Part]:
        """Read "...", variables within it included."""
        parts = [Part(kind=PartKind.TEXT, text="", quoted=True)]
        self.at += 1
        text: list[str] = []
        while (character := self.text[self.at : self.at + 1]) != '"':
            if not character:
                raise self.fail("a quote without its end")
            if character in "$`":
                parts.append(Part(kind=PartKind.TEXT, text="".join(text), quoted=True))
                text = []
                parts.append(self.dollar(quoted=True))
                continue
            if character == "\\":
                self.at += 1
                character = self.text[self.at : self.at + 1]
                if character == "\n":  # the line goes on, and neither of the two is there
                    self.line, self.at = self.line + 1, self.at + 1
                    continue
            if character == "\n":
                self.line += 1
            text.append(character)
            self.at += 1
        self.at += 1
        return [*parts, Part(kind=PartKind.TEXT, text="".join(text), quoted=True)]

    def dollar(self, *, quoted: bool) -> Part:
        """Read $NAME, ${...}, $((...)), the older $[...], $(...) or `...`."""
        for opening, closing, kind in (
            ("$((", "))", PartKind.ARITHMETIC),
            ("$[", "]", PartKind.ARITHMETIC),
            ("$(", ")", PartKind.COMMAND),
            ("${", "}", PartKind.VARIABLE),
            ("`", "`", PartKind.COMMAND),
        ):
            if self.text.startswith(opening, self.at):
                return self.bracketed(opening, closing, kind, quoted=quoted)
        match = _NAME.match(self.text, self.at + 1)
        name = match[0] if match else self.text[self.at + 1 : self.at + 2]
        self.at += 1 + len(name)
        return Part(kind=PartKind.VARIABLE, text=name, quoted=quoted)

    def bracketed(self, opening: str, closing: str, kind: PartKind, *, quoted: bool) -> Part:
        """Read to the closing bracket; brackets of the same kind may stand within."""
        start = self.at + len(opening)
        end = self.closing(start, opening, closing)
        text = self.text[start:end]
        self.line += text.count("\n")
        self.at = end + len(closing)
        return Part(kind=kind, text=text, quoted=quoted)

    def closing(self, start: int, opening: str, closing: str) -> int:
        """Return where a bracket ends, brackets within it stepped over."""
        depth = 0
        for at in range(start, len(self.text)):
            if not depth and self.text.startswith(closing, at):
                return at
            if closing[0] == ")":
                depth += {"(": 1, ")": -1}.get(self.text[at], 0)
            elif opening == "${":
                depth += {"{": 1, "}": -1}.get(self.text[at], 0)
        raise self.fail(f"{opening} without its {closing}")
