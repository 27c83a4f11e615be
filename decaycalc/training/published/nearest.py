"""The published recipes nearest to a timescale, cheap enough for every conversion."""

from math import log

from decaycalc.errors import InvalidValueError
from decaycalc.record import Record
from decaycalc.training.published.figures import FIGURES


class Neighbour(Record):
    """A recipe near a timescale."""

    name: str
    title: str
    timescale_epochs: float


def nearest(timescale_epochs: float, *, most: int = 3) -> tuple[Neighbour, ...]:
    """Return the recipes whose timescale in epochs is nearest by ratio, nearest first.

    >>> nearest(2.0, most=1)[0].title
    'ResNet-50 of He et al.'

    Raises:
        InvalidValueError: a timescale that is not positive.
    """
    if not 0 < timescale_epochs < float("inf"):
        raise InvalidValueError("timescale_epochs", timescale_epochs, "must be positive")
    known = [(name, title, epochs) for name, title, _, _, epochs, *_ in FIGURES if epochs]
    known.sort(key=lambda entry: abs(log(entry[2] / timescale_epochs)))
    return tuple(
        Neighbour(name=name, title=title, timescale_epochs=epochs)
        for name, title, epochs in known[:most]
    )
