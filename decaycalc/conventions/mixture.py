"""Mixtures of gradient and momentum buffer in a step, beside the heavy ball's and Nesterov's."""

from collections.abc import Callable
from fractions import Fraction

from decaycalc.algebra.number import ONE
from decaycalc.record import Record


class Mixture(Record):
    """How a step mixes the gradient `g` with the buffer `v = m*v + g`.

    `gain` is what a constant gradient's step comes to in the long run, over lr·g; `kept` the part
    of the buffer, `fresh*g + kept*v` in units of `(1 - m)*gain`. Both take momentum and dampening.
    `settings` are the optimizer's own numbers that it is for. `starts_empty` says that the first
    step follows the same rule from an empty buffer.
    """

    gain: Callable[[Fraction, Fraction], Fraction]
    kept: Callable[[Fraction, Fraction], Fraction]
    settings: tuple[tuple[str, float], ...]
    starts_empty: bool = True


def quasi_hyperbolic(nu: Fraction) -> Mixture:
    """Return `nu*b + (1 - nu)*g` with the averaged buffer `b = m*b + (1 - m)*g`.

    Source: arXiv 1810.06801, equations 3 and 4.
    """
    return Mixture(gain=lambda _m, _d: ONE, kept=lambda _m, _d: nu, settings=(("nu", float(nu)),))


def proportional_integral(integral: Fraction, derivative: Fraction) -> Mixture:
    """Return `g + integral*i + derivative*d`, `i` the heavy ball, `d` that of the change of `g`.

    `i = m*i + (1 - dampening)*g` and `d = m*d + (1 - m)*(g - g before)`: with `v = m*v + g` they
    are `(1 - dampening)*v` and `(1 - m)*(g - (1 - m)*v)/m`. The first step leaves `d` at 0.

    Source: An et al., CVPR 2018, equation 9; torch_optimizer/pid.py (0.3.0).
    """

    def gain(m: Fraction, dampening: Fraction) -> Fraction:
        return 1 + integral * (1 - dampening) / (1 - m)

    def kept(m: Fraction, dampening: Fraction) -> Fraction:
        whole = integral * (1 - dampening) - derivative * (1 - m) ** 2 / m
        return whole / ((1 - m) * gain(m, dampening))

    numbers = (("integral", float(integral)), ("derivative", float(derivative)))
    return Mixture(gain=gain, kept=kept, settings=numbers, starts_empty=False)
