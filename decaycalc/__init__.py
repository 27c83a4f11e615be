"""Weight decay, converted between frameworks, losses and batch sizes.

The public names load when they are first used, so that importing the package costs nothing:
`convert` (numbers, and numpy arrays), `answer` (all that the command says), `Run`, `Convention`,
`catalogue` (`catalogue.find`, `catalogue.conventions`), `Architecture`, `parse_architecture` (a
text, a model's name or a file), `schedule` (`schedule.parse_schedule`) and `DecaycalcError`.

>>> import decaycalc
>>> decaycalc.convert("5e-4", source="caffe", target="keras-l2").value
0.00025
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # they load when they are used
    from decaycalc import catalogue, schedule
    from decaycalc.api import answer, convert
    from decaycalc.architecture import parse_architecture
    from decaycalc.architecture.tensors import Architecture
    from decaycalc.conventions.record import Convention, Equivalence
    from decaycalc.errors import DecaycalcError
    from decaycalc.conversion.plan import Match
    from decaycalc.conventions.run import Run

__version__ = "0.1.0"

__all__ = [
    "Architecture",
    "Convention",
    "DecaycalcError",
    "Equivalence",
    "Match",
    "Run",
    "answer",
    "catalogue",
    "convert",
    "parse_architecture",
    "schedule",
]

_HOMES = {
    "Architecture": "architecture.tensors",
    "Convention": "convention",
    "DecaycalcError": "errors",
    "Equivalence": "convention",
    "Match": "plan",
    "Run": "run",
    "answer": "api",
    "convert": "api",
    "parse_architecture": "architecture",
}


def _load(name: str) -> Any:
    """Return a public name from the module that it lives in."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Package(ModuleType):
    """The package as a module, in which two functions keep their names to themselves.

    Submodules are called `convert` and `answer` too; Python would put them in the functions' place
    when they are imported.
    """

    @property
    def convert(self) -> Any:
        """The function `convert`."""
        return _load("convert")

    @convert.setter
    def convert(self, module: ModuleType) -> None:
        """Leave the function in its place."""

    @property
    def answer(self) -> Any:
        """The function `answer`."""
        return _load("answer")

    @answer.setter
    def answer(self, module: ModuleType) -> None:
        """Leave the function in its place."""

    def __getattr__(self, name: str) -> Any:
        return _load(name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *__all__})


sys.modules[__name__].__class__ = _Package
