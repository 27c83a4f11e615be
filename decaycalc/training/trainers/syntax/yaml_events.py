"""YAML by PyYAML's parser: a tree built from its events, so that nothing is constructed or run.

`yaml.compose` recurses and resolves aliases; its events keep each scalar's text and line just as
well, take any unknown tag, and let depth and size be bounded here. A mapping's own tag is its
`_call_`, as the name of a call is in Python.
"""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from decaycalc.errors import MissingExtraError, UnreadableFileError
from decaycalc.training.trainers.syntax.tree import (
    MOST_NODES,
    Entries,
    Items,
    Node,
    Scalar,
    mappings_of,
)

_DEEPEST = 60
_NAMED = re.compile(r"<([A-Za-z_][\w.]*(?:\[\w+\])*)>")
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

    __slots__ = ("anchor", "is_mapping", "line", "merged", "parts", "tag")

    def __init__(self, *, is_mapping: bool, line: int, anchor: str | None, tag: str) -> None:
        self.is_mapping, self.line, self.anchor, self.tag = is_mapping, line, anchor, tag
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
                for entries in mappings_of(value):
                    merged = {**entries.entries, **merged}
            else:
                own[text] = value
        if self.tag:
            own["_call_"] = Scalar(text=self.tag, line=self.line)
        return Entries(entries={**merged, **own}, line=self.line)


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
        tag = _own_tag(event)
        self.stack.append(_Open(is_mapping=is_mapping, line=line, anchor=event.anchor, tag=tag))

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


def _own_tag(event: Any) -> str:
    """Return an application's own tag without its mark, `!new:a.B` as `new:a.B`, else nothing."""
    tag = event.tag or ""
    return tag[1:] if tag[:1] == "!" else ""


def _scalar(event: Any) -> Scalar:
    """Return a scalar event as a node; a plain null has no text.

    HyperPyYAML's `!ref <a>` is the reference `${a}`, and one that calculates stays open.
    """
    line = event.start_mark.line + 1
    if event.tag == "!ref":
        name = _NAMED.fullmatch(event.value.strip())
        if name is None:
            return Scalar(text=None, line=line, open=f"{event.value[:60]} is computed at run time")
        return Scalar(text=f"${{{name[1].replace('[', '.').replace(']', '')}}}", line=line)
    if event.tag == "!PLACEHOLDER":
        return Scalar(text=None, line=line, open="it is a placeholder")
    if not event.value and _own_tag(event):
        return Scalar(text=_own_tag(event), line=line)
    is_null = not event.style and event.value in _NULLS
    return Scalar(text=None if is_null else event.value, line=line)
