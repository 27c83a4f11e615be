"""The loops of a plain Python script: how long they run, and how often what is in them happens."""

import ast
from collections.abc import Iterator, Mapping

from decaycalc.training.trainers.syntax.python_targets import path_of
from decaycalc.training.trainers.syntax.script_names import Names
from decaycalc.training.trainers.syntax.tree import EACH_STEP, Node, Scalar

_EPOCH_NAMES = frozenset({"epoch", "ep"})
# What a loop over batches is over, in the words of its own.
_OF_BATCHES = ("load", "batch", "enumerate", "iter")


def length_of(names: Names, target: str) -> dict[str, Node]:
    """Return the epochs that loops run over, else the steps that an optimizer takes in one loop."""
    everywhere = (node for node in ast.walk(names.module) if isinstance(node, ast.For))
    reached = [loop for loop in everywhere if names.is_reached(loop)]
    epochs = [_count(loop) for loop in reached if _is_of_epochs(loop)]
    if epochs:
        return {"epochs": _counted(names, epochs, "epochs")}
    for step in stepped(names, target):
        loops = _loops_around(names, step)
        if len(loops) == 1 and _count(loops[0]) is not None:
            return {"steps": _counted(names, [_count(loops[0])], "steps")}
    return {}


def interval_of(names: Names, target: str, made: ast.Call) -> Scalar:
    """Return how often a scheduler is stepped: once a "step", once an "epoch", or an open text."""
    scope = names.scope_of(made)
    if getattr(scope, "name", "") == "configure_optimizers":  # Lightning's, by default each epoch
        words = [node for node in ast.walk(scope) if isinstance(node, ast.Constant)]
        text = EACH_STEP if any(node.value == "step" for node in words) else "epoch"
        return Scalar(text=text, line=made.lineno)
    for step in stepped(names, target):
        loops = _loops_around(names, step)
        if loops and (text := _runs_over(loops[0])):
            return Scalar(text=text, line=step.lineno)
    return Scalar(text=None, line=made.lineno, open="is stepped where it is not clear how often")


# What schedulers call their own length.
_LENGTHS = ("T_max", "total_iters", "total_steps", "num_training_steps")


def in_epochs(names: Names, given: Mapping[str, ast.expr]) -> dict[str, Node]:
    """Return the lengths of a scheduler that are so many epochs' steps, `epochs * len(loader)`."""
    if {"epochs", "steps_per_epoch"} <= given.keys() and _is_epoch(names, given["steps_per_epoch"]):
        return {"total_steps": names.given(given["epochs"])}
    found = {name: _epochs_in(names, given[name]) for name in _LENGTHS if name in given}
    return {name: node for name, node in found.items() if node is not None}


def _epochs_in(names: Names, value: ast.expr) -> Node | None:
    """Return the number that an epoch's steps are multiplied by, None of any other product."""
    whole = names.behind(value)
    if not isinstance(whole, ast.BinOp) or not isinstance(whole.op, ast.Mult):
        return None
    for epoch, count in ((whole.left, whole.right), (whole.right, whole.left)):
        if _is_epoch(names, epoch):
            return names.given(count)
    return None


def _is_epoch(names: Names, value: ast.expr) -> bool:
    """Return whether an expression is the number of a loader's batches, `len(loader)`."""
    match names.behind(value):
        case ast.Call(func=ast.Name(id="len"), args=[held]):
            return "load" in ast.unparse(held).lower()
    return False


def stepped(names: Names, target: str) -> Iterator[ast.Call]:
    """Yield the calls that step what a name holds, `NAME.step()` or `scaler.step(NAME)`."""
    for call in names.calls.get("step", ()):
        first = ast.unparse(call.args[0]) if call.args else ""
        if target and target in {first, ".".join(path_of(call.func)[:-1])}:
            yield call


def _loops_around(names: Names, node: ast.AST) -> list[ast.For]:
    """Return the loops around a node within its function, the innermost first."""
    return [outer for outer, _ in names.around(node) if isinstance(outer, ast.For)]


def _runs_over(loop: ast.For) -> str:
    """Return whether a loop's turn is an "epoch" or a "step"; empty where that is not clear."""
    if _is_of_epochs(loop):
        return "epoch"
    words = ast.unparse(loop.iter).lower()
    return EACH_STEP if any(word in words for word in _OF_BATCHES) else ""


def _is_of_epochs(loop: ast.For) -> bool:
    """Return whether a loop runs over epochs, by its own words."""
    named = ast.unparse(loop.target).lower()
    said = named in _EPOCH_NAMES or "epoch" in named or "epoch" in ast.unparse(loop.iter).lower()
    return said and _count(loop) is not None


def _count(loop: ast.For) -> ast.expr | None:
    """Return how often a loop over a range runs, `stop - start`; None for any other loop."""
    made = loop.iter
    if isinstance(made, ast.Call) and made.args and not _is_range(made):  # tqdm(range(90))
        made = made.args[0]
    match made.args if isinstance(made, ast.Call) and _is_range(made) else ():
        case [stop]:
            return stop
        case [start, stop]:
            return ast.copy_location(ast.BinOp(left=stop, op=ast.Sub(), right=start), stop)
    return None


def _is_range(made: ast.expr) -> bool:
    return isinstance(made, ast.Call) and path_of(made.func)[-1:] in {("range",), ("trange",)}


def _counted(names: Names, counts: list[ast.expr | None], what: str) -> Scalar:
    """Return how often loops run, an open count where they differ."""
    nodes = [names.given(each) for each in counts if each is not None]
    first = nodes[0]
    if isinstance(first, Scalar) and all(getattr(each, "text", "") == first.text for each in nodes):
        return first
    return Scalar(text=None, line=first.line, open=f"{what} differ from loop to loop")
