"""The λ that was configured for a live optimizer, beside the one that its groups hold.

`load_state_dict` puts a checkpoint's groups in the place of an optimizer's own, its λ among them,
and leaves `defaults`, which its constructor was given, as they are.

Source: torch 2.13 optim/optimizer.py, load_state_dict.
"""

from inspect import signature
from typing import Any

from decaycalc.errors import ContradictionError
from decaycalc.record import replace
from decaycalc.training.live.told import number_text
from decaycalc.training.record import Origin, Sourced, Training

NAME = "configured_weight_decay"
_OPTION = "weight_decay"


def constructed(optimizer: Any) -> Sourced | None:
    """Return the λ that an optimizer's constructor was given; None where it is its class's own.

    Raises:
        InvalidValueError: it is not a finite number.
    """
    defaults = getattr(optimizer, "defaults", None)
    value = defaults.get(_OPTION) if isinstance(defaults, dict) else None
    if not value:
        return None
    usual = signature(type(optimizer)).parameters.get(_OPTION)
    if usual is None or value == usual.default:
        return None
    text = number_text(value, _OPTION)
    return Sourced(name=NAME, value=text, origin=Origin.GIVEN, where="the constructor")


def beside(live: Training, name: str | None) -> Training:
    """Return a live optimizer's run with the λ that a file or a published run configures for it.

    Raises:
        DecaycalcError: a configuration that cannot be read, has no number or is of another rule.
    """
    if name is None:
        return live
    # Imported here: an optimizer by itself needs no readers of files.
    from decaycalc.training.source import load  # noqa: PLC0415

    return _with_configured(live, load(name))


def _with_configured(live: Training, configured: Training) -> Training:
    value, own, other = configured.value, live.record, configured.record
    if value is None:
        raise ContradictionError(f"{configured.source} configures no weight decay to compare")
    if own and other and (own.shrink, own.strength) != (other.shrink, other.strength):
        raise ContradictionError(
            f"{configured.source} is of {other.key}, the optimizer of {own.key}: their numbers do "
            "not follow one rule"
        )
    told = {found.name: found for found in configured.quantities}.get(_OPTION)
    said = Sourced(
        name=NAME, value=value, origin=Origin.FILE, where=configured.source,
        line=None if told is None else told.line,
    )  # fmt: skip
    kept = (found for found in live.quantities if found.name != NAME)
    return replace(live, quantities=(*kept, said))
