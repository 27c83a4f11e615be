"""MMEngine's `param_scheduler`: one scheduler or several that multiply, as a schedule's text.

Source: mmengine 25434293 optim/scheduler/param_scheduler.py; mmdetection cfd5d3a
mmdet/engine/schedulers/quadratic_warmup.py.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import cos, pi

from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.schedules import Options, compose, multiplied
from decaycalc.training.reading.settings import Settings, text_of, texts_of
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar, mappings_of


def schedulers_of(settings: Settings) -> tuple[Entries, ...]:
    """Return the parameter schedulers, one or a list of them."""
    return mappings_of(settings.node("param_scheduler"))


def schedule_of(settings: Settings) -> str | None:
    """Return the main scheduler with the warm-up that multiplies it; None for several.

    A scheduler counts from its own beginning, milestones too; until then the lr stays.
    """
    settings.find("scheduler")
    found = schedulers_of(settings)
    schedulers = [each for each in found if not _is_idle(each)]
    if any(is_open(each) for each in schedulers) or _is_computed(settings, len(found)):
        return None
    warm = [each for each in schedulers if _is_warmup(each)]
    main = [each for each in schedulers if not _is_warmup(each)]
    ramp = _ramp(settings, warm[0]) if warm else {}
    if len(warm) > 1 or len(main) > 1 or ramp is None:
        return None
    if not main:
        return compose("constant", **ramp)
    make = _SCHEDULES.get(text_of(main[0], "type"))
    begin = _number(main[0], "begin") or Fraction(0)
    if make is None or (begin and warm and _overlap(settings, warm[0], main[0])):
        return None
    if not begin:
        return make(settings, main[0], ramp)
    rest = make(settings, main[0], {})
    first = compose("constant", **ramp, until=_length(main[0], begin))
    return None if rest is None else f"{first}+{rest}"


def _is_computed(settings: Settings, known: int) -> bool:
    """Return whether the list, or a part of it, is something that only a run would tell."""
    node = settings.node("param_scheduler")
    if isinstance(node, Items):
        return len(node.items) > known
    return isinstance(node, Scalar) and bool(node.open)


def is_open(entry: Entries) -> bool:
    """Return whether a mapping holds what only a run would tell, `eta_min=_base_.lr * 0.05`.

    What is open is not what is left out: its default does not hold.
    """
    return any(not isinstance(node, Scalar) or bool(node.open) for node in _flat(entry))


def _flat(entry: Entries) -> Iterator[Node]:
    """Yield the values of a mapping, those of lists one by one."""
    for node in entry.entries.values():
        yield from node.items if isinstance(node, Items) else (node,)


def _is_idle(entry: Entries) -> bool:
    """Return whether a scheduler leaves the lr as it is, or is the momentum's."""
    kind = text_of(entry, "type")
    return kind.endswith("Momentum") or (kind == "ConstantLR" and _number(entry, "factor") == 1)


def _is_warmup(entry: Entries) -> bool:
    """Return whether a scheduler rises to the lr from the run's start."""
    is_first = not _number(entry, "begin") and _number(entry, "end_factor") in {None, 1}
    return is_first and text_of(entry, "type") in {"LinearLR", "QuadraticWarmupLR"}


def _overlap(settings: Settings, warm: Entries, main: Entries) -> bool:
    """Return whether a scheduler begins within the warm-up, as far as their units tell."""
    risen, begin = _end(settings, warm), _number(main, "begin")
    same = _is_by_epoch(warm) == _is_by_epoch(main)
    return same and begin is not None and risen is not None and begin < risen


def _ramp(settings: Settings, entry: Entries) -> Options | None:
    """Return the warm-up's length and start; one that steps by epochs has risen in its last."""
    length, per = _end(settings, entry), _per(entry)
    if length is None or (per and length <= 1):
        return None
    if text_of(entry, "type") == "QuadraticWarmupLR":
        one: Options = {"warmup": _length(entry, length), "warmup_power": 2, "ramp": "one"}
        return None if per else {**one, "warmup_per": None}
    return {
        "warmup": _length(entry, length - 1 if per else length),
        "start": _or_default(entry, "start_factor", Fraction(1, 3)),
        "warmup_per": per,
    }


def _end(settings: Settings, entry: Entries) -> Fraction | None:
    """Return where a scheduler ends, by default with the run."""
    end = _number(entry, "end")
    return settings.number("epochs" if _is_by_epoch(entry) else "steps") if end is None else end


def _length(entry: Entries, amount: Fraction) -> str:
    """Return an amount in the scheduler's own unit, epochs by default."""
    return f"{decimal_text(amount)}{'epochs' if _is_by_epoch(entry) else ''}"


def _is_by_epoch(entry: Entries) -> bool:
    return text_of(entry, "by_epoch") != "False"


def _per(entry: Entries) -> str | None:
    """Return how often the scheduler steps."""
    by_step = not _is_by_epoch(entry) or text_of(entry, "convert_to_iter_based") == "True"
    return None if by_step else "1epochs"


