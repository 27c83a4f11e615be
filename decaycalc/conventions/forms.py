"""Forms: what is no monomial of its number, half-lives and factors of what is left."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import exp, expm1, log, log1p

from decaycalc.algebra.number import ZERO, about
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record

Quantities = Mapping[str, Fraction | None]
_TOO_SMALL, _TOO_LARGE = "is below float64's range", "is beyond float64's range"


class Form(Record):
    """A convention's number that is no monomial: how it gives the shrink and comes from it.

    `to_shrink` and `from_shrink` take the number and the quantities named in `needs`; `text` is
    the formula of the shrink and `inverse` that of the number, with `value` for the number.
    Most have no number for zero; `zero_is_sound` where one does.
    """

    needs: tuple[str, ...]
    to_shrink: Callable[[Fraction, Quantities], Fraction]
    from_shrink: Callable[[Fraction, Quantities], Fraction]
    text: str
    inverse: str
    zero_is_sound: bool = False


def _of(quantities: Quantities, name: str) -> Fraction:
    value = quantities[name]
    assert value is not None  # noqa: S101  (the caller has seen to what `needs` names)
    return value


_HALF = Fraction(1, 2)
_LN_2 = Fraction(log(2))
# Below this, ln(1 - s) is -s to the last digit of a float64.
_TINY = Fraction(1, 1 << 60)
# exp of less, or of more, is not a float64.
_LEAST_LOG, _MOST_LOG = -745, 709


def _log_left(shrink: Fraction) -> Fraction:
    """Return ln|1 - shrink|, to a float64's digits for the smallest and the largest shrinks."""
    if shrink < _TINY:
        return -shrink
    if shrink < _HALF:
        return Fraction(log1p(-float(shrink)))
    left = abs(1 - shrink)
    return Fraction(log(left) if float(left) else log(left.numerator) - log(left.denominator))


def _lost(log_left: Fraction) -> Fraction:
    """Return 1 - exp(log_left), the inverse of `_log_left`; 1 where nothing is left."""
    if log_left > -_TINY:
        return -log_left
    if log_left > -_LN_2:
        return Fraction(-expm1(float(log_left)))
    return 1 - (Fraction(exp(float(log_left))) if log_left > _LEAST_LOG else ZERO)


def _from_half_life(steps: Fraction) -> Fraction:
    return _lost(-_LN_2 / steps)


def _half_life(shrink: Fraction) -> Fraction:
    return -_LN_2 / _log_left(shrink)


def _from_factor(factor: Fraction, n_steps: Fraction) -> Fraction:
    return _lost(_log_left(1 - factor) / n_steps)


def _beyond(shrink: Fraction, n_steps: Fraction, text: str) -> InvalidValueError:
    return InvalidValueError("factor", f"(1 - {about(shrink)})^{about(n_steps)}", text)


def _factor(shrink: Fraction, n_steps: Fraction) -> Fraction:
    if shrink == 1:
        return ZERO
    log_left = n_steps * _log_left(shrink)
    if log_left > _MOST_LOG:
        raise _beyond(shrink, n_steps, _TOO_LARGE)
    left = 1 - _lost(log_left) if log_left <= 0 else Fraction(exp(float(log_left)))
    if not left:
        raise _beyond(shrink, n_steps, _TOO_SMALL)
    return -left if shrink > 1 and n_steps % 2 == 1 else left


def _factor_over(n_steps: str, *, symbol: str | None = None) -> Form:
    """Return the form of what is left after as many steps as a quantity of the run counts."""
    symbol = symbol or n_steps
    return Form(
        needs=(n_steps,),
        to_shrink=lambda value, q: _from_factor(value, _of(q, n_steps)),
        from_shrink=lambda shrink, q: _factor(shrink, _of(q, n_steps)),
        text=f"1 - value^(1/{symbol})",
        inverse=f"(1 - shrink)^{symbol}",
    )


PER_STEP_FACTOR = Form(
    needs=(),
    to_shrink=lambda value, _: 1 - value,
    from_shrink=lambda shrink, _: 1 - shrink,
    text="1 - value",
    inverse="1 - shrink",
)
HALF_LIFE_STEPS = Form(
    needs=(),
    to_shrink=lambda value, _: _from_half_life(value),
    from_shrink=lambda shrink, _: _half_life(shrink),
    text="1 - 2^(-1/value)",
    inverse="-ln 2/ln(1 - shrink)",
)
HALF_LIFE_EPOCHS = Form(
    needs=("dataset_size", "batch_size"),
    to_shrink=lambda value, q: _from_half_life(
        value * _of(q, "dataset_size") / _of(q, "batch_size")
    ),
    from_shrink=lambda shrink, q: (
        _half_life(shrink) * _of(q, "batch_size") / _of(q, "dataset_size")
    ),
    text="1 - 2^(-B/(N·value))",
    inverse="-ln 2/ln(1 - shrink)·B/N",
)
PER_EPOCH_FACTOR = _factor_over("steps_per_epoch")
PER_RUN_FACTOR = _factor_over("steps", symbol="S")
BESIDE_LAMBD = Form(
    needs=("lr", "lambd"),
    to_shrink=lambda value, q: _of(q, "lr") * (value + _of(q, "lambd")),
    from_shrink=lambda shrink, q: shrink / _of(q, "lr") - _of(q, "lambd"),
    text="lr·(value + lambd)",
    inverse="shrink/lr - lambd",
    zero_is_sound=True,
)
