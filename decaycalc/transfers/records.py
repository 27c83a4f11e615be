"""The rules of a move, what a move is, and what comes of it."""

from enum import StrEnum
from fractions import Fraction
from typing import TypedDict

from decaycalc.algebra.quantity import Number, exact
from decaycalc.conventions.record import Convention, Equivalence, NumberJson
from decaycalc.conventions.run import Run, RunJson
from decaycalc.conversion.assumptions import (
    Assumption,
    AssumptionJson,
    assumed_by_decay,
    assumed_by_step,
    once,
)
from decaycalc.conversion.side import Side
from decaycalc.record import Record, Result

_COMPLETEP = "Dey et al., arXiv 2505.01618, as EleutherAI/nanoGPT-mup, branch completep, model.py"


class LrRule(StrEnum):
    """What becomes of lr; `given`: the user gives it; `update`: another optimizer's, to match."""

    NONE = "none"
    LINEAR = "linear"
    SQRT = "sqrt"
    MUP = "muP"
    HORIZON = "horizon"
    COMPLETEP = "completep"
    DEPTH_MUP = "depth-mup"
    GIVEN = "given"
    UPDATE = "update"

    @property
    def source(self) -> str:
        """Where the rule comes from; empty where there is no rule."""
        return {
            "linear": "lr: Goyal et al., arXiv 1706.02677, eq. 8 (SGD)",
            "sqrt": "lr: Malladi et al., arXiv 2205.10287 (Adam), Krizhevsky, 1404.5997 (SGD)",
            "muP": "lr: Yang et al., arXiv 2203.03466",
            "horizon": "lr: arXiv 2512.22382, from notes on it (AdamW, QK-norm, cosine, fixed B)",
            "completep": f"lr: {_COMPLETEP}, alpha 1",
            "depth-mup": f"lr: {_COMPLETEP}, alpha 1/2",
            "update": "lr: the update's RMS, MoonshotAI/Moonlight, examples/toy_train.py",
        }.get(self.value, "")


class Hold(StrEnum):
    """What a rule keeps; the last three are fits, over width under muP's lr and over depth."""

    OBJECTIVE = "objective"
    STEP = "step"
    EPOCH = "epoch"
    RUN = "run"
    NORMALIZED = "normalized"
    SQRT_WIDTH = "sqrt-width"
    INDEPENDENT = "independent"
    DEPTH = "depth"

    @property
    def source(self) -> str:
        """Where holding this comes from."""
        return {
            "objective": "the loss that is minimised stays the same",
            "step": "lr·λ: Li, Lyu & Arora, arXiv 2010.02916 (the intrinsic lr)",
            "epoch": "Wang & Aitchison, arXiv 2405.13698",
            "run": "Bergsma et al., arXiv 2505.13738",
            "normalized": "Loshchilov & Hutter, arXiv 1711.05101, appendix B.1",
            "sqrt-width": "Fan et al., arXiv 2510.15262 (abstract)",
            "independent": "Qiu et al., arXiv 2512.05620 (abstract)",
            "depth": "λ: the same branch, which multiplies it by the width alone",
        }[self.value]


_NAMES = {
    (LrRule.MUP, Hold.STEP): "mup",
    (LrRule.MUP, Hold.SQRT_WIDTH): "sqrt-width",
    (LrRule.MUP, Hold.INDEPENDENT): "independent",
    (LrRule.HORIZON, Hold.RUN): "horizon",
    (LrRule.COMPLETEP, Hold.DEPTH): "completep",
    (LrRule.DEPTH_MUP, Hold.DEPTH): "depth-mup",
    (LrRule.UPDATE, Hold.STEP): "update",
}


class Move(Record):
    """A weight decay in one run, and what changes in the next.

    `target` is the convention of the new number, the source's own by default. `width_ratio` is
    the new width over the old, `depth_ratio` the new number of blocks over the old. `betas` and
    `eps` are Adam's, moved under the square-root rule.
    """

    value: Number
    source: Convention
    run: Run
    target_run: Run | None = None
    target: Convention | None = None
    width_ratio: Number = 1
    depth_ratio: Number = 1
    betas: tuple[Number, Number] | None = None
    eps: Number | None = None

    @property
    def destination(self) -> Convention:
        """The convention of the new number."""
        return self.target or self.source


class RuleNumbersJson(TypedDict):
    """One rule's numbers for the new run."""

    name: str | None
    lr_rule: str
    hold: str
    equivalence: str | None
    lr: float | None
    lr_low: float | None
    lr_high: float | None
    value: float
    low: float | None
    high: float | None
    shrink: float | None
    timescale_epochs: float | None
    timescale_run_fraction: float | None
    formula: str
    kept: list[str]
    changed: list[str]
    source: str
    note: str
    conditions: list[str]
    betas: list[float] | None
    eps: float | None
    sum_shrink: float | None
    survival: float | None


class OutOfReachJson(TypedDict):
    """A rule that the given quantities do not reach, and why."""

    lr_rule: str
    hold: str
    missing: list[str]
    message: str


