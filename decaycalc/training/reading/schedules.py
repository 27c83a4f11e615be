"""Schedule texts: put together from a trainer's settings, in the words of the grammar."""

import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from itertools import pairwise

from decaycalc.errors import InvalidValueError
from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.reading.settings import Settings

# The power of a warm-up that stays where it starts until its end: (1 - 1/W)^power is 0 by then.
AT_THE_END = 1_000_000_000
_FIRST_EPOCHS = 2
_PLAIN = re.compile(r"[\w.%/\-]+")

Option = str | int | Fraction | tuple[Fraction, ...] | None
Options = dict[str, Option]


def compose(kind: str, /, **options: Option) -> str:
    """Return a schedule's text; what is None is left out, several numbers are `16/22`.

    A file's own words may name a shape or a length, no segment of their own: that might read
    another file.

    >>> compose("cosine", warmup=2000, final=Fraction(1, 10))
    'cosine:warmup=2000,final=0.1'

    Raises:
        InvalidValueError: a text that is no word, number or length.
    """
    given = ",".join(
        f"{name}={_text(value)}" for name, value in options.items() if value is not None
    )
    return f"{kind}:{given}" if given else kind


def multiplied(ramp: Options, first: Fraction, *, by_epoch: bool) -> Options:
    """Return a warm-up whose share multiplies what it leads to, where lr may fall within it.

    `first` is where lr falls first, in epochs or in steps. How many steps an epoch has is not
    known: one of the first epochs may lie within a warm-up in steps.
    """
    text = str(ramp.get("warmup") or "")
    length = typed_number(text.removesuffix("epochs"))
    if not text or length is None:
        return ramp
    is_alike = text.endswith("epochs") == by_epoch
    within = first <= (length if is_alike else _FIRST_EPOCHS) or (not is_alike and not by_epoch)
    return {**ramp, "toward": "product"} if within else ramp


def _text(value: str | int | Fraction | tuple[Fraction, ...]) -> str:
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        raise InvalidValueError("schedule", value, "has a part that is no word, number or length")
    if isinstance(value, tuple):
        return _slashed(value)
    return decimal_text(value) if isinstance(value, Fraction) else str(value)


def _slashed(numbers: Iterable[Fraction]) -> str:
    return "/".join(map(decimal_text, numbers))


def factors(levels: Iterable[Fraction]) -> tuple[Fraction, ...]:
    """Return what each of some levels is of the one before it."""
    return tuple(later / earlier for earlier, later in pairwise(levels))


def brief(numbers: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """Return numbers, one alone where all are alike."""
    return numbers if len(set(numbers)) > 1 else numbers[:1]


def by_scheduler(
    makers: Mapping[str, Callable[[Settings], str | None]],
) -> Callable[[Settings], str | None]:
    """Return what makes the schedule that a file names, by a trainer's names in lower case."""

    def schedule(settings: Settings) -> str | None:
        make = makers.get(settings.word("scheduler"))
        return None if make is None else make(settings)

    return schedule


def steps_of(settings: Settings, name: str) -> int | None:
    """Return a length in whole steps; None where it is missing or 0, which is no length."""
    number = settings.number(name)
    return int(number) if number and number >= 1 else None


def ratio(settings: Settings, above: str, below: str) -> Fraction | None:
    """Return the quotient of two quantities (min_lr over lr), None where one is missing or 0.

    Nothing of the second is asked where the first is 0: what is asked for and missing leaves a
    schedule open.
    """
    top = settings.number(above)
    if not top:
        return top
    bottom = settings.number(below)
    return top / bottom if bottom else None


def of_lr(settings: Settings, name: str) -> Fraction | None:
    """Return what another lr (min_lr, the first of a warm-up) is of the peak.

    None where one of the two is missing or it is 0, which a schedule's text leaves out.
    """
    return ratio(settings, name, "lr") or None


def percent(share: Fraction) -> str:
    """Return a share of the run as a length.

    >>> percent(Fraction(3, 100))
    '3%'
    """
    return f"{decimal_text(share * 100)}%"


def epochs(*counts: Fraction) -> str:
    """Return a number of epochs as a length, or several.

    >>> epochs(Fraction(3)), epochs(Fraction(16), Fraction(22))
    ('3epochs', '16/22epochs')
    """
    return f"{_slashed(counts)}epochs"
