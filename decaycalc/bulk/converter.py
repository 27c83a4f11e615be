"""Converter: from a row's fields to its result's text, remembering what rows share.

Rows that differ in value, lr, batch size and dataset size only share an answerer; where these
quantities enter otherwise than as factors, rows that differ in their value only do. What no
answerer is sure of goes the single command's way, `answer`. The memories are bounded.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol

from decaycalc.answers import Answer, answer
from decaycalc.bulk.fields import RESULTS, SETTINGS, Fields, Finder, question_of
from decaycalc.bulk.structure import Answerer, always_exactly
from decaycalc.bulk.ways import FREE, NotFreeError, answerer_of, is_listed, ways_of
from decaycalc.conventions.catalogue import find
from decaycalc.conversion.convert import Conversion
from decaycalc.errors import DecaycalcError, MissingQuantityError
from decaycalc.record import replace

# Entries of each memory: a few megabytes at most.
_MOST, _MOST_SHAPES = 4096, 256
_MEANT = SETTINGS.union(RESULTS, {"value"})
_FIELDS = SETTINGS.union({"value"})


class Writer(Protocol):
    """How a format writes results: the text that stands behind a row's own."""

    def pattern(self, conversions: Sequence[Conversion], *, listed: bool) -> tuple[str, ...]:
        """Return the text around the numbers of conversions that have none yet."""

    def result(self, answer: Answer, *, listed: bool) -> str:
        """Return the text of an answer."""


Known = Answerer | DecaycalcError | None


class Shape:
    """Rows of the same columns: which of them set something, and what was learnt about them.

    A row is anything that `places` index, by name: a dictionary, or the cells of a CSV record.
    """

    def __init__(self, places: Mapping[str, Any]) -> None:
        free = [name for name in FREE if name in places]
        rest = [name for name in places if name in SETTINGS and name not in free]
        self.free = tuple(free)
        self.places = places
        self.free_of = _getter([places[name] for name in free])
        self.rest_of = _getter([places[name] for name in rest])
        self.known: dict[Any, Known] = {}
        self.collides = any(name in RESULTS for name in places)

    def fields_of(self, row: Any) -> dict[str, Any]:
        """Return the fields of a row that say something."""
        return _said({name: row[place] for name, place in self.places.items() if name in _FIELDS})


def _getter(places: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what takes the values at these places out of a row, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)


def _said(fields: Fields) -> dict[str, Any]:
    """Return the fields that say something, a list as a tuple."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in fields.items()
        if value is not None and value != ""
    }


def _are_texts(free: tuple[Any, ...]) -> bool:
    """Return whether each free quantity is given, and as a text."""
    return all(isinstance(text, str) and text for text in free)


class Converter:
    """Converts rows; `defaults` are the fields that hold where a row is silent.

    `finder` finds conventions by their names, the user's own among them.
    """

    def __init__(self, defaults: Fields, writer: Writer, finder: Finder = find) -> None:
        self.writer = writer
        self._finder = finder
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
            if wanted not in self._alike:
                self._alike[wanted] = Shape({name: name for name in wanted})
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            shape = self._shapes[names] = self._alike[wanted]
        return shape

    def table(self, places: Mapping[str, int]) -> Shape:
        """Return what the records of a CSV file share, by the places of its columns."""
        shape = self._alike[()] = Shape(places)
        return shape

    def answer(self, shape: Shape, row: Any, value: Any) -> str:
        """Return the result of a row as text; `value` is what it gives for the value.

        Raises:
            DecaycalcError: the row has no answer.
        """
        free = shape.free_of(row)
        try:
            rest = shape.rest_of(row)
            known = shape.known.get(rest)
        except TypeError:  # a list or an object among the fields
            return self._exactly(shape, row)
        if callable(known) and isinstance(value, str):
            text = known(value, free)
            if text is not None:
                return text
        return self._anew(shape, row, (rest, free), value)

    def _anew(self, shape: Shape, row: Any, key: tuple[Any, Any], value: Any) -> str:
        """Return the result of a row whose kind is new, or that is unusual.

        Raises:
            DecaycalcError: the row has no answer.
        """
        rest, free = key
        try:
            if rest not in shape.known and _are_texts(free):
                self._remember(shape, rest, self._free(shape, row))
                return self.answer(shape, row, value)
            if not callable(shape.known.get(rest)) or not _are_texts(free):
                return self._bound(shape, row, key, value)
        except TypeError:  # a list or an object among the free quantities
            pass
        return self._exactly(shape, row)

    def _bound(self, shape: Shape, row: Any, key: tuple[Any, Any], value: Any) -> str:
        """Return the result of a row that shares its answerer only with its likes.

        Raises:
            DecaycalcError: the row has no answer.
        """
        if key not in shape.known:
            self._remember(shape, key, self._fixed(shape, row))
        known = shape.known[key]
        if isinstance(known, DecaycalcError):
            raise known
        text = known(value, ()) if known and isinstance(value, str) else None
        return self._exactly(shape, row) if text is None else text

    def _remember(self, shape: Shape, key: Any, known: Known) -> None:
        if self._n_known >= _MOST:
            for other in self._alike.values():
                other.known.clear()
            self._n_known = 0
        shape.known[key] = known
        self._n_known += 1

    def _exactly(self, shape: Shape, row: Any) -> str:
        """Return the result by the single command's way."""
        merged = {**self._defaults, **shape.fields_of(row)}
        if "value" not in merged:
            raise MissingQuantityError("a row", ("value",))
        question = question_of(merged, self._finder)
        reply = answer(replace(question, value=merged["value"]))
        return self.writer.result(reply, listed=is_listed(question))

    def _free(self, shape: Shape, row: Any) -> Answerer | None:
        """Return the answerer with quantities free, None where they cannot be."""
        merged = {**self._defaults, **shape.fields_of(row)}
        if {"to_lr", "to_batch_size"} & merged.keys() or {"steps", "epochs"} <= merged.keys():
            return None
        try:
            return self._answerer(merged, shape.free)
        except (DecaycalcError, NotFreeError):
            return None

    def _fixed(self, shape: Shape, row: Any) -> Answerer | DecaycalcError:
        """Return the answerer with nothing free, or the error that all such rows share."""
        try:
            return self._answerer({**self._defaults, **shape.fields_of(row)}, ())
        except NotFreeError:
            return always_exactly
        except DecaycalcError as error:
            return error

    def _answerer(self, merged: dict[str, Any], free: tuple[str, ...]) -> Answerer:
        """Return what answers the rows of a question.

        Raises:
            NotFreeError: there is none.
            DecaycalcError: the question has no answer.
        """
        merged.pop("value", None)
        question = question_of(merged, self._finder)
        if any((question.architecture, question.dtype, question.schedule)):
            # What these refuse depends on the value too.
            raise NotFreeError
        listed, writer = is_listed(question), self.writer

        def render(conversions: Sequence[Conversion]) -> tuple[str, ...]:
            return writer.pattern(conversions, listed=listed)

        return answerer_of(ways_of(question, free), render)
