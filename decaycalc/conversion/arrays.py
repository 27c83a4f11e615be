"""Conversions of arrays: values and quantities broadcast as numpy's operators do, in float64.

A scalar conversion reads its numbers as decimals and rounds once. An array's are float64 from the
start and each factor rounds, so the two agree to `k + 2` units in the last place for `k` arrays
that enter, and half-lives and factors per epoch or run to a relative 1e-12. Where a conversion is
neither a product of powers nor one of these, or an element is unusual, the scalar conversion
answers element by element.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from decaycalc.algebra.quantity import QUANTITIES, Monomial, exact
from decaycalc.conventions.record import Convention, Equivalence
from decaycalc.conventions.run import Run
from decaycalc.conventions.runs import runs_with
from decaycalc.conversion.convert import Conversion, apply, check_value
from decaycalc.conversion.curves import NoCurveError, into, out_of
from decaycalc.conversion.plan import Match, Plan, plan, target_side
from decaycalc.conversion.products import (
    TINY,
    Factors,
    Floats,
    by_blocks,
    hidden,
    is_sound,
    multiply,
)
from decaycalc.conversion.side import Side
from decaycalc.conversion.taken import require_taken
from decaycalc.errors import ContradictionError, InvalidValueError
from decaycalc.record import Record

# Elements that are worked on at a time: their numbers stay in the processor's cache.
_BLOCK = 1 << 16
# Named forms need room for what stands between their steps.
_FORM_BLOCK = 1 << 14
_BATCH = ("batch_size", "grad_accum", "world_size")
# Quantities that any positive number can be.
_PLAIN = frozenset({"lr", "dataset_size", "batch_size"})
# What a derived quantity follows from, beside itself.
_INGREDIENTS = {
    "steps": {"steps", "epochs", "dataset_size", *_BATCH},
    "epochs": {"epochs", "steps", "dataset_size", *_BATCH},
    "steps_per_epoch": {"dataset_size", *_BATCH},
    "nominal_batch": {"nbs", *_BATCH},
    "gradient_scale": {"gradient_rms", "eps"},
}


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


class _Request(Record):
    """What is asked: arrays by name, `value` among them, in the setting of two runs."""

    source: Convention
    target: Convention
    run: Run
    target_run: Run | None
    match: Match
    arrays: dict[str, Floats]
    shape: tuple[int, ...]

    def element(self, place: int) -> Conversion:
        """Return the scalar conversion of one element, by its place in the flattened result.

        Raises:
            DecaycalcError: it has none.
        """
        return apply(self.plan(place), self.number(place))

    def number(self, place: int) -> Fraction:
        """Return the value of one element.

        Raises:
            InvalidValueError: it is none that the convention can have.
        """
        return check_value(self._at("value", place), self.source)

    def plan(self, place: int) -> Plan:
        """Return the plan of one element.

        Raises:
            DecaycalcError: it has none.
        """
        numbers = {name: self._at(name, place) for name in self.arrays if name != "value"}
        run, target_run = runs_with(self.run, self.target_run, numbers)
        source = Side(convention=self.source, run=run)
        target = target_side(source, self.target, target_run)
        require_taken(source, (self.target,), target_run)
        return plan(source, target, match=self.match)

    def _at(self, name: str, place: int) -> float:
        index = np.unravel_index(place, self.shape)
        return float(np.broadcast_to(self.arrays[name], self.shape)[index])


def convert_arrays(
    value: ArrayLike,
    *,
    source: Convention,
    target: Convention,
    run: Run,
    target_run: Run | None = None,
    match: Match = Match.OPTIMUM,
    quantities: dict[str, Any],
) -> ArrayConversion:
    """Return weight decays in another convention, of the shape that value and quantities have.

    `quantities` are a run's by their names, `to_` before a target's; they go before those of `run`.

    Raises:
        DecaycalcError: what the scalar conversion raises, for any of the elements.
    """
    arrays = {name: _floats(array, name) for name, array in quantities.items()}
    arrays["value"] = _floats(value, source.parameter)
    request = _Request(
        source=source, target=target, run=run, target_run=target_run, match=match, arrays=arrays,
        shape=_shape(arrays),
    )  # fmt: skip
    if not arrays["value"].size or 0 in request.shape:
        raise InvalidValueError(source.parameter, "an empty array", "has nothing to convert")
    way = request.plan(0)
    first = apply(way, request.number(0))
    try:
        value, lr = _vectorised(request, way)
    except NoCurveError:
        value, lr = _elementwise(request)
    return ArrayConversion(
        convention=target, value=value, lr=lr, equivalence=first.equivalence,
        formula=first.formula, note=first.note,
    )  # fmt: skip


def _floats(array: ArrayLike, name: str) -> Floats:
    """Return the array as float64.

    Raises:
        InvalidValueError: it holds something else than numbers.
    """
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


def _elementwise(request: _Request) -> tuple[Floats, Floats | None]:
    """Return values and lrs, each element by the scalar conversion."""
    values, lrs = _converted(request, np.arange(int(np.prod(request.shape))))
    shaped = None if lrs is None else lrs.reshape(request.shape)
    return values.reshape(request.shape), shaped


def _converted(request: _Request, places: NDArray[np.intp]) -> tuple[Floats, Floats | None]:
    """Return values and lrs of some elements by the scalar conversion, equal ones once.

    Raises:
        DecaycalcError: one of them has none.
    """
    arrays = (np.broadcast_to(array, request.shape) for array in request.arrays.values())
    columns = [array.reshape(-1)[places] for array in arrays]
    _, firsts, inverse = np.unique(
        np.stack(columns, axis=1), axis=0, return_index=True, return_inverse=True
    )
    made = [request.element(int(place)) for place in places[firsts]]
    back = inverse.reshape(-1)
    values = np.array([_single(conversion) for conversion in made])[back]
    if made[0].lr is None:
        return values, None
    return values, np.array([conversion.lr for conversion in made], dtype=np.float64)[back]


def _single(conversion: Conversion) -> float:
    """Return the conversion's number; a layer-wise one was refused for want of the layers."""
    assert conversion.value is not None  # noqa: S101  (there was a value to convert)
    return conversion.value


