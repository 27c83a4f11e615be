"""Weight decay, converted between frameworks, losses and batch sizes.

The public names load when they are first used, so that importing the package costs nothing:
`convert` (numbers, and numpy arrays), `answer` (all that the command says), `inspect` (a published
run, a training file or a live optimizer), `probe` (a live optimizer by its own steps), `compare`
(two of what `inspect` takes), `suggest`, `transfer`, `recipes`, `verify`, `Training`, `Run`,
`Convention`, `catalogue` (`catalogue.find`, `catalogue.conventions`), `Architecture`,
`parse_architecture` (a text, a model's name or a file), `schedule` (`schedule.parse_schedule`) and
`DecaycalcError`.

>>> import decaycalc
>>> decaycalc.convert("5e-4", source="caffe", target="keras-l2").value
0.00025
"""

from importlib import import_module

# Not typing's: until the entry has begun, an interrupt is Python's own traceback, and loading
# typing is most of the time before that.
TYPE_CHECKING = False
if TYPE_CHECKING:  # they load when they are used
    from typing import Any

    from decaycalc import schedule
    from decaycalc.api import (
        answer,
        compare,
        convert,
        inspect,
        probe,
        recipes,
        suggest,
        transfer,
        verify,
    )
    from decaycalc.architecture import parse_architecture
    from decaycalc.architecture.tensors import Architecture
    from decaycalc.conventions import catalogue
    from decaycalc.conventions.record import Convention, Equivalence
    from decaycalc.conventions.run import Run
    from decaycalc.conversion.plan import Match
    from decaycalc.errors import DecaycalcError
    from decaycalc.training.record import Training

__version__ = "0.2.0"

__all__ = [
    "Architecture",
    "Convention",
    "DecaycalcError",
    "Equivalence",
    "Match",
    "Run",
    "Training",
    "answer",
    "catalogue",
    "compare",
    "convert",
    "inspect",
    "parse_architecture",
    "probe",
    "recipes",
    "schedule",
    "suggest",
    "transfer",
    "verify",
]

# Where each public name lives; a name alone is a module.
_HOMES = {
    "Architecture": "architecture.tensors",
    "Convention": "conventions.record",
    "DecaycalcError": "errors",
    "Equivalence": "conventions.record",
    "Match": "conversion.plan",
    "Run": "conventions.run",
    "Training": "training.record",
    "answer": "api",
    "catalogue": "conventions",
    "compare": "api",
    "convert": "api",
    "inspect": "api",
    "parse_architecture": "architecture",
    "probe": "api",
    "recipes": "api",
    "suggest": "api",
    "transfer": "api",
    "verify": "api",
}


def __getattr__(name: str) -> "Any":
    """Return a public name from the module that it lives in, loaded when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _hand_in_the_reports()
    if name not in _HOMES:
        return import_module(f"{__name__}.{name}")
    home = import_module(f"{__name__}.{_HOMES[name]}")
    # Kept, so that a warm call does not come by here again: it would take half of the call's time.
    found = globals()[name] = getattr(home, name, None) or import_module(f"{home.__name__}.{name}")
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _hand_in_the_reports() -> None:
    """Let results show themselves as tables; the reports load when the first one does."""
    from decaycalc.record import Rendered, Result

    def rich(record: "Any") -> "Any":
        """Return what rich prints of a record."""
        from decaycalc.report.notebook import rich_group

        return rich_group(record)

    def html(record: "Any") -> str:
        """Return a record as a notebook shows it."""
        from decaycalc.report.notebook import html

        return html(record)

    def text(result: "Any") -> str:
        """Return a result as its command prints it."""
        from decaycalc.report.notebook import text

        return text(result)

    Rendered.show_with(__rich__=rich, _repr_html_=html)
    Result.show_with(__str__=text)
