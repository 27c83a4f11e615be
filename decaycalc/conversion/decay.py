"""Decay: what a weight decay does to an undriven weight, per step, per epoch and per run."""

from fractions import Fraction
from typing import Annotated

from decaycalc.algebra.number import plural
from decaycalc.algebra.quantity import finite
from decaycalc.conventions.record import Coupling, Invariant
from decaycalc.conversion.momentum import factor_over, half_life_steps, is_oscillating
from decaycalc.conversion.shrinks import shrink_of
from decaycalc.conversion.side import Side
from decaycalc.errors import InvalidValueError, MissingQuantityError, NoEquivalentError
from decaycalc.record import Record, asdict

WORTH_SAYING = 100  # what differs by less than one part in so many needs no word
_OSCILLATES = (
    "the decay oscillates: with this momentum a weight changes sign on its way down, "
    "the factor per step is the modulus"
)


class Decay(Record):
    """The decay of a weight without data gradient at a constant peak lr; None is unknown.

    Factors and half-lives are exact (the dominant root of a momentum recursion, log1p and expm1
    throughout); timescales are 1/shrink to first order, as the literature means them. Epochs are
    N/B steps in timescales and half-lives, whole steps in `per_epoch_factor`. Where an optimizer
    decays otherwise without a gradient (AdamP, SGDP), all this is without one, and
    `per_step_factor_with_gradient` is the factor of a weight whose gradient is not projected.
    """

    per_step_factor: float
    per_step_shrink: float
    first_order_shrink: float
    per_epoch_factor: float | None
    per_run_factor: float | None
    half_life_steps: float | None
    half_life_epochs: float | None
    timescale_steps: float | None
    timescale_epochs: float | None
    timescale_run_fraction: float | None
    oscillating: bool
    per_step_factor_with_gradient: float | None = None

    def to_dict(self) -> "DecayJson":
        """Return the fields by name: JSON's `decay`; the other branch only where there is one."""
        fields = asdict(self)
        if self.per_step_factor_with_gradient is None:
            del fields["per_step_factor_with_gradient"]
        return fields


# What stands in JSON is the record; the branch that few have is left out where there is none.
DecayJson = Annotated[dict[str, float | bool | None], Decay, "per_step_factor_with_gradient"]


def why_none_shared(source: Side, target: Side) -> tuple[str, str]:
    """Return why a coupled penalty and a decoupled decay do not convert, and what estimates it."""
    coupled = source if source.convention.has_strength else target
    decoupled = target if coupled is source else source
    one, other = coupled.convention.key, decoupled.convention.key
    if coupled.why_beyond:
        return coupled.why_beyond, ""
    adds, shrinks = f"{one} adds the penalty to the gradient", f"{other} shrinks the weight itself"
    if not coupled.can_be_estimated:
        unknown = "and what its steps make of that is not known as a share of the weight"
        return f"{adds}, {unknown}; {shrinks}", ""
    scaled = "where Adam-like scaling turns it into a step of about lr whatever λ is"
    return f"{adds}, {scaled}; {shrinks}", "gradient_rms"


def why_no_decay(side: Side) -> str:
    """Return why a number has no decay per step."""
    if side.convention.refusal is not None:
        return side.convention.refusal
    if side.why_beyond:
        return side.why_beyond
    if side.can_be_estimated:
        return "a penalty under Adam-like scaling has no decay per step"
    return "its penalty joins the gradient, and what a step makes of that is not known"


def require_decay(side: Side, value: Fraction, name: str) -> None:
    """Refuse a number of the decay that is out of reach, by the name of its field.

    Raises:
        NoEquivalentError: the number has no decay per step, or one that does not shrink a weight.
        MissingQuantityError: a quantity of the run is unknown.
    """
    if not side.has_shrink:
        raise NoEquivalentError(side.convention.key, "a decay per step", why_no_decay(side))
    shrink_of(side, value)
    run = side.run
    if "epoch" in name and run.epoch_ratio is None:
        raise MissingQuantityError(name, ("batch_size", "dataset_size"))
    if (name == "survival" or "run" in name) and run.total_steps is None:
        raise MissingQuantityError(name, ("steps",))
    raise NoEquivalentError(side.convention.key, name, "the weight does not shrink")


def decay_of(side: Side, value: Fraction) -> Decay | None:
    """Return the decay that a convention's number means in its run; None if it is out of reach.

    Out of reach is the decay of a coupled penalty under Adam, of a refused convention, and where a
    quantity (mostly lr) is unknown.

    Above 1 per step the weight changes sign in every step, above 2 it grows; where it grows beyond
    every float, what is left after an epoch or a run is None.
    """
    if not side.has_shrink or side.convention.differs_by_layer:
        return None
    try:
        first_order = shrink_of(side, value)
    except MissingQuantityError:
        return None
    return _decay(side, first_order)


