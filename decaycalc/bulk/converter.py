"""Converter: from a row's fields to its result's text, by what rows of one kind share.

Rows are of one kind where they give the same quantities and say the same otherwise: what they hold
in these quantities differs from row to row. The first of a kind is answered as the single command
answers; its plans and the text around its numbers serve the others, as far as there is a shortcut
to the numbers. The memories are bounded.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Protocol

from decaycalc.answers import Answer, Question, answer_of
from decaycalc.bulk.fields import ERRORS, NUMBERS, RESULTS, SETTINGS, Fields, Finder, question_of
from decaycalc.bulk.formats import MARK, NOTE
from decaycalc.bulk.kinds import RefusedKind, RowKind
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import BATCH
from decaycalc.conversion.decay import epoch_note
from decaycalc.conversion.entering import require_taken
from decaycalc.conversion.kept_plans import kept_plan, kept_side
from decaycalc.conversion.rounding import Storage
from decaycalc.conversion.shortcut import (
    NoShortcutError,
    Ratio,
    domain,
    shortcut,
    size_of,
    usual_ratio,
)
from decaycalc.errors import (
    ContradictionError,
    DecaycalcError,
    MissingQuantityError,
    NoEquivalentError,
)
from decaycalc.record import replace

# Entries of each memory: a few megabytes at most.
_MOST, _MOST_COLUMNS, _MOST_RATIOS = 4096, 256, 1024
_LEFT_OVER = frozenset((*RESULTS, *ERRORS))  # what an earlier pass may have added to a row
_MEANT = SETTINGS.union(_LEFT_OVER, {"value"})
_FIELDS = SETTINGS.union({"value"})


class Writer(Protocol):
    """How a format writes results; `mark` and `note` are its texts for a number and a warning."""

    mark: str
    note: str

    def result(
        self,
        conversions: Sequence[Fields],
        warnings: Sequence[str],
        *,
        listed: bool,
        groups: Sequence[Any] = (),
    ) -> str:
        """Return the text of conversions and groups, as JSON holds them, and of warnings."""


class Columns:
    """Rows of the same columns: which of them set something, and the kinds seen among them.

    A row is anything that `places` index, by name: a dictionary, or the cells of a CSV record.
    """

    def __init__(self, places: Mapping[str, Any]) -> None:
        self.places = places
        self.numbers = tuple(name for name in NUMBERS if name in places)
        texts = [name for name in places if name in SETTINGS and name not in self.numbers]
        self.numbers_of = _getter([places[name] for name in self.numbers])
        self.texts_of = _getter([places[name] for name in texts])
        self.kinds: dict[Any, RowKind | RefusedKind | None] = {}
        self.collides = any(name in _LEFT_OVER for name in places)

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


class Converter:
    """Converts rows; `defaults` are the fields that hold where a row is silent.

    `finder` finds conventions by their names, the user's own among them.
    """

    def __init__(self, defaults: Fields, writer: Writer, finder: Finder = find) -> None:
        self.writer = writer
        self._finder = finder
        self._defaults = _said(defaults)
        self._seen_columns: dict[tuple[str, ...], Columns] = {}
        self._alike: dict[tuple[str, ...], Columns] = {}
        self._n_kinds = 0
        self._ratios: dict[str, Ratio] = {}

    def columns(self, names: tuple[str, ...]) -> Columns:
        """Return what rows of these columns share, whatever their other columns are."""
        columns = self._seen_columns.get(names)
        if columns is None:
            wanted = tuple(sorted(name for name in names if name in _MEANT))
            if len(self._alike) >= _MOST_COLUMNS:
                self._alike.clear()
                self._n_kinds = 0
            if wanted not in self._alike:
                self._alike[wanted] = Columns({name: name for name in wanted})
            if len(self._seen_columns) >= _MOST_COLUMNS:
                self._seen_columns.clear()
            columns = self._seen_columns[names] = self._alike[wanted]
        return columns

    def table(self, places: Mapping[str, int]) -> Columns:
        """Return what the records of a CSV file share, by the places of its columns."""
        columns = self._alike[()] = Columns(places)
        return columns

    def row_text(self, columns: Columns, row: Any, value: Any) -> str:
        """Return the result of a row as text; `value` is what it gives for the value.

        Raises:
            DecaycalcError: the row has no answer.
        """
        ratios: list[Ratio] = []
        sizes: list[int | None] = []
        for text in columns.numbers_of(row):
            if text is None or text == "":
                sizes.append(None)
                continue
            ratio = self._ratio(text)
            if ratio is None:
                return self._exactly(columns, row)
            ratios.append(ratio)
            sizes.append(size_of(ratio))
        number = usual_ratio(value) if type(value) is str else None
        if number is None:
            return self._exactly(columns, row)
        key = (_hashable(columns.texts_of(row)), *sizes)
        try:
            kind = columns.kinds[key]
        except KeyError:
            return self._first(columns, row, key, number=number, ratios=ratios)
        except TypeError:  # an object among the texts
            return self._exactly(columns, row)
        text = None if kind is None else kind.text(number, ratios)
        return self._exactly(columns, row) if text is None else text

    def _ratio(self, text: object) -> Ratio | None:
        """Return a quantity as a ratio; few occur again and again."""
        if type(text) is not str:
            return None
        ratio = self._ratios.get(text)
        if ratio is None:
            ratio = usual_ratio(text)
            if ratio is not None:
                if len(self._ratios) >= _MOST_RATIOS:
                    self._ratios.clear()
                self._ratios[text] = ratio
        return ratio

    def _exactly(self, columns: Columns, row: Any) -> str:
        """Return the result by the single command's way."""
        question = self._question(columns, row)
        return self._written(question, _answer(question))

    def _question(self, columns: Columns, row: Any) -> Question:
        """Return what a row asks."""
        merged = {**self._defaults, **columns.fields_of(row)}
        if "value" not in merged:
            raise MissingQuantityError("a row", ("value",))
        return replace(question_of(merged, self._finder), value=merged["value"])

    def _written(self, question: Question, reply: Answer) -> str:
        """Return the text of an answer.

        Raises:
            MissingQuantityError: the one target's own lr is not known.
        """
        conversions = [made.to_dict() for made in reply.conversions]
        listed = is_listed(question)
        if not listed and reply.conversions[0].missing:
            what = f"{question.source.key} to {question.targets[0].key}"
            raise MissingQuantityError(what, reply.conversions[0].missing)
        groups = [each.to_dict() for each in reply.groups]
        return self.writer.result(conversions, reply.warnings, listed=listed, groups=groups)

    def _first(
        self, columns: Columns, row: Any, key: Any, *, number: Ratio, ratios: list[Ratio]
    ) -> str:
        """Return the result of the first row of its kind, and remember the kind.

        Raises:
            DecaycalcError: the row has no answer.
        """
        question = self._question(columns, row)
        try:
            reply = _answer(question)
            text = self._written(question, reply)
        except (ContradictionError, MissingQuantityError, NoEquivalentError) as error:
            if str(error) == str(_refusal(question)):
                self._remember(columns, key, self._refused(columns, row, error))
            raise
        try:
            kind = self._kind(columns, row, question, reply)
        except NoShortcutError:
            kind = None
        # What is to be said of this row alone must not stand in the text that its kind shares.
        if kind is None or kind.text(number, ratios) == text:
            self._remember(columns, key, kind)
        return text

    def _refused(self, columns: Columns, row: Any, error: DecaycalcError) -> RefusedKind | None:
        """Return what the rows of a kind share that is refused."""
        try:
            given, constants = self._given(columns, row)
            return RefusedKind(shortcut=domain(given), constants=constants, error=error)
        except NoShortcutError:
            return None

    def _remember(self, columns: Columns, key: Any, kind: RowKind | RefusedKind | None) -> None:
        if self._n_kinds >= _MOST:
            for other in self._alike.values():
                other.kinds.clear()
            self._n_kinds = 0
        self._n_kinds += 1
        columns.kinds[key] = kind

    def _kind(self, columns: Columns, row: Any, question: Question, reply: Answer) -> RowKind:
        """Return what the rows of a question's kind share.

        Raises:
            NoShortcutError: each has to be answered by itself.
        """
        without_number = any(made.value is None for made in reply.conversions)
        without_number |= question.source.is_projected  # its warning says numbers of the row
        of_its_own = question.schedule or question.decay_schedule or question.groups
        if of_its_own or question.target_run or without_number or not reply.conversions:
            raise NoShortcutError
        given, constants = self._given(columns, row)
        ways = [
            kept_plan(question.source, made.convention, run=reply.run, match=question.match)
            for made in reply.conversions
        ]
        marked = [
            made.to_dict() | {"value": MARK} | ({} if made.lr is None else {"lr": MARK})
            for made in reply.conversions
        ]
        storage = Storage.of(question.dtype, question.rounding)
        ends = {}
        for both, warnings in _warnings(question, reply, storage).items():
            text = self.writer.result(marked, warnings, listed=is_listed(question))
            pieces = text.split(self.writer.mark)
            ends[both] = pieces[-1].split(self.writer.note)
        batch = tuple(given[name] for name in BATCH if name in given)
        in_epochs = reply.decay is not None and {"dataset_size", "batch_size"} <= given.keys()
        return RowKind(
            shortcut=shortcut(ways, given), constants=constants, head=pieces[0],
            between=(*pieces[1:-1], ""), ends=ends, storage=storage,
            epoch=(given["dataset_size"], batch) if in_epochs else None,
            drop_last=question.run.drop_last,
        )  # fmt: skip

    def _given(self, columns: Columns, row: Any) -> tuple[dict[str, int], tuple[Ratio, ...]]:
        """Return the places of the quantities that a row gives, and the ratios of the defaults."""
        fields = columns.fields_of(row)
        names = [name for name in columns.numbers if name in fields]
        kept = [name for name in NUMBERS if name in self._defaults and name not in fields]
        ratios = [self._ratio(self._defaults[name]) for name in kept]
        if None in ratios:
            raise NoShortcutError
        given = {name: place for place, name in enumerate((*names, *kept))}
        return given, tuple(ratio for ratio in ratios if ratio is not None)


