"""Schedulers that a plain Python script runs one after another: torch's SequentialLR.

Source: torch 2.13.0 optim/lr_scheduler.py.
"""

import ast
from collections.abc import Sequence

from decaycalc.training.trainers.syntax.python_targets import path_of
from decaycalc.training.trainers.syntax.script_arguments import arguments_of, expressions_of
from decaycalc.training.trainers.syntax.script_names import Names
from decaycalc.training.trainers.syntax.tree import Items, Node

_SEQUENTIAL = "torch.optim.lr_scheduler.SequentialLR"
_RAMPS = {
    "LinearLR": ("start_factor", "end_factor", "total_iters"),
    "ConstantLR": ("factor", "total_iters"),
}


def sequence_of(
    names: Names, found: Sequence[ast.Call]
) -> tuple[ast.Call, ast.Call, dict[str, Node]] | None:
    """Return a SequentialLR, what follows its warm-up, and the warm-up; None of anything else.

    Of the schedulers `found`, all must be parts of it; the warm-up is LinearLR or ConstantLR.
    """
    whole = [call for call in found if names.path(call.func) == _SEQUENTIAL]
    if len(whole) != 1:
        return None
    given = expressions_of(whole[0], ("schedulers", "milestones"), skip=1)
    listed = names.behind(given["schedulers"]) if "schedulers" in given else None
    marks = names.known(given["milestones"]) if "milestones" in given else None
    parts = [names.behind(each) for each in listed.elts] if isinstance(listed, ast.List) else []
    match parts, marks:
        case [ast.Call() as ramp, ast.Call() as main], Items(items=(begins,)):
            pass
        case _:
            return None
    kind = path_of(ramp.func)[-1]
    is_cycle = path_of(main.func)[-1:] == ("OneCycleLR",)
    if kind not in _RAMPS or is_cycle or set(found) != {whole[0], ramp, main}:
        return None
    own = arguments_of(names, ramp, _RAMPS[kind]).entries
    told = {f"ramp_{name}": node for name, node in own.items() if name in _RAMPS[kind]}
    return whole[0], main, {**told, "begins": begins}
