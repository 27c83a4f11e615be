"""Why a rule of a transfer gives its number: derived from the convention's own formula."""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from types import MappingProxyType

from decaycalc.algebra.quantity import Monomial, exact
from decaycalc.conventions.record import Invariant
from decaycalc.conversion.inverse import solved
from decaycalc.conversion.plan import held_text, plan, target_side
from decaycalc.conversion.shrinks import shrink_of
from decaycalc.conversion.side import Side
from decaycalc.explanation.claim import Claim
from decaycalc.explanation.conversion import (
    ALGEBRA,
    BRIDGE_SOURCE,
    ESTIMATE_SOURCE,
    bridge_formula,
    bridge_text,
    explain,
    first_number,
    rule_of,
)
from decaycalc.explanation.step import Explanation, Step, make_step, quantity_of
from decaycalc.transfers import new_side
from decaycalc.transfers.applied_rule import AppliedRule
from decaycalc.transfers.matching import update_rms
from decaycalc.transfers.records import Hold, LrRule, RuleNumbers, Transfer

_HELD = {
    Hold.OBJECTIVE: "the objective, hence the optimum, stays the same",
    Hold.STEP: "a step takes the same share of a weight",
    Hold.EPOCH: "an epoch takes the same share of a weight, to first order",
    Hold.RUN: "the whole run takes the same share of a weight, to first order",
    Hold.NORMALIZED: "the shrink times the square root of the number of steps stays the same",
    Hold.SQRT_WIDTH: "a step's share of a weight falls by the square root of the width",
    Hold.INDEPENDENT: "a step's share of a weight falls by the width",
    Hold.DEPTH: "λ is multiplied by the width alone: a step's share of a weight falls as lr does",
}
_LR = {
    LrRule.LINEAR: "lr in proportion to the batch size",
    LrRule.SQRT: "lr in proportion to the square root of the batch size",
    LrRule.MUP: "lr in inverse proportion to the width",
    LrRule.COMPLETEP: "lr in inverse proportion to the width, whatever the depth",
    LrRule.DEPTH_MUP: "lr in inverse proportion to the square root of the depth, and to the width",
    LrRule.HORIZON: "lr in inverse proportion to the square root of the run's length",
}


def explain_rule(moved: Transfer, rule: RuleNumbers) -> Explanation:
    """Return the derivation of one rule's number, which is the last step's result."""
    move = moved.move
    if rule.lr_rule is LrRule.UPDATE:
        return _explain_match(moved, rule)
    step = AppliedRule(
        move=move,
        here=Side(convention=move.source, run=move.run),
        there=new_side(move),
        lr_rule=rule.lr_rule,
        hold=rule.hold,
        width=exact(move.width_ratio),
        depth=exact(move.depth_ratio),
    )
    target = move.destination
    return Explanation(
        source=move.source.key,
        target=f"{target.key} in the new run (lr rule {rule.lr_rule}, {rule.hold} held)",
        steps=tuple(_Derivation(step, moved.value).lines()),
        claim=Claim(
            name=rule.hold.value,
            meaning=_HELD[rule.hold],
            ends=(*rule.changed, *filter(None, (rule.note,))),
        ),
    )


def _explain_match(moved: Transfer, rule: RuleNumbers) -> Explanation:
    """Return the derivation of another optimizer's lr and number."""
    move, target = moved.move, moved.move.target
    assert target is not None  # noqa: S101  (a match has one)
    here = Side(convention=move.source, run=move.run)
    shrink = shrink_of(here, moved.value)
    lr = f"to_lr = lr·{update_rms(move.source, move):.6g}/{update_rms(target, move):.6g}"
    new = Side(convention=target, run=moved.target_run)
    solution = f"to_{target.parameter} = {solved(new, Invariant.SHRINK).format()}"
    lines = (
        _match_line("the new lr", lr, result=rule.lr, known=here.get),
        _match_line("the decay per step", "to_shrink = shrink", result=rule.shrink, known=here.get),
        _match_line(f"solved for {target.parameter}", solution, result=rule.value, known=new.get,
                    shrink=shrink),
    )  # fmt: skip
    claim = Claim(name="estimate", meaning=_HELD[Hold.STEP], ends=rule.conditions)
    return Explanation(source=move.source.key, target=target.key, steps=lines, claim=claim)


def _match_line(
    title: str,
    formula: str,
    *,
    result: float | None,
    known: Callable[[str], Fraction | None],
    shrink: Fraction | None = None,
) -> Step:
    """Return a step of a match."""

    def number(name: str) -> Fraction | None:
        quantity = quantity_of(name)
        return shrink if quantity is None else known(quantity)

    exact_result = None if result is None else Fraction(result)
    text = "lr times the update's RMS, and a step's share of a weight, stay the same"
    source = LrRule.UPDATE.source.removeprefix("lr: ")
    return make_step(title, formula, text=text, source=source, number=number, result=exact_result)


