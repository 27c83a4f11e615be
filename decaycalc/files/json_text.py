"""JSON texts: no NaN, no key twice, no half of a character, and nothing nested without end."""

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

from decaycalc.errors import UnreadableFileError

# An escape that is one half of a character beyond the basic plane; alone it cannot be written out.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(
    text: str,
    path: str,
    *,
    parse_number: Callable[[str], Any] | None = None,
    constants: bool = False,
) -> Any:
    """Return the value that a JSON text holds; `path` names it in errors.

    `parse_number` makes numbers of their typed text (`str` keeps it); `constants` lets NaN and
    Infinity through, which some writers put where no number is meant.

    Raises:
        UnreadableFileError: not JSON, NaN or Infinity, a key twice, a lone surrogate, nested
            too deeply, or an integer of thousands of digits.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=None if constants else _no_constant,
            parse_int=parse_number,
            parse_float=parse_number,
        )
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise UnreadableFileError(path, "its JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableFileError(path, f"not JSON: {error.msg} at {where}") from None
    except UnicodeEncodeError:
        raise UnreadableFileError(path, "not JSON: it holds half of a surrogate pair") from None
    except ValueError as error:
        raise UnreadableFileError(path, f"not JSON: {str(error)[:120]}") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        double = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"key {double[:60]!r} stands twice")
    return values


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
