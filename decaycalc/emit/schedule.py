"""A schedule as a Python expression over numpy, jax.numpy or keras.ops, whichever is at hand."""

from typing import TYPE_CHECKING

from decaycalc.errors import InvalidValueError

if TYPE_CHECKING:
    from decaycalc.schedule import Schedule, Segment

_FALLS = {
    "linear": "{left}",
    "cosine": "(1 - {xp}.cos(math.pi * {left})) / 2",
    "1-sqrt": "1 - {xp}.sqrt(1 - {left})",
    "exponential": "2**({left}) - 1",
}


def schedule_lines(schedule: "Schedule", *, xp: str) -> tuple[str, ...]:
    """Return the body of a function of `step` (a float) that returns lr over peak lr.

    `xp` is the namespace that its functions come from; `math` is Python's own.

    Raises:
        InvalidValueError: a kind of schedule that has no short expression.
    """
    if len(schedule.segments) == 1:
        return _lines(schedule.segments[0], xp)
    # Each segment becomes a function of its own; nested choices pick the one that is in force.
    lines: list[str] = []
    for number, segment in enumerate(schedule.segments):
        lines.append(f"def part_{number}(step):")
        lines += [f"    {line}" for line in _lines(segment, xp)]
    choice = f"part_{len(schedule.segments) - 1}(step)"
    for number, segment in reversed(list(enumerate(schedule.segments[:-1]))):
        choice = f"{xp}.where(step < {segment.stop}, part_{number}(step), {choice})"
    return (*lines, f"return {choice}")


def _lines(segment: "Segment", xp: str) -> tuple[str, ...]:
    """Return one segment's lines; each names what the next ones use."""
    settings = segment.settings
    lines = []
    quick = "step"
    if begin := segment.start + segment.delay:
        since = f"step - {begin}"
        lines.append(f"t = {xp}.maximum({since}, 0)" if segment.delay else f"t = {since}")
        quick = "t"
    per = settings.steps("per")
    time = _held(quick, per, xp)
    quick = _held(quick, settings.steps("warmup_per") or per, xp)
    if time not in {"t", "step"}:
        lines.append(f"held = {time}")
        quick, time = "held" if quick == time else quick, "held"
    counted = time
    if settings.warmup and not segment.counts_from_start:
        lines.append(f"u = {xp}.maximum({time} - {settings.warmup}, 0)")
        counted = "u"
    shape_lines, shape = _shape(segment, xp, counted)
    lines += shape_lines
    if settings.number("floor"):
        shape = f"{xp}.maximum({shape}, {_number(settings.number('floor'))})"
    if settings.warmup:
        if settings.toward in {"current", "product"}:
            lines.append(f"after = {shape}")
            shape = "after"
        lines.append(f"warm = {_warming(segment, quick, xp)}")
        shape = f"{xp}.where({quick} < {settings.warmup}, warm, {shape})"
    return (*lines, f"return {shape}")


def _held(time: str, per: int | None, xp: str) -> str:
    """Return the step at which the lr was changed last."""
    return f"{xp}.floor({time} / {per}) * {per}" if per is not None and per > 1 else time


def _warming(segment: "Segment", time: str, xp: str) -> str:
    """Return the warm-up's expression, from `start` to what it rises to."""
    settings = segment.settings
    start, share = settings.number("start"), _ramp(segment, time, xp)
    if settings.toward == "product":
        return f"after * ({_from(start, 1.0, share)})"
    if settings.toward == "current":
        return f"{_number(start)} + (after - {_number(start)}) * ({share})"
    return _from(start, segment.top(), share)


def _from(start: float, top: float, share: str) -> str:
    """Return `start + (top - start)*share`, shortened where it can be."""
    if top - start != 1:
        share = f"{_number(top - start)} * ({share})"
    return f"{_number(start)} + {share}" if start else share


def _ramp(segment: "Segment", time: str, xp: str) -> str:
    """Return the share of the warm-up that is done."""
    settings = segment.settings
    if settings.text("ramp") == "log":
        share = f"{xp}.log(1 + {xp}.maximum({time}, 0)) / math.log({max(settings.warmup, 2)})"
    else:
        first, last = {"zero": (0, 0), "one": (1, 0), "inner": (1, 1)}[settings.text("ramp")]
        share = f"({time} + {first})" if first else f"({time})" if " " in time else time
        share = f"{share} / {settings.warmup + last}"
    power = settings.number("warmup_power")
    return share if power == 1 else f"({share}) ** {_number(power)}"


