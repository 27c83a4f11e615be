"""DC4xx: what arithmetic does to the decay."""

from collections.abc import Iterator

from decaycalc.conversion.rounding import SIGNIFICANT_BITS, precision_warning
from decaycalc.findings.record import Hit, Level, Rule, Subject, at
from decaycalc.record import replace

# A setting that alone is autocast over float32 weights.
_AUTOCAST = "bf16"


def _lost(subject: Subject) -> Iterator[Hit]:
    shrink, stored = subject.figures.shrink, subject.quantity("dtype")
    dtype = None if stored is None else stored.value
    if not shrink or dtype not in SIGNIFICANT_BITS:
        return
    if precision_warning(shrink, str(dtype)) is not None:
        message = f"{shrink:.4g} is below what {dtype} weights can lose in a step"
        if stored is not None and stored.where == _AUTOCAST:
            text = f"{message}: if the model is loaded in it, as transformers 5 does by default"
            yield replace(at(text, stored), level=Level.NOTE)
        else:
            yield at(message, stored)


def _lost_in_float32(subject: Subject) -> Iterator[Hit]:
    shrink = subject.figures.shrink
    loss = precision_warning(shrink, "float32") if shrink else None
    if loss is not None:
        yield at(f"{shrink:.4g} a step: {loss.effect} even in float32", None)


def _oscillates(subject: Subject) -> Iterator[Hit]:
    shrink = subject.figures.shrink
    if shrink is not None and shrink > 1:
        message = f"a step takes {shrink:.4g} of a weight: it changes its sign, or grows"
        yield at(message, subject.quantity("weight_decay"))


RULES = (
    Rule(
        code="DC401", name="lost-in-rounding", level=Level.WARNING,
        summary="The weights are stored with so few bits that a step's decay moves none of them.",
        fix="keep float32 master weights, or round stochastically",
        source="half a unit in the last place: 2^-(p+1)", find=_lost,
    ),
    Rule(
        code="DC402", name="lost-in-float32", level=Level.NOTE,
        summary="Even float32 loses the decay of a step.", fix="raise λ, or leave it out",
        source="half a unit in the last place: 2^-25", find=_lost_in_float32,
    ),
    Rule(
        code="DC403", name="decay-above-one", level=Level.ERROR,
        summary="A step takes more than the whole weight.", fix="lower lr·λ below 1",
        source="algebra: the factor 1 - lr·λ", find=_oscillates,
    ),
)  # fmt: skip
