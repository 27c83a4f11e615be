"""TOML texts, with the place of what is wrong in them."""

import re
from collections.abc import Callable
from typing import Any

from decaycalc.errors import TextSyntaxError, UnreadableFileError
from decaycalc.files.text import LARGEST_TEXT, read_text

_LONGEST_REASON = 200  # characters of the parser's own words
_SHOWN, _BEFORE = 60, 30  # characters of a broken line that are shown, and those before the place

# Python reads such an integer, but would write it as a decimal no more than it reads one.
_HUGE = re.compile(r"\b0[xob][\dA-Fa-f_]{3500}")
_TOO_LONG = "an integer in it has thousands of digits"


class TomlSyntaxError(TextSyntaxError):
    """A file that is no TOML, with the place; `text` is what stands around it in its line."""

    def __init__(self, path: str, text: str, place: tuple[int, int], reason: str) -> None:
        self.path, (self.line, self.column), self.reason = path, place, reason
        line = [*text.split("\n"), ""][self.line - 1]
        start = max(0, self.column - 1 - _BEFORE) if len(line) > _SHOWN else 0
        shown = "".join(c if c.isprintable() else " " for c in line[start : start + _SHOWN])
        super().__init__(path, shown, self.column - 1 - start, reason)
        self.args = (f"{path}:{self.line}:{self.column}: not TOML: {reason}",)


def parse_toml(text: str, path: str, parse_float: Callable[[str], Any] = str) -> dict[str, Any]:
    """Return a TOML document, its decimals as they were typed; `path` names it in errors.

    Raises:
        TomlSyntaxError: it is no TOML.
        UnreadableFileError: it is nested too deeply, or holds an integer beyond all measure.
    """
    # Imported here: most starts have no configuration to read.
    import tomllib  # noqa: PLC0415

    if _HUGE.search(text):
        raise UnreadableFileError(path, _TOO_LONG)
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        reason, _, where = str(error).rpartition(" (at ")
        # It may name a key as long as the file.
        raise TomlSyntaxError(path, text, _place(where, text), reason[:_LONGEST_REASON]) from None
    except RecursionError:
        raise UnreadableFileError(path, "it is nested too deeply") from None
    except ValueError:
        raise UnreadableFileError(path, _TOO_LONG) from None


def _place(where: str, text: str) -> tuple[int, int]:
    r"""Return line and column of `line 3, column 7)`, or the end of the text's last line.

    >>> _place("line 3, column 7)", ""), _place("end of document)", "a =\n")
    ((3, 7), (1, 4))
    """
    if where.startswith("line "):
        line, column = where.strip("line )").split(", column ")
        return int(line), int(column)
    lines = text.rstrip().split("\n")
    return len(lines), len(lines[-1]) + 1


def parse_toml_file(
    path: str,
    parse_float: Callable[[str], Any] = str,
    *,
    largest: int = LARGEST_TEXT,
    streams: bool = False,
) -> dict[str, Any]:
    """Return the TOML document of a file.

    Raises:
        TomlSyntaxError: not TOML.
        UnreadableFileError: it cannot be read, is too large or nested too deeply.
    """
    return parse_toml(read_text(path, largest=largest, streams=streams), path, parse_float)