def _shape(segment: "Segment", xp: str, u: str) -> tuple[list[str], str]:
    """Return the lines before a shape's expression, and the expression in `u`.

    Raises:
        InvalidValueError: a kind without a short expression.
    """
    settings, name = segment.settings, segment.kind.name
    if name == "constant":
        return [], f"{u} * 0 + {_number(settings.number('value'))}"
    if name == "step":
        return [], _step(segment, xp, u)
    if name in {"exponential", "inverse", "inverse-sqrt"}:
        return [], _power(segment, u)
    if name in {"linear", "cosine", "polynomial"}:
        n = settings.n_steps
        u = f"{u} - 1" if settings.values.get("counts") == "one" else u
        return [f"left = {xp}.clip(({n} - {u}) / {n}, 0, 1)"], _falling(segment, xp)
    if name == "wsd":
        decay = max(settings.steps("decay") or 0, 1)
        line = f"left = {xp}.clip(({settings.n_steps} - {u}) / {decay}, 0, 1)"
        return [line], _between(segment, _FALLS[settings.text("shape")].format(xp=xp, left="left"))
    raise InvalidValueError(
        "schedule", name, "has no short form in code; write it with your framework's own"
    )


def _falling(segment: "Segment", xp: str) -> str:
    """Return a falling shape in `left`, the share of the length still to come."""
    settings, name = segment.settings, segment.kind.name
    if name == "linear":
        return _between(segment, "left")
    if name == "polynomial":
        return _between(segment, f"left ** {_number(settings.number('power'))}")
    if settings.text("after") == "mirror":
        raise InvalidValueError("schedule", "cosine:after=mirror", "has no short form in code")
    share, exponent = _FALLS["cosine"].format(xp=xp, left="left"), settings.number("exponent")
    return _between(segment, share if exponent == 1 else f"({share}) ** {_number(exponent)}")


def _between(segment: "Segment", share: str) -> str:
    """Return `final + (initial - final)*share`, shortened where it can be."""
    initial, final = segment.settings.number("initial"), segment.settings.number("final")
    scaled = share if initial - final == 1 else f"{_number(initial - final)} * ({share})"
    return f"{_number(final)} + {scaled}" if final else scaled


def _step(segment: "Segment", xp: str, t: str) -> str:
    """Return boundaries as a product of choices."""
    settings = segment.settings
    gammas, at, every = settings.numbers("gamma"), settings.all_steps("at"), settings.steps("every")
    initial = settings.number("initial")
    head = [] if initial == 1 else [_number(initial)]
    if at is None:
        count = f"{xp}.floor({t} / {max(every or 1, 1)})"
        return " * ".join([*head, f"{_number(gammas[0])} ** {count}"])
    factors = gammas * len(at) if len(gammas) == 1 else gammas
    choices = [
        f"{xp}.where({t} >= {edge}, {_number(factor)}, 1.0)"
        for edge, factor in zip(at, factors, strict=True)
    ]
    return " * ".join([*head, *choices])


def _power(segment: "Segment", u: str) -> str:
    """Return the shapes without an end."""
    settings, name = segment.settings, segment.kind.name
    initial = settings.number("initial")
    head = "" if initial == 1 else f"{_number(initial)} * "
    if name == "exponential":
        every = max(settings.steps("every") or 1, 1)
        share = u if every == 1 else f"({u} / {every})"
        return f"{head}{_number(settings.number('gamma'))} ** {share}"
    if name == "inverse":
        gamma, power = settings.number("gamma"), settings.number("power")
        return f"{head}(1 + {_number(gamma)} * {u}) ** {_number(-power)}"
    timescale = max(settings.steps("timescale") or settings.warmup or 10_000, 1)
    return f"{head}(({u} + {timescale}) / {timescale}) ** -0.5"


def _number(value: float) -> str:
    """Return a number's shortest decimal."""
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)  # noqa: PLR2004
