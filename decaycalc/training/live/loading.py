"""`module:callable`, the user's own code, to an optimizer: run only where that is asked for."""

import sys
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

from decaycalc.errors import InvalidValueError
from decaycalc.training.live.foreign import foreign_errors


def load(text: str) -> tuple[Any, Any, Any]:
    """Return the optimizer that a `module:callable` makes, its model and its scheduler.

    The callable returns an optimizer, (optimizer, model), (optimizer, scheduler) or (optimizer,
    model, scheduler); what it leaves out is None.

    The module is imported from the working directory or the installed packages, and the callable
    is called without arguments; what they print goes to stderr.

    Raises:
        InvalidValueError: another text, no such module or callable, or one that fails.
    """
    module, _, name = text.partition(":")
    if not module or not name:
        raise InvalidValueError(
            "callable", text, "must be module:callable, as train:make_optimizer"
        )
    here = str(Path.cwd())
    added = here not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        with redirect_stdout(sys.stderr):
            made = _called(text, module, name)
    finally:
        if added:
            sys.path.remove(here)
    # An optax optimizer is a pair of functions itself, and has names.
    several = made if isinstance(made, tuple) and not hasattr(made, "_fields") else (made,)
    optimizer, model, scheduler = (*several, None, None, None)[:3]
    if scheduler is None and _is_scheduler(model):
        return optimizer, None, model
    return optimizer, model, scheduler


def _is_scheduler(thing: Any) -> bool:
    """Return whether what stands beside an optimizer is its scheduler, and no model.

    Lightning's mapping of one is a scheduler too.
    """
    inner = thing.get("scheduler") if isinstance(thing, dict) else thing
    return callable(getattr(inner, "step", None)) and hasattr(inner, "optimizer")


def _called(text: str, module: str, name: str) -> Any:
    """Return what the callable returns; whatever the user's code raises becomes one line."""

    def failed(said: str) -> InvalidValueError:
        return InvalidValueError("callable", text, f"failed with {said}")

    with foreign_errors(failed):
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        return found()