def _vectorised(request: _Request, way: Plan) -> tuple[Floats, Floats | None]:
    """Return values and lrs by numpy; `way` is the first element's plan.

    Raises:
        NoCurveError: the conversion is none of the functions that are known here.
    """
    if not _are_usual(request, way):
        raise NoCurveError
    if way.factor is not None:
        values = _product(request, way, way.factor)
    else:
        values = _through_forms(request, way)
    if way.lr is None or way.target_lr() is None:
        return values, None
    return values, _product(request, way, way.lr)


def _are_usual(request: _Request, way: Plan) -> bool:
    """Return whether no element's quantities are refused, nor change what the formula is.

    Those that enter as plain factors are looked at when they are multiplied.
    """
    factors = set(way.factor.names) & _PLAIN if way.factor is not None else set()
    arrays = {name: array for name, array in request.arrays.items() if name != "value"}
    if any(name.startswith("to_") for name in arrays):
        return False
    length = {"steps", "epochs"}
    if length & arrays.keys() and all(n in arrays or request.run.given(n) for n in length):
        return False
    return _fits(request.run, arrays) and all(
        name in factors or _is_usual(name, array) for name, array in arrays.items()
    )


def _is_usual(name: str, array: Floats) -> bool:
    """Return whether a quantity's array is strictly within its domain."""
    quantity = QUANTITIES[name]
    limit = np.inf if quantity.high is None else quantity.high
    if not 0 < array.min() <= array.max() < limit:
        return False
    return not quantity.integer or bool((array == np.floor(array)).all())


def _fits(run: Run, arrays: dict[str, Floats]) -> bool:
    """Return whether every data set holds its step's examples."""
    if not {"dataset_size", *_BATCH} & arrays.keys():
        return True
    sizes = {name: arrays.get(name, _given(run, name)) for name in ("dataset_size", *_BATCH)}
    if sizes["dataset_size"] is None or sizes["batch_size"] is None:
        return True
    factors = (sizes[name] for name in _BATCH if sizes[name] is not None)
    examples: Any = 1.0
    for factor in factors:
        examples = examples * factor
    return bool((examples <= sizes["dataset_size"]).all())