def _answer(question: Question) -> Answer:
    """Return the answer to a row, with its groups where it has any."""
    if not question.groups:
        return answer_of(question)
    from decaycalc.grouped_answers import grouped_answer  # noqa: PLC0415  (if asked)

    return grouped_answer(question)


def is_listed(question: Question) -> bool:
    """Return whether the question asks for several conversions, not for the one of a target."""
    return len(question.targets) != 1


def _hashable(texts: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return texts with lists of them as tuples."""
    return tuple(tuple(text) if type(text) is list else text for text in texts)


def _refusal(question: Question) -> DecaycalcError | None:
    """Return the error of a question that is refused whatever its numbers are, None elsewhere.

    Of several targets the first may be refused for a number, so they are asked each time.
    """
    if question.source.form is not None or question.architecture or not question.targets:
        return None
    try:
        require_taken(
            kept_side(question.source, question.run), question.targets, question.target_run
        )
        if len(question.targets) > 1:
            return None
        target = question.targets[0]
        way = kept_plan(
            question.source, target, run=question.run, target_run=question.target_run,
            match=question.match,
        )  # fmt: skip
    except (ContradictionError, MissingQuantityError, NoEquivalentError) as error:
        return error
    missing = way.missing()
    what = f"{question.source.key} to {target.key}"
    return MissingQuantityError(what, missing) if missing else None


def _warnings(
    question: Question, reply: Answer, storage: Storage
) -> dict[tuple[bool, bool], tuple[str, ...]]:
    """Return an answer's warnings without and with the one on epochs and the one on rounding.

    Marks stand for the two, whose texts differ from row to row.
    """
    ratio, per_epoch = reply.run.epoch_ratio, reply.run.steps_per_epoch
    own = [] if reply.decay is None else storage.warnings(reply.decay.per_step_shrink)
    if ratio is not None and per_epoch is not None:
        own.append(epoch_note(per_epoch, ratio.numerator, ratio.denominator))
    kept = tuple(text for text in reply.warnings if text not in own)
    place = 0
    if question.architecture is not None:
        # Imported here: only a network needs it.
        from decaycalc.architecture.masks import notes_on  # noqa: PLC0415

        place = len(notes_on(question.architecture, mask=question.mask))
    return {
        (epoch, loss): (*kept[:place], *[NOTE] * epoch, *kept[place:], *[NOTE] * loss)
        for epoch in (False, True)
        for loss in (False, True)
    }
