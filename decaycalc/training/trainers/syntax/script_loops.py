"""The loops of a plain Python script: how long they run, and how often what is in them happens."""

import ast
from collections.abc import Iterator, Mapping
from itertools import takewhile

from decaycalc.training.trainers.syntax.python_targets import path_of
from decaycalc.training.trainers.syntax.script_calls import FUNCTIONS, Function, entries_of
from decaycalc.training.trainers.syntax.script_names import Names
from decaycalc.training.trainers.syntax.tree import EACH_STEP, Node, Scalar

Loop = ast.For | ast.While

_EPOCH_NAMES = frozenset({"epoch", "ep"})
# What a loop over batches is over, in the words of its own.
_OF_BATCHES = ("load", "batch", "enumerate", "iter")
_TRAINS = frozenset({"step", "backward"})


def length_of(names: Names, target: str, made: ast.Call | None = None) -> dict[str, Node]:
    """Return the epochs that loops run over, else the steps that an optimizer takes in one loop.

    `target` is the name that the optimizer has, `made` the call that makes it.
    """
    everywhere = (node for node in names.nodes if isinstance(node, ast.For))
    epochs = [loop for loop in everywhere if names.is_reached(loop) and _is_of_epochs(loop)]
    if epochs:
        why = _again(names, epochs, target, made)
        return {"epochs": why or _counted(names, [_count(each) for each in epochs], "epochs")}
    for step in stepped(names, target):
        loops = _loops_around(names, step)
        if len(loops) == 1 and _count(loops[0]) is not None:
            if again := _runs_again(names, loops[0], target, made):
                return {"steps": _open(step, f"the loop of steps runs again in line {again}")}
            if test := _test_between(names, step, ""):
                return {"steps": _open(step, f"a step is taken where {ast.unparse(test)[:60]}")}
            return {"steps": _counted(names, [_count(loops[0])], "steps")}
    return {}


def _again(
    names: Names, epochs: list[ast.For], target: str, made: ast.Call | None
) -> Scalar | None:
    """Return why the count of a loop over epochs is not the run's, None where it is."""
    for loop in epochs:
        if again := _runs_again(names, loop, target, made):
            return _open(loop, f"the loop over epochs runs again in line {again}")
    around = [_loops_around(names, step) for step in stepped(names, target)]
    stepping = dict.fromkeys(each for loops in around for each in loops if each in epochs)
    if len(stepping) > 1:
        lines = " and ".join(str(each.lineno) for each in stepping)
        return _open(epochs[0], f"several loops over epochs take its steps: lines {lines}")
    for loops in around:
        if len(loops) > 1 and not _runs_over(loops[0]) and _runs_over(loops[1]) == EACH_STEP:
            return _open(loops[0], f"it steps several times a batch, line {loops[0].lineno}")
    return None


def _runs_again(names: Names, loop: Loop, target: str, made: ast.Call | None) -> int | None:
    """Return the line of what runs a loop again for the same optimizer, None where nothing does."""
    for outer in _repeats(names, loop, target):
        if made is None or made not in ast.walk(outer):
            return outer.lineno
    return None


def _repeats(names: Names, loop: Loop, target: str) -> Iterator[ast.stmt]:
    """Yield what runs a loop over epochs again: loops around it or its call, further calls."""
    yield from _loops_around(names, loop)
    scope = names.scope_of(loop)
    if not isinstance(scope, FUNCTIONS):
        return
    every = (call for call in names.calls.get(scope.name, ()) if _calls(names, call, scope))
    calls = [call for call in every if names.is_reached(call)]
    handed = [call for call in calls if target in {ast.unparse(each) for each in call.args}]
    for call in handed or calls:
        yield from _loops_around(names, call)
    if len(handed or calls) > 1:
        yield scope


def _calls(names: Names, call: ast.Call, function: Function) -> bool:
    """Return whether a call calls a function of the file, or a method of an object of its class."""
    owner = names.above[function]
    if not isinstance(owner, ast.ClassDef) or not isinstance(call.func, ast.Attribute):
        return isinstance(call.func, ast.Name)
    if ast.unparse(call.func.value) == "self":
        return names.class_of(call) is owner
    match names.behind(call.func.value):
        case ast.Call(func=ast.Name(id=name)):
            return name == owner.name
    return False


def interval_of(names: Names, target: str, made: ast.Call) -> Scalar:
    """Return how often a scheduler is stepped: once a "step", once an "epoch", or an open text."""
    scope = names.scope_of(made)
    if getattr(scope, "name", "") == "configure_optimizers":
        return _of_lightning(scope, made)
    found: dict[str, Scalar] = {}
    for step in stepped(names, target):
        loops = _loops_around(names, step)
        text = _runs_over(loops[0]) if loops else ""
        if text and isinstance(loops[0], ast.For):
            why = _why_seldom(names, step, loops[0], target)
            found[text] = _open(step, why) if why else Scalar(text=text, line=step.lineno)
            if why:
                return found[text]
    if len(found) == 1:
        return next(iter(found.values()))
    return _open(made, "is stepped where it is not clear how often")


