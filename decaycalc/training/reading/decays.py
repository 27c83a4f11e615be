"""Weight decays that a trainer moves over the run, as the value and the schedule of λ."""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.schedules import compose
from decaycalc.training.record import Training


def from_to(
    made: Training,
    start: Fraction | None,
    end: Fraction | None,
    **options: str | int | Fraction | None,
) -> Training:
    """Return a training whose λ goes from `start` to `end` as a cosine; a constant one as it is."""
    if made.value is None or start is None or end is None or start == end:
        return made
    note = f"weight decay goes from {float(start):g} to {float(end):g} over the run"
    notes = (*made.notes, note)
    if start:
        course = compose("cosine", final=end / start or None, **options)
        return replace(made, value=decimal_text(start), decay_schedule=course, notes=notes)
    course = compose("cosine", initial=0, final=1, **options)
    return replace(made, value=decimal_text(end), decay_schedule=course, notes=notes)
