"""The shapes of the schedules: functions from steps, counted from 0, to multiplier = lr/peak.

Shapes that run down over a length count from the end of the warm-up, `u`; boundaries count from
the start of the segment, `t`, as papers give them. The lr of a run's last step is that of step
`total_steps - 1`, so a decay to 0 ends one step before 0, as in PyTorch, optax and transformers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from decaycalc.errors import ContradictionError
from decaycalc.schedule.table import StepTable

Floats = NDArray[np.float64]
Shape = Callable[[Floats], Floats]

DEFAULT_TIMESCALE = 10_000  # steps; transformers' inverse square root without a warm-up


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentParameters:
    """A segment's parameters in steps and numbers, and the steps that its shape has.

    `n_steps` is the length that the shape runs over, `warmup` that of the warm-up, `length` goes
    from the segment's start to the shape's end.
    """

    values: Mapping[str, object]
    warmup: int
    length: int
    table: StepTable | None = None

    @property
    def n_steps(self) -> int:
        """The steps that the shape runs over, one at least."""
        return max(self.length - (0 if self.is_over_run else self.warmup), 1)

    @property
    def is_over_run(self) -> bool:
        """Whether the shape runs from the segment's start, with the warm-up laid over it."""
        return self.values.get("over") == "run"

    @property
    def peak(self) -> float:
        """The multiplier at the start of the shape."""
        return cast("float", self.values.get("initial", self.values.get("value", 1.0)))

    @property
    def toward(self) -> str:
        """What the warm-up rises to."""
        toward = self.text("toward")
        return ("peak" if self.is_over_run else "end") if toward == "auto" else toward

    def number(self, name: str) -> float:
        """Return a number."""
        return cast("float", self.values[name])

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a list of numbers."""
        return cast("tuple[float, ...]", self.values[name])

    def text(self, name: str) -> str:
        """Return a choice."""
        return cast("str", self.values[name])

    def steps(self, name: str) -> int | None:
        """Return a length in steps, None when it is not given."""
        return cast("int | None", self.values[name])

    def all_steps(self, name: str) -> tuple[int, ...] | None:
        """Return a list of lengths in steps, None when it is not given."""
        return cast("tuple[int, ...] | None", self.values[name])


def fall(remaining: Floats) -> Floats:
    """Return the half cosine from 1 to 0, `(1 + cos(pi*(1 - remaining)))/2`, as a squared sine.

    The sine keeps its digits where the cosine form cancels, at the end of the decay.
    """
    sine = remaining * (np.pi / 2)
    np.sin(sine, out=sine)
    sine *= sine
    return sine


def _remaining(u: Floats, n: int, *, mirror: bool = False) -> Floats:
    """Return the share of the length that is still to come, from 1 at 0 to 0; 0 after the end."""
    if mirror:
        return np.abs((n - u + n) % (2 * n) - n) / n
    remaining = n - u
    if np.min(remaining, initial=0) < 0:  # to look costs a third of what it saves
        np.maximum(remaining, 0, out=remaining)
    remaining /= n
    return remaining


def _between(initial: float, final: float, share: Floats) -> Floats:
    if final == 0 and initial == 1:
        return share
    between = share * (initial - final)
    between += final
    return between


def build_constant(settings: SegmentParameters) -> Shape:
    """Return the same value at every step."""
    value = settings.number("value")
    return lambda u: np.full_like(u, value)


def build_linear(settings: SegmentParameters) -> Shape:
    """Return the line from initial to final."""
    initial, final = settings.number("initial"), settings.number("final")
    return lambda u: _between(initial, final, _remaining(u, settings.n_steps))


def build_cosine(settings: SegmentParameters) -> Shape:
    """Return the half cosine from initial to final; after it the final value, or back up."""
    initial, final = settings.number("initial"), settings.number("final")
    exponent, mirror = settings.number("exponent"), settings.text("after") == "mirror"
    ahead = 1 if settings.text("counts") == "one" else 0

    def shape(u: Floats) -> Floats:
        share = fall(_remaining(u + ahead if ahead else u, settings.n_steps, mirror=mirror))
        return _between(initial, final, share if exponent == 1 else share**exponent)

    return shape


def build_polynomial(settings: SegmentParameters) -> Shape:
    """Return initial to final along a power of the share that is left."""
    initial, final = settings.number("initial"), settings.number("final")
    power = settings.number("power")

    def shape(u: Floats) -> Floats:
        share = _remaining(u, settings.n_steps)
        share **= power
        return _between(initial, final, share)

    return shape


def build_cosine_restarts(settings: SegmentParameters) -> Shape:
    """Return half cosines one after the other."""
    initial, final = settings.number("initial"), settings.number("final")
    gamma, n = settings.number("gamma"), settings.n_steps
    period, ends = restart_period(settings)

    def shape(u: Floats) -> Floats:
        cycle, share = _cycle_position(u, period, int(settings.number("growth")))
        peak = initial if gamma == 1 else initial * gamma**cycle
        result = _between(1.0, 0.0, fall(1 - share)) * (peak - final) + final
        return np.where(u >= n, final, result) if ends else result

    return shape


def restart_period(settings: SegmentParameters) -> tuple[float, bool]:
    """Return the first cycle's steps, and whether the last cycle is followed by the final value.

    Raises:
        ContradictionError: both its length and the number of cycles are given, or neither.
    """
    period, cycles = settings.steps("period"), settings.number("cycles")
    if (period is None) == (cycles == 0):
        raise ContradictionError("cosine-restarts takes either period or cycles")
    if period is None:
        growth = settings.number("growth")
        units = cycles if growth == 1 else (growth**cycles - 1) / (growth - 1)
        return settings.n_steps / units, True
    return max(period, 1), False


def _cycle_position(u: Floats, period: float, growth: int) -> tuple[Floats, Floats]:
    """Return each step's cycle, from 0, and the share of the cycle that is behind it."""
    if growth == 1:
        cycle = np.floor(u / period)
        return cycle, (u - cycle * period) / period
    n_cycles = 1 + int(np.ceil(np.log2(max(float(np.max(u, initial=0)), 1) / period + 2)))
    starts = period * (growth ** np.arange(n_cycles, dtype=np.float64) - 1) / (growth - 1)
    cycle = np.clip(np.searchsorted(starts, u, side="right") - 1, 0, None)
    return cycle.astype(np.float64), (u - starts[cycle]) / (period * float(growth) ** cycle)


