"""Two runs with quantities changed by their names, as the Python API and arrays give them."""

from collections.abc import Iterable, Mapping
from typing import Any

from decaycalc.algebra.quantity import EXTRAS, GIVEN, QUANTITIES, TARGETS
from decaycalc.conventions.run import Run
from decaycalc.errors import ContradictionError, InvalidValueError, nearest_names
from decaycalc.record import replace

# What is said of a run, and of the one that is converted to, by the names of the quantities.
RUN_FIELDS = (*(quantity.name for quantity in GIVEN), "nesterov", "loss", "optimizer", "drop_last")
TARGET_FIELDS = (*(quantity.name for quantity in TARGETS), "nesterov", "loss")
EXTRA_FIELDS = tuple(quantity.name for quantity in EXTRAS)


def run_of(given: Mapping[str, Any]) -> Run:
    """Return the run whose quantities stand in a mapping by their names, beside other things.

    Raises:
        InvalidValueError: a value that its quantity cannot have.
        ContradictionError: values that cannot hold together.
    """
    fields = {name: given[name] for name in RUN_FIELDS if given.get(name) is not None}
    extras = {name: given[name] for name in EXTRA_FIELDS if given.get(name) is not None}
    return Run(**fields, extras=tuple(extras.items()))


def target_run_of(given: Mapping[str, Any]) -> Run | None:
    """Return what differs in the run that is converted to, whose names begin with `to_`.

    None where nothing does.

    Raises:
        InvalidValueError: a value that its quantity cannot have.
    """
    fields = {name: given.get(f"to_{name}") for name in TARGET_FIELDS}
    known = {name: value for name, value in fields.items() if value is not None}
    return target_part(**known) if known else None


def target_part(**given: Any) -> Run:
    """Return what is said of the run that is converted to, its errors called as a user calls it.

    Raises:
        InvalidValueError: a value that its quantity cannot have; its name begins with `to_`.
    """
    try:
        return Run.part(**given)
    except InvalidValueError as error:
        raise InvalidValueError(f"to_{error.name}", error.value, error.requirement) from None


def target_over(target_run: Run | None, run: Run) -> Run:
    """Return the run that is converted to: what is said of it, the rest as in the source's.

    Raises:
        ContradictionError: values that cannot hold together; it says in which run.
    """
    if target_run is None:
        return run
    try:
        return target_run.over(run)
    except ContradictionError as error:
        raise ContradictionError(f"the other run: {error}") from None


def runs_with(
    run: Run, target_run: Run | None, numbers: dict[str, Any], *, also: Iterable[str] = ()
) -> tuple[Run, Run | None]:
    """Return the two runs with quantities changed by name, a target's after `to_`.

    `also` are the names that the caller takes beside them, of which one may have been meant.

    Raises:
        InvalidValueError: no run has such a quantity, a value that it cannot have, or no run.
    """
    for name, given in (("run", run), ("target_run", target_run)):
        if not isinstance(given, Run | None):
            raise InvalidValueError(name, type(given).__name__, "must be a decaycalc.Run")
    if not numbers:
        return run, target_run
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
            raise InvalidValueError("quantity", name, _none_of_a_runs(name, also))
    part = target_run
    if other:
        kept = {} if target_run is None else _said(target_run)
        part = target_part(**{**kept, **other})
    return replace(run, **own, extras=tuple(extras.items())), part


def _none_of_a_runs(name: str, also: Iterable[str]) -> str:
    """Return what is wrong with a name that no quantity of the runs has, and the nearest ones."""
    of_runs = (*RUN_FIELDS, *EXTRA_FIELDS, *(f"to_{n}" for n in TARGET_FIELDS))
    near = nearest_names(name, (*also, *of_runs))
    asked = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"is none of a run's{asked}"


def _said(run: Run) -> dict[str, Any]:
    """Return the fields of a run that say something; zero and false do."""
    return {name: value for name, value in vars(run).items() if value is not None}
