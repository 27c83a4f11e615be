"""Two runs with quantities changed by their names, as the Python API and arrays give them."""

from typing import Any

from decaycalc.algebra.quantity import QUANTITIES
from decaycalc.conventions.run import Run
from decaycalc.errors import InvalidValueError
from decaycalc.record import replace


def runs_with(run: Run, target_run: Run | None, numbers: dict[str, Any]) -> tuple[Run, Run | None]:
    """Return the two runs with quantities changed by name, a target's after `to_`.

    Raises:
        InvalidValueError: no run has such a quantity, or a value that it cannot have.
    """
    own: dict[str, Any] = {}
    other: dict[str, Any] = {}
    extras = dict(run.extras)
    for name, number in numbers.items():
        plain = name.removeprefix("to_")
        quantity = QUANTITIES.get(plain)
        if quantity is not None and quantity.extra and plain == name:
            extras[name] = number
        elif plain in Run._fields and plain != "extras":
            (own if plain == name else other)[plain] = number
        else:
            raise InvalidValueError("quantity", name, "is none of a run's")
    part = target_run
    if other:
        kept = {} if target_run is None else {k: v for k, v in vars(target_run).items() if v}
        part = Run.part(**{**kept, **other})
    return replace(run, **own, extras=tuple(extras.items())), part
