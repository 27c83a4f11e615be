"""What the calls of a plain Python script are given, by name."""

import ast

from decaycalc.training.trainers.syntax.script_calls import PARTIAL, entries_of
from decaycalc.training.trainers.syntax.script_names import Names
from decaycalc.training.trainers.syntax.tree import Entries, Node, Scalar

_SPREAD = "**"  # the key of a mapping that is handed on whole and not known


def arguments_of(
    names: Names, call: ast.Call, places: tuple[str, ...] = (), *, skip: int = 1
) -> Entries:
    """Return what a call is given, by name; those without one by their place behind `skip`.

    A mapping that is handed on whole, `**options`, and is not known has a key of its own. What
    a `functools.partial` binds holds where the call does not give it anew.
    """
    bound = _bound_by(names, call)
    usual = {word.arg: word.value for word in bound if word.arg is not None}
    given = {**usual, **expressions_of(call, places, skip=skip)}
    entries = {name: names.given(value) for name, value in given.items()}
    for word in (*bound, *call.keywords):
        if word.arg is None:
            entries |= _spread(names, word.value)
    return Entries(entries=entries, line=call.lineno)


def _bound_by(names: Names, call: ast.Call) -> list[ast.keyword]:
    """Return what a `functools.partial` that is called binds, what has no name as `*args`."""
    match names.behind(call.func):
        case ast.Call(args=[_, *more], keywords=words) as found:
            if names.dotted(found.func) == PARTIAL:
                return [*(ast.keyword(arg=None, value=each) for each in more), *words]
    return []


def expressions_of(
    call: ast.Call, places: tuple[str, ...], *, skip: int = 1
) -> dict[str, ast.expr]:
    """Return the expressions that a call is given, by name or place."""
    named = {word.arg: word.value for word in call.keywords if word.arg is not None}
    return dict(zip(places, call.args[skip:], strict=False)) | named


def _spread(names: Names, value: ast.expr) -> dict[str, Node]:
    """Return what `**mapping` hands on, with what may have been changed of it since."""
    entries = entries_of(names.behind(value))
    if entries is None:
        return {_SPREAD: Scalar(text=f"**{ast.unparse(value)}", line=value.lineno)}
    found = {key: names.given(part) for key, part in entries.items()}
    for update in names.calls.get("update", ()):
        if ast.unparse(update.func) == f"{ast.unparse(value)}.update":
            found |= _updated(names, update)
    return found


def _updated(names: Names, update: ast.Call) -> dict[str, Node]:
    """Return what an update changes of a mapping: open, as a branch may leave it out."""
    keys = {word.arg for word in update.keywords if word.arg}
    for value in update.args:
        entries = entries_of(names.behind(value))
        if entries is None:
            return {_SPREAD: Scalar(text=f"**{ast.unparse(value)}", line=value.lineno)}
        keys |= entries.keys()
    line = update.lineno
    changed = Scalar(text=None, line=line, open=f"may be changed in line {line}")
    return dict.fromkeys(keys, changed)
