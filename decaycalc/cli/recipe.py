"""What `--recipe` and `--emit` do: start from a recipe, and leave with code."""

from typing import TYPE_CHECKING, Any

from decaycalc.cli.output import Shown
from decaycalc.errors import MissingQuantityError, UsageError
from decaycalc.record import replace

if TYPE_CHECKING:
    from decaycalc.training.published.chosen import Chosen


def choose_recipe(recipe: str, given: dict[str, Any]) -> "Chosen":
    """Lay the options over the recipe, in place, and return what was chosen."""
    from decaycalc.training.published.chosen import choose

    names = ("value", "source", "run", "schedule")
    said = given["schedule"]
    chosen = choose(recipe, **{name: given[name] for name in names})
    if said is None and chosen.schedule is not None and chosen.run.total_steps is None:
        note = "its schedule is left out: the run's length is unknown"
        chosen = replace(chosen, schedule=None, notes=(*chosen.notes, f"{recipe}: {note}"))
    given.update({name: getattr(chosen, name) for name in names})
    return chosen


def emitted(framework: str, given: dict[str, Any], chosen: "Chosen | None") -> Shown:
    """Return the setting as a framework's code.

    Raises:
        MissingQuantityError: no VALUE.
        UsageError: several targets, or none to convert from.
    """
    from decaycalc.cli.convert import require_source
    from decaycalc.cli.recipes import shown_code
    from decaycalc.emit.code import emit

    targets = given["targets"]
    if len(targets) > 1:
        raise UsageError("--emit writes code for one --to at a time")
    source = require_source(given["source"])
    if given["value"] is None:
        raise MissingQuantityError("--emit", ("value",))
    snippet = emit(
        framework,
        given["value"],
        source=source,
        run=given["run"],
        target=targets[0] if targets else None,
        target_run=given["target_run"],
        mask=given["mask"],
        schedule=given["schedule"],
        betas=None if chosen is None else chosen.betas,
        eps=None if chosen is None else chosen.eps,
    )
    return shown_code(snippet, "convert", () if chosen is None else chosen.notes)