class _Derivation:
    """The steps of one rule at work."""

    def __init__(self, step: AppliedRule, value: Fraction) -> None:
        self.step, self.value = step, value
        self.record = step.here.convention
        # A form has no strength: what keeps its objective is said of its shrink.
        by_strength = step.hold is Hold.OBJECTIVE and self.record.form is None
        self.held = Invariant.STRENGTH if by_strength else Invariant.SHRINK

    def lines(self) -> Iterator[Step]:
        """Yield the steps from the old run's number to the new one's."""
        own = self.record.invariant
        assert own is not None  # noqa: S101  (a refused convention was not moved)
        yield self.meaning(own)
        if own != self.held:
            yield self.bridge(own)
        yield from self.learning_rate()
        yield self.equality()
        new = self.step.new_value(self.value)
        yield self.solution(new)
        yield from self.in_target(new)

    def line(
        self,
        title: str,
        formula: str,
        *,
        text: str,
        source: str,
        result: Fraction | None,
        known: Callable[[str], Fraction | None] | None = None,
        more: Mapping[str, Fraction | None] = MappingProxyType({}),
    ) -> Step:
        """Return a step; names are looked up in `more`, then in the two runs."""
        lookup = known or self.step.lookup

        def number(name: str) -> Fraction | None:
            quantity = quantity_of(name)
            return more[name] if name in more else None if quantity is None else lookup(quantity)

        return make_step(title, formula, text=text, source=source, result=result, number=number)

    def meaning(self, own: Invariant) -> Step:
        """Return what the number means in the old run."""
        record = self.record
        name = f"{record.parameter}({record.key})" if record.parameter == own else record.parameter
        return self.line(
            f"what {record.parameter} means in {record.key}",
            f"{own} = {held_text(self.step.here, own, name)}",
            text=rule_of(self.step.here),
            source=record.source,
            result=self.of_old(own),
            more={name: self.value},
        )

    def bridge(self, own: Invariant) -> Step:
        """Return the way from the old run's own invariant to the held one."""
        here = self.step.here
        return self.line(
            f"from {own} to {self.held}",
            bridge_formula(here, own),
            text=bridge_text(here),
            source=ESTIMATE_SOURCE if here.is_estimate else BRIDGE_SOURCE,
            result=self.of_old(self.held),
            more={own.value: self.of_old(own)},
        )

    def learning_rate(self) -> Iterator[Step]:
        """Yield the lr rule where it changes lr."""
        step = self.step
        if step.lr_rule is LrRule.GIVEN or step.moved.lr == step.here.lr:
            return
        yield self.line(
            "the new run's lr",
            f"to_lr = {step.moved.lr.format()}",
            text=_LR.get(step.lr_rule, "so that the data's part of a step stays the same"),
            source=step.lr_rule.source.removeprefix("lr: ") or ALGEBRA,
            result=step.known(step.moved.lr),
        )

    def equality(self) -> Step:
        """Return what is held."""
        ratio = Monomial.of() if self.held is Invariant.STRENGTH else self.step.shrink_ratio
        old, factor = self.of_old(self.held), self.step.known(ratio)
        right = (Monomial.of(**{self.held.value: 1}) * ratio).format()
        return self.line(
            f"what is held: {self.step.hold}",
            f"to_{self.held} = {right}",
            text=_HELD[self.step.hold],
            source=self.step.hold.source,
            result=None if old is None or factor is None else old * factor,
            more={self.held.value: old},
        )

    def solution(self, new: Fraction) -> Step:
        """Return the new number in the source's own convention."""
        step, record = self.step, self.record
        title, text = f"solved for {record.parameter}", "what the number means in the new run"
        if record.form is None:
            return self.line(
                title, step.formula_text(), text=text, source=ALGEBRA, result=new,
                more={record.parameter: self.value},
            )  # fmt: skip
        old, factor = self.of_old(self.held), step.known(step.shrink_ratio)
        return self.line(
            title,
            f"to_{record.parameter} = {record.form.inverse}",
            text=f"{text}, its shrink put in",
            source=ALGEBRA,
            result=new,
            known=Side(convention=record, run=step.new_run).get,
            more={"shrink": None if old is None or factor is None else old * factor},
        )

    def in_target(self, new: Fraction) -> Iterator[Step]:
        """Yield the new run's conversion to another convention, where one is asked for."""
        target = self.step.move.target
        if target is None or target.key == self.record.key:
            return
        side = Side(convention=self.record, run=self.step.new_run)
        yield from explain(plan(side, target_side(side, target)), new).steps

    def of_old(self, which: Invariant) -> Fraction | None:
        """Return an invariant of the old run, None where it is not known."""
        return first_number(self.step.here, which, self.value)