def build_step(settings: SegmentParameters) -> Shape:
    """Return initial times gamma at each boundary.

    Raises:
        ContradictionError: boundaries of two sorts, out of order, or others than there are gammas.
    """
    at, every = settings.all_steps("at"), settings.steps("every")
    initial, gammas = settings.number("initial"), settings.numbers("gamma")
    if (at is None) == (every is None):
        raise ContradictionError("step takes either at or every")
    if at is None:
        return _step_every(initial, gammas, max(cast("int", every), 1))
    if len(gammas) not in (1, len(at)):
        raise ContradictionError(f"step has {len(at)} boundaries but {len(gammas)} gammas")
    if sorted(at) != list(at):
        raise ContradictionError("step has boundaries that are not in order")
    factors = gammas * len(at) if len(gammas) == 1 else gammas
    levels = initial * np.cumprod(np.array([1.0, *factors]))
    edges = np.array(at, dtype=np.float64)
    return lambda t: levels[np.searchsorted(edges, t, side="right")]


def _step_every(initial: float, gammas: tuple[float, ...], every: int) -> Shape:
    if len(gammas) != 1:
        raise ContradictionError("step with every takes one gamma")
    return lambda t: initial * gammas[0] ** np.floor(t / every)


def build_exponential(settings: SegmentParameters) -> Shape:
    """Return `initial*gamma^(u/every)`."""
    gamma, every = settings.number("gamma"), max(settings.steps("every") or 1, 1)
    initial = settings.number("initial")
    return lambda u: initial * gamma ** (u / every)


def build_inverse(settings: SegmentParameters) -> Shape:
    """Return `initial*(1 + gamma*u)^-power`."""
    gamma, power = settings.number("gamma"), settings.number("power")
    initial = settings.number("initial")
    return lambda u: initial * (1 + gamma * u) ** -power


