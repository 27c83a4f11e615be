"""optax' schedules, for scripts that hand one on as the learning rate.

Source: optax 0.2.8 schedules/_schedule.py.
"""

from collections.abc import Callable
from fractions import Fraction

from decaycalc.training.reading.schedules import compose
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field

PREFIX = "optax."
_SECTION = "scheduler"
FIELDS = Field.within(
    _SECTION, source="optax 0.2.8", init_value=None, peak_value=None, warmup_steps=None,
    decay_steps=None, end_value="0", alpha="0", transition_steps=None,
)  # fmt: skip
# What makes other curves of the same functions.
_OTHERWISE = ("exponent", "transition_begin")


def optax_schedule(settings: Settings, name: str) -> str | None:
    """Return the text of a schedule by the name of its function, None where it has none here."""
    make = _SCHEDULES.get(name.removeprefix(PREFIX))
    peak, first = settings.number("lr"), settings.number("init_value")
    is_other = any(settings.has(f"{_SECTION}.{key}") for key in _OTHERWISE)
    return None if make is None or not peak or first is None or is_other else make(settings, peak)


def _cosine(settings: Settings, _: Fraction) -> str | None:
    length = settings.count("decay_steps")
    final = settings.number("alpha") or None
    return None if length is None else compose("cosine", length=length, final=final)


def _warmed_cosine(settings: Settings, peak: Fraction) -> str | None:
    """Return the cosine behind a ramp, whose length holds both."""
    length, warm = settings.count("decay_steps"), settings.number("warmup_steps")
    first, last = settings.number("init_value"), settings.number("end_value")
    if length is None or warm is None or first is None or last is None:
        return None
    ramp = {"warmup": int(warm), "start": first / peak or None} if warm else {}
    return compose("cosine", **ramp, length=length, final=last / peak or None)


def _linear(settings: Settings, peak: Fraction) -> str | None:
    length, last = settings.count("transition_steps"), settings.number("end_value")
    if length is None or last is None:
        return None
    return compose("linear", length=length, final=last / peak or None)


_SCHEDULES: dict[str, Callable[[Settings, Fraction], str | None]] = {
    "constant_schedule": lambda _, __: "constant",
    "cosine_decay_schedule": _cosine,
    "warmup_cosine_decay_schedule": _warmed_cosine,
    "linear_schedule": _linear,
}
