"""Conversions of arrays: values and quantities broadcast as numpy's operators do, in float64.

A scalar conversion reads its numbers as decimals and rounds once. An array's are float64 from the
start and each factor rounds, so the two agree to `k + 2` units in the last place for `k` arrays
that enter, and half-lives, factors and exact decays to a relative 1e-12. Elements whose plan is
another one (a momentum of 0 among others) are answered group by group; only what is refused, or
out of the ordinary, is asked of the scalar conversion, element by element.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from decaycalc.algebra.quantity import QUANTITIES, exact, finite
from decaycalc.conventions.record import Convention, Equivalence
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import runs_with
from decaycalc.conversion.array_checks import Checks, any_sees_numbers
from decaycalc.conversion.array_forms import Floats
from decaycalc.conversion.array_numbers import ArrayPlan
from decaycalc.conversion.array_request import ArrayRequest, Places
from decaycalc.conversion.plan import Match, Plan
from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.record import Record

# Elements that are worked on at a time: their numbers stay in the processor's cache.
_BLOCK = 1 << 17


class ArrayConversion(Record):
    """Converted numbers: a `Conversion` whose `value` (and `lr`, where it differs) is an array.

    `equivalence`, `formula` and `note` are the first element's.
    """

    convention: Convention
    value: Floats
    lr: Floats | None
    equivalence: Equivalence
    formula: str
    note: str

    def __str__(self) -> str:
        low, high = float(self.value.min()), float(self.value.max())
        numbers = f"{self.value.size} numbers, {low!r} to {high!r}"
        words = f"{self.convention.key} {self.convention.parameter} = {numbers}"
        return f"{words} ({self.equivalence.words}; {self.formula})"

    def to_dict(self) -> dict[str, object]:
        """Return the fields as JSON holds them, arrays as lists."""
        return {
            "convention": self.convention.key,
            "parameter": self.convention.parameter,
            "value": self.value.tolist(),
            "lr": None if self.lr is None else self.lr.tolist(),
            "equivalence": self.equivalence.value,
            "formula": self.formula,
            "note": self.note,
        }


def convert_arrays(
    value: ArrayLike,
    *,
    source: Convention,
    target: Convention,
    run: Run | None = None,
    target_run: Run | None = None,
    match: Match = Match.OPTIMUM,
    quantities: dict[str, Any],
) -> ArrayConversion:
    """Return weight decays in another convention, of the shape that value and quantities have.

    `quantities` are a run's by their names, `to_` before a target's; they go before those of `run`.

    Raises:
        DecaycalcError: what the scalar conversion raises, for any of the elements.
    """
    words = {n: given for n, given in quantities.items() if not (_is_number(n) and np.ndim(given))}
    here, there = runs_with(run or Run(), target_run, words)
    arrays = {name: _floats(array, name) for name, array in quantities.items() if name not in words}
    arrays["value"] = _floats(value, source.parameter)
    shape = _shape(arrays)
    every = arrays | _numbers_there(there, arrays)
    request = ArrayRequest(
        source=source, target=target, run=here, target_run=there, match=match,
        arrays={name: np.atleast_1d(array) for name, array in every.items()}, shape=shape or (1,),
    )  # fmt: skip
    if not arrays["value"].size or 0 in request.shape:
        raise InvalidValueError(source.parameter, "an empty array", "has nothing to convert")
    way = request.plan(0)
    # Arrays are refused as their first element is, before any work.
    finite(way.value(request.number(0)), target.parameter)
    values, lrs = _Work(request, way).done()
    return ArrayConversion(
        convention=target, value=values.reshape(shape),
        lr=None if lrs is None else lrs.reshape(shape), equivalence=way.equivalence,
        formula=way.formula(), note=way.note,
    )  # fmt: skip


def _numbers_there(target_run: Run | None, arrays: dict[str, Floats]) -> dict[str, Floats]:
    """Return what a target's run gives as numbers: whether it is the source's own varies."""
    given = {} if target_run is None else vars(target_run)
    return {
        own: np.asarray(float(number))
        for name, number in given.items()
        if isinstance(number, Fraction) and (own := f"to_{name}") not in arrays
    }


def _is_number(name: str) -> bool:
    """Return whether a name is a quantity's, not that of a word such as the loss."""
    return name.removeprefix("to_") in QUANTITIES


def _floats(array: ArrayLike, name: str) -> Floats:
    """Return the array as float64.

    Raises:
        InvalidValueError: it holds something else than numbers, or gaps.
    """
    if np.ma.is_masked(array):
        raise InvalidValueError(name, "a masked array", "has gaps: fill them")
    found = np.asarray(float(exact(array)) if isinstance(array, str) else array)
    if found.dtype.kind not in "iuf":
        raise InvalidValueError(name, f"of {found.dtype}", "must hold numbers")
    return found.astype(np.float64, copy=False)


def _shape(arrays: dict[str, Floats]) -> tuple[int, ...]:
    """Return the shape that the arrays broadcast to.

    Raises:
        ContradictionError: they do not.
    """
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ContradictionError(f"arrays do not broadcast: {shapes}") from None


