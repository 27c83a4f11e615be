"""Functions of a shell script: where one is defined, what is in it, and what a call binds."""

import re

from decaycalc.record import Record
from decaycalc.training.trainers.syntax.shell_parts import SUBSHELL, SUBSHELL_END, Word

Statements = tuple[tuple[Word, ...], ...]

_NAME = re.compile(r"[A-Za-z_][\w.:-]*")
_LEADS = frozenset({"then", "else", "do", "{", "!"})
_OPENS = {"{": "}", SUBSHELL: SUBSHELL_END}


class Definition(Record):
    """One function: its body's statements, whether that is a subshell, and what follows it."""

    name: str
    body: Statements
    is_subshell: bool
    end: int


def definition(statement: tuple[Word, ...], rest: Statements, at: int) -> Definition | None:
    """Return the function that a statement begins to define, None where it defines none.

    `rest` are all statements, of which the one at `at` follows.
    """
    head = _head(statement)
    if head is None:
        return None
    name, length = head
    begun = statement[length:]
    if not begun and at < len(rest):
        begun, at = rest[at], at + 1
    opening = begun[0].plain if begun else ""
    if opening not in _OPENS:
        return None
    body = [begun[1:]] if begun[1:] else []
    depth = 1 + _opened(begun[1:], opening)
    while at < len(rest):
        each = rest[at]
        at += 1
        depth += _opened(each, opening)
        if each[0].plain == _OPENS[opening]:
            depth -= 1
            if not depth:
                break
        body.append(each)
    return Definition(name=name, body=tuple(body), is_subshell=opening == SUBSHELL, end=at)


def _head(statement: tuple[Word, ...]) -> tuple[str, int] | None:
    """Return a function's name and the length of its head: `f ( )`, `function f`, or both."""
    plain = [word.plain for word in statement[:4]]
    is_named = plain[:1] == ["function"]
    name = plain[is_named : is_named + 1]
    brackets = plain[is_named + 1 : is_named + 3] == ["(", ")"]
    if not name or _NAME.fullmatch(name[0]) is None or not (is_named or brackets):
        return None
    return name[0], is_named + 1 + 2 * brackets


def _opened(statement: tuple[Word, ...], opening: str) -> int:
    """Return how many groups of a kind a statement opens before its command, functions' too."""
    head = _head(statement)
    count, rest = 0, statement[head[1] :] if head else statement
    for word in rest:
        count += word.plain == opening
        if word.plain not in _LEADS | {opening}:
            break
    return count
