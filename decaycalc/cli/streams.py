"""The standard streams as the program needs them, and text that is safe to write to a terminal."""

import os
import sys
from errno import EBADF
from io import BufferedReader, RawIOBase, TextIOWrapper
from typing import Any, NoReturn

from decaycalc.errors import UnreadableFileError, escaped

_LONGEST = 600  # characters of an error line; what is longer is cut in its middle


class _Closed(RawIOBase):
    """A standard input that there is none of: to read it fails."""

    def readable(self) -> bool:
        """Return that it may be tried."""
        return True

    def readinto(self, _: Any) -> NoReturn:
        """Fail.

        Raises:
            OSError: always.
        """
        raise OSError(EBADF, "it is closed")


def require_stdin() -> None:
    """Refuse to go on where there is no standard input.

    Raises:
        UnreadableFileError: the program was started with it closed.
    """
    if isinstance(getattr(sys.stdin.buffer, "raw", None), _Closed):
        raise UnreadableFileError("stdin", "it is closed")


def prepare_streams() -> None:
    """Open what the program was started without, and write UTF-8 whatever the locale.

    A process may be started with streams closed (a daemon, cron), which Python shows as None. What
    is then said on stderr is lost; to read the input or to write the result fails as it must.
    """
    if sys.stdin is None:
        sys.stdin = TextIOWrapper(BufferedReader(_Closed()))
    if sys.stdout is None:
        sys.stdout = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115  (writing it fails)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        # Formulas hold λ, Σ and ·.
        if isinstance(stream, TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding="utf-8")


def one_line(text: str) -> str:
    r"""Return a text in one line without anything that a terminal would obey, cut where it is long.

    >>> one_line("a\x1b]0;b\n")
    'a\\x1b]0;b\\n'
    """
    shown = escaped(text)
    if len(shown) <= _LONGEST:
        return shown
    return f"{shown[: _LONGEST // 2]} ... {shown[-_LONGEST // 2 :]}"
