"""Every error that decaycalc raises on purpose, with its fields.

The domain names quantities; only the command line knows their flags, so it adds those to the text.
An error is made from its fields; its text is one line without a full stop.
"""

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import ClassVar

_LONGEST_LINE, _BEFORE_CARET = 100, 60  # characters of a text that is shown with a caret
_LONGEST_VALUE = 120  # characters of a value that an error's text repeats
_MOST_BITS = 10_000  # of a whole number that Python writes out


class DecaycalcError(Exception):
    """Base of all errors raised on purpose.

    `kind` names the error in JSON, `exit_status` is the process's status: 2 for bad input,
    1 for sound input that has no answer.
    """

    kind: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 2

    def to_dict(self, message: str | None = None) -> dict[str, object]:
        """Return the error as JSON holds it, its text the `message` where one is given."""
        text = str(self) if message is None else message
        return {"type": self.kind, "message": text, **self.fields()}

    def in_words(self, spelt: Callable[[str], str]) -> str:  # noqa: ARG002  (of those with names)
        """Return the error's text, a quantity that it names `spelt` as the user gives it."""
        return str(self)

    def fields(self) -> dict[str, object]:
        """Return the error's fields for the JSON error object, without type and message.

        What JSON does not know, which somebody gave, is its text: infinity, a date of TOML.
        """
        return {
            name: _as_json(value) for name, value in vars(self).items() if not name.startswith("_")
        }


class InvalidValueError(DecaycalcError):
    """A value that its quantity cannot have: negative, nan, too large, not a number."""

    kind = "invalid-value"

    def __init__(self, name: str, value: object, requirement: str) -> None:
        self.name, self.value, self.requirement = name, value, requirement
        super().__init__(self.in_words(str))

    def in_words(self, spelt: Callable[[str], str]) -> str:
        """Return the error's text; only the other run's quantity is not called as it is."""
        name = spelt(self.name) if self.name.startswith("to_") else self.name
        return f"{name} {shown(self.value)} {self.requirement}"


def beyond_float64() -> InvalidValueError:
    """Return the error of an answer that holds a number which no float64 is."""
    return InvalidValueError("a number of the answer", "above 1.8e308", "has no float64")


class UnknownNameError(DecaycalcError):
    """A name that is in no list; `suggestions` are `likely` names, then its nearest neighbours."""

    kind = "unknown-name"

    def __init__(
        self,
        what: str,
        name: str,
        known: Iterable[str],
        *,
        hint: str = "",
        likely: Iterable[str] = (),
    ) -> None:
        self.what, self.name = what, name
        found = dict.fromkeys((*likely, *nearest_names(name, known)))
        self.suggestions = tuple(map(str, found))[:MOST_SUGGESTIONS]
        text = f"unknown {what} {shown(name)}"
        if self.suggestions:
            text += f"; did you mean {' or '.join(map(repr, self.suggestions))}?"
        super().__init__(f"{text} {hint}".rstrip())


class MissingQuantityError(DecaycalcError):
    """A quantity that the answer needs and the run lacks."""

    kind = "missing-quantity"

    def __init__(self, what: str, missing: tuple[str, ...]) -> None:
        self.what, self.missing = what, missing
        super().__init__(f"{what} needs {', '.join(missing)}")


class UndecidableError(DecaycalcError):
    """Sound input that does not tell what the answer depends on, where a guess may be wrong."""

    kind = "undecidable"
    exit_status = 1


class UsageError(DecaycalcError):
    """A command line that cannot be understood, or lacks what the command needs."""

    kind = "usage"


class ContradictionError(DecaycalcError):
    """Two inputs that cannot both hold."""

    kind = "contradiction"

    def __init__(self, text: str) -> None:
        super().__init__(text)


class TextSyntaxError(DecaycalcError):
    """A text that does not follow its grammar; `position` is the offending character's index."""

    kind = "syntax"

    def __init__(self, what: str, text: str, position: int, expected: str) -> None:
        self.what, self.text, self.position, self.expected = what, text, position, expected
        super().__init__(f"{what} {shown(text)}, character {position + 1}: expected {expected}")

    def caret(self) -> str:
        """Return the text with a caret under the offending character, two lines.

        What is not printable is shown as a replacement character; of a long text, what is near.
        """
        start = max(0, self.position - _BEFORE_CARET) if len(self.text) > _LONGEST_LINE else 0
        line = self.text[start : start + _LONGEST_LINE]
        printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
        return f"{printable}\n{' ' * (self.position - start)}^"


