"""Which tensors decay in a snippet: the mask asked for, or the run's own."""

from decaycalc.architecture.masks import DEFAULT_MASK, find_mask
from decaycalc.training.record import Exemption

# Masks that a framework's code can hold. A trainer's file has none: its notes say what the trainer
# exempts, whatever the mask.
_WRITTEN = ("all", "no-1d", "no-bias", "matrices")
_KNOWN: dict[str, tuple[str, ...]] = {
    "pytorch": _WRITTEN,
    "keras": _WRITTEN,
    "optax": _WRITTEN,
    "timm": (DEFAULT_MASK, "timm"),
}
_IN_WORDS = "biases and one-dimensional tensors"
_UNSAID = f"{_IN_WORDS} are exempt: --decay-mask all decays them too"
_UNSAID_TIMM = f"{_IN_WORDS}, and what the model itself lists, are exempt, as timm has them"
_LISTED = "what the model's own list exempts, as no_weight_decay does, decays in this code"


def chosen_mask(
    framework: str, mask: str | None, exempt: Exemption | None
) -> tuple[str, tuple[str, ...]]:
    """Return the mask that a snippet is written by, and notes on where it is not the one asked for.

    `mask` is the one asked for; unsaid, it is the one equal to what the run is told to `exempt`, or
    timm's own for timm, else no-1d. No model of Keras or optax lists what it exempts: there timm's
    is no-1d.

    Raises:
        UnknownNameError: no such mask.
    """
    known = _KNOWN.get(framework)
    if mask is None and exempt is not None and known is not None:
        if exempt.mask not in (*known, "timm"):
            return DEFAULT_MASK, (_unlike(exempt),)
        mask = exempt.mask
    if mask is None and known is not None:
        return ("timm", (_UNSAID_TIMM,)) if framework == "timm" else (DEFAULT_MASK, (_UNSAID,))
    name = find_mask(mask)
    if name != "timm" or framework not in {"keras", "optax"}:
        return name, ()
    return DEFAULT_MASK, (_LISTED,)


def _unlike(exempt: Exemption) -> str:
    """Return the note on a rule that a framework's code cannot hold."""
    rule = f"the run's own rule of what is exempt ({exempt.rule}) has no code here"
    return f"{rule}: {_IN_WORDS} are; --decay-mask names another"
