"""Conditions of shell scripts: which branch is taken where the script tells, else what is open."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import takewhile

Variables = Mapping[str, list[str]]

_COUNT = re.compile(r"[0-9]{1,18}")
_FLAG = re.compile(r"-{1,2}[A-Za-z]")
_BINARY: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "-eq": lambda order: order == 0,
    "-ne": lambda order: order != 0,
    "-lt": lambda order: order < 0,
    "-le": lambda order: order <= 0,
    "-gt": lambda order: order > 0,
    "-ge": lambda order: order >= 0,
}
_CLOSING = {"[": "]", "[[": "]]"}


def truth_of(words: list[str]) -> bool | None:
    """Return whether a test holds, None where that is not told by its words.

    >>> truth_of(["[", "8", "-gt", "1", "]"]), truth_of(["[", "!", "-z", "", "]"])
    (True, False)
    >>> truth_of(["[", "$SIZE", "=", "7b", "]"])
    """
    if words and words[-1] in {"&&", "||"}:  # what follows is no test
        return None
    truth: bool | None = True
    for sign, part in _joined(words, ("&&", "||")):
        truth = _both(truth, _single(part)) if sign == "&&" else _either(truth, _single(part))
    return truth


def _joined(words: list[str], signs: tuple[str, str]) -> list[tuple[str, list[str]]]:
    """Return the tests that signs join, each with the sign before it; none within `[[ A && B ]]`.

    >>> _joined(["[", "a", "]", "||", "[[", "b", "&&", "c", "]]"], ("&&", "||"))
    [('&&', ['[', 'a', ']']), ('||', ['[[', 'b', '&&', 'c', ']]'])]
    """
    parts: list[tuple[str, list[str]]] = [(signs[0], [])]
    is_within = False
    for word in words:
        is_within = word == "[[" or (is_within and word != "]]")
        if word in signs and not is_within:
            parts.append((word, []))
        else:
            parts[-1][1].append(word)
    return parts


def _both(left: bool | None, right: bool | None) -> bool | None:  # noqa: FBT001
    """Return whether both hold."""
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _either(left: bool | None, right: bool | None) -> bool | None:  # noqa: FBT001
    """Return whether one holds."""
    return _negated(_both(_negated(left), _negated(right)))


def _negated(truth: bool | None) -> bool | None:  # noqa: FBT001  # what it negates
    return None if truth is None else not truth


def _single(words: list[str]) -> bool | None:
    """Return the truth of one test, `[ A ]`."""
    if words[:1] == ["!"]:
        return _negated(_single(words[1:]))
    if words in (["true"], ["false"]):
        return words == ["true"]
    opening = words[0] if words else ""
    if opening == "test":
        return _either_of(words[1:], ("-a", "-o"))
    closes = opening in _CLOSING and words[-1] == _CLOSING[opening]
    if not closes:
        return None
    return _either_of(words[1:-1], ("-a", "-o") if opening == "[" else ("&&", "||"))


def _either_of(words: list[str], signs: tuple[str, str]) -> bool | None:
    """Return the truth of comparisons that signs join, the first of which binds tighter."""
    whole: bool | None = False
    part: bool | None = True
    for sign, words_of in _joined(words, signs):
        if sign == signs[1]:
            whole, part = _either(whole, part), True
        part = _both(part, _compared(words_of))
    return _either(whole, part)


def _compared(words: list[str]) -> bool | None:
    """Return the truth of one comparison, `-z TEXT` or `A = B`."""
    if words[:1] == ["!"]:
        return _negated(_compared(words[1:]))
    is_open = any(set("$*?[") & set(word) for word in words)
    match words:
        case [text] if not is_open:
            return bool(text)
        case ["-z" | "-n" as sign, text] if not is_open:
            return (not text) == (sign == "-z")
        case [left, sign, right] if sign in _BINARY and not is_open:
            order = _order(left, right, numeric=sign.startswith("-"))
            return None if order is None else _BINARY[sign](order)
    return None


def _order(left: str, right: str, *, numeric: bool) -> int | None:
    """Return the sign of the difference of two words, None where they are to be numbers and not."""
    if not numeric:
        return (left > right) - (left < right)
    if not (_COUNT.fullmatch(left) and _COUNT.fullmatch(right)):
        return None
    return (int(left) > int(right)) - (int(left) < int(right))


def matches(word: str | None, patterns: list[str]) -> bool | None:
    """Return whether one of a `case`'s patterns fits its word, None where that is not known.

    >>> matches("7b", ["13b", "7*"]), matches(None, ["7b"]), matches(None, ["*"])
    (True, None, True)
    """
    if "*" in patterns:
        return True
    if word is None:
        return None
    known = [pattern for pattern in patterns if "$" not in pattern]
    if any(fnmatchcase(word, pattern) for pattern in known):
        return True
    return False if len(known) == len(patterns) else None


@dataclass(slots=True, kw_only=True)
class Condition:
    """One `if`, `case` or loop that is being read: the variables before it, and at branches' ends.

    `truth` is that of the branch being read; `settled` whether one that is taken was passed, and
    `assumed` whether a test took a variable to be empty that only the script's caller sets. A
    `case` has the `word` that it tests, None where that is open; `heads` are the patterns read so
    far of a branch whose own statements have not begun, None within a branch.
    """

    before: Variables
    truth: bool | None
    is_loop: bool = False
    is_case: bool = False
    word: str | None = None
    heads: list[str] | None = None
    settled: bool = False
    assumed: bool = False
    was_open: bool = False  # of a branch before it is not known whether it is taken
    leaves: bool = False  # this branch ends the script, or the turn of its loop
    ends: list[Variables] = field(default_factory=list)

    @property
    def is_sure(self) -> bool:
        """Whether the branch that is read is taken, and once."""
        return self.truth is True and not self.was_open and not self.is_loop

    def close(self, variables: Variables) -> None:
        """End a branch with the variables that it leaves."""
        if self.truth is not False and not self.leaves:
            self.ends.append(dict(variables))
        self.settled = self.settled or self.truth is True
        self.was_open = self.was_open or self.truth is None
        self.leaves = False

    def turn(self, *, truth: bool | None) -> dict[str, list[str]]:
        """Begin the next branch; return the variables that it begins with."""
        self.truth = False if self.settled else truth
        return dict(self.before)

    def joined(self) -> dict[str, list[str]]:
        """Return the variables after it: what its branches set apart is open, `$NAME`."""
        ends = self.ends if self.settled else [*self.ends, self.before]
        if not ends:
            return dict(self.before)
        after = dict(ends[0])
        for end in ends[1:]:
            names = (*end, *(name for name in after if name not in end))
            apart = [name for name in names if end.get(name) is not after.get(name)]
            after |= {name: _merged(name, [each.get(name, []) for each in ends]) for name in apart}
        return after


def _merged(name: str, values: list[list[str]]) -> list[str]:
    """Return what branches leave of a variable: what they agree on, and `$NAME` for the rest.

    Of flags that only some of them add, each is there with an open value.
    """
    if all(value == values[0] for value in values):
        return values[0]
    is_text = all(len(value) <= 1 for value in values)
    lists = [" ".join(value).split() if is_text else value for value in values]
    columns = takewhile(lambda words: len(set(words)) == 1, zip(*lists, strict=False))
    common = [words[0] for words in columns]
    rests = [words[len(common) :] for words in lists]
    if not all(_FLAG.match(rest[0]) for rest in rests if rest):
        return [f"${name}"]
    flags = dict.fromkeys(
        word.partition("=")[0] for rest in rests for word in rest if _FLAG.match(word)
    )
    merged = [*common, *(word for flag in flags for word in (flag, f"${name}"))]
    return [" ".join(merged)] if is_text else merged