def _of_lightning(scope: ast.AST, made: ast.Call) -> Scalar:
    """Return how often Lightning steps a scheduler: by default once an epoch."""
    nodes = list(ast.walk(scope))
    for node in nodes:
        often = (entries_of(node) or {}).get("frequency") if isinstance(node, ast.Dict) else None
        if often is not None and ast.unparse(often) != "1":
            return _open(often, f"its frequency is {ast.unparse(often)}")
    words = {node.value for node in nodes if isinstance(node, ast.Constant)}
    return Scalar(text=EACH_STEP if "step" in words else "epoch", line=made.lineno)


def _why_seldom(names: Names, step: ast.Call, loop: ast.For, target: str) -> str:
    """Return why a scheduler's step is none of each turn of its loop, empty where it is one."""
    if step.args or step.keywords:
        return f"is stepped to a place of its own, {ast.unparse(step)[:60]}"
    if test := _test_between(names, step, target):
        return f"is stepped where {ast.unparse(test)[:60]}"
    at = next(index for index, each in enumerate(loop.body) if step in ast.walk(each))
    later = (node for each in loop.body[at + 1 :] for node in ast.walk(each))
    if _is_of_epochs(loop) and any(_is_training(node) for node in later):
        return "is stepped before the batches of its epoch"
    return ""


def _is_training(node: ast.AST) -> bool:
    """Return whether a node trains: by its own steps, or a function that is called so."""
    path = path_of(node.func) if isinstance(node, ast.Call) else ()
    is_mode = len(path) > 1 and path[-1] == "train"  # model.train()
    return bool(path) and not is_mode and (path[-1] in _TRAINS or "train" in path[-1].lower())


def _test_between(names: Names, step: ast.AST, scheduler: str) -> ast.expr | None:
    """Return a test between a step and its loop that may fail, None where none may.

    A scheduler that is stepped with the optimizer, or if it is there at all, is not tested.
    """
    for outer, inner in takewhile(_is_in_loop, names.around(step)):
        if isinstance(outer, ast.If) and inner is not outer.test and not names.truth(outer.test):
            others = {ast.unparse(call.func) for call in _steps_in(outer)} - {f"{scheduler}.step"}
            asked = {ast.unparse(node) for node in ast.walk(outer.test)}
            if not scheduler or (not others and scheduler not in asked):
                return outer.test
    return None


def _is_in_loop(pair: tuple[ast.AST, ast.AST]) -> bool:
    return not isinstance(pair[0], (ast.For, ast.While))


def _steps_in(node: ast.AST) -> Iterator[ast.Call]:
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and path_of(each.func)[-1:] == ("step",):
            yield each


def accumulates_at(names: Names, target: str) -> Scalar | None:
    """Return the test on a remainder that an optimizer steps by, `(i + 1) % 4 == 0`; maybe none."""
    for step in stepped(names, target):
        for outer, inner in names.around(step):
            is_test = isinstance(outer, ast.If) and inner is not outer.test
            if is_test and any(isinstance(each, ast.Mod) for each in ast.walk(outer.test)):  # type: ignore[attr-defined]  # an if
                return Scalar(text=ast.unparse(outer.test)[:60], line=outer.lineno)  # type: ignore[attr-defined]
    return None


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
        is_its = target and target in {first, ".".join(path_of(call.func)[:-1])}
        if is_its and names.is_reached(call):
            yield call


def _loops_around(names: Names, node: ast.AST) -> list[Loop]:
    """Return the loops around a node within its function, the innermost first."""
    return [outer for outer, _ in names.around(node) if isinstance(outer, (ast.For, ast.While))]


def _runs_over(loop: Loop) -> str:
    """Return whether a loop's turn is an "epoch" or a "step"; empty where that is not clear."""
    if isinstance(loop, ast.While):
        return ""
    if _is_of_epochs(loop):
        return "epoch"
    words = ast.unparse(loop.iter).lower()
    return EACH_STEP if any(word in words for word in _OF_BATCHES) else ""


def _is_of_epochs(loop: ast.For) -> bool:
    """Return whether a loop runs over epochs, by its own words."""
    named = ast.unparse(loop.target).lower()
    said = named in _EPOCH_NAMES or "epoch" in named or "epoch" in ast.unparse(loop.iter).lower()
    return said and _count(loop) is not None


def _count(loop: Loop) -> ast.expr | None:
    """Return how often a loop over a range runs, `stop - start`; None for any other loop."""
    made = loop.iter if isinstance(loop, ast.For) else None
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


def _open(node: ast.expr | ast.stmt, why: str) -> Scalar:
    return Scalar(text=None, line=node.lineno, open=why)


def _counted(names: Names, counts: list[ast.expr | None], what: str) -> Scalar:
    """Return how often loops run, an open count where they differ."""
    nodes = [names.given(each) for each in counts if each is not None]
    first = nodes[0]
    if isinstance(first, Scalar) and all(getattr(each, "text", "") == first.text for each in nodes):
        return first
    return Scalar(text=None, line=first.line, open=f"{what} differ from loop to loop")
