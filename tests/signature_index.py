"""The index of signatures, by which a file's trainer is told without importing every table."""

import json
import pkgutil
from importlib import import_module

from decaycalc.training import trainers

_HEAD = '''"""INDEX: each trainer's signatures, by its module; `python -m tests.renew` writes it."""

# ruff: noqa: E501
# fmt: off
# Of each: all_of, any_of, at_least, none_of.
INDEX: dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...], int, tuple[str, ...]], ...]] = {
'''


def module() -> str:
    """Return the text of the module."""
    rows = []
    for entry in pkgutil.iter_modules(trainers.__path__):
        if not entry.ispkg:
            table = getattr(import_module(f"{trainers.__name__}.{entry.name}"), "TRAINER", None)
            signed = () if table is None else table.signatures
            made = ((each.all_of, each.any_of, each.at_least, each.none_of) for each in signed)
            rows.append(f"    {json.dumps(entry.name)}: {_literal(tuple(made))},\n")
    return f"{_HEAD}{''.join(rows)}}}\n"


def _literal(value: object) -> str:
    """Return a tuple, text or number as Python has it."""
    if not isinstance(value, tuple):
        return json.dumps(value)
    inner = ", ".join(_literal(each) for each in value)
    return f"({inner},)" if len(value) == 1 else f"({inner})"