def build_inverse_sqrt(settings: SegmentParameters) -> Shape:
    """Return `initial/sqrt(1 + u/timescale)`."""
    given, initial = settings.steps("timescale"), settings.number("initial")
    timescale = max(given or settings.warmup or DEFAULT_TIMESCALE, 1)
    return lambda u: initial / np.sqrt((u + timescale) / timescale)


def build_wsd(settings: SegmentParameters) -> Shape:
    """Return initial, and at the end the decay to final."""
    decay = max(settings.steps("decay") or 0, 1)
    initial, final = settings.number("initial"), settings.number("final")
    n, falling = settings.n_steps, FALLS[settings.text("shape")]

    def shape(u: Floats) -> Floats:
        remaining = n - u
        np.clip(remaining, 0, decay, out=remaining)
        remaining /= decay
        return _between(initial, final, falling(remaining))

    return shape


FALLS: Mapping[str, Callable[[Floats], Floats]] = {
    "linear": lambda remaining: remaining,
    "cosine": fall,
    "1-sqrt": lambda remaining: 1 - np.sqrt(1 - remaining),
    "exponential": lambda remaining: np.exp2(remaining) - 1,
}


def build_one_cycle(settings: SegmentParameters) -> Shape:
    """Return the phases of one cycle, joined by half cosines or lines."""
    knots, levels = one_cycle_knots(settings)
    if settings.text("shape") == "linear":
        return lambda u: np.interp(u, knots, levels)
    return lambda u: _interpolate_cosine(u, np.array(knots), np.array(levels))


def one_cycle_knots(settings: SegmentParameters) -> tuple[list[float], list[float]]:
    """Return the steps where the phases end and the multipliers there.

    Source: torch.optim.lr_scheduler.OneCycleLR ends its phases at steps rise*n - 1 and n - 1;
    optax.schedules.cosine_onecycle_schedule at int(rise*n) and n.

    Raises:
        ContradictionError: phases that overlap or are shorter than a step.
    """
    n, rise = settings.n_steps, settings.number("rise")
    low = 1 / settings.number("div")
    levels = [low, 1.0, low / settings.number("final_div")]
    if settings.text("follow") == "torch":
        knots, back = [0.0, rise * n - 1, n - 1.0], 2 * rise * n - 2
    else:
        knots, back = [0.0, float(int(rise * n)), float(n)], float(int(settings.number("fall") * n))
    if settings.number("phases") == 3:  # noqa: PLR2004  (a phase more: back to where it began)
        knots.insert(2, back)
        levels.insert(2, low)
    if knots != sorted(knots):
        raise ContradictionError("one-cycle has phases that overlap or are shorter than a step")
    return knots, levels


def _interpolate_cosine(u: Floats, knots: Floats, levels: Floats) -> Floats:
    """Return the levels joined by half cosines; constant outside the knots."""
    left = np.clip(np.searchsorted(knots, u, side="left") - 1, 0, len(knots) - 2)
    widths = np.maximum(np.diff(knots), np.finfo(np.float64).tiny)
    remaining = np.clip((knots[left + 1] - u) / widths[left], 0, 1)
    below, above = levels[left + 1], levels[left]
    return below + (above - below) * fall(remaining)


def build_file(settings: SegmentParameters) -> Shape:
    """Return the table's multipliers, between its rows joined or held."""
    table = cast("StepTable", settings.table)
    knots, levels = np.array(table.steps), np.array(table.multipliers())
    if settings.text("interpolate") == "linear":
        return lambda t: np.interp(t, knots, levels)
    return lambda t: levels[np.clip(np.searchsorted(knots, t, side="right") - 1, 0, None)]


BUILDERS: Mapping[str, Callable[[SegmentParameters], Shape]] = {
    "constant": build_constant,
    "linear": build_linear,
    "cosine": build_cosine,
    "cosine-restarts": build_cosine_restarts,
    "step": build_step,
    "exponential": build_exponential,
    "polynomial": build_polynomial,
    "inverse": build_inverse,
    "inverse-sqrt": build_inverse_sqrt,
    "wsd": build_wsd,
    "one-cycle": build_one_cycle,
    "file": build_file,
}
"""What makes the shape of each kind of schedule from its settings."""