class _Work:
    """A request being answered: the results so far, and the elements that wait for another plan."""

    def __init__(self, request: ArrayRequest, way: Plan) -> None:
        self.request, self.way = request, way
        self.values = np.empty(request.shape)
        self.lrs = np.empty(request.shape) if way.target_lr() is not None else None
        self.waiting: list[Places] = []

    def done(self) -> tuple[Floats, Floats | None]:
        """Return values and lrs of all elements.

        Raises:
            DecaycalcError: one of them has none.
        """
        with np.errstate(all="ignore", under="raise"):  # the rest can be seen in the numbers
            laid = ArrayPlan(self.way, self.request.arrays)
            checks = Checks(self.request, laid)
            for block, arrays in _blocks(self.request):
                lrs = None if self.lrs is None else self.lrs[block]
                bad = _answered(laid.on(arrays), checks, self.values[block], lrs)
                if bad is not None:
                    places = np.arange(self.values.size).reshape(self.request.shape)[block]
                    self.waiting.append(places[bad])
            if self.waiting:
                self._answer_others(np.sort(np.concatenate(self.waiting)))
        return self.values, self.lrs

    def _answer_others(self, places: Places) -> None:
        """Answer elements that have another plan, group by group, and the unusual ones singly."""
        arrays = self.request.taken(places)
        alone = [
            self._answer_group(places[group], {name: arrays[name][group] for name in arrays})
            for group in _groups(self.request, arrays)
        ]
        for place in _distinct(self.request, np.sort(np.concatenate(alone))):
            made = self.request.element(int(place[0]))
            self.values.flat[place] = made.value
            self._put_lrs(place, made.lr)

    def _answer_group(self, places: Places, arrays: dict[str, Floats]) -> Places:
        """Answer elements of one plan; return the places of those that are unusual."""
        try:
            way, _ = self.request.plan(int(places[0])), self.request.number(int(places[0]))
        except (InvalidValueError, ContradictionError):
            return places  # in their order, with those of the other groups
        values, lrs = np.empty(len(places)), np.empty(len(places))
        has_lr = way.target_lr() is not None
        laid = ArrayPlan(way, arrays)
        bad = _answered(laid, Checks(self.request, laid), values, lrs if has_lr else None)
        sound = slice(None) if bad is None else ~bad
        self.values.flat[places[sound]] = values[sound]
        self._put_lrs(places[sound], lrs[sound] if has_lr else None)
        return places[:0] if bad is None else places[bad]

    def _put_lrs(self, places: Places, lrs: Any) -> None:
        """Take note of the target's lrs, which are the source's where they do not differ."""
        if lrs is not None and self.lrs is None:
            self.lrs = np.array(np.broadcast_to(self._own_lrs(), self.request.shape))
        if self.lrs is not None:
            own = np.broadcast_to(self._own_lrs(), self.request.shape).flat[places]
            self.lrs.flat[places] = own if lrs is None else lrs

    def _own_lrs(self) -> Any:
        lr = self.request.run.given("lr")
        return self.request.arrays.get("lr", np.nan if lr is None else float(lr))


def _blocks(request: ArrayRequest) -> Iterator[tuple[Any, dict[str, Floats]]]:
    """Yield the indices of blocks, along the longest axis, and the arrays within each."""
    shape = request.shape
    axis = shape.index(max(shape))
    behind = len(shape) - axis
    rows = max(1, _BLOCK * shape[axis] // prod(shape))
    for start in range(0, shape[axis], rows):
        piece = slice(start, start + rows)
        within: tuple[Any, ...] = (..., piece, *(slice(None),) * (behind - 1))
        yield (
            (*(slice(None),) * axis, piece),
            {
                name: array[within] if array.ndim >= behind and array.shape[-behind] > 1 else array
                for name, array in request.arrays.items()
            },
        )


def _answered(
    laid: ArrayPlan, checks: Checks, values: Floats, lrs: Floats | None
) -> NDArray[np.bool_] | None:
    """Write numbers and lrs of elements that share a plan; return which are not to be trusted."""
    try:
        between, lost = laid.values(values), False
    except FloatingPointError:  # a number too small for a float64
        with np.errstate(under="ignore"):
            between, lost = laid.values(values), True
    if lrs is not None and laid.way.lr is not None:
        laid.product(laid.way.lr, lrs)
    if not lost and checks.hold(laid, values, between):
        return None
    bad = ~checks.sound(laid, values, between)
    return bad if bad.any() else None


def _groups(request: ArrayRequest, arrays: dict[str, Floats]) -> Iterator[Places]:
    """Yield the places of elements that share a plan: which quantities are 0, or alike."""
    marks = [array == 0 for array in arrays.values()]
    for name, array in arrays.items():
        if name.startswith("to_"):
            plain = name.removeprefix("to_")
            number = request.run.given(plain)
            own = arrays.get(plain, np.nan if number is None else float(number))
            marks.append(array == own)
    if any_sees_numbers(request):
        marks += [arrays[name] for name in arrays if name.endswith(("momentum", "dampening"))]
    _, kinds = np.unique(np.stack(marks, axis=1), axis=0, return_inverse=True)
    kinds = kinds.reshape(-1)
    for kind in dict.fromkeys(kinds.tolist()):
        yield np.flatnonzero(kinds == kind)


def _distinct(request: ArrayRequest, places: Places) -> Iterator[Places]:
    """Yield the places of elements whose numbers are all the same, in their order."""
    if not places.size:
        return
    columns = np.stack(list(request.taken(places).values()), axis=1)
    _, firsts, kinds = np.unique(columns, axis=0, return_index=True, return_inverse=True)
    kinds = kinds.reshape(-1)
    order = np.argsort(kinds, kind="stable")
    pieces = np.split(places[order], np.cumsum(np.bincount(kinds))[:-1])
    yield from (pieces[kind] for kind in np.argsort(firsts))
