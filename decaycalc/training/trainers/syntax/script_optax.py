"""What a plain Python script makes of optax: its functions, and the chains that decay by a link.

Source: optax 0.2.8 _src/alias.py, _src/transform.py, schedules/_schedule.py.
"""

import ast
from collections.abc import Iterator, Sequence

from decaycalc.training.trainers.syntax.script_arguments import arguments_of, expressions_of
from decaycalc.training.trainers.syntax.script_names import Names
from decaycalc.training.trainers.syntax.tree import Entries, Node, Scalar

_OPTAX = "optax."
# The functions whose optimizers are known here, with the order of their arguments.
_PLACES = {
    "adamw": ("learning_rate", "b1", "b2", "eps", "eps_root", "mu_dtype", "weight_decay", "mask"),
    "nadamw": ("learning_rate", "b1", "b2", "eps", "eps_root", "mu_dtype", "weight_decay", "mask"),
    "lion": ("learning_rate", "b1", "b2", "mu_dtype", "weight_decay", "mask"),
    "lamb": ("learning_rate", "b1", "b2", "eps", "eps_root", "weight_decay", "mask"),
    "lars": ("learning_rate", "weight_decay", "weight_decay_mask"),
    "adamaxw": ("learning_rate", "b1", "b2", "eps", "weight_decay", "mask"),
    "novograd": ("learning_rate", "b1", "b2", "eps", "eps_root", "weight_decay"),
    "adan": ("learning_rate",),
    "adam": ("learning_rate",),
    "sgd": ("learning_rate", "momentum", "nesterov"),
}
_LINKS = {
    "add_decayed_weights": ("weight_decay", "mask"),
    "trace": ("momentum", "nesterov"),
    "scale_by_adam": ("b1", "b2", "eps", "eps_root", "mu_dtype"),
    "scale_by_lion": ("b1", "b2", "mu_dtype"),
    "scale_by_learning_rate": ("learning_rate",),
}
# Links that change the gradient alone.
_PASSING = frozenset({"clip_by_global_norm", "clip", "zero_nans", "adaptive_grad_clip"})
# What applies an optimizer to some of the tensors.
_SELECT = frozenset({"masked", "partition", "multi_transform", "conditionally_mask"})
_SCHEDULES = {
    "constant_schedule": ("init_value",),
    "cosine_decay_schedule": ("init_value", "decay_steps", "alpha", "exponent"),
    "warmup_cosine_decay_schedule": ("init_value", "peak_value", "warmup_steps", "decay_steps",
                                     "end_value", "exponent"),
    "linear_schedule": ("init_value", "end_value", "transition_steps", "transition_begin"),
}  # fmt: skip
_INJECT = f"{_OPTAX}inject_hyperparams"
_RENAMED = {"learning_rate": "lr", "weight_decay_mask": "mask", "decay": "momentum"}


def optax_made(names: Names, calls: Sequence[ast.Call]) -> Iterator[tuple[str, dict[str, Node]]]:
    """Yield each of optax' optimizers that a script makes: its name, arguments and schedule."""
    chains = [call for call in calls if _name(names, call) == "chain"]
    linked = {link for chain in chains for link in _links(names, chain)}
    selects = dict(_selected(names, calls))
    for call in calls:
        name = _name(names, call)
        if call in linked:
            continue
        if name == "chain":
            found = _chained(names, _links(names, call))
        elif name in _PLACES:
            found = iter([(f"{_OPTAX}{name}", _tree(names, f"{_OPTAX}{name}", [call]))])
        else:
            continue
        parts = (call, *(_links(names, call) if name == "chain" else ()))
        select = next((selects[part] for part in parts if part in selects), None)
        for path, tree in found:
            yield path, _within(tree, select)


def _selected(names: Names, calls: Sequence[ast.Call]) -> Iterator[tuple[ast.expr, ast.Call]]:
    """Yield what is applied to some of the tensors, each with the call that says which."""
    for call in calls:
        if _name(names, call) in _SELECT and call.args:
            whole = names.behind(call.args[0])
            for part in whole.values if isinstance(whole, ast.Dict) else (whole,):
                yield names.behind(part), call


def _within(tree: dict[str, Node], select: ast.Call | None) -> dict[str, Node]:
    """Return an optimizer's tree, its mask not told where a call applies it to some tensors."""
    made = tree["optimizer"]
    if select is None or not isinstance(made, Entries):
        return tree
    mask = Scalar(text=ast.unparse(select.func), line=select.lineno)
    return tree | {"optimizer": Entries(entries={**made.entries, "mask": mask}, line=made.line)}


def _name(names: Names, call: ast.expr) -> str:
    """Return the name of optax' own function that is called, else empty."""
    if not isinstance(call, ast.Call):
        return ""
    path = names.path(call.func)
    match names.behind(call.func):
        case ast.Call(args=[injected, *_]) as whole if names.path(whole.func) == _INJECT:
            path = names.path(injected)
    return path.removeprefix(_OPTAX) if path.startswith(_OPTAX) else ""


