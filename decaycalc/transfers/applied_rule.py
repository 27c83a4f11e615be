"""AppliedRule: the same convention in two runs, tied by an lr rule and a held quantity."""

from fractions import Fraction
from functools import cached_property
from typing import Any

from decaycalc.algebra.number import brief
from decaycalc.algebra.quantity import Monomial, base_name, exact, finite, root_of
from decaycalc.conventions.record import SGD, Equivalence, Invariant
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.conversion.decay import Decay, decay_of
from decaycalc.conversion.inverse import solved, value_for_shrink
from decaycalc.conversion.plan import is_foreign
from decaycalc.conversion.shrinks import shrink_of
from decaycalc.conversion.side import Side
from decaycalc.errors import InvalidValueError, MissingQuantityError, NoEquivalentError
from decaycalc.record import Record, replace
from decaycalc.transfers.fits import HORIZON_EXPONENTS, check_fit, fit_class, fit_conditions
from decaycalc.transfers.records import Hold, LrRule, Move, RuleNumbers

_ONE = Monomial.of(1)
_HALF = Fraction(1, 2)


class AppliedRule(Record):
    """One rule at work: `here` is the old run's side, `there` the new one's before the lr rule."""

    move: Move
    here: Side
    there: Side
    lr_rule: LrRule
    hold: Hold
    width: Fraction
    depth: Fraction = Fraction(1)

    def ratio(self, name: str) -> Monomial:
        """Return a quantity of the new run over the old one's."""
        return self.there.symbol(name) / self.here.symbol(name)

    def lookup(self, name: str) -> Fraction | None:
        """Return the value behind a name of the monomials."""
        return self.there.get(name) if name.startswith("to_") else self.here.get(name)

    def evaluate(self, monomial: Monomial, **more: Fraction) -> Fraction:
        """Return a monomial's value.

        Raises:
            MissingQuantityError: a quantity is unknown.
        """
        names = {name: self.lookup(name) for name in monomial.names if name not in more}
        missing = tuple(base_name(name) for name, value in names.items() if value is None)
        if missing:
            raise MissingQuantityError(f"holding {self.hold}", tuple(dict.fromkeys(missing)))
        return monomial.evaluate({**names, **more})

    def known(self, monomial: Monomial | None) -> Fraction | None:
        """Return a monomial's value, None where it is unknown."""
        try:
            return None if monomial is None else self.evaluate(monomial)
        except MissingQuantityError:
            return None

    @cached_property
    def moved(self) -> Side:
        """The new run's side, its lr by the rule."""
        batch = self.ratio("batch_size") if self.lr_rule in {"linear", "sqrt"} else _ONE
        factor = {
            LrRule.LINEAR: batch,
            LrRule.SQRT: batch**_HALF,
            LrRule.MUP: Monomial.of(1 / self.width),
            LrRule.COMPLETEP: Monomial.of(1 / self.width),
            LrRule.DEPTH_MUP: Monomial.of(1 / self.width) * self.shallow,
            LrRule.HORIZON: self.length**-_HALF,
        }.get(self.lr_rule, _ONE)
        return replace(self.there, lr=self.there.lr * factor)

    @cached_property
    def shallow(self) -> Monomial:
        """One over the root of the depth ratio."""
        return Monomial.of(1 / self.depth) ** _HALF

    @cached_property
    def length(self) -> Monomial:
        """S'/S, the new run's steps over the old one's: from N·E/B unless steps are given."""
        counted = {self.here.run.steps is not None, self.there.run.steps is not None}
        if True in counted:
            return self.ratio("steps")
        return self.ratio("dataset_size") * self.ratio("epochs") / self.ratio("batch_size")

    @cached_property
    def shrink_ratio(self) -> Monomial:
        """s'/s, what holding this makes of the shrink."""
        if self.hold is Hold.EPOCH:
            return self.ratio("batch_size") / self.ratio("dataset_size")
        if self.hold is Hold.RUN:
            return _ONE / self.length
        if self.hold is Hold.NORMALIZED:
            return self.length**-_HALF
        if self.hold in {Hold.SQRT_WIDTH, Hold.INDEPENDENT}:
            wide = Monomial.of(1 / self.width)
            return wide if self.hold is Hold.INDEPENDENT else wide**_HALF
        if self.hold is Hold.DEPTH:
            return self.shallow if self.lr_rule is LrRule.DEPTH_MUP else _ONE
        return _ONE if self.hold is Hold.STEP else self.moved.bridge / self.here.bridge

    def check(self) -> None:
        """Refuse to hold what the convention does not have.

        Raises:
            NoEquivalentError: no objective, or no decay per step.
        """
        check_fit(self.here.convention, self.lr_rule, self.hold)
        record = self.here.convention
        if self.hold is Hold.OBJECTIVE and not record.has_strength:
            reason = (
                "it shrinks the weight beside an adaptive step and minimises no fixed objective"
            )
            raise NoEquivalentError(record.key, "another run", reason)
        if self.hold is not Hold.OBJECTIVE and not self.here.has_shrink:
            reason = "a penalty under an adaptive optimizer has no decay per step to hold"
            raise NoEquivalentError(record.key, "another run", reason)

    @cached_property
    def formula(self) -> Monomial | None:
        """The new number as a monomial of the old one, None for named forms."""
        held = Invariant.STRENGTH if self.hold is Hold.OBJECTIVE else Invariant.SHRINK
        monomial = self.here.invariant(held)
        if monomial is None:
            return None
        if held is Invariant.SHRINK:
            monomial *= self.shrink_ratio
        return solved(self.moved, held).substitute({held.value: monomial})

    def new_value(self, value: Fraction) -> Fraction:
        """Return the new number in the source's own convention."""
        formula = self.formula
        if formula is not None:
            return self.evaluate(formula, value=value)
        shrink = shrink_of(self.here, value) * self.evaluate(self.shrink_ratio)
        new = Side(convention=self.here.convention, run=self.new_run)
        return value_for_shrink(new, _calm(shrink))

    @cached_property
    def new_run(self) -> Run:
        """The new run with its lr, where that is known."""
        return replace(self.there.run, lr=self.known(self.moved.lr))

    def rule(self, value: Fraction) -> RuleNumbers:
        """Return the rule's numbers.

        Raises:
            MissingQuantityError, NoEquivalentError, InvalidValueError: it is out of reach.
        """
        self.check()
        moved = self.new_value(value)
        run = self.new_run
        lr = run.get("lr")
        decay = self.decay(moved, run)
        kept, changed = self.balance()
        return RuleNumbers(
            lr_rule=self.lr_rule,
            hold=self.hold,
            lr=None if lr is None else finite(lr, "lr"),
            value=self.in_target(moved, run),
            shrink=None if decay is None else decay.first_order_shrink,
            timescale_epochs=None if decay is None else decay.timescale_epochs,
            timescale_run_fraction=None if decay is None else decay.timescale_run_fraction,
            formula=self.formula_text(),
            kept=kept,
            changed=changed,
            source="; ".join(filter(None, (self.hold.source, self.lr_rule.source))),
            note=self.note(),
            betas=self.betas(),
            eps=self.eps(),
            equivalence=fit_class(self.lr_rule, self.hold),
            conditions=fit_conditions(self.lr_rule, self.hold),
            **self.interval(lr, decay),
        )

    def interval(self, lr: Fraction | None, decay: Decay | None) -> dict[str, Any]:
        """Return the ends of lr and number by both fits of the horizon; empty for other rules."""
        horizon = (self.lr_rule, self.hold) == (LrRule.HORIZON, Hold.RUN)
        if not horizon or lr is None or decay is None or self.move.target is not None:
            return {}
        rates = [
            Fraction(
                float(self.evaluate(self.here.lr)) * float(self.evaluate(self.length)) ** power
            )
            for power in HORIZON_EXPONENTS
        ]
        numbers = [self._at_rate(rate, decay) for rate in rates]
        return {
            "lr_interval": (float(min(rates)), float(max(rates))),
            "interval": (min(numbers), max(numbers)),
        }

    def _at_rate(self, lr: Fraction, decay: Decay) -> float:
        """Return the number that has this decay at another lr of the new run."""
        side = Side(convention=self.here.convention, run=replace(self.there.run, lr=lr))
        return float(value_for_shrink(side, Fraction(decay.first_order_shrink)))

    def decay(self, value: Fraction, run: Run) -> Decay | None:
        """Return what the new number does to a weight of the new run.

        Raises:
            InvalidValueError: it takes all of it off in a step.
        """
        decay = decay_of(Side(convention=self.here.convention, run=run), value)
        if decay is not None:
            _calm(Fraction(decay.first_order_shrink))
        return decay

    def in_target(self, value: Fraction, run: Run) -> float:
        """Return the new number in the target's convention.

        Raises:
            NoEquivalentError: the objective is to be held, and the target has none.
        """
        target = self.move.target
        if target is None or target.key == self.here.convention.key:
            return finite(value, self.here.convention.parameter)
        if target.differs_by_layer:
            reason = "it has one number a layer"
            raise NoEquivalentError(self.here.convention.key, target.key, reason)
        here = Side(convention=self.here.convention, run=run)
        if run.lr is None and self.here.run.lr is not None:
            self.evaluate(self.moved.lr)  # what the rule lacks for its lr is what is missing
        # An lr that is given is the one of the optimizer that is moved to.
        own = self.lr_rule is LrRule.GIVEN and is_foreign(here, Side(convention=target, run=run))
        converted = convert(
            value, source=self.here.convention, target=target, run=run,
            target_run=Run.part(lr=run.lr) if own else None,
        )  # fmt: skip
        if self.hold is Hold.OBJECTIVE and converted.equivalence is Equivalence.SAME_DECAY:
            reason = "it has a decay per step, and no objective that could be held"
            raise NoEquivalentError(self.here.convention.key, target.key, reason)
        number: float = converted.value  # one a layer was refused above
        return number

    def formula_text(self) -> str:
        """Return the formula in the source's parameter, `weight_decay·sqrt(to_B/B)·N/to_N`."""
        name = self.here.convention.parameter
        formula = self.formula
        if formula is not None:
            return f"to_{name} = {formula.format({'value': name})}"
        return f"to_shrink = {self.shrink_ratio.format()}·shrink"

    def balance(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return what stays the same, and what changes by which factor, in the words of `Hold`.

        `step`, `epoch` and `run` are the shrink of a step, of an epoch and of the run.
        """
        ratios = {"lr": self.moved.lr / self.here.lr, "objective": self.strength_ratio}
        if self.here.has_shrink:
            shrink = self.shrink_ratio
            epoch = self.ratio("dataset_size") / self.ratio("batch_size")
            ratios |= {"step": shrink, "epoch": shrink * epoch, "run": shrink * self.length}
            ratios["normalized"] = shrink * self.length**_HALF
        known = {name: self.known(ratio) for name, ratio in ratios.items()}
        kept = tuple(name for name, factor in known.items() if factor == 1)
        changed = tuple(
            f"{name} ×{brief(factor)}"
            for name, factor in known.items()
            if factor is not None and factor != 1
        )
        return kept, changed

    @property
    def strength_ratio(self) -> Monomial | None:
        """λ*'/λ*, None without an objective."""
        if not self.here.convention.has_strength:
            return None
        if self.hold is Hold.OBJECTIVE:
            return _ONE
        return self.shrink_ratio * self.here.bridge / self.moved.bridge

    def note(self) -> str:
        """Return where the literature disagrees about this rule."""
        optimizer = self.here.convention.optimizer
        if self.lr_rule is LrRule.MUP:
            return (
                "width is disputed: λ ∝ width with lr ∝ 1/width (Wang & Aitchison, 2405.13698; "
                "Dey et al.), λ ∝ √width (Fan et al., 2510.15262); nanochat's Muon "
                "was tuned to λ ∝ 1/width^1.97"
            )
        if self.lr_rule is LrRule.LINEAR and self.here.is_adaptive:
            return "for Adam-like optimizers the square-root rule is the derived one (2205.10287)"
        if self.lr_rule is LrRule.SQRT and optimizer == SGD:
            return (
                "for SGD the linear rule works better (Krizhevsky, 1404.5997); Malladi et al. call "
                "the square root incorrect there"
            )
        if self.lr_rule is LrRule.LINEAR and self.hold is Hold.OBJECTIVE:
            return "scaling the loss is not scaling lr once λ is not 0 (Goyal et al., remark 1)"
        return ""

    def _batch_ratio(self) -> Fraction | None:
        if self.lr_rule is not LrRule.SQRT:
            return None
        return self.known(self.ratio("batch_size"))

    def betas(self) -> tuple[float, float] | None:
        """Return Adam's betas under the square-root rule, `1 - κ·(1 - beta)`; None if below 0.

        Source: Malladi et al., arXiv 2205.10287.
        """
        ratio = self._batch_ratio()
        if ratio is None or self.move.betas is None:
            return None
        one, two = (1 - ratio * (1 - exact(beta)) for beta in self.move.betas)
        return (float(one), float(two)) if min(one, two) >= 0 else None

    def eps(self) -> float | None:
        """Return Adam's epsilon under the square-root rule, `eps/√κ`."""
        ratio = self._batch_ratio()
        if ratio is None or self.move.eps is None:
            return None
        return finite(exact(self.move.eps) / root_of(ratio, 2), "eps")


def _calm(shrink: Fraction) -> Fraction:
    """Return a shrink that leaves something of a weight: a moved run that does not is no advice.

    Raises:
        InvalidValueError: it does not.
    """
    if shrink >= 1:
        text = "leaves nothing of a weight after one step of the new run; it must stay below 1"
        raise InvalidValueError("shrink", brief(shrink), text)
    return shrink