class TargetJson(TypedDict):
    """The convention that the new run's number is in."""

    convention: str
    parameter: str


class TransferJson(TypedDict):
    """A decay in another run, by every rule."""

    source: NumberJson
    target: TargetJson
    run: RunJson
    target_run: RunJson
    width_ratio: float
    depth_ratio: float
    rules: list[RuleNumbersJson]
    unavailable: list[OutOfReachJson]
    assumptions: list[AssumptionJson]


class RuleNumbers(Record):
    """One rule's numbers.

    `lr` is None where the source's is unknown. `shrink` is that of one step at peak lr, to first
    order; timescales are its inverse in epochs and as a share of the run. `kept` and `changed`
    say what the move leaves alone and by which factor it changes the rest, in the words of `Hold`
    (`step`, `epoch`, `run`: the shrink of one), and lr. Where the new run's schedule is known
    `sum_shrink` adds up its steps' shrinks, and `survival` is the share left of a weight.

    `equivalence` is given where the rule is not exact algebra, `conditions` where it was found
    under some. `lr_interval` and `interval` are the ends of lr and of the number by its fits.
    """

    lr_rule: LrRule
    hold: Hold
    lr: float | None
    value: float
    shrink: float | None
    timescale_epochs: float | None
    timescale_run_fraction: float | None
    formula: str
    kept: tuple[str, ...]
    changed: tuple[str, ...]
    source: str
    note: str
    betas: tuple[float, float] | None = None
    eps: float | None = None
    equivalence: Equivalence | None = None
    conditions: tuple[str, ...] = ()
    lr_interval: tuple[float | None, float | None] = (None, None)
    interval: tuple[float | None, float | None] = (None, None)
    sum_shrink: float | None = None
    survival: float | None = None

    @property
    def name(self) -> str | None:
        """What the rule is called where lr and decay move together; None for the others."""
        return _NAMES.get((self.lr_rule, self.hold))

    def to_dict(self) -> RuleNumbersJson:
        """Return the rule as JSON's `rules` holds it."""
        return {
            "name": self.name,
            "lr_rule": self.lr_rule.value,
            "hold": self.hold.value,
            "equivalence": None if self.equivalence is None else self.equivalence.value,
            "lr": self.lr,
            "lr_low": self.lr_interval[0],
            "lr_high": self.lr_interval[1],
            "value": self.value,
            "low": self.interval[0],
            "high": self.interval[1],
            "shrink": self.shrink,
            "timescale_epochs": self.timescale_epochs,
            "timescale_run_fraction": self.timescale_run_fraction,
            "formula": self.formula,
            "kept": list(self.kept),
            "changed": list(self.changed),
            "source": self.source,
            "note": self.note,
            "conditions": list(self.conditions),
            "betas": None if self.betas is None else list(self.betas),
            "eps": self.eps,
            "sum_shrink": self.sum_shrink,
            "survival": self.survival,
        }


class OutOfReach(Record):
    """A rule that the given quantities do not reach, and why."""

    lr_rule: LrRule
    hold: Hold
    missing: tuple[str, ...]
    message: str

    def to_dict(self) -> OutOfReachJson:
        """Return the entry as JSON's `unavailable` holds it."""
        return {
            "lr_rule": self.lr_rule.value,
            "hold": self.hold.value,
            "missing": list(self.missing),
            "message": self.message,
        }


class Transfer(Record, Result):
    """All rules for one move, those within reach and those without."""

    move: Move
    target_run: Run
    rules: tuple[RuleNumbers, ...]
    unavailable: tuple[OutOfReach, ...]

    @property
    def value(self) -> Fraction:
        """The number that was moved, exact."""
        return exact(self.move.value)

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What the decays take for granted, and the timescales that are counted in epochs."""
        in_epochs = any(rule.timescale_epochs is not None for rule in self.rules)
        there = Side(convention=self.move.source, run=self.target_run)
        step = assumed_by_step(self.target_run) if in_epochs else ()
        return once((*self.of_decays, *assumed_by_decay(there), *step))

    @property
    def entering(self) -> tuple[Assumption, ...]:
        """What the new numbers take for granted: of one convention it cancels."""
        return () if self.move.target in {None, self.move.source} else self.of_decays

    @property
    def of_decays(self) -> tuple[Assumption, ...]:
        """What the old run's decay per step takes for granted."""
        return assumed_by_decay(Side(convention=self.move.source, run=self.move.run))

    def to_dict(self) -> TransferJson:
        """Return the transfer as JSON holds it, without the schema keys."""
        move = self.move
        target = move.destination
        return {
            "source": move.source.with_number(float(self.value)),
            "target": {"convention": target.key, "parameter": target.parameter},
            "run": move.run.to_dict(),
            "target_run": self.target_run.to_dict(),
            "width_ratio": float(exact(move.width_ratio)),
            "depth_ratio": float(exact(move.depth_ratio)),
            "rules": [rule.to_dict() for rule in self.rules],
            "unavailable": [entry.to_dict() for entry in self.unavailable],
            "assumptions": [entry.to_dict() for entry in self.assumptions],
        }
