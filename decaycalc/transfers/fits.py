"""Rules that move lr and decay together by a fit: their class, conditions and where they fail."""

from decaycalc.conventions.families import ADAM, lr_family
from decaycalc.conventions.record import Convention, Coupling, Equivalence
from decaycalc.errors import NoEquivalentError
from decaycalc.transfers.records import Hold, LrRule

OVER_WIDTH = frozenset({Hold.SQRT_WIDTH, Hold.INDEPENDENT})
OVER_DEPTH = frozenset({LrRule.COMPLETEP, LrRule.DEPTH_MUP})
HORIZON_EXPONENTS = (-0.5, -0.32)
"""Of lr over the run's length: the rule's own, and another fit's of lr over tokens.

Source: arXiv 2512.22382, read in notes on the paper and not in it.
"""
_OF_BLOCKS = (
    "decay beside AdamW's step, the blocks' matrices alone; embeddings keep lr and λ; read in the "
    "code, not in the paper"
)
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
    (LrRule.COMPLETEP, Hold.DEPTH): (
        "each block's output is divided by the depth ratio, AdamW's epsilon in the blocks too",
        _OF_BLOCKS,
    ),
    (LrRule.DEPTH_MUP, Hold.DEPTH): (
        "each block's output is divided by the root of the depth ratio, AdamW's epsilon too",
        _OF_BLOCKS,
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
    is_fit = lr_rule is LrRule.HORIZON or hold in OVER_WIDTH or lr_rule in OVER_DEPTH
    return Equivalence.ESTIMATE if is_fit else None


def check_fit(record: Convention, lr_rule: LrRule, hold: Hold) -> None:
    """Refuse a fit outside of what it was made for.

    Raises:
        NoEquivalentError: another optimizer's, or a law without the lr that it was found with.
    """
    if (hold is Hold.DEPTH) != (lr_rule in OVER_DEPTH):
        reason = "depth is held with the lr rules completep and depth-mup, and nothing else is"
        raise NoEquivalentError(record.key, "another run", reason)
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