def _number(entry: Entries, key: str) -> Fraction | None:
    return typed_number(text_of(entry, key))


def _or_default(entry: Entries, key: str, default: Fraction) -> Fraction:
    number = _number(entry, key)
    return default if number is None else number


def _multistep(_: Settings, entry: Entries, ramp: Options) -> str | None:
    marks = [typed_number(text) for text in texts_of(entry.entries.get("milestones"))]
    known = [mark for mark in marks if mark is not None]
    if not known or len(known) < len(marks):
        return None
    at = "/".join(map(decimal_text, known)) + ("epochs" if _is_by_epoch(entry) else "")
    ramp = multiplied(ramp, min(known), by_epoch=_is_by_epoch(entry))
    return compose("step", at=at, gamma=_or_default(entry, "gamma", Fraction(1, 10)), **ramp)


def _step(_: Settings, entry: Entries, ramp: Options) -> str | None:
    size = _number(entry, "step_size")
    if not size:
        return None
    gamma = _or_default(entry, "gamma", Fraction(1, 10))
    ramp = multiplied(ramp, size, by_epoch=_is_by_epoch(entry))
    return compose("step", every=_length(entry, size), gamma=gamma, **ramp)


def _exponential(_: Settings, entry: Entries, ramp: Options) -> str | None:
    """Return gamma a step of the scheduler; converted to iterations it is gamma for each."""
    gamma = _number(entry, "gamma")
    ramp = multiplied(ramp, Fraction(0), by_epoch=False)
    return None if gamma is None else compose("step", every=_per(entry) or "1", gamma=gamma, **ramp)


def _annealed(settings: Settings, entry: Entries, ramp: Options, kind: str) -> str | None:
    """Return a cosine or polynomial, counted from where it begins, times the warm-up.

    A cosine that its own end outlasts goes up again.
    """
    begin, per, end = _number(entry, "begin") or Fraction(0), _per(entry), _end(settings, entry)
    span = None if end is None else end - begin
    own = _number(entry, "T_max") if kind == "cosine" else None
    length = own or span
    if ramp:
        ramp |= {"over": "run", "toward": "product"}
        ramp["warmup_per"] = ramp["warmup_per"] or (1 if per else None)
    power = _or_default(entry, "power", Fraction(1)) if kind == "polynomial" else None
    is_whole = length is None or _is_whole(settings, entry, begin + length)
    options: Options = {
        "final": _final(settings, entry),
        "power": power,
        "length": None if length is None or is_whole else _length(entry, length),
        "after": "mirror" if length and span and length < span else None,
        "per": per,
    }
    if not length or not span or end is None or _is_whole(settings, entry, end):
        return compose(kind, **options, **ramp)
    share = float((span - 1 if per else span) / length)
    if share >= 1:
        return compose(kind, **options, **ramp)
    # Where the scheduler ends before the run, the lr stays as its last step has it.
    first = compose(kind, **options, **ramp, until=_length(entry, end))
    return f"{first}+{compose('constant', value=_left(share, power, _final(settings, entry)))}"


def _left(share: float, power: Fraction | None, final: Fraction | None) -> str:
    """Return what is left of lr behind a share of a polynomial's fall, of a cosine's without it."""
    left = (1 + cos(pi * share)) / 2 if power is None else (1 - share) ** float(power)
    floor = float(final or 0)
    return f"{floor + (1 - floor) * left:.12g}"


def _is_whole(settings: Settings, entry: Entries, end: Fraction) -> bool:
    """Return whether a scheduler ends with the run."""
    return end == settings.number("epochs" if _is_by_epoch(entry) else "steps")


def _line(settings: Settings, entry: Entries, ramp: Options) -> str | None:
    """Return a LinearLR that falls; one that steps by epochs is at its end in its last."""
    end, begin, per = _end(settings, entry), _number(entry, "begin") or Fraction(0), _per(entry)
    initial = _or_default(entry, "start_factor", Fraction(1, 3))
    final = _or_default(entry, "end_factor", Fraction(1))
    if ramp or end is None or end - begin <= 1:
        return None
    length = _length(entry, end - begin - (1 if per else 0))
    return compose("linear", initial=initial, final=final, length=length, per=per)


def _final(settings: Settings, entry: Entries) -> Fraction | None:
    share = _number(entry, "eta_min_ratio")
    low, lr = _number(entry, "eta_min"), settings.number("lr")
    if share is not None:
        return share or None
    return low / lr if low and lr else None


_SCHEDULES: dict[str, Callable[[Settings, Entries, Options], str | None]] = {
    "MultiStepLR": _multistep,
    "StepLR": _step,
    "ExponentialLR": _exponential,
    "LinearLR": _line,
    "CosineAnnealingLR": lambda settings, entry, ramp: _annealed(settings, entry, ramp, "cosine"),
    "PolyLR": lambda settings, entry, ramp: _annealed(settings, entry, ramp, "polynomial"),
}
