"""`convert --emit`: the setting as a framework's code."""

from typing import TYPE_CHECKING

from decaycalc.cli.output import Shown
from decaycalc.cli.request import Request, Setting
from decaycalc.errors import MissingQuantityError, UsageError

if TYPE_CHECKING:
    from decaycalc.conventions.record import Convention


def emitted(request: Request, setting: Setting, framework: str, *, source: "Convention") -> Shown:
    """Return the setting as a framework's code.

    Raises:
        MissingQuantityError: no VALUE.
        UsageError: several targets.
    """
    from decaycalc.cli.recipes import shown_code
    from decaycalc.conversion.assumptions import require_said
    from decaycalc.emit.code import emit

    if len(request.targets) > 1:
        raise UsageError("--emit writes code for one --to at a time")
    if setting.value is None:
        raise MissingQuantityError("--emit", ("value",))
    snippet = emit(
        framework,
        setting.value,
        source=source,
        run=setting.run,
        target=request.targets[0] if request.targets else None,
        target_run=request.target_run,
        mask=request.decay_mask,
        schedule=setting.schedule,
        decay_schedule=setting.decay_schedule,
        betas=setting.betas,
        eps=setting.eps,
    )
    if request.strict:
        require_said("a strict snippet", snippet.assumptions)
    return shown_code(snippet, "convert", setting.notes)
