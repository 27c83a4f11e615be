"""Darknet's cfg files.

Source: pjreddie/darknet src/parser.c (parse_net_options), src/network.c (get_current_rate),
src/option_list.c (option_find returns the first of equal keys); AlexeyAB/darknet for sgdr.
"""

from collections.abc import Callable
from fractions import Fraction
from math import prod

from decaycalc.record import replace
from decaycalc.training.reading.numbers import typed_number
from decaycalc.training.reading.optimizers import refused
from decaycalc.training.reading.schedules import Options, compose, of_lr
from decaycalc.training.reading.settings import Settings
from decaycalc.training.reading.trainer import Field, Optimizer, Signature, Trainer
from decaycalc.training.record import Exemption, Training
from decaycalc.training.trainers.syntax.document import Document
from decaycalc.training.trainers.syntax.tree import Entries


def _prepare(document: Document) -> Document:
    """Return the settings of the first section, which Darknet reads as the network's."""
    first = next(iter(document.root.entries.values()))
    root = first if isinstance(first, Entries) else document.root
    return replace(document, root=root)


def _optimizer(settings: Settings) -> Optimizer:
    if settings.is_on("adam"):
        return refused("it trains with Adam, whose decay is not Darknet's SGD's")
    return Optimizer(convention="darknet", uses=("momentum",))


def _schedule(settings: Settings) -> str | None:
    """Return the policy; the burn-in lies over it, as the rate counts batches from the start."""
    make = _POLICIES.get(settings.word("scheduler"))
    return None if make is None else make(settings, _ramp(settings))


def _ramp(settings: Settings) -> Options:
    warm = settings.number("burn_in") or 0
    return {} if warm <= 0 else {"warmup": int(warm), "warmup_power": settings.text("power")}


def _steps(settings: Settings, ramp: Options) -> str | None:
    """Return `steps` and `scales` if they go together; a step before the run is its beginning."""
    marks, scales = (
        [part.strip() for part in (settings.text(name) or "").split(",")]
        for name in ("steps_at", "scales")
    )
    early = sum(mark.startswith("-") for mark in marks)
    factors = [typed_number(scale) for scale in scales[:early]]
    later = marks[early:]
    is_sound = len(marks) == len(scales) and later and all(mark.isdecimal() for mark in later)
    if not is_sound or None in factors or (early and ramp):
        return None
    initial = prod(factor or Fraction(0) for factor in factors) if early else None
    gamma = "/".join(scales[early:])
    return compose("step", initial=initial, at="/".join(later), gamma=gamma, **ramp)


def _restarts(settings: Settings, ramp: Options) -> str | None:
    """Return cosines that each begin anew; with a burn-in only a single one has a text."""
    period, total = settings.count("sgdr_cycle"), settings.count("steps")
    final = of_lr(settings, "learning_rate_min")
    if period is None or period == total:
        return compose("cosine", final=final, over="run", **ramp)
    if ramp:
        return None
    growth = settings.count("sgdr_mult")
    return compose("cosine-restarts", period=period, growth=growth, final=final)


_POLICIES: dict[str, Callable[[Settings, Options], str | None]] = {
    "constant": lambda _, ramp: compose("constant", **ramp),
    "poly": lambda settings, ramp: compose(
        "polynomial", power=settings.number("power"), over="run", **ramp
    ),
    "steps": _steps,
    "step": lambda settings, ramp: compose(
        "step", every=settings.count("step"), gamma=settings.number("scale"), **ramp
    ),
    "exp": lambda settings, ramp: compose(
        "exponential", gamma=settings.number("gamma"), over="run", **ramp
    ),
    "sgdr": _restarts,
}


def _finish(_: Settings, made: Training) -> Training:
    """Hint at the usual slip: the testing block left active above the training one."""
    if made.run.batch_size != 1:
        return made
    note = "batch=1: is the block for testing active? of a key set twice Darknet takes the first"
    return made.with_notes(note)


TRAINER = Trainer(
    kind="darknet",
    title="Darknet",
    version="darknet src/parser.c",
    signatures=(
        Signature(all_of=("net",), any_of=("net.batch", "net.learning_rate", "net.subdivisions")),
        Signature(
            all_of=("network",),
            any_of=("network.batch", "network.learning_rate", "network.subdivisions"),
        ),
    ),
    fields=(
        Field(name="adam", paths=("adam",), default="0"),
        Field(name="weight_decay", paths=("decay",), default="0.0001"),
        Field(name="lr", paths=("learning_rate",), default="0.001"),
        Field(name="momentum", paths=("momentum",), default="0.9"),
        Field(name="batch_size", paths=("batch",), default="1"),
        Field(name="steps", paths=("max_batches",)),
        Field(name="scheduler", paths=("policy",), default="constant"),
        *Field.within("", burn_in="0", power="4", gamma="1", step="1", scale="1"),
        Field(name="steps_at", paths=("steps",)),
        *Field.within("", scales="1", sgdr_cycle=None, sgdr_mult="2", learning_rate_min="0.00001"),
    ),
    optimizer=_optimizer,
    schedule=_schedule,
    # Source: pjreddie/darknet src/convolutional_layer.c, update_convolutional_layer.
    exempt=lambda _: Exemption(
        rule="biases and the scales of batch normalisation", mask="no-bias-norm"
    ),
    batch=lambda _: ("batch_size",),
    harmless=("subdivisions", "time_steps", "letter_box"),
    prepare=_prepare,
    finish=_finish,
)