def _links(names: Names, chain: ast.Call) -> list[ast.expr]:
    """Return what a chain is made of, but for what changes the gradient alone."""
    links = [_unmasked(names, names.behind(each)) for each in chain.args]
    return [each for each in links if _name(names, each) not in _PASSING]


def _unmasked(names: Names, link: ast.expr) -> ast.expr:
    """Return what is applied to some of the tensors, any other link as it is."""
    is_masked = _name(names, link) == "masked" and link.args  # type: ignore[attr-defined]  # a call
    return names.behind(link.args[0]) if is_masked else link  # type: ignore[attr-defined]


def _step_at_end(names: Names, links: list[ast.expr]) -> tuple[list[ast.expr], ast.expr | None]:
    """Return a chain's links but for the step at its end, and the lr of that; maybe None.

    The step is `scale(-lr)`, or that of a schedule, `scale_by_schedule(f), scale(-1)`.
    """
    match links:
        case [*kept, ast.Call(args=[rate]) as first, last] if _name(
            names, first
        ) == "scale_by_schedule" and _negated(names, last) in {"1", "1.0"}:
            return kept, rate
        case [*kept, ast.Call(args=[ast.UnaryOp(operand=rate)]) as last] if _negated(names, last):
            return kept, rate
    return links, None


def _negated(names: Names, link: ast.expr) -> str:
    """Return the text of `lr` in `scale(-lr)`, empty of any other link."""
    match link:
        case ast.Call(args=[ast.UnaryOp(op=ast.USub(), operand=rate)]):
            return ast.unparse(rate) if _name(names, link) == "scale" else ""
    return ""


def _chained(names: Names, links: list[ast.expr]) -> Iterator[tuple[str, dict[str, Node]]]:
    """Yield the optimizer that a chain is, one that is not known by the names of its links."""
    links, rate = _step_at_end(names, links)
    calls = [each for each in links if isinstance(each, ast.Call)]
    linked = [_name(names, each) or "?" for each in links]
    is_known = len(calls) == len(links) and set(linked) <= _PLACES.keys() | _LINKS.keys()
    if set(linked).isdisjoint(_PLACES.keys() | _LINKS.keys()):
        return
    whole = ", ".join((*linked, "scale_by_learning_rate") if rate is not None else linked)
    path = f"{_OPTAX}{whole}" if "," not in whole else f"{_OPTAX}chain({whole})"
    yield path, _tree(names, path, calls if is_known else [], rate)


def _tree(
    names: Names, path: str, calls: list[ast.Call], rate: ast.expr | None = None
) -> dict[str, Node]:
    """Return an optimizer's arguments, those of all links together, and its schedule.

    `rate` is the lr of a step that is no link of its own.
    """
    entries: dict[str, Node] = {}
    given: dict[str, ast.expr] = {}
    for call in calls:
        name = _name(names, call)
        places = {**_PLACES, **_LINKS}[name]
        entries |= arguments_of(names, call, places, skip=0).entries
        given |= expressions_of(call, places, skip=0)
    if rate is not None and calls:
        entries["learning_rate"], given["learning_rate"] = names.given(rate), rate
    for node in names.changed["learning_rate"]:
        if "hyperparams" in ast.unparse(node):  # what is injected stands in the state
            why = f"is set anew in line {node.lineno}"
            entries["learning_rate"] = Scalar(text=None, line=node.lineno, open=why)
            given.pop("learning_rate", None)
    line = calls[0].lineno if calls else None
    own = {_RENAMED.get(key, key): node for key, node in entries.items()}
    made = {**own, "class": Scalar(text=path, line=line)}
    schedule = _schedule(names, given.get("learning_rate"))
    if schedule is not None:
        made["lr"] = schedule.entries.get("peak_value", schedule.entries["init_value"])
        return {"optimizer": Entries(entries=made, line=line), "scheduler": schedule}
    found = own.get("lr")
    tree: dict[str, Node] = {"optimizer": Entries(entries=made, line=line)}
    if isinstance(found, Scalar) and found.open:
        kind = Scalar(text="of the learning rate", line=found.line)
        tree["scheduler"] = Entries(entries={"class": kind})
    return tree


def _schedule(names: Names, value: ast.expr | None) -> Entries | None:
    """Return one of optax' schedules with its arguments, None for any other learning rate."""
    call = None if value is None else names.behind(value)
    name = "" if call is None else _name(names, call)
    if name not in _SCHEDULES or not isinstance(call, ast.Call):
        return None
    found = dict(arguments_of(names, call, _SCHEDULES[name], skip=0).entries)
    if "value" in found:  # of a constant
        found["init_value"] = found.pop("value")
    unknown = Scalar(text=None, line=call.lineno, open="is not in the call")
    kind = Scalar(text=f"{_OPTAX}{name}", line=call.lineno)
    return Entries(entries={"init_value": unknown, **found, "class": kind}, line=call.lineno)
