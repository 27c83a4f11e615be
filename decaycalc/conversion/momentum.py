"""What a constant decay does to a weight that has no data gradient, exactly.

Everything starts from `step = lr * loss_scale * strength`: the fraction of `w` that the decay term
adds to the step before momentum (dimensionless). With a zero data gradient a momentum method is a
linear recursion of second order, so the long run is its dominant root and n steps have a closed
form. Roots are computed as `1 - root`, never as `root`: a decay of 1e-12 keeps all its digits.

Notation: `m` momentum, `q` the step, `e = q*(1 - dampening)`, `lookahead` how often a step looks
ahead along the momentum: not at all (0, heavy ball), once (1, Nesterov as in PyTorch, Caffe and
Keras) or twice (2, MXNet's NAG, which works in place: the buffer takes the decay of the weight that
has moved already). Where a step mixes gradient and buffer otherwise (`mixture.py`) it is broken:
the power of m that `kept` is in `w = w - (fresh*g + kept*v)`, `v = m*v + g` with `fresh = (1 -
kept)/(1 - m)`. All are one family, with `z = 1 - s`:

    s^2 - (1 - m + gain*e)*s + e = 0,    gain = 1 + m + ... + m^lookahead,

whose roots are equal at `e = ((1 - p)/gain)^2` and `((1 + p)/gain)^2`, `p = m^((lookahead + 1)/2)`.
The heavy ball's is `z^2 - (1 + m - e)*z + m = 0`, Nesterov's `z^2 - (1 + m)*(1 - q)*z + m*(1 - q)
= 0`, the third `z^2 - (1 + m - gain*q)*z + m*(1 - (1 + m)*q) = 0`. Frameworks keep no buffer when
momentum is 0, so dampening then has no effect.

Source: torch/optim/sgd.py `_single_tensor_sgd`; src/operator/optimizer_op-inl.h `NAGMomKernel`
(mxnet 1.9.1); derivation ours, checked against the recursion.
"""

import math
from fractions import Fraction

from decaycalc.algebra.number import about
from decaycalc.errors import InvalidValueError
from decaycalc.record import Record

LARGEST_STEP = 1e100  # its square, in the discriminant, is within float64
IN_PLACE = 2  # the lookahead of a Nesterov step whose buffer takes the moved weight's decay


class _Recursion(Record):
    """The recursion `w[n+1] = (2 - b)*w[n] - determinant*w[n-1]` and its roots `1 - s`.

    `s` solves `s^2 - b*s + c = 0`, whose discriminant is given in factors that do not cancel;
    `determinant_loss` is 1 - determinant, likewise.
    """

    b: float
    c: float
    discriminant: float
    determinant: float
    determinant_loss: float
    past_threshold: bool

    @property
    def is_dominant_negative(self) -> bool:
        """Whether the real root of largest modulus is negative: the roots' sum, 2 - b, is."""
        return self.b > 2  # noqa: PLR2004

    def dominant(self) -> float:
        """Return `s` of the real root of largest modulus."""
        width = math.sqrt(self.discriminant)
        if self.is_dominant_negative:
            return (self.b + width) / 2
        return 2 * self.c / (self.b + width)

    def shrink(self) -> float:
        """Return 1 minus the largest modulus of the two roots."""
        if self.discriminant < 0:
            return self.determinant_loss / (1 + math.sqrt(self.determinant))
        s = self.dominant()
        return 2 - s if self.is_dominant_negative else s


def _require(name: str, value: float, *, low: float, high: float, text: str) -> None:
    if not low <= value <= high:
        # Whole numbers of steps may have hundreds of digits.
        shown = about(Fraction(value)) if isinstance(value, int) and value > high else value
        raise InvalidValueError(name, shown, text)


def _require_step(step: float) -> None:
    _require("step", step, low=0, high=LARGEST_STEP, text="must be a number from 0 to 1e100")


