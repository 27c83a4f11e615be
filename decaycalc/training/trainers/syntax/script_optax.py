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
        for path, tree in found:
            yield path, _within(tree, selects.get(call))


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
    path = names.path(call.func) if isinstance(call, ast.Call) else ""
    return path.removeprefix(_OPTAX) if path.startswith(_OPTAX) else ""


def _links(names: Names, chain: ast.Call) -> list[ast.expr]:
    """Return what a chain is made of, but for what changes the gradient alone."""
    links = [names.behind(each) for each in chain.args]
    return [each for each in links if _name(names, each) not in _PASSING]


def _chained(names: Names, links: list[ast.expr]) -> Iterator[tuple[str, dict[str, Node]]]:
    """Yield the optimizer that a chain is, one that is not known by the names of its links."""
    calls = [each for each in links if isinstance(each, ast.Call)]
    linked = [_name(names, each) or "?" for each in links]
    is_known = len(calls) == len(links) and set(linked) <= _PLACES.keys() | _LINKS.keys()
    if set(linked).isdisjoint(_PLACES.keys() | _LINKS.keys()):
        return
    whole = ", ".join(linked)
    path = f"{_OPTAX}{whole}" if len(linked) == 1 else f"{_OPTAX}chain({whole})"
    yield path, _tree(names, path, calls if is_known else [])


def _tree(names: Names, path: str, calls: list[ast.Call]) -> dict[str, Node]:
    """Return an optimizer's arguments, those of all links together, and its schedule."""
    entries: dict[str, Node] = {}
    given: dict[str, ast.expr] = {}
    for call in calls:
        name = _name(names, call)
        places = {**_PLACES, **_LINKS}[name]
        entries |= arguments_of(names, call, places, skip=0).entries
        given |= expressions_of(call, places, skip=0)
    line = calls[0].lineno if calls else None
    own = {_RENAMED.get(key, key): node for key, node in entries.items()}
    made = {**own, "class": Scalar(text=path, line=line)}
    schedule = _schedule(names, given.get("learning_rate"))
    if schedule is not None:
        made["lr"] = schedule.entries.get("peak_value", schedule.entries["init_value"])
        return {"optimizer": Entries(entries=made, line=line), "scheduler": schedule}
    rate = own.get("lr")
    tree: dict[str, Node] = {"optimizer": Entries(entries=made, line=line)}
    if isinstance(rate, Scalar) and rate.open:
        kind = Scalar(text="of the learning rate", line=rate.line)
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
