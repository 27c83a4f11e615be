"""What a user's own objects raise, as an error of ours in one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from decaycalc.errors import DecaycalcError, InvalidValueError

_LONGEST = 200  # characters of somebody else's error in one line


@contextmanager
def foreign_errors(refused: Callable[[str], InvalidValueError]) -> Iterator[None]:
    """Turn whatever is raised within into the error that `refused` makes of its text.

    A script that leaves by sys.exit is among it: its status is not this program's.

    Raises:
        DecaycalcError: something was raised.
    """
    try:
        yield
    except DecaycalcError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        said = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
        raise refused(said) from error
