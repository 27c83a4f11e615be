"""YAML by PyYAML's parser: a tree built from its events, so that nothing is constructed or run.

`yaml.compose` recurses and resolves aliases; its events keep each scalar's text and line just as
well, take any unknown tag, and let depth and size be bounded here.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from decaycalc.errors import MissingExtraError, UnreadableFileError
from decaycalc.training.trainers.syntax.tree import MOST_NODES, Entries, Items, Node, Scalar

_DEEPEST = 60
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def parse_yaml(text: str, name: str) -> Entries:
    """Return the tree of the first document of a YAML text, which must be a mapping.

    Raises:
        MissingExtraError: PyYAML is not installed.
        UnreadableFileError: not YAML, no mapping, or larger or deeper than any configuration.
    """
    try:
        yaml: Any = import_module("yaml")
    except ImportError:
        raise MissingExtraError(f"reading {name!r}", "yaml") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = _Builder(name).build(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as error:
        raise UnreadableFileError(name, _reason(error)) from None
    except (ValueError, RecursionError):
        raise UnreadableFileError(name, "it is not YAML") from None
    if not isinstance(root, Entries):
        raise UnreadableFileError(name, "it holds no YAML mapping")
    return root


def _reason(error: Exception) -> str:
    """Return what PyYAML complains of, in one line."""
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or "it is not YAML").splitlines()[0][:120]
    return problem if mark is None else f"line {mark.line + 1}: {problem}"


class _Open:
    """A mapping or list whose end has not come yet."""

    __slots__ = ("anchor", "is_mapping", "line", "merged", "parts")

    def __init__(self, *, is_mapping: bool, line: int, anchor: str | None) -> None:
        self.is_mapping, self.line, self.anchor = is_mapping, line, anchor
        self.parts: list[Node] = []

    def close(self) -> Node:
        """Return the finished node."""
        if not self.is_mapping:
            return Items(items=tuple(self.parts), line=self.line)
        pairs = zip(self.parts[::2], self.parts[1::2], strict=False)
        merged: dict[str, Node] = {}
        own: dict[str, Node] = {}
        for key, value in pairs:
            text = key.text if isinstance(key, Scalar) and key.text is not None else "null"
            if text == "<<":
                for entries in _merged(value):
                    merged = {**entries.entries, **merged}
            else:
                own[text] = value
        return Entries(entries={**merged, **own}, line=self.line)


def _merged(value: Node) -> Iterator[Entries]:
    """Yield the mappings that a merge key names, one or a list of them."""
    nodes = value.items if isinstance(value, Items) else (value,)
    yield from (node for node in nodes if isinstance(node, Entries))


class _Builder:
    def __init__(self, name: str) -> None:
        self.name = name
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node] = {}
        self.nodes = 0

    def build(self, events: Iterator[Any]) -> Node | None:
        """Return the first document's tree, None for an empty text."""
        for event in events:
            finished = self.take(event, type(event).__name__)
            if finished is not None and not self.stack:
                return finished
        return None

    def take(self, event: Any, kind: str) -> Node | None:
        """Take one event; return the node that it finishes."""
        if kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self.open(event, is_mapping=kind[0] == "M")
            return None
        if kind in {"MappingEndEvent", "SequenceEndEvent"}:
            opened = self.stack.pop()
            return self.add(opened.close(), opened.anchor)
        if kind == "ScalarEvent":
            return self.add(_scalar(event), event.anchor)
        if kind == "AliasEvent":
            known = self.anchors.get(event.anchor, Scalar(text=None, open=f"*{event.anchor}"))
            return self.add(known, None)
        return None

    def open(self, event: Any, *, is_mapping: bool) -> None:
        """Begin a mapping or list."""
        if len(self.stack) >= _DEEPEST:
            raise UnreadableFileError(self.name, f"it is nested more than {_DEEPEST} deep")
        line = event.start_mark.line + 1
        self.stack.append(_Open(is_mapping=is_mapping, line=line, anchor=event.anchor))

    def add(self, node: Node, anchor: str | None) -> Node:
        """Put a finished node where it belongs."""
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise UnreadableFileError(self.name, f"it holds more than {MOST_NODES} values")
        if anchor is not None:
            self.anchors[anchor] = node
        if self.stack:
            self.stack[-1].parts.append(node)
        return node


def _scalar(event: Any) -> Scalar:
    """Return a scalar event as a node; a plain null has no text."""
    is_null = not event.style and event.value in _NULLS
    return Scalar(text=None if is_null else event.value, line=event.start_mark.line + 1)
