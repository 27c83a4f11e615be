"""Exemptions by kinds of tensors, and the mask of a network's tensors that each is equal to."""

from collections.abc import Sequence

from decaycalc.training.record import Exemption

_MASKS = {
    (): "all",
    ("norms",): "no-norm",
    ("biases",): "no-bias",
    ("norms", "biases"): "no-bias-norm",
    ("norms", "biases", "embeddings"): "no-embedding",
    ("embeddings",): "olmo",
}
NONE_EXEMPT = Exemption(rule="nothing", mask="all")
NO_1D = Exemption(rule="1-D tensors and names that end in .bias", mask="no-1d")
# Source: timm 0.3.2 optim/optim_factory.py, add_weight_decay, which trainers have copied.
TIMM_EXEMPT = Exemption(
    rule="1-D tensors, names that end in .bias, and what the model's no_weight_decay names",
    mask="timm",
)


def of_patterns(patterns: Sequence[str], *, switch: str) -> Exemption:
    """Return the exemption of names that match one of some patterns; without any, of nothing."""
    if not patterns:
        return of_kinds(switch=switch)
    return Exemption(rule=f"names that match {' or '.join(patterns)[:200]}", switch=switch)


def of_kinds(*kinds: str, switch: str = "", whole: bool = True) -> Exemption:
    """Return the exemption of some kinds of tensors, told in words in the order given.

    `whole` is False where the others' decays differ too, which no mask tells.

    >>> of_kinds("norms", "biases").rule, of_kinds("norms", "biases").mask
    ('norms and biases', 'no-bias-norm')
    """
    first, last = ", ".join(kinds[:-1]), kinds[-1] if kinds else "nothing"
    mask = _MASKS.get(kinds) if whole else None
    return Exemption(rule=f"{first} and {last}" if first else last, switch=switch, mask=mask)
