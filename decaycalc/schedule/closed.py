"""Sums of a schedule's multipliers in closed form, where there is one."""

import math

from decaycalc.schedule.model import Schedule, Segment


def sum_multipliers(schedule: Schedule) -> float | None:
    """Return the sum of all steps' multipliers, None where no closed form is known.

    Warm-up of W steps `(W - 1)/2` (ramp=one `(W + 1)/2`, inner `W/2`), then over n steps: constant
    `n`, linear and cosine `final*n + (1 - final)*(n + 1)/2`, a decay at the end likewise,
    exponential `(1 - g^n)/(1 - g)`; the continuous forms are those of Su, kexue.fm 11404.

    >>> from decaycalc.schedule import parse_schedule
    >>> sum_multipliers(parse_schedule("cosine", total_steps=1000))
    500.5
    """
    sums = [_sum_segment(segment) for segment in schedule.segments]
    return None if None in sums else math.fsum(part for part in sums if part is not None)


def _sum_segment(segment: Segment) -> float | None:
    settings = segment.settings
    n_after = segment.stop - segment.start - settings.warmup
    plain = (settings.steps("per") or 1) == 1 and not settings.number("floor")
    if n_after < 0 or not plain or settings.number("warmup_power") != 1:
        return None
    body = _sum_shape(segment, n_after)
    return None if body is None else _sum_warmup(segment) + body


def _sum_warmup(segment: Segment) -> float:
    settings, n = segment.settings, segment.settings.warmup
    shares = {"zero": n - 1, "one": n + 1, "inner": n}[settings.text("ramp")] / 2 if n else 0.0
    top = settings.number("value" if segment.kind.name == "constant" else "initial")
    start = settings.number("start")
    return start * n + (top - start) * shares


def _sum_shape(segment: Segment, n: int) -> float | None:
    """Return the sum over the n steps after the warm-up."""
    settings, name = segment.settings, segment.kind.name
    if name == "constant":
        return n * settings.number("value")
    if name == "exponential":
        log = math.log(settings.number("gamma")) / (settings.steps("every") or 1)
        return settings.number("initial") * (math.expm1(n * log) / math.expm1(log) if log else n)
    if name == "wsd":
        stable = min(max(settings.n_steps - (settings.steps("decay") or 0), 0), n)
        falling = _sum_fall(settings.text("shape"), n - stable, settings.n_steps - stable)
        return _between(segment, falling, n - stable, stable)
    is_plain = name == "linear" or (
        name == "cosine" and settings.number("exponent") == 1 and settings.text("after") == "hold"
    )
    return _between(segment, _sum_fall(name, n, settings.n_steps), n, 0) if is_plain else None


def _between(segment: Segment, falling: float | None, n: int, stable: int) -> float | None:
    """Return the sum of `final + (initial - final)*share`, the shares given by their sum."""
    if falling is None:
        return None
    initial, final = segment.settings.number("initial"), segment.settings.number("final")
    return stable * initial + final * n + (initial - final) * falling


def _sum_fall(shape: str, n: int, length: int) -> float | None:
    """Return the sum over `n` steps of a fall from 1 to 0 over `length` steps."""
    k = min(n, length)
    if k == 0:
        return 0.0
    if shape == "linear":
        return k - k * (k - 1) / (2 * length)
    if shape == "cosine":
        angle = math.pi / length
        cosines = math.sin(k * angle / 2) * math.cos((k - 1) * angle / 2) / math.sin(angle / 2)
        return (k + cosines) / 2
    return None
