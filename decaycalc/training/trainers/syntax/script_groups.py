"""The groups that a plain Python script hands its optimizer the parameters in."""

import ast
from collections.abc import Mapping
from itertools import chain

from decaycalc.training.trainers.syntax.python_targets import path_of
from decaycalc.training.trainers.syntax.script_calls import entries_of
from decaycalc.training.trainers.syntax.script_names import Names
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar

_GATHER = {("list",), ("tuple",), ("chain",)}
_MORE = ("append", "extend", "insert")  # what adds to a list of groups
_DEEPEST = 25  # lists of parameters within one another


def groups_of(names: Names, call: ast.Call) -> dict[str, Node]:
    """Return the groups that the parameters are handed over in, or by what they are made."""
    words = [word.value for word in call.keywords if word.arg == "params"]
    given = next(chain(call.args, words), None)
    if given is None:
        return {}
    whole = names.behind(given)
    for more in _MORE:
        for added in names.calls.get(more, ()):
            text = ast.unparse(added)
            if text.startswith(f"{ast.unparse(given)}.") and names.is_reached(added):
                return {"grouped_by": Scalar(text=text[:80], line=added.lineno)}
    listed = whole.elts if isinstance(whole, ast.List) else []
    groups = [entries_of(names.behind(each)) for each in listed]
    if groups and None not in groups:
        made = tuple(_group(names, each) for each in groups if each is not None)
        return {"groups": Items(items=made, line=whole.lineno)}
    if _hands_all(names, whole):
        return {}
    return {"grouped_by": Scalar(text=ast.unparse(whole)[:80], line=whole.lineno)}


def _hands_all(names: Names, value: ast.expr, depth: int = 0) -> bool:
    """Return whether tensors are handed over alike, in no groups."""
    if depth > _DEEPEST:
        return False
    match names.behind(value):
        case ast.Call(func=ast.Attribute(attr="parameters")):
            return True
        case ast.Call(func=ast.Name(id="filter"), args=[_, source]):
            parts = [source]
        case ast.Call(args=parts) as call if path_of(call.func)[-1:] in _GATHER:
            pass
        case ast.ListComp(generators=[source]) | ast.GeneratorExp(generators=[source]):
            parts = [source.iter]
        case ast.List(elts=parts):
            pass
        case ast.Starred(value=inner):
            parts = [inner]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            parts = [left, right]
        case _:
            return False
    return bool(parts) and all(_hands_all(names, each, depth + 1) for each in parts)


def _group(names: Names, made: Mapping[str, ast.expr]) -> Entries:
    """Return a group that is written out: its lr and decay, and which tensors in words."""
    entries = {key: names.given(value) for key, value in made.items() if key != "params"}
    line = next((value.lineno for value in made.values()), None)
    if "params" in made:
        entries["params"] = Scalar(text=_chosen(names, made["params"]), line=line)
    return Entries(entries=entries, line=line)


def _chosen(names: Names, value: ast.expr) -> str:
    """Return in words which tensors a group holds: `any(nd in n for nd in no_decay)`."""
    tests = (node.ifs for node in ast.walk(value) if isinstance(node, ast.comprehension))
    for test in chain.from_iterable(tests):
        is_negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        match test.operand if isinstance(test, ast.UnaryOp) else test:
            case ast.Call(
                func=ast.Name(id="any"),
                args=[ast.GeneratorExp(generators=[ast.comprehension(iter=listed)])],
            ):
                parts = names.known(listed)
                texts = [part.text for part in getattr(parts, "items", ()) if part.text]
                if texts:
                    return f"names {'without' if is_negated else 'with'} {' or '.join(texts)}"
    return ast.unparse(value)[:80]
