"""What a plain Python script's own flags stand for: what they are given, else their defaults."""

import ast
from typing import TYPE_CHECKING

from decaycalc.training.trainers.syntax.python_targets import OpenValueError
from decaycalc.training.trainers.syntax.script_bindings import may_set
from decaycalc.training.trainers.syntax.tree import Items, Scalar

if TYPE_CHECKING:
    from decaycalc.training.trainers.syntax.script_calls import Flag
    from decaycalc.training.trainers.syntax.script_names import Names


class Unknown(OpenValueError):  # noqa: N818  (a value that is open, not a fault)
    """An expression that the text does not tell, and why."""


def flagged(names: "Names", whole: ast.expr, parsed: ast.Call, key: str) -> ast.expr:
    """Return what a script's own flag is given, else its default.

    `whole` is the expression that reads it, `parsed` the call that parses the command line.

    Raises:
        OpenValueError: the text does not tell.
    """
    found = names.flags.get(key, [])
    if len(found) != 1 or found[0].is_converted:
        raise Unknown(f"{ast.unparse(whole)} is no flag that can be told")
    if parsed.args and _is_written_out(names.behind(parsed.args[0])):
        raise Unknown(f"line {parsed.lineno} gives the flags itself")
    given = _given_to(names, found[0])
    if given is not None:
        return ast.copy_location(given, whole)
    for call in names.calls.get("set_defaults", ()):
        if may_set(call, key) and names.is_reached(call):
            raise Unknown(f"{ast.unparse(whole)} may be set in line {call.lineno}")
    default = found[0].default
    if default is None:
        raise Unknown(f"{ast.unparse(whole)} has no default")
    names.used[f"--{key}"] = None
    return default


def _is_written_out(given: ast.expr) -> bool:
    """Return whether a script writes out the flags that its parser gets, `["--lr", "1"]`."""
    match given:
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=""), attr="split")):
            return False
        case ast.List(elts=[_, *_]) | ast.Call(func=ast.Attribute(attr="split")):
            return True
    return False


def _given_to(names: "Names", flag: "Flag") -> ast.expr | None:
    """Return what a command line gives a flag, under any of its names or their beginnings.

    Source: Python 3.11, argparse: a beginning that no other flag has is that flag.
    """
    every = {name for flags in names.flags.values() for each in flags for name in each.names}
    for name, node in names.told.entries.items():
        fitting = [name] if name in every else [each for each in every if each.startswith(name)]
        if len(fitting) != 1 or fitting[0] not in flag.names:
            continue
        first = node.items[0] if isinstance(node, Items) and node.items else node
        if flag.takes_many or not isinstance(first, Scalar) or first.open:
            raise Unknown(f"--{name} is not known")
        return ast.Constant(value="True" if first.text == "true" else first.text)
    return None