def _require_momentum(momentum: float, dampening: float, lookahead: float) -> float:
    """Check the momentum's settings and return the dampening in force."""
    if not 0 <= momentum < 1:
        raise InvalidValueError("momentum", momentum, "must be at least 0 and below 1")
    _require("dampening", dampening, low=0, high=1, text="must be from 0 to 1")
    if lookahead and dampening:
        raise InvalidValueError("dampening", dampening, "must be 0 with Nesterov momentum")
    return dampening if momentum else 0.0


def _gain(momentum: float, lookahead: float) -> float:
    """Return `1 + m + ... + m^lookahead`, `(1 - m^(lookahead + 1))/(1 - m)` of a fraction."""
    if not lookahead:
        return 1.0
    if isinstance(lookahead, float):
        return -math.expm1((lookahead + 1) * math.log(momentum)) / (1 - momentum)
    return math.fsum(momentum**power for power in range(lookahead + 1))


def fresh_and_kept(momentum: float, lookahead: float) -> tuple[float, float]:
    """Return by what a step multiplies the gradient, and by what the buffer that holds it too.

    In place (2) it is Nesterov's step, taken on another weight.

    >>> fresh_and_kept(0.9, 0), fresh_and_kept(0.9, 1)
    ((0.0, 1.0), (1.0, 0.9))
    """
    if not lookahead:
        return 0.0, 1.0
    ahead = lookahead if isinstance(lookahead, float) else 1
    return _gain(momentum, ahead - 1), math.pow(momentum, ahead)


def _half_power(momentum: float, lookahead: float) -> float:
    """Return `p = m^((lookahead + 1)/2)`; `p^2` is `1 - (1 - m)*gain`."""
    return math.pow(math.sqrt(momentum), lookahead + 1)


def _calmest(momentum: float, lookahead: float) -> float:
    """Return the largest shrink that does not oscillate, `(1 - p)/gain` without cancellation."""
    return (1 - momentum) / (1 + _half_power(momentum, lookahead))


def _threshold(momentum: float, lookahead: float) -> float:
    """Return `((1 - p)/gain)^2` without cancellation."""
    return _calmest(momentum, lookahead) ** 2


def _recursion(step: float, momentum: float, dampening: float, lookahead: float) -> _Recursion:
    _require_step(step)
    m = momentum
    e = step * (1 - _require_momentum(momentum, dampening, lookahead))
    gain, low = _gain(m, lookahead), _threshold(m, lookahead)
    high = ((1 + _half_power(m, lookahead)) / gain) ** 2
    again = m * _gain(m, lookahead - 1)  # gain - 1
    return _Recursion(
        b=1 - m + gain * e,
        c=e,
        discriminant=gain**2 * (e - low) * (e - high),
        determinant=m - again * e,
        determinant_loss=1 - m + again * e,
        past_threshold=e > low,
    )


def long_run_shrink(
    step: float, *, momentum: float = 0.0, dampening: float = 0.0, lookahead: float = 0
) -> float:
    """Return the exact fraction of a weight lost per step in the long run, `1 - |root|` (1/step).

    In the oscillating regime it is 1 minus the modulus; negative when the weight grows.

    >>> long_run_shrink(5e-5, momentum=0.9)
    0.0005022716...

    Raises:
        InvalidValueError: A setting out of its range.
    Source: the recursion of the module's docstring.
    """
    return _recursion(step, momentum, dampening, lookahead).shrink()


def first_order_shrink(step: float, *, momentum: float = 0.0, dampening: float = 0.0) -> float:
    """Return the long-run shrink to first order in the step, `step*(1 - dampening)/(1 - momentum)`.

    The same for Nesterov and heavy ball (1/step).

    Raises:
        InvalidValueError: A setting out of its range.
    """
    _require_step(step)
    in_force = _require_momentum(momentum, dampening, 0)
    return step * (1 - in_force) / (1 - momentum)


def is_oscillating(
    step: float, *, momentum: float = 0.0, dampening: float = 0.0, lookahead: float = 0
) -> bool:
    """Return whether the weight changes sign on its way down: the step is past the threshold.

    Raises:
        InvalidValueError: A setting out of its range.
    """
    return _recursion(step, momentum, dampening, lookahead).past_threshold


