"""Importing a framework, or saying in one line what is missing."""

from importlib import import_module
from typing import Any

from decaycalc.errors import DecaycalcError, MissingExtraError


class MissingFrameworkError(MissingExtraError):
    """A framework that `--with` names and that cannot be imported."""

    def __init__(self, framework: str, package: str) -> None:
        self.what, self.extra = f"--with {framework}", package
        message = f"--with {framework} needs {package}; pip install {package}"
        DecaycalcError.__init__(self, message)


def load(module: str, *, framework: str, package: str) -> Any:
    """Return a framework's module.

    Raises:
        MissingFrameworkError: it is not installed, or not what it needs itself.
    """
    try:
        return import_module(module)
    except ImportError:
        raise MissingFrameworkError(framework, package) from None
