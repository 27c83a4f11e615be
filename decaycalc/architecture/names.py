"""Matching tensor names with a user's regular expressions, in bounded time.

A pattern that can match in one way, or that repeats one character, takes at most quadratic time on
a name and is matched here. With more choices (a second repetition or `?`, a group that is repeated,
alternatives within groups) it may take exponential time, which nothing in `re` can stop: those are
matched in a process of their own, which is given a limit.
"""

import json
import re
import subprocess
import sys

from decaycalc.errors import InvalidValueError

LONGEST_PATTERN = 1000
MOST_SECONDS = 5.0  # some patterns take time without end; then the child that tries them is stopped
# Characters of a name on which quadratic time is none.
LONGEST_QUICK = 256
_PROGRAM = (
    "import json,re,sys;p,n=json.load(sys.stdin);r=re.compile(p);"
    "json.dump([bool(r.search(x)) for x in n],sys.stdout)"
)


def match_names(
    pattern: str, names: tuple[str, ...], *, seconds: float = MOST_SECONDS
) -> tuple[bool, ...]:
    """Return for each name whether the regular expression is found in it.

    >>> match_names("^layer[12]", ("layer1.0.conv1.weight", "fc.weight"))
    (True, False)

    Raises:
        InvalidValueError: no regular expression, or one that takes too long.
    """
    compiled = compile_pattern(pattern)
    longest = max(map(len, names), default=0)
    if count_choices(pattern) > (1 if longest <= LONGEST_QUICK else 0):
        return _match_apart(pattern, names, seconds)
    return tuple(compiled.search(name) is not None for name in names)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a user's regular expression.

    Raises:
        InvalidValueError: no regular expression, or one that is too long.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise InvalidValueError("pattern", pattern[:80], f"must be at most {LONGEST_PATTERN} long")
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidValueError(
            "pattern", pattern[:80], f"must be a regular expression: {error}"
        ) from None


def count_choices(pattern: str) -> int:
    r"""Return in how many places a pattern leaves a choice, those that multiply counted twice.

    A repetition is a choice, two where it repeats a group; so are alternatives within a group.

    >>> count_choices(r"layers\.\d+\."), count_choices(r"bias|norm"), count_choices(r"(a|aa)+$")
    (1, 0, 3)
    """
    count, depth, before = 0, 0, ""
    for part in _PARTS.findall(pattern):
        depth += (part == "(") - (part == ")")
        if part in _REPETITIONS and before != "(":
            count += 2 if before == ")" else 1
        count += part == "|" and depth > 0
        before = part
    return count


# Escapes and classes of characters are one part, whatever is in them.
_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_REPETITIONS = ("*", "+", "?", "{")


def _match_apart(pattern: str, names: tuple[str, ...], seconds: float) -> tuple[bool, ...]:
    """Match in a process that is ended after `seconds`."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, the pattern comes in as data
            [sys.executable, "-I", "-c", _PROGRAM],
            input=json.dumps([pattern, names]),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise InvalidValueError(
            "pattern", pattern, "takes too long to match; write it simpler"
        ) from None
    return tuple(json.loads(done.stdout))
