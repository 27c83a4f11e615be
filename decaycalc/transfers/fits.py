"""Rules that move lr and decay together by a fit: their class, conditions and where they fail."""

from decaycalc.conventions.families import ADAM, lr_family
from decaycalc.conventions.record import Convention, Coupling, Equivalence
from decaycalc.errors import NoEquivalentError
from decaycalc.transfers.records import Hold, LrRule

OVER_WIDTH = frozenset({Hold.SQRT_WIDTH, Hold.INDEPENDENT})
HORIZON_EXPONENTS = (-0.5, -0.32)
"""Of lr over the run's length: the rule's own, and another fit's of lr over tokens.

Source: arXiv 2512.22382, read in notes on the paper and not in it.
"""
_CONDITIONS = {
    (LrRule.MUP, Hold.STEP): (
        "decay beside AdamW's step, matrices alone, lr ∝ 1/width; the embeddings keep lr and λ",
    ),
    (LrRule.MUP, Hold.SQRT_WIDTH): (
        (
            "an observed law of AdamW on LLaMA-like Transformers, matrices alone; vectors keep lr "
            "and are not decayed"
        ),
    ),
    (LrRule.MUP, Hold.INDEPENDENT): (
        (
            "along compute-optimal runs, whose tokens grow with the parameters: near the best for "
            "Llama-like models of 190M to 1.4B parameters"
        ),
    ),
    (LrRule.HORIZON, Hold.RUN): (
        (
            "tokens alone grow, at a fixed batch size: AdamW, QK-norm, cosine; the interval is by "
            "the other fit, lr ∝ D^-0.32; from notes on the paper"
        ),
    ),
}


def fit_conditions(lr_rule: LrRule, hold: Hold) -> tuple[str, ...]:
    """Return under what a rule was found, empty for one of algebra."""
    return _CONDITIONS.get((lr_rule, hold), ())


def fit_class(lr_rule: LrRule, hold: Hold) -> Equivalence | None:
    """Return `estimate` for a rule that is a fit, None for one that holds what it says."""
    return Equivalence.ESTIMATE if lr_rule is LrRule.HORIZON or hold in OVER_WIDTH else None


def check_fit(record: Convention, lr_rule: LrRule, hold: Hold) -> None:
    """Refuse a fit outside of what it was made for.

    Raises:
        NoEquivalentError: another optimizer's, or a width law without muP's lr.
    """
    if hold in OVER_WIDTH and lr_rule is not LrRule.MUP:
        reason = f"{hold.value} was found with lr ∝ 1/width, the lr rule muP"
        raise NoEquivalentError(record.key, "another run", reason)
    if fit_class(lr_rule, hold) is not None and not covers(record, hold):
        reason = f"the rule {hold.value if hold in OVER_WIDTH else lr_rule.value} is AdamW's"
        raise NoEquivalentError(record.key, "another run", reason)


def covers(record: Convention, hold: Hold) -> bool:
    """Return whether a fit was made with a record's optimizer, its decay beside the step."""
    families = {ADAM, "orthogonalised", "soap", "shampoo"} if hold is Hold.INDEPENDENT else {ADAM}
    decoupled = record.coupling is Coupling.DECOUPLED
    return decoupled and lr_family(record.optimizer) in families