def calm_limit(momentum: float, lookahead: float) -> float:
    """Return the first-order shrink up to which a weight keeps its sign on its way down (1/step).

    `(1 - m)/(1 + m^((lookahead + 1)/2))^2`, whatever the dampening: the first-order shrink of the
    threshold's step.
    """
    return (1 - momentum) / (1 + _half_power(momentum, lookahead)) ** 2


def step_for_shrink(
    shrink: float, *, momentum: float = 0.0, dampening: float = 0.0, lookahead: float = 0
) -> float:
    """Return the step whose exact long-run shrink is `shrink`: the inverse of `long_run_shrink`.

    On the branch that does not oscillate: `e = s*(1 - m - s)/(1 - gain*s)`.

    Raises:
        InvalidValueError: A setting out of its range, or a shrink that this momentum only reaches
            when oscillating: from `1 - sqrt(m)` on, with Nesterov from `(1 - m)/(1 + m)` on.
    """
    in_force = _require_momentum(momentum, dampening, lookahead)
    limit = _calmest(momentum, lookahead)
    if not 0 <= shrink < limit:
        text = f"must be at least 0 and below {limit:.6g}, the most that momentum {momentum!r}"
        raise InvalidValueError("shrink", shrink, f"{text} reaches without oscillating")
    if shrink == 0:
        return 0.0
    if in_force == 1:
        raise InvalidValueError("shrink", shrink, "is out of reach: dampening 1 leaves no decay")
    divisor = (1 - _gain(momentum, lookahead) * shrink) * (1 - in_force)
    return shrink * (1 - momentum - shrink) / divisor


def proximal_shrink(step: float) -> float:
    """Return the shrink of a proximal (implicit) decay, `step/(1 + step)` (1/step).

    Raises:
        InvalidValueError: A negative or endless step.
    """
    _require_step(step)
    return step / (1 + step)


def step_for_proximal_shrink(shrink: float) -> float:
    """Return the step whose proximal shrink is `shrink`, `shrink/(1 - shrink)`.

    Raises:
        InvalidValueError: A shrink outside 0 to 1; a proximal step never reaches 1.
    """
    if not 0 <= shrink < 1:
        raise InvalidValueError("shrink", shrink, "must be at least 0 and below 1")
    return shrink / (1 - shrink)


def _require_shrink(shrink: float) -> None:
    text = "must be a number from -1e100 to 1e100"
    _require("shrink", shrink, low=-LARGEST_STEP, high=LARGEST_STEP, text=text)


def log_factor(shrink: float) -> float | None:
    """Return `log|1 - shrink|`, right to the last digits for tiny shrinks; None for shrink 1."""
    _require_shrink(shrink)
    if shrink == 1:
        return None
    return math.log1p(-shrink) if shrink < 1 else math.log(shrink - 1)


def half_life_steps(shrink: float) -> float | None:
    """Return the number of steps in which half of a weight is gone; None if it never is.

    `ln 2 / -log|1 - shrink|`; 0 for shrink 1, which leaves nothing after one step.

    >>> round(half_life_steps(6e-5), 2)
    11552.11
    """
    log = log_factor(shrink)
    if log is None:
        return 0.0
    return _steps_in(math.log(2), -log)


def _steps_in(amount: float, per_step: float) -> float | None:
    """Return `amount/per_step`, None where no float is as large or nothing happens."""
    steps = amount / per_step if per_step > 0 else math.inf
    return steps if steps < math.inf else None


