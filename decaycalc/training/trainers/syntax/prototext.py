"""A reader of Protocol Buffers' text form, as far as Caffe's solvers and networks use it."""

from dataclasses import dataclass, field

from decaycalc.errors import UnreadableFileError
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar

_DEEPEST = 50
_PUNCTUATION = "{}:<>;,[]"


@dataclass(slots=True)
class Message:
    """A message: its fields in order, each a text or a message."""

    fields: list[tuple[str, "str | Message"]] = field(default_factory=list)


def parse_prototext(text: str, path: object) -> Message:
    """Return the message that a text holds.

    Grammar: message = { name [":"] ( value | "{" message "}" | "[" value { "," value } "]" ) }.

    Raises:
        UnreadableFileError: the text does not follow the grammar; the error tells the line.
    """
    return _Reader(text, path).message(0)


class _Reader:
    def __init__(self, text: str, path: object) -> None:
        self.path = path
        self.tokens = list(_tokens(text, path))
        self.at = 0

    def fail(self, expected: str) -> UnreadableFileError:
        """Return the complaint that something else stands at the place than what is expected."""
        line, token = self.tokens[min(self.at, len(self.tokens) - 1)]
        return UnreadableFileError(
            str(self.path), f"line {line}: expected {expected}, not {token[:40]!r}"
        )

    def peek(self) -> str:
        """Return the next token, empty at the end."""
        return self.tokens[self.at][1]

    def take(self) -> str:
        """Return the next token and step over it."""
        token = self.peek()
        self.at += 1
        return token

    def message(self, depth: int) -> Message:
        """Read fields to the closing brace, or to the end at depth 0."""
        if depth > _DEEPEST:
            raise self.fail(f"messages at most {_DEEPEST} deep")
        result = Message()
        end = "}" if depth else ""
        while self.peek() != end:
            if not self.peek() or self.peek() in _PUNCTUATION:
                raise self.fail("a field's name")
            self.field(result, self.take(), depth)
        self.at += bool(depth)
        return result

    def field(self, result: Message, name: str, depth: int) -> None:
        """Read one field's value."""
        if self.peek() == ":":
            self.take()
        if self.peek() == "{":
            self.take()
            result.fields.append((name, self.message(depth + 1)))
        elif self.peek() == "[":
            result.fields += [(name, value) for value in self.values()]
        else:
            result.fields.append((name, self.value()))
        if self.peek() in {";", ","}:
            self.take()

    def values(self) -> list[str]:
        """Read a bracketed list of values."""
        self.take()
        values = [self.value()]
        while self.peek() == ",":
            self.take()
            values.append(self.value())
        if self.peek() != "]":
            raise self.fail("',' or ']'")
        self.take()
        return values

    def value(self) -> str:
        """Read one value: a number, a word or a string."""
        if not self.peek() or self.peek() in _PUNCTUATION:
            raise self.fail("a value")
        return self.take()


def _tokens(text: str, path: object) -> "list[tuple[int, str]]":
    """Return (line, token) pairs, the last one with an empty token; strings lose their quotes."""
    tokens: list[tuple[int, str]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        at = 0
        while at < len(line) and line[at] != "#":
            at = _token(line, at, number, tokens, path)
    tokens.append((len(lines) + 1, ""))
    return tokens


def _token(line: str, at: int, number: int, tokens: list[tuple[int, str]], path: object) -> int:
    """Append the token that starts at `at`, if one does, and return where it ends."""
    character = line[at]
    if character.isspace():
        return at + 1
    if character in _PUNCTUATION:
        tokens.append((number, character))
        return at + 1
    if character in "\"'":
        end = line.find(character, at + 1)
        if end < 0:
            raise UnreadableFileError(str(path), f"line {number}: a string without its end")
        tokens.append((number, line[at + 1 : end] or '""'))
        return end + 1
    end = at
    while end < len(line) and not line[end].isspace() and line[end] not in _PUNCTUATION + "#\"'":
        end += 1
    tokens.append((number, line[at:end]))
    return end


def parse_prototext_tree(text: str, name: str) -> Entries:
    """Return a message as a tree; a field that is set several times is a list.

    Raises:
        UnreadableFileError: the text does not follow the grammar.
    """
    return _tree(parse_prototext(text, name))


def _tree(message: Message) -> Entries:
    entries: dict[str, list[Node]] = {}
    for name, value in message.fields:
        node: Node = Scalar(text=value) if isinstance(value, str) else _tree(value)
        entries.setdefault(name, []).append(node)
    return Entries(
        entries={
            name: nodes[0] if len(nodes) == 1 else Items(items=tuple(nodes))
            for name, nodes in entries.items()
        }
    )
