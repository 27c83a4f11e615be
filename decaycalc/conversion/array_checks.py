"""What must hold of the elements of arrays that a plan answers: found once, asked of each block.

A block whose elements are all sound is told by the least and the largest of its numbers, in as few
passes as can tell; only another one is looked at element by element.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from decaycalc.algebra.quantity import QUANTITIES
from decaycalc.conventions.forms import BESIDE_LAMBD
from decaycalc.conventions.run import BATCH
from decaycalc.conversion.array_forms import Floats
from decaycalc.conversion.array_numbers import ArrayPlan
from decaycalc.conversion.array_request import ArrayRequest
from decaycalc.conversion.kept_plans import sees_numbers

# Says of the elements of a block which are sound, or of all of them at once.
Relation = Callable[[ArrayPlan], Any]

_LARGEST = float(np.finfo(np.float64).max)
_TINY = float(np.finfo(np.float64).tiny)
# What is infinite, not a number or negative has bits, read as a whole number, from here on.
_UNSOUND_BITS = np.float64(np.inf).view(np.uint64)
_LENGTH = ("steps", "epochs", "dataset_size", "batch_size")


class Checks:
    """What must hold of elements that share a plan.

    `takes_zero` tells whether a value of 0 has the number 0, `shows_sign` whether a negative value
    has a negative number or decay, `highs` what the arrays of quantities must be below; they are
    above 0.
    """

    def __init__(self, request: ArrayRequest, laid: ArrayPlan) -> None:
        # What must hold is the same for all elements, so it is found beside the first ones.
        laid = laid.on({name: array[..., :1] for name, array in laid.arrays.items()})
        way = laid.way
        monomial = way.source.invariant(way.held) if way.factor is None else way.factor
        power = 0 if monomial is None else monomial.power_of("value")
        self.takes_zero = way.factor is not None and power > 0 and request.zero_is_sound
        form = way.source.convention.form
        self.shows_sign = power.numerator % 2 == 1 if form is None else form != BESIDE_LAMBD
        self.highs = dict(_highs(laid))
        self.relations = tuple(_relations(request, laid))

    def hold(self, laid: ArrayPlan, values: Floats, between: Floats | None) -> bool:
        """Return whether no element is out of the ordinary."""
        arrays = laid.arrays
        return bool(
            np.maximum.reduce(values.view(np.uint64), axis=None) < _UNSOUND_BITS
            and (self.takes_zero or _least(values) >= _TINY)
            and (self.shows_sign or _least(arrays["value"]) >= 0)
            and (between is None or (_least(between) > 0 and _most(between) < 1))
            and all(
                _least(arrays[name]) > 0 and (high == np.inf or _most(arrays[name]) < high)
                for name, high in self.highs.items()
            )
            and all(np.all(relation(laid)) for relation in self.relations)
        )

    def sound(self, laid: ArrayPlan, values: Floats, between: Floats | None) -> NDArray[np.bool_]:
        """Return which elements are not out of the ordinary."""
        arrays = laid.arrays
        sound = np.isfinite(values) & (arrays["value"] >= 0)
        is_zero = (values == 0) & (arrays["value"] == 0) if self.takes_zero else False
        sound &= (values > _TINY) | is_zero
        if between is not None:
            sound &= (between > 0) & (between < 1)
        for name, high in self.highs.items():
            sound &= (arrays[name] > 0) & (arrays[name] < high)
        for relation in self.relations:
            sound &= relation(laid)
        return sound


def any_sees_numbers(request: ArrayRequest) -> bool:
    """Return whether a side's plan depends on what its momentum is, not only on whether it is."""
    return sees_numbers(request.source) or sees_numbers(request.target)


def _least(array: Floats) -> Any:
    """Return the least element; nan where there is one."""
    return np.minimum.reduce(array, axis=None)


def _most(array: Floats) -> Any:
    return np.maximum.reduce(array, axis=None)


def _highs(laid: ArrayPlan) -> Iterator[tuple[str, float]]:
    """Yield the arrays of quantities that are given, and what they must be below."""
    entering = laid.way.needs
    for name in laid.arrays.keys() - {"value"}:
        plain = name.removeprefix("to_")
        if _given(laid, name):
            # What is infinite shows in a number that it enters, else it must be looked for.
            yield name, QUANTITIES[plain].high or (np.inf if name in entering else _LARGEST)


def _given(laid: ArrayPlan, name: str) -> Any:
    """Return the plan's own number of a quantity: None or 0 where the elements must have none."""
    plain = name.removeprefix("to_")
    side = laid.way.source if name == plain else laid.way.target
    return side.run.given(plain)


def _relations(request: ArrayRequest, laid: ArrayPlan) -> Iterator[Relation]:
    """Yield what must hold of several quantities, of whole numbers, and of zeros."""
    names = laid.arrays.keys() - {"value"}
    for is_target in (False, True):
        # A target whose batch and data set are the source's holds no more steps than that.
        if is_target and not {f"to_{name}" for name in (*BATCH, "dataset_size")} & names:
            continue
        if laid.fits(is_target) is not None:
            yield lambda laid, is_target=is_target: laid.fits(is_target)  # type: ignore[misc]
    if {"steps", "epochs"} & names and all(laid.raw(each) is not None for each in _LENGTH):
        yield lambda _: False  # they may contradict each other
    for name in names:
        yield from _relations_of(request, laid, name)


def _relations_of(request: ArrayRequest, laid: ArrayPlan, name: str) -> Iterator[Relation]:
    """Yield what must hold of one quantity beside its bounds."""
    plain, given = name.removeprefix("to_"), _given(laid, name)
    if not given:
        yield lambda laid: laid.arrays[name] == 0
    elif QUANTITIES[plain].integer:
        yield lambda laid: laid.arrays[name] == np.floor(laid.arrays[name])
    if plain in {"momentum", "dampening"} and any_sees_numbers(request):
        yield lambda laid: laid.arrays[name] == float(given or 0)
    if name != plain and plain not in laid.way.target.own:
        yield lambda laid: _is_as_at_source(laid, plain)


def _is_as_at_source(laid: ArrayPlan, plain: str) -> Any:
    """Return where a target's quantity is what follows from the source's."""
    own = laid.either(laid.way.target.lr) if plain == "lr" else laid.raw(plain)
    own = laid.way.source.run.get(plain) if own is None else own
    return own is not None and laid.arrays[f"to_{plain}"] == np.float64(own)
