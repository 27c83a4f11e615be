"""Converter: from a row's fields to its result's text, remembering what rows share.

Rows that differ in value, lr, batch size and dataset size only share a `Structure`; where these
quantities enter otherwise than as factors, rows that differ in their value only do. What no
structure answers surely goes the single command's way, `answer`. The memories are bounded.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Protocol

from decaycalc.answer import Answer, answer
from decaycalc.bulk.fields import RESULTS, SETTINGS, Fields, question_of
from decaycalc.bulk.structure import ALWAYS_EXACTLY, Structure
from decaycalc.bulk.ways import FREE, NotFreeError, is_listed, structure_of, ways_of
from decaycalc.convert import Conversion
from decaycalc.errors import DecaycalcError, MissingQuantityError
from decaycalc.record import replace

# Entries of each memory: a few megabytes at most.
_MOST, _MOST_SHAPES = 4096, 256
_UNSAID = frozenset({None, ""})
_MEANT = SETTINGS.union(RESULTS)


class Writer(Protocol):
    """How a format writes results: the text that stands behind a row's own."""

    def pattern(self, conversions: Sequence[Conversion], *, listed: bool) -> tuple[str, ...]:
        """Return the text around the numbers of conversions that have none yet."""

    def result(self, answer: Answer, *, listed: bool) -> str:
        """Return the text of an answer."""


Known = Structure | DecaycalcError | None


class Shape:
    """Rows of the same columns: which of them set something, and what was learnt about them."""

    def __init__(self, names: tuple[str, ...]) -> None:
        free = [name for name in FREE if name in names]
        self.free = tuple(free)
        self.free_of = _getter(free)
        self.rest_of = _getter([name for name in names if name in SETTINGS and name not in free])
        self.known: dict[Any, Known] = {}
        self.collides = any(name in RESULTS for name in names)


def _getter(names: Sequence[str]) -> Callable[[Fields], tuple[Any, ...]]:
    """Return what takes the values of these names out of a row, as a tuple."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda row: tuple(row[name] for name in names)


def _said(fields: Fields) -> dict[str, Any]:
    """Return the fields that say something, a list as a tuple."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in fields.items()
        if value is not None and value != ""
    }


class Converter:
    """Converts rows; `defaults` are the fields that hold where a row is silent."""

    def __init__(self, defaults: Fields, writer: Writer) -> None:
        self.writer = writer
        self._defaults = _said(defaults)
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._alike: dict[tuple[str, ...], Shape] = {}
        self._n_known = 0

    def shape(self, names: tuple[str, ...]) -> Shape:
        """Return what rows of these columns share, whatever their other columns are."""
        shape = self._shapes.get(names)
        if shape is None:
            wanted = tuple(sorted(name for name in names if name in _MEANT))
            if len(self._alike) >= _MOST_SHAPES:
                self._alike.clear()
                self._n_known = 0
            shape = self._alike.setdefault(wanted, Shape(wanted))
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            self._shapes[names] = shape
        return shape

    def answer(self, shape: Shape, row: Fields) -> str:
        """Return the result of a row as text.

        Raises:
            DecaycalcError: the row has no answer.
        """
        try:
            free, known = self._known(shape, row)
        except TypeError:  # a list or an object among the fields
            return self._exactly(row)
        value = row.get("value")
        if isinstance(known, DecaycalcError):
            raise known
        text = known.answer(value, free) if known and isinstance(value, str) else None
        return self._exactly(row) if text is None else text

    def _known(self, shape: Shape, row: Fields) -> tuple[tuple[Any, ...], Known]:
        """Return the values of the free quantities and what is known about the row.

        Raises:
            TypeError: a field of a kind that no field has.
        """
        free, rest = shape.free_of(row), shape.rest_of(row)
        if _UNSAID.isdisjoint(free):
            "".join(free)  # raises TypeError where one is no text
            if rest not in shape.known:
                self._remember(shape, rest, self._free(row, shape.free))
            known = shape.known[rest]
            if known is not None:
                return free, known
        key = (rest, free)
        if key not in shape.known:
            self._remember(shape, key, self._bound(row))
        return (), shape.known[key]

    def _remember(self, shape: Shape, key: Any, known: Known) -> None:
        if self._n_known >= _MOST:
            for other in self._alike.values():
                other.known.clear()
            self._n_known = 0
        shape.known[key] = known
        self._n_known += 1

    def _merged(self, row: Fields) -> dict[str, Any]:
        """Return the row's fields with the defaults for those that are absent, null or empty."""
        given = {name: row[name] for name in row if name in SETTINGS or name == "value"}
        return {**self._defaults, **_said(given)}

    def _exactly(self, row: Fields) -> str:
        """Return the result by the single command's way."""
        merged = self._merged(row)
        if "value" not in merged:
            raise MissingQuantityError("a row", ("value",))
        question = question_of(merged)
        reply = answer(replace(question, value=merged["value"]))
        return self.writer.result(reply, listed=is_listed(question))

    def _free(self, row: Fields, names: tuple[str, ...]) -> Structure | None:
        """Return the structure with those quantities free, None where they cannot be."""
        merged = self._merged(row)
        bound = {"to_lr", "to_batch_size"} & merged.keys() or {"steps", "epochs"} <= merged.keys()
        if bound or not all(isinstance(merged[name], str) for name in names):
            return None
        try:
            return self._structure(merged, names)
        except (DecaycalcError, NotFreeError):
            return None

    def _bound(self, row: Fields) -> Structure | DecaycalcError:
        """Return the structure with nothing free, or the error that all such rows share."""
        try:
            return self._structure(self._merged(row), ())
        except NotFreeError:
            return ALWAYS_EXACTLY
        except DecaycalcError as error:
            return error

    def _structure(self, merged: dict[str, Any], free: tuple[str, ...]) -> Structure:
        """Return the structure of a row's question.

        Raises:
            NotFreeError: there is none.
            DecaycalcError: the question has no answer.
        """
        merged.pop("value", None)
        question = question_of(merged)
        if any((question.architecture, question.dtype, question.schedule)):
            # What these refuse depends on the value too.
            raise NotFreeError
        listed, writer = is_listed(question), self.writer

        def render(conversions: Sequence[Conversion]) -> tuple[str, ...]:
            return writer.pattern(conversions, listed=listed)

        return structure_of(ways_of(question, free), render)