class UnreadableFileError(DecaycalcError):
    """A file that cannot be read as what it should be, or cannot be written."""

    kind = "unreadable-file"

    def __init__(self, path: str, reason: str, *, doing: str = "read") -> None:
        self.path, self.reason = path, reason
        super().__init__(f"cannot {doing} {path!r}: {reason}")


class MissingExtraError(DecaycalcError):
    """A feature whose optional dependency is not installed."""

    kind = "missing-extra"

    def __init__(self, what: str, extra: str) -> None:
        self.what, self.extra = what, extra
        super().__init__(f"{what} needs an optional package; pip install 'decaycalc[{extra}]'")


class MissingPackageError(DecaycalcError):
    """A package that the program needs and that is not installed."""

    kind = "missing-package"

    def __init__(self, package: str) -> None:
        self.package = package
        super().__init__(f"the package {package!r} is not installed; pip install {package}")


class NoEquivalentError(DecaycalcError):
    """Two conventions between which no single number converts.

    `estimate_by` is a quantity that gives an estimate all the same.
    """

    kind = "no-equivalent"
    exit_status = 1

    def __init__(self, source: str, target: str, reason: str, estimate_by: str = "") -> None:
        self._told, self._estimate_by = reason, estimate_by
        self.source, self.target, self.reason = source, target, self._reason(estimate_by)
        super().__init__(self.in_words(str))

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """What such an error is made of."""
        return self.source, self.target, self._told, self._estimate_by

    def in_words(self, spelt: Callable[[str], str]) -> str:
        """Return the error's text."""
        reason = self._reason(self._estimate_by and spelt(self._estimate_by))
        return f"{self.source} has no equivalent in {self.target}: {reason}"

    def _reason(self, estimate_by: str) -> str:
        return f"{self._told}; {estimate_by} gives an estimate" if estimate_by else self._told


class OutsideFitError(DecaycalcError):
    """A run that lies outside the conditions under which a rule or a fit holds."""

    kind = "outside-fit"
    exit_status = 1

    def __init__(self, what: str, reason: str) -> None:
        self.what, self.reason = what, reason
        super().__init__(f"{what} does not apply: {reason}")


def shown(value: object, most: int = _LONGEST_VALUE) -> str:
    """Return a value as it was given, in one line; of more than `most` characters, its two ends.

    >>> shown([1, 2]), shown("a" * 99, 12), shown(10**5000)
    ('[1, 2]', "'aaaaa...aa'", 'a value too large to show')
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python does not write out every number
        return "a value too large to show"
    return text if len(text) <= most else f"{text[: most // 2]}...{text[-most // 4 :]}"


def escaped(text: str) -> str:
    r"""Return the text with what a terminal would obey written out: `\x1b`, `\n`.

    >>> escaped("a\x1b[1m λ")
    'a\\x1b[1m λ'
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _as_json(value: object) -> object:
    """Return a value as JSON can hold it.

    >>> _as_json([1, float("inf"), {2: (1j,)}, 10**5000])
    [1, 'inf', {'2': ('1j',)}, 'a value too large to show']
    """
    if isinstance(value, Mapping):
        return {str(key): _as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_as_json(part) for part in value)
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, int):
        return value if value.bit_length() < _MOST_BITS else shown(value)
    return value if value is None or isinstance(value, str) else str(value)


MOST_SUGGESTIONS = 3


def nearest_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return up to three known names close to `name`, nearest first.

    >>> nearest_names("pytorch-sdg", ["pytorch-sgd", "keras-l2"])
    ('pytorch-sgd',)
    """
    # Imported here: difflib is slow to import and only needed when something went wrong.
    from difflib import get_close_matches  # noqa: PLC0415

    return tuple(get_close_matches(name.lower(), list(known), n=MOST_SUGGESTIONS, cutoff=0.6))