def _given(run: Run, name: str) -> Any:
    number = run.given(name)
    return None if number is None else np.float64(float(number))


def _operand(request: _Request, way: Plan, name: str) -> list[Floats | Fraction]:
    """Return the arrays and numbers whose product a quantity is.

    Raises:
        NoCurveError: it follows from an array otherwise.
    """
    arrays = request.arrays
    if name == "batch_size" and any(part in arrays for part in _BATCH):
        run = way.source.run
        return [arrays[p] if p in arrays else run.given(p) or Fraction(1) for p in _BATCH]
    plain = name.removeprefix("one_minus_")
    if plain in arrays and plain not in _INGREDIENTS:
        return [arrays[plain] if plain == name else 1 - arrays[plain]]
    if _INGREDIENTS.get(plain, set()) & arrays.keys():
        raise NoCurveError
    number = way.quantity(name)
    assert number is not None  # noqa: S101  (the first element was converted)
    return [number]


def _product(request: _Request, way: Plan, monomial: Monomial) -> Floats:
    """Return a monomial of the arrays, block by block where they are alike."""
    coefficient, powers = monomial.coefficient, []
    for name, exponent in monomial.exponents:
        for factor in _operand(request, way, name):
            if isinstance(factor, Fraction):
                coefficient *= factor**exponent
            else:
                powers.append((factor, exponent))
    if not powers:
        return np.full(request.shape, float(monomial_root(coefficient, monomial.root)))
    result, number = np.empty(request.shape), float(coefficient)

    def fill(block: Floats, factors: Factors, concealed: Sequence[Floats], start: int) -> None:
        multiply(block, factors, number, monomial.root)
        if not is_sound(block, concealed):
            _mend(request, block, factors, start)

    if _are_flat(request, [array for array, _ in powers]):
        flat, sources = result.reshape(-1), [(array.reshape(-1), power) for array, power in powers]
        unseen = hidden(sources)

        def piece_by_piece(piece: slice) -> None:
            factors = [(array[piece], power) for array, power in sources]
            fill(flat[piece], factors, [array[piece] for array in unseen], piece.start)

        by_blocks(piece_by_piece, size=flat.size, block=_BLOCK)
    else:
        factors = _broadcast(request, powers)
        by_blocks(lambda _: fill(result, factors, hidden(factors), 0), size=1, block=1)
    return result


def monomial_root(coefficient: Fraction, root: int) -> Fraction:
    """Return the root of a coefficient."""
    return Monomial.of(coefficient, root=root).evaluate({})


def _are_flat(request: _Request, arrays: Sequence[Floats]) -> bool:
    """Return whether all arrays lie in memory as the result does."""
    return all(array.shape == request.shape and array.flags.c_contiguous for array in arrays)


def _broadcast(request: _Request, powers: Factors) -> Factors:
    return [(np.broadcast_to(array, request.shape), power) for array, power in powers]


def _mend(request: _Request, block: Floats, factors: Factors, start: int) -> None:
    """Put the scalar conversion's number where an element is unusual, or raise what it raises."""
    sound = np.isfinite(block) & (block > TINY)
    for array, _ in factors:
        sound &= array > 0
    places = np.flatnonzero(~sound)
    block.reshape(-1)[places] = _converted(request, places + start)[0]


def _through_forms(request: _Request, way: Plan) -> Floats:
    """Return the numbers of a conversion between forms, or between a form and a monomial.

    Raises:
        NoCurveError: an array stands elsewhere than in the value, or the way is another.
    """
    value = request.arrays["value"]
    if way.exactly or len(request.arrays) > 1:
        raise NoCurveError
    shrink_of, number_of = into(way.source), out_of(way.target)
    flat = np.ascontiguousarray(value).reshape(-1)
    result = np.empty(flat.shape)

    def fill(piece: slice) -> None:
        shrink = shrink_of(flat[piece])
        result[piece] = number_of(shrink)
        if not (is_sound(result[piece], [shrink]) and shrink.max() < 1):
            _mend(request, result[piece], [(shrink, 1), (1 - shrink, 1)], piece.start)

    by_blocks(fill, size=flat.size, block=_FORM_BLOCK)
    return result.reshape(request.shape)
