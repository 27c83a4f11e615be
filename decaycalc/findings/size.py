"""DC3xx: what the decay amounts to over the run."""

from collections.abc import Iterator

from decaycalc.findings.record import Hit, Level, Rule, Subject, at

NOTHING = 0.01
"""A sum of lr·λ below which a decay cannot be told from none."""
_LONG = 10  # of a run: a timescale beyond it takes less than a tenth off a weight
_GONE = 1e-6  # a weight of which less is left has been forgotten, whatever its start


def _next_to_nothing(subject: Subject) -> Iterator[Hit]:
    total = subject.figures.sum_shrink
    if total is not None and 0 < total < NOTHING:
        share = f"{100 * total:.2g} %"
        message = f"the whole run takes {share} off a weight: this λ does next to nothing"
        yield at(message, subject.quantity("weight_decay"))


def _longer_than_the_run(subject: Subject) -> Iterator[Hit]:
    share, total = subject.figures.timescale_run_fraction, subject.figures.sum_shrink
    if share is not None and share > _LONG and not (total is not None and total < NOTHING):
        message = f"the decay's timescale is {share:.3g} times the run"
        yield at(message, subject.quantity("weight_decay"))


def _shorter_than_an_epoch(subject: Subject) -> Iterator[Hit]:
    epochs, run = subject.figures.timescale_epochs, subject.training.run
    many = (run.total_epochs or 0) > 1
    if epochs is not None and epochs < 1 and many:
        message = f"a weight forgets within {epochs:.3g} epochs: less than one pass over the data"
        yield at(message, subject.quantity("weight_decay"))


def _nothing_left(subject: Subject) -> Iterator[Hit]:
    left = subject.figures.survival
    if left is not None and left < _GONE:
        yield Hit(message=f"{left:.1e} of an undriven initial weight is left at the end")


RULES = (
    Rule(
        code="DC301", name="next-to-nothing", level=Level.NOTE,
        summary="Over the whole run the decay sums up to less than 0.01.",
        fix="raise λ if it is meant to act, or leave it out", source="algebra: Σ lr·λ",
        find=_next_to_nothing,
    ),
    Rule(
        code="DC302", name="timescale-beyond-the-run", level=Level.NOTE,
        summary="The decay's timescale is many times the run.", fix="decaycalc suggest",
        source="Wang & Aitchison, arXiv 2405.13698", find=_longer_than_the_run,
    ),
    Rule(
        code="DC303", name="timescale-within-an-epoch", level=Level.NOTE,
        summary="The decay forgets faster than one pass over the data.",
        fix="lower λ, if that is not meant", source="Wang & Aitchison, arXiv 2405.13698",
        find=_shorter_than_an_epoch,
    ),
    Rule(
        code="DC304", name="nothing-left", level=Level.NOTE,
        summary="Nothing of the initial weights is left at the end.",
        fix="nothing, if the run is long", source="algebra: the product of the factors",
        find=_nothing_left,
    ),
)  # fmt: skip
