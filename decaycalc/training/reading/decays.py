"""Weight decays that a trainer moves: over the run by a schedule of λ, over depth by layers' lr."""

from fractions import Fraction

from decaycalc.record import replace
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.reading.schedules import Option, compose
from decaycalc.training.reading.settings import Settings
from decaycalc.training.record import LayerDecay, Training


def from_to(
    made: Training,
    start: Fraction | None,
    end: Fraction | None,
    **options: Option,
) -> Training:
    """Return a training whose λ goes from `start` to `end` as a cosine; a constant one as it is."""
    if made.value is None or start is None or end is None or start == end:
        return made
    notes = (*made.notes, f"weight decay goes from {float(start):g} to {float(end):g} over the run")
    if start:
        course = compose("cosine", final=end / start or None, **options)
        return replace(made, value=decimal_text(start), decay_schedule=course, notes=notes)
    course = compose("cosine", initial=0, final=1, **options)
    return replace(made, value=decimal_text(end), decay_schedule=course, notes=notes)


def over_the_run(settings: Settings, made: Training) -> Training:
    """Return a training whose λ goes from `weight_decay` to `weight_decay_end` over the run."""
    return from_to(made, settings.number("weight_decay"), settings.number("weight_decay_end"))


def by_layer(
    made: Training, settings: Settings, counting: str, *, name: str = "layer_decay"
) -> Training:
    """Return a training whose lr falls from layer to layer by the field of that name; 1 is none.

    `counting` is how the trainer counts layers, a key of `architecture.layering.COUNTINGS`.
    """
    rate = settings.number(name)
    if rate is None or rate == 1:
        return made
    said = f"{name} {settings.text(name)}"
    if not 0 < rate < 1:
        return made.with_notes(f"{said}: a layer's lr is not the run's, nor is its decay of a step")
    note = (
        f"{said}: a layer's lr, and its decay of a step, fall towards the input;"
        " its groups are those of --arch"
    )
    own = LayerDecay(rate=decimal_text(rate), counting=counting)
    return replace(made, layer_decay=own).with_notes(note)
