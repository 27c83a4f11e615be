"""What a plan's names stand for where quantities are arrays, and what its steps make of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from decaycalc.algebra.number import root_of
from decaycalc.algebra.quantity import Monomial
from decaycalc.conventions.record import Invariant
from decaycalc.conventions.run import BATCH
from decaycalc.conversion.array_forms import (
    FROM_SHRINK,
    TO_SHRINK,
    Floats,
    first_order_shrinks,
    long_run_shrinks,
)
from decaycalc.conversion.inverse import solved
from decaycalc.conversion.plan import Plan
from decaycalc.conversion.side import Side

# How far from a whole number of steps rounding may take one, in units of its size.
_SNAP = 4 * np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """A monomial's arrays by name, under no root and under one, and all else as one number."""

    of: Monomial
    coefficient: float
    outside: list[tuple[str, int]]
    inside: list[tuple[str, int]]


class ArrayPlan:
    """A plan laid over some elements: `arrays` are values and quantities that broadcast."""

    def __init__(self, way: Plan, arrays: dict[str, Floats]) -> None:
        self.way, self.arrays = way, arrays
        self._split_before: dict[int, _Parts] = {}
        self._roles: dict[str, Monomial] = {}
        self._raw_before: dict[tuple[str, bool], str | float | None] = {}

    def on(self, arrays: dict[str, Floats]) -> "ArrayPlan":
        """Return the plan laid over other elements of the same arrays."""
        other = ArrayPlan(self.way, arrays)
        other._split_before, other._roles = self._split_before, self._roles
        other._raw_before = self._raw_before
        return other

    def values(self, out: Floats) -> Floats | None:
        """Write the target's numbers to `out`; return what is held where it is not a product."""
        way = self.way
        if way.factor is not None:
            self.product(way.factor, out)
            return None
        held = self._held(way.source, way.held)
        if way.exactly:
            held = self._first_order(way.target, self._exact(way.source, held))
        self._number(way.target, way.held, held, out)
        return np.asarray(held)

    def product(self, monomial: Monomial, out: Floats, **own: Any) -> Floats:
        """Write a monomial of the quantities to `out` and return it."""
        parts = self._split(monomial, own)
        powers = [(self._part(name, own), exponent) for name, exponent in parts.outside]
        rooted = [(self._part(name, own), exponent) for name, exponent in parts.inside]
        if rooted:
            root = np.empty(np.broadcast_shapes(*(array.shape for array, _ in rooted)))
            _multiply(root, rooted, 1.0)
            np.sqrt(root, out=root) if monomial.root == 2 else np.power(  # noqa: PLR2004
                root, 1 / monomial.root, out=root
            )
            powers.append((root, 1))
        if powers:
            _multiply(out, powers, parts.coefficient)
        else:
            out[...] = parts.coefficient
        return out

    def _part(self, name: str, own: dict[str, Any]) -> Floats:
        part: Floats = own[name] if name in own else self.quantity(name)
        return part

    def _split(self, monomial: Monomial, own: dict[str, Any]) -> "_Parts":
        """Return which of a monomial's names are arrays, once for all elements."""
        known = self._split_before.get(id(monomial))
        if known is None or known.of is not monomial:
            known = self._split_before[id(monomial)] = self._parts(monomial, own)
        return known

    def _parts(self, monomial: Monomial, own: dict[str, Any]) -> "_Parts":
        coefficient = monomial.coefficient
        outside: list[tuple[str, int]] = []
        inside: list[tuple[str, int]] = []
        for name, exponent in self._spelled(monomial):
            number = own[name] if name in own else self.quantity(name)
            if isinstance(number, Fraction):
                coefficient *= number**exponent
            elif exponent % monomial.root:
                inside.append((name, exponent))
            else:
                outside.append((name, exponent // monomial.root))
        number = float(root_of(coefficient, monomial.root))
        return _Parts(of=monomial, coefficient=number, outside=outside, inside=inside)

    def _spelled(self, monomial: Monomial) -> Iterator[tuple[str, int]]:
        """Yield names and exponents, a step's examples as the factors that were given."""
        for name, exponent in monomial.exponents:
            plain = name.removeprefix("to_")
            if plain != "batch_size" or self._array(plain, is_target=name != plain) is None:
                yield name, exponent
                continue
            for factor in BATCH:
                given = f"{'given_to_' if name != plain else 'given_'}{factor}"
                yield given, exponent

    def quantity(self, name: str) -> Any:
        """Return what a name stands for: an array, or one exact number."""
        if name == "value":
            return self.arrays["value"]
        if name.startswith("given_"):
            return self._given(name.removeprefix("given_"))
        plain = name.removeprefix("to_")
        array = self._array(plain, is_target=name != plain)
        if array is None and name == plain and self.way.source.get(name) is None:
            array = self._array(plain, is_target=True)
        return self.way.quantity(name) if array is None else array

    def _given(self, name: str) -> Any:
        """Return a factor of a step's examples, as it was given."""
        plain = name.removeprefix("to_")
        found = self.raw(plain, is_target=name != plain)
        if isinstance(found, np.ndarray):
            return found
        side = self.way.source if name == plain else self.way.target
        return side.run.given(plain) or Fraction(1)

    def _array(self, name: str, *, is_target: bool) -> Any:
        """Return the array behind a name, None where none enters it."""
        if name.startswith("one_minus_"):
            inner = self._array(name.removeprefix("one_minus_"), is_target=is_target)
            return None if inner is None else 1 - inner
        derive = _DERIVED.get(name)
        found = self.raw(name, is_target=is_target) if derive is None else derive(self, is_target)
        return found if isinstance(found, np.ndarray) else None

    def raw(self, name: str, *, is_target: bool = False) -> Any:
        """Return a quantity as it was given on a side, None where it was not."""
        if (name, is_target) not in self._raw_before:
            self._raw_before[name, is_target] = self._given_by(name, is_target=is_target)
        found = self._raw_before[name, is_target]
        return self.arrays[found] if isinstance(found, str) else found

    def _given_by(self, name: str, *, is_target: bool) -> str | float | None:
        """Return the name of the array that gives a quantity on a side, or its number."""
        number = (self.way.target if is_target else self.way.source).run.given(name)
        if number is None:
            return None
        names = (f"to_{name}", name) if is_target else (name,)
        return next((own for own in names if own in self.arrays), float(number))

    def fits(self, is_target: bool) -> Any:  # noqa: FBT001  (called by map)
        """Return whether data sets hold their steps' examples, None where no array enters that."""
        size = self.raw("dataset_size", is_target=is_target)
        batch = _batch(self, is_target)
        if size is None or batch is None:
            return None
        fits = np.asarray(batch <= size)
        return fits if fits.ndim else None

    def _held(self, side: Side, held: Invariant) -> Any:
        """Return the invariant that the side's numbers mean."""
        form, value = side.convention.form, self.arrays["value"]
        if form is None:
            return self._fresh(self._monomial("held", lambda: _known(side, held)))
        for _, factor in side.refined:
            value = value * self.either(factor)
        shrink = TO_SHRINK[form.text](value, {name: self._own(side, name) for name in form.needs})
        per_shrink = self._monomial("from", lambda: _per_shrink(side, held))
        return shrink * self.either(per_shrink) if per_shrink.exponents else shrink

    def _number(self, side: Side, held: Invariant, number: Any, out: Floats) -> None:
        """Write the side's numbers for a held invariant to `out`."""
        form = side.convention.form
        if form is None:
            way = self._monomial("solved", lambda: solved(side, held))
            self.product(way, out, **{held.value: number})
            return
        per_shrink = self._monomial("to", lambda: _per_shrink(side, held))
        shrink = number / self.either(per_shrink) if per_shrink.exponents else number
        FROM_SHRINK[form.text](shrink, {name: self._own(side, name) for name in form.needs}, out)

    def _monomial(self, role: str, make: Callable[[], Monomial]) -> Monomial:
        """Return a monomial that is made once for all elements."""
        if role not in self._roles:
            self._roles[role] = make()
        return self._roles[role]

    def either(self, monomial: Monomial) -> Any:
        """Return a monomial of quantities, one number where none of them is an array."""
        parts = self._split(monomial, {})
        return self._fresh(monomial) if parts.outside or parts.inside else parts.coefficient

    def _fresh(self, monomial: Monomial, **own: Any) -> Any:
        """Return a monomial in an array of its own, of the shape that its parts broadcast to."""
        parts = self._split(monomial, own)
        arrays = (self._part(name, own) for name, _ in (*parts.outside, *parts.inside))
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        return self.product(monomial, np.empty(shape), **own)

    def _own(self, side: Side, name: str) -> Any:
        """Return a quantity on one side, whose lr may follow from the source's."""
        if name == "lr":
            role = "lr there" if side is self.way.target else "lr here"
            return self.either(self._monomial(role, lambda: side.symbol("lr")))
        array = self._array(name, is_target=side is self.way.target)
        number = side.get(name) if array is None else array
        return float(number) if isinstance(number, Fraction) else number

    def _exact(self, side: Side, first_order: Any) -> Any:
        """Return the exact shrinks for first-order ones."""
        record = side.convention
        if side.is_linear:
            return first_order
        if record.proximal:
            return first_order / (1 + first_order)
        if record.compounds:
            count = self._own(side, record.compounds)
            return -np.expm1(count * np.log1p(-first_order / count))
        return long_run_shrinks(first_order, self._own(side, "momentum"), side.lookahead)

    def _first_order(self, side: Side, shrink: Any) -> Any:
        """Return the first-order shrinks for exact ones."""
        record = side.convention
        if side.is_linear:
            return shrink
        if record.proximal:
            return shrink / (1 - shrink)
        if record.compounds:
            count = self._own(side, record.compounds)
            return -count * np.expm1(np.log1p(-shrink) / count)
        return first_order_shrinks(shrink, self._own(side, "momentum"), side.lookahead)


def _per_shrink(side: Side, held: Invariant) -> Monomial:
    """Return the held invariant over the shrink that a side's form means."""
    return side.share if held == Invariant.SHRINK else side.bridge**-1


def _known(side: Side, held: Invariant) -> Monomial:
    """Return a side's invariant as a monomial, which it has where it has no form."""
    monomial = side.invariant(held)
    assert monomial is not None  # noqa: S101  (the plan holds it)
    return monomial


def _multiply(out: Floats, powers: Sequence[tuple[Floats, int]], coefficient: float) -> None:
    """Write the product of powers into `out`, in as few passes as there are factors.

    What is divided by comes last: a quotient is one pass, and a division costs two products.
    """
    above = [array for array, exponent in powers for _ in range(exponent)]
    below = [array for array, exponent in powers for _ in range(-exponent)]
    if not above:
        np.divide(coefficient, _product(below, out), out=out)
        return
    product = _product(above if coefficient == 1 else [above[0], coefficient, *above[1:]], out)
    for array in below:
        product = np.divide(product, array, out=out)
    if product is not out:
        out[...] = product


def _product(factors: Sequence[Any], out: Floats) -> Floats:
    """Return the product of factors, in `out` where there are several."""
    product, *others = factors
    for factor in others:
        product = np.multiply(product, factor, out=out)
    return product  # type: ignore[no-any-return]


def _batch(plan: ArrayPlan, is_target: bool) -> Any:  # noqa: FBT001  (one signature for all)
    parts = [plan.raw(name, is_target=is_target) for name in BATCH]
    if parts[0] is None:
        return None
    product = parts[0]
    for part in parts[1:]:
        product = product if part is None else product * part
    return product


def _ceil(number: Any) -> Any:
    """Return the next whole number, the nearest where only rounding keeps it from being that."""
    return np.ceil(number * (1 - _SNAP))


# The first element was converted, so what a derived quantity needs is known where it is asked for.
def _per_epoch(plan: ArrayPlan, is_target: bool) -> Any:  # noqa: FBT001
    size, batch = plan.raw("dataset_size", is_target=is_target), _batch(plan, is_target)
    run = plan.way.target.run if is_target else plan.way.source.run
    return np.floor(size / batch * (1 + _SNAP)) if run.drop_last else _ceil(size / batch)


def _steps(plan: ArrayPlan, is_target: bool) -> Any:  # noqa: FBT001
    steps = plan.raw("steps", is_target=is_target)
    if steps is not None:
        return steps
    epochs, per_epoch = plan.raw("epochs", is_target=is_target), _per_epoch(plan, is_target)
    return _ceil(epochs * per_epoch)


def _epochs(plan: ArrayPlan, is_target: bool) -> Any:  # noqa: FBT001
    epochs = plan.raw("epochs", is_target=is_target)
    if epochs is not None:
        return epochs
    steps, per_epoch = plan.raw("steps", is_target=is_target), _per_epoch(plan, is_target)
    return steps / per_epoch


def _nominal(plan: ArrayPlan, is_target: bool) -> Any:  # noqa: FBT001
    batch = plan.raw("batch_size", is_target=is_target)
    if batch is None or plan.raw("grad_accum", is_target=is_target) is not None:
        return _batch(plan, is_target)
    devices = plan.raw("world_size", is_target=is_target)
    batch = batch if devices is None else batch * devices
    nominal = plan.raw("nbs", is_target=is_target)
    return batch * np.maximum(np.rint((64 if nominal is None else nominal) / batch), 1)


def _gradient_scale(plan: ArrayPlan, is_target: bool) -> Any:  # noqa: FBT001
    rms, eps = (plan.raw(name, is_target=is_target) for name in ("gradient_rms", "eps"))
    return rms + (1e-8 if eps is None else eps)


_DERIVED = {
    "batch_size": _batch,
    "steps_per_epoch": _per_epoch,
    "steps": _steps,
    "epochs": _epochs,
    "nominal_batch": _nominal,
    "gradient_scale": _gradient_scale,
}
