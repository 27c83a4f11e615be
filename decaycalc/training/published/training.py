"""A published recipe as a Training, and a training's run as a recipe's row."""

from fractions import Fraction

from decaycalc.conventions.run import Loss
from decaycalc.training.published.index import find
from decaycalc.training.published.record import Recipe
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.record import PUBLISHED, Exemption, Group, Origin, Sourced, Training

_FIELDS = ("convention", "lr", "momentum", "dampening", "batch_size", "dataset_size", "epochs",
           "steps", "schedule", "decay_schedule", "eps")  # fmt: skip


def training_of(recipe: Recipe) -> Training:
    """Return a published recipe as a training; its source is where each quantity comes from."""
    notes = [recipe.note] if recipe.note else []
    if recipe.read_as is not None:
        notes.insert(0, f"{recipe.convention} has no scalar decay: read as {recipe.read_as}")
    exempt = recipe.exempt or "not stated"
    return Training(
        source=recipe.name,
        kind=PUBLISHED,
        title=recipe.title,
        convention=recipe.convention,
        read_as=recipe.read_as,
        value=recipe.value,
        run=recipe.run(),
        schedule=recipe.schedule,
        decay_schedule=recipe.decay_schedule,
        unit=recipe.unit,
        betas=recipe.betas,
        eps=recipe.eps,
        quantities=_quantities(recipe),
        exempt=Exemption(rule=exempt, mask=recipe.mask),
        groups=(
            Group(name="decayed", selector="the other tensors"),
            Group(name="exempt", selector=exempt, weight_decay="0"),
        ),
        missing=tuple(name for name in ("value", "lr") if getattr(recipe, name) is None),
        notes=tuple(notes),
    )


def _quantities(recipe: Recipe) -> tuple[Sourced, ...]:
    """Return the quantities that a recipe's source states."""
    stated = {"weight_decay": recipe.value}
    stated |= {name: getattr(recipe, name) for name in _FIELDS}
    found = tuple(
        Sourced(name=name, value=str(value), origin=Origin.FILE, where=recipe.source)
        for name, value in stated.items()
        if value is not None
    )
    if recipe.schedule is not None:
        return found
    # It has one that no text here says: on a plateau, in parts.
    return (
        *found,
        Sourced(name="schedule", value=None, origin=Origin.MISSING, where=recipe.source),
    )


def recipe_of(training: Training) -> Recipe:
    """Return a training file's run as a recipe, for what lists recipes."""
    run = training.run
    size = run.examples_per_step
    steps, epochs = run.given("steps"), run.given("epochs")
    published = find(training.source) if training.kind == PUBLISHED else None
    return Recipe(
        name="imported" if published is None else training.source,
        title=_title(training) if published is None else training.title,
        convention=training.convention,
        read_as=training.read_as,
        value=training.value,
        lr=_text(run.given("lr")),
        momentum=_text(run.given("momentum")),
        dampening=_text(run.given("dampening")),
        nesterov=bool(run.nesterov),
        batch_size=None if size is None or size.denominator != 1 else int(size),
        dataset_size=None if (n := run.given("dataset_size")) is None else int(n),
        unit=training.unit,
        epochs=_text(epochs),
        steps=None if steps is None else int(steps),
        drop_last=run.drop_last,
        loss=run.loss or Loss.MEAN,
        schedule=training.schedule,
        decay_schedule=training.decay_schedule,
        betas=training.betas,
        eps=training.eps,
        exempt=training.exempt.rule,
        source=training.source if published is None else published.source,
        note=training.refusal if published is None else published.note,
        checked="" if published is None else published.checked,
    )


def _title(training: Training) -> str:
    title = f"{training.title} {training.source}"
    return f"{title} ({training.reading})" if training.reading else title


def _text(value: Fraction | None) -> str | None:
    return None if value is None else decimal_text(value)
