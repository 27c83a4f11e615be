"""match: AdamW's lr and weight decay for Muon or Lion, so that a step moves and shrinks alike.

An lr is an optimizer's own: what carries over is the root mean square (RMS) of a step, `lr*rms`,
with `rms` the update's. So `lr' = lr*rms/rms'`, and the new number is the one whose shrink per step
is the old one's. An update's RMS is known where noise dominates the gradients, hence an estimate.
"""

import math
from fractions import Fraction

from decaycalc.algebra.quantity import QUANTITIES, exact, finite
from decaycalc.conventions.families import ADAM, lr_family
from decaycalc.conventions.muon import MUON_RMS, RMS_MATCHED, is_muon
from decaycalc.conventions.record import Convention, Coupling, Equivalence
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import check_value
from decaycalc.conversion.decay import decay_of
from decaycalc.conversion.inverse import value_for_shrink
from decaycalc.conversion.shrinks import shrink_of
from decaycalc.conversion.side import Side
from decaycalc.errors import InvalidValueError, MissingQuantityError, NoEquivalentError
from decaycalc.record import replace
from decaycalc.transfers.records import Hold, LrRule, Move, RuleNumbers, Transfer

_BETA1 = 0.9  # of Adam, where nobody says another
_NOISE = "noise dominates the gradients: an update's RMS is then the optimizer's own"


def match_update(move: Move) -> Transfer:
    """Return lr and weight decay of another optimizer whose step moves and shrinks alike.

    >>> from decaycalc.conventions.catalogue import find
    >>> one, other = find("pytorch-adamw"), find("keras-lion")
    >>> move = Move(value="0.1", source=one, target=other, run=Run(lr="3e-4"))
    >>> (rule,) = match_update(move).rules
    >>> round(rule.lr, 8), round(rule.value, 4)
    (6.882e-05, 0.4359)

    Raises:
        MissingQuantityError: no target, or no lr.
        NoEquivalentError: an optimizer whose update's RMS is not known.
        InvalidValueError: a value out of its domain, or a new run that changes something else.
    """
    if move.target is None:
        raise MissingQuantityError("matching the update", ("target",))
    _check_the_same_run(move)
    lr = move.run.get("lr")
    if lr is None:
        raise MissingQuantityError("matching the update", ("lr",))
    factor = update_rms(move.source, move) / update_rms(move.target, move)
    run = replace(move.run, lr=lr * Fraction(factor))
    return Transfer(move=move, target_run=run, rules=(_matched(move, run, factor),), unavailable=())


def _check_the_same_run(move: Move) -> None:
    """Refuse a move that changes more than the optimizer.

    Raises:
        InvalidValueError: a quantity of the new run is given.
    """
    new = move.target_run or Run()
    given = {name: new.given(name) for name in QUANTITIES}
    changed = {f"the new run's {name}": value for name, value in given.items() if value is not None}
    ratios = {"width_ratio": exact(move.width_ratio), "depth_ratio": exact(move.depth_ratio)}
    changed |= {name: ratio for name, ratio in ratios.items() if ratio != 1}
    for name, value in changed.items():
        text = "changes more than the optimizer: match first, then move the run"
        raise InvalidValueError(name, finite(value, name), text)


def update_rms(record: Convention, move: Move) -> float:
    """Return the RMS of an optimizer's update in noise, in units of lr.

    Adam's is `sqrt((1 - beta1)/(1 + beta1))`, Lion's 1, Muon's 0.2 where it is scaled to AdamW's.

    Raises:
        NoEquivalentError: it is not known, or the decay is not beside the update.
        InvalidValueError: beta1 outside 0 to 1.
    Source: a random walk (Adam); MoonshotAI/Moonlight, examples/toy_train.py (Muon).
    """
    name = record.optimizer.partition("-")[0]
    if record.coupling is not Coupling.DECOUPLED or record.estimate is not None:
        reason = "only a plain decay beside the update keeps its size when the update's changes"
        raise NoEquivalentError(record.key, "another update", reason)
    if name == ADAM:
        beta1 = _beta1(move)
        return math.sqrt((1 - beta1) / (1 + beta1))
    if name == "lion":
        return 1.0
    if is_muon(record):
        return MUON_RMS
    reason = f"the RMS of an update of {record.optimizer} is not known; it is of AdamW, Lion, Muon"
    raise NoEquivalentError(record.key, "another update", reason)


def _beta1(move: Move) -> Fraction:
    beta1 = exact(_BETA1 if move.betas is None else move.betas[0], name="beta1")
    if not 0 <= beta1 < 1:
        raise InvalidValueError("beta1", float(beta1), "must be at least 0 and below 1")
    return beta1


def _matched(move: Move, run: Run, factor: float) -> RuleNumbers:
    """Return the one rule: lr by the update's RMS, the shrink of a step held."""
    assert move.target is not None  # noqa: S101  (checked by the caller)
    shrink = shrink_of(Side(convention=move.source, run=move.run), _value(move))
    new = Side(convention=move.target, run=run)
    number = value_for_shrink(new, shrink)
    decay = decay_of(new, number)
    return RuleNumbers(
        lr_rule=LrRule.UPDATE,
        hold=Hold.STEP,
        lr=finite(run.get("lr") or Fraction(0), "lr"),
        value=finite(number, move.target.parameter),
        shrink=finite(shrink, "shrink"),
        timescale_epochs=None if decay is None else decay.timescale_epochs,
        timescale_run_fraction=None if decay is None else decay.timescale_run_fraction,
        formula=f"to_lr = lr·{factor:.6g}; to_shrink = shrink",
        kept=("step", "epoch", "run", "normalized"),
        changed=(f"lr ×{factor:.4g}",),
        source=f"{LrRule.UPDATE.source}; {Hold.STEP.source}",
        note="",
        equivalence=Equivalence.ESTIMATE,
        conditions=tuple(_conditions(move)),
    )


def _value(move: Move) -> Fraction:
    return check_value(move.value, move.source)


def _conditions(move: Move) -> list[str]:
    """Return what the estimate rests on."""
    assert move.target is not None  # noqa: S101  (checked by the caller)
    found = [_NOISE]
    records = (move.source, move.target)
    if any(lr_family(record.optimizer) == ADAM for record in records):
        given = "" if move.betas is not None else " (not given)"
        found.append(
            f"Adam's update has RMS sqrt((1 - β1)/(1 + β1)), β1 {float(_beta1(move)):g}{given}"
        )
    return [*found, *(_scale(record) for record in records if is_muon(record))]


def _scale(record: Convention) -> str:
    """Return which scale of Muon's update the number is for."""
    if record.optimizer in RMS_MATCHED:
        return f"{record.key} scales its update to RMS {MUON_RMS:g}, as Moonlight does"
    setting = " (adjust_lr_fn='match_rms_adamw')" if record.key == "pytorch-muon" else ""
    return (
        f"{record.key} with its update scaled by {MUON_RMS:g}·sqrt(max(rows, columns)){setting}; "
        "by another scale its RMS depends on the tensor's shape"
    )