def _decay(side: Side, first_order: Fraction) -> Decay:
    """Return the decay for a first-order shrink (1/step)."""
    exact_shrink = side.exact_shrink(first_order)
    shrink, run = finite(exact_shrink, "decay per step"), side.run
    per_epoch, steps, ratio = run.steps_per_epoch, run.total_steps, run.epoch_ratio
    half_life = half_life_steps(shrink) if shrink > 0 else None
    timescale = 1 / first_order if first_order else None
    return Decay(
        per_step_factor=float(1 - exact_shrink),
        per_step_shrink=shrink,
        first_order_shrink=finite(first_order, "decay per step"),
        per_epoch_factor=_left_after(shrink, per_epoch),
        per_run_factor=_left_after(shrink, steps),
        half_life_steps=half_life,
        half_life_epochs=None
        if half_life is None or not ratio
        else _float(Fraction(half_life) / ratio),
        timescale_steps=_float(timescale),
        timescale_epochs=_float(timescale / ratio) if timescale and ratio else None,
        timescale_run_fraction=_float(timescale / steps) if timescale and steps else None,
        oscillating=_oscillates(side, first_order),
        per_step_factor_with_gradient=_with_gradient(side, first_order),
    )


def _with_gradient(side: Side, first_order: Fraction) -> float | None:
    """Return the factor of a step in the branch that a real gradient takes, None without two."""
    ratio = side.get("wd_ratio")
    if not ratio or not side.convention.is_projected:
        return None
    return finite(1 - side.exact_shrink(first_order / ratio), "decay per step")


def _left_after(shrink: float, steps: Fraction | int | None) -> float | None:
    """Return the fraction left after so many steps, None where it is unknown or no float."""
    if not steps:
        return None
    count = finite(Fraction(steps), "steps")
    try:
        return factor_over(shrink, count)
    except InvalidValueError:
        return None


def _float(value: Fraction | None) -> float | None:
    return None if value is None else finite(value, "timescale")


def _oscillates(side: Side, first_order: Fraction) -> bool:
    """Return whether the weight changes sign on its way down."""
    if side.is_linear or side.convention.coupling != Coupling.COUPLED:
        return first_order > 1 and not side.convention.proximal
    return is_oscillating(side.step_of(float(first_order)), **side.recursion)


def epoch_note(per_epoch: int, above: int, below: int) -> str:
    """Return what is to be known where an epoch's whole steps part from N/B, `above` over `below`.

    Empty where they do so by less than a hundredth.
    """
    if abs(per_epoch * below - above) * WORTH_SAYING < above:
        return ""
    return (
        f"an epoch is {per_epoch} {plural(per_epoch, 'step')}, N/B is {above / below:.6g}: "
        "timescales and half-lives in epochs use N/B"
    )


def _milder(source: Side) -> str:
    """Return what makes a decay smaller, `lower lr or weight_decay`, `raise half_life`."""
    record, monomial = source.convention, source.invariant(Invariant.SHRINK)
    form = record.form
    if form is not None:
        names, is_larger = form.needs, form.zero_is_sound
    else:
        assert monomial is not None  # noqa: S101  (there is a decay, so there is a shrink)
        names, is_larger = monomial.names, monomial.power_of("value") > 0
    number = record.parameter if is_larger else f"raise {record.parameter}"
    if "lr" in names:
        return f"lower lr or {number}"
    return f"lower {number}" if is_larger else number


def course_notes(source: Side, decay: Decay) -> list[str]:
    """Return the warning of a decay that does not just shrink a weight, if it is one."""
    size = abs(decay.per_step_factor)
    if size > 1:
        text = f"the weight grows: a step multiplies it by {decay.per_step_factor:.4g}"
        return [f"{text}; {_milder(source)}"]
    if decay.per_step_shrink >= 1:
        text = "a step takes the whole weight off"
        if decay.per_step_shrink > 1:
            times = f"{decay.per_step_shrink:.4g} times the weight off"
            text = f"a step takes {times}, so it changes sign in every step"
        return [f"{text}; {_milder(source)}"]
    if decay.per_step_factor_with_gradient is not None:
        text = "without a gradient, or with one at right angles to the weight, a step multiplies it"
        other = decay.per_step_factor_with_gradient
        return [f"{text} by {decay.per_step_factor:.8g}; with any other gradient by {other:.8g}"]
    return [_OSCILLATES] if decay.oscillating else []