def factor_over(shrink: float, n_steps: float) -> float:
    """Return what is left of a weight after `n_steps` steps, `(1 - shrink)^n_steps`.

    >>> factor_over(1e-12, 1e12)
    0.36787944117125...

    Raises:
        InvalidValueError: A number of steps that is negative, endless, or broken where the sign of
            the weight alternates; a factor too large for a float.
    """
    _require("n_steps", n_steps, low=0, high=LARGEST_STEP, text="must be a number from 0 to 1e100")
    log = log_factor(shrink)
    if shrink > 1 and n_steps != int(n_steps):
        raise InvalidValueError("n_steps", n_steps, "must be whole when the shrink is above 1")
    if log is None:
        return 0.0 if n_steps else 1.0
    sign = -1.0 if shrink > 1 and n_steps % 2 else 1.0
    return sign * _exp(n_steps * log, shrink)


def shrink_over(shrink: float, n_steps: float) -> float:
    """Return the fraction of a weight lost in `n_steps` steps, `1 - (1 - shrink)^n_steps`.

    Raises:
        InvalidValueError: As `factor_over`.
    """
    factor = factor_over(shrink, n_steps)
    log = log_factor(shrink)
    if log is None or shrink > 1:
        return 1 - factor
    return -math.expm1(n_steps * log)


def _exp(log: float, shrink: float) -> float:
    try:
        return math.exp(log)
    except OverflowError:
        text = "makes the weight grow beyond every float"
        raise InvalidValueError("shrink", shrink, text) from None


def free_survival(
    step: float,
    n_steps: int,
    *,
    momentum: float = 0.0,
    dampening: float = 0.0,
    lookahead: float = 0,
    first_step_dampened: bool = False,
) -> float:
    """Return what is left of a weight after `n_steps` steps from an empty buffer, exactly.

    `dampening` is left out of the first step, as PyTorch does, unless `first_step_dampened` (MLX).
    A closed form in the recursion's roots, so its cost does not depend on `n_steps`.

    >>> round(free_survival(1e-5, 100, momentum=0.9), 10)
    0.9909340148

    Raises:
        InvalidValueError: A setting out of its range, or a weight that grows beyond every float.
    Source: torch/optim/sgd.py (the first buffer is a clone of the gradient).
    """
    recursion = _recursion(step, momentum, dampening, lookahead)
    if n_steps < 0 or n_steps != int(n_steps):
        raise InvalidValueError("n_steps", n_steps, "must be a whole number of at least 0")
    if n_steps == 0:
        return 1.0
    first = step * sum(fresh_and_kept(momentum, lookahead))
    if first_step_dampened and not lookahead:
        first = recursion.c
    if recursion.discriminant < 0:
        return _survive_oscillating(recursion, first, n_steps)
    return _survive_real(recursion, first, n_steps)


def _survive_real(recursion: _Recursion, first: float, n_steps: int) -> float:
    """Return `w[n] = z^n - (first - s)*(z^n - y^n)/(z - y)`, z = 1 - s the dominant root.

    The divided difference is taken by expm1, so equal roots need no case of their own.
    """
    s = recursion.dominant()
    if s == 1:  # both roots are 0: the weight is gone after the second step
        return 1 - first if n_steps == 1 else 0.0
    gap = math.sqrt(recursion.discriminant) * (-1 if recursion.is_dominant_negative else 1)
    spread = gap / (1 - s)  # 1 - y/z
    ratio_power = _one_minus_power(spread, n_steps)
    bracket = 1 - (first - s) / (1 - s) * ratio_power
    return factor_over(s, n_steps) * bracket


def _one_minus_power(spread: float, n_steps: int) -> float:
    """Return `(1 - (1 - spread)^n)/spread` for `0 <= spread <= 2`; n at spread 0."""
    if spread == 0:
        return float(n_steps)
    return shrink_over(spread, n_steps) / spread


def _survive_oscillating(recursion: _Recursion, first: float, n_steps: int) -> float:
    """Return `rho^n*(cos(n*a) + (first step less real part)/imaginary part*sin(n*a))`."""
    real = 1 - recursion.b / 2
    imaginary = math.sqrt(-recursion.discriminant) / 2
    angle = math.atan2(imaginary, real)
    turned = math.cos(n_steps * angle) + (1 - first - real) / imaginary * math.sin(n_steps * angle)
    return math.exp(n_steps * math.log(recursion.determinant) / 2) * turned
