"""Matching tensor names with a user's regular expressions, in bounded time.

A pattern with one unbounded repetition takes at most quadratic time on names of bounded length and
is matched here. With more it may take exponential time, which nothing in `re` can stop: those are
matched in a process of their own, which is given a limit.
"""

import json
import re
import subprocess
import sys

from decaycalc.errors import InvalidValueError

LONGEST_PATTERN = 1000
MOST_SECONDS = 5.0
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
    try:
        compiled = re.compile(pattern) if len(pattern) <= LONGEST_PATTERN else None
    except (re.error, RecursionError, OverflowError) as error:
        raise InvalidValueError(
            "pattern", pattern[:80], f"must be a regular expression: {error}"
        ) from None
    if compiled is None:
        raise InvalidValueError("pattern", pattern[:80], f"must be at most {LONGEST_PATTERN} long")
    if count_repetitions(pattern) > 1:
        return _match_apart(pattern, names, seconds)
    return tuple(compiled.search(name) is not None for name in names)


def count_repetitions(pattern: str) -> int:
    r"""Return how many characters of a pattern could repeat something, escaped ones left out.

    >>> count_repetitions(r"(a+)+b"), count_repetitions(r"a\+b*")
    (2, 1)
    """
    count, escaped = 0, False
    for letter in pattern:
        count += letter in "*+{" and not escaped
        escaped = letter == "\\" and not escaped
    return count


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
