"""Record: immutable records with named fields, for what a start of the program must define.

A dataclass writes and compiles its methods when its module is imported, about a millisecond each;
a command that answers in few milliseconds cannot pay that twenty times. A record shares its methods
with all others instead, and reads like a dataclass otherwise (type checkers take it for one).
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, TypeVar, dataclass_transform


class Rendered:
    """Base of what shows itself as tables, to rich consoles and in notebooks."""

    __slots__ = ()

    @classmethod
    def show_with(cls, **functions: Callable[[Any], Any]) -> None:
        """Let them show themselves by functions named as Python's own: `_repr_html_`, `__rich__`.

        The reports that do so stand above the records, so they are handed in.
        """
        for name, function in functions.items():
            setattr(cls, name, function)


class Result(Rendered):
    """Base of a command's whole answer, whose text is what the command prints."""

    __slots__ = ()


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record(Rendered):
    """Base of immutable records: fields are the annotated names, all given by keyword.

    >>> class Point(Record):
    ...     x: int
    ...     y: int = 0
    >>> Point(x=1), Point(x=1) == Point(x=1, y=0)
    (Point(x=1, y=0), True)

    A subclass may check itself in `__post_init__`, and set a field there by `self.__dict__`; what
    it keeps there beside its fields (a cached property) is not compared, nor carried over.

    Raises:
        TypeError: a field that is missing or unknown.
        AttributeError: a field that is set after the record was made.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _names: ClassVar[frozenset[str]] = frozenset()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        annotated = cls.__annotations__
        names = tuple(name for name in annotated if name not in cls._fields and name[0] != "_")
        cls._fields = (*cls._fields, *names)
        cls._names = frozenset(cls._fields)
        own = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
        cls._defaults = {**cls._defaults, **own}

    def __init__(self, **values: Any) -> None:
        fields = self.__dict__
        fields.update(self._defaults, **values)
        if fields.keys() != self._names:
            raise TypeError(f"{type(self).__name__}: {_odd_fields(fields.keys(), self._names)}")
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check the fields; a subclass may do more."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot delete {name}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(self.__dict__[name] == other.__dict__[name] for name in self._fields)

    def __hash__(self) -> int:
        return hash((type(self), *(self.__dict__[name] for name in self._fields)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._fields)
        return f"{type(self).__name__}({shown})"


def _odd_fields(given: AbstractSet[str], known: AbstractSet[str]) -> str:
    """Return which fields are missing and which are unknown, in words."""
    parts = (("missing", known - given), ("unknown", given - known))
    return ", ".join(f"{word} {' '.join(sorted(names))}" for word, names in parts if names)


AnyRecord = TypeVar("AnyRecord", bound=Record)


def replace(record: AnyRecord, **changes: Any) -> AnyRecord:
    """Return the record with some fields changed."""
    fields = {name: getattr(record, name) for name in record._fields}
    return type(record)(**{**fields, **changes})


def alike(record: AnyRecord, **changes: Any) -> AnyRecord:
    """Return the record with some fields changed that nothing which it has worked out depends on.

    Nothing is checked, and cached properties are carried over: for the caller to know.
    """
    copy = object.__new__(type(record))
    copy.__dict__.update(record.__dict__, **changes)
    return copy


def asdict(record: Record) -> dict[str, Any]:
    """Return the record's fields by name, records within it (and in its tuples) likewise."""
    return {name: _plain(getattr(record, name)) for name in record._fields}


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return asdict(value)
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
