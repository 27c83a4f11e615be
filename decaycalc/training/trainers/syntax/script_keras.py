"""What a plain Python script makes of Keras, as the JSON that Keras would save of it; never run.

Source: keras 3.15.1 optimizers/*.py, optimizers/schedules/learning_rate_schedule.py,
regularizers/regularizers.py, trainers/trainer.py.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from decaycalc.training.trainers.syntax.python_targets import path_of
from decaycalc.training.trainers.syntax.script_arguments import arguments_of, expressions_of
from decaycalc.training.trainers.syntax.script_names import Names
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar

_KERAS = r"(?:tensorflow\.(?:\w+\.)*|tf_)?keras(?:\.api)?(?:\.src)?"
_OPTIMIZER = re.compile(
    rf"{_KERAS}\.optimizers(?:\.(?!schedules\b)\w+)?\.((?!Optimizer\b)[A-Z]\w*)"
)
_SCHEDULE = re.compile(rf"{_KERAS}\.optimizers\.schedules\.([A-Z]\w*)")
_REGULARIZER = re.compile(rf"{_KERAS}\.regularizers\.(?:l2|L2|l1_l2|L1L2)")
# What sets the lr while a model is fitted: callbacks, and what is handed the lr of an optimizer.
_SETS_LR = ("LearningRateScheduler", "ReduceLROnPlateau")
_RATE = re.compile(r".*opt\w*\.(?:lr|learning_rate)")
_ASSIGNED = re.compile(rf"{_RATE.pattern}\.assign\(|(?:\w+\.)*set_value\({_RATE.pattern},")
_OF_KERNELS = "kernel_regularizer"
_NAMES = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "nadam": "Nadam",
          "adamax": "Adamax", "adagrad": "Adagrad", "adadelta": "Adadelta",
          "lion": "Lion"}  # fmt: skip
# The order in which constructors take what is given without a name.
_PLACES = {
    "SGD": ("learning_rate", "momentum", "nesterov", "weight_decay"),
    "AdamW": ("learning_rate", "weight_decay"),
    "CosineDecay": ("initial_learning_rate", "decay_steps", "alpha", "name", "warmup_target",
                    "warmup_steps"),
    "CosineDecayRestarts": ("initial_learning_rate", "first_decay_steps", "t_mul", "m_mul",
                            "alpha"),
    "ExponentialDecay": ("initial_learning_rate", "decay_steps", "decay_rate", "staircase"),
    "InverseTimeDecay": ("initial_learning_rate", "decay_steps", "decay_rate", "staircase"),
    "PiecewiseConstantDecay": ("boundaries", "values"),
    "PolynomialDecay": ("initial_learning_rate", "decay_steps", "end_learning_rate", "power",
                        "cycle"),
}  # fmt: skip
_DEFAULTS = {
    "CosineDecayRestarts": {"t_mul": "2.0", "m_mul": "1.0"},
    "PolynomialDecay": {"end_learning_rate": "0.0001", "power": "1.0"},
}
_L2 = "0.01"  # the default of L2, that of L1L2 is 0
_FIT = ("y", "batch_size", "epochs")


def is_optimizer(path: str) -> bool:
    """Return whether a dotted path is that of one of Keras' optimizers."""
    return _OPTIMIZER.fullmatch(path) is not None


def keras_made(names: Names, calls: Sequence[ast.Call]) -> Iterator[tuple[str, Entries]]:
    """Yield each of Keras' optimizers that a script makes, with the tree of its JSON."""
    is_made = False
    for call in calls:
        found = _OPTIMIZER.fullmatch(names.path(call.func))
        if found is not None:
            is_made = True
            yield names.path(call.func), _tree(names, calls, found[1], _config(names, call))
    if not is_made:
        yield from _by_name(names, calls)


def _by_name(names: Names, calls: Sequence[ast.Call]) -> Iterator[tuple[str, Entries]]:
    """Yield the optimizer that a model is compiled with by its name, `optimizer="adam"`."""
    has_keras = any(re.match(rf"{_KERAS}\b", path) for path in names.imported.values())
    for call in calls:
        if has_keras and path_of(call.func)[-1:] == ("compile",):
            node = arguments_of(names, call, ("optimizer",), skip=0).entries.get("optimizer")
            text = (node.text or "").lower() if isinstance(node, Scalar) else ""
            if text in _NAMES:
                config = Entries(entries={}, line=call.lineno)
                yield f"keras.optimizers.{_NAMES[text]}", _tree(names, calls, _NAMES[text], config)


def _tree(names: Names, calls: Sequence[ast.Call], name: str, config: Entries) -> Entries:
    """Return an optimizer with the penalties of the layers and how the model is fitted."""
    entries: dict[str, Node] = {
        "class_name": Scalar(text=name, line=config.line),
        "config": config,
        "layers": Items(items=tuple(_penalties(names, calls))),
        **_fitted(names, calls),
    }
    entries |= _said(names, calls)
    if names.used:
        entries["flags"] = Scalar(text=", ".join(names.used))
    return Entries(entries=entries)


def _said(names: Names, calls: Sequence[ast.Call]) -> dict[str, Node]:
    """Return what sets the lr, leaves tensors out, or penalises other tensors than kernels."""
    found: dict[str, Node] = {}
    for node in (*names.changed["lr"], *names.changed["learning_rate"]):
        if _RATE.fullmatch(ast.unparse(node)) and names.is_reached(node):
            found["sets_lr"] = Scalar(text=ast.unparse(node), line=node.lineno)
    for call in calls:
        last = ("", *path_of(call.func))[-1]
        if last in _SETS_LR or _ASSIGNED.match(ast.unparse(call)):
            found["sets_lr"] = Scalar(text=last, line=call.lineno)
        elif last == "exclude_from_weight_decay":
            found["excludes"] = Scalar(text=last, line=call.lineno)
    for other in _other_penalties(names, calls):
        found.setdefault("penalty", Scalar(text=ast.unparse(other)[:60], line=other.lineno))
    return found


def _other_penalties(names: Names, calls: Sequence[ast.Call]) -> Iterator[ast.expr]:
    """Yield the penalties that a script makes, but for those on kernels, which are read."""
    words = [word for call in calls for word in call.keywords if word.arg is not None]
    for word in words:
        is_other = word.arg.endswith("_regularizer") and word.arg != _OF_KERNELS  # type: ignore[union-attr]  # named
        if is_other and ast.unparse(names.behind(word.value)) != "None":
            yield word.value
    read = {names.behind(word.value) for word in words if word.arg.endswith("_regularizer")}  # type: ignore[union-attr]
    for call in calls:
        if _REGULARIZER.fullmatch(names.path(call.func)) and call not in read:
            yield call


def _config(names: Names, call: ast.Call) -> Entries:
    """Return the arguments of an optimizer's call; `lr` is the old name of learning_rate."""
    places = _PLACES.get(names.path(call.func).rpartition(".")[2], ("learning_rate",))
    entries = dict(arguments_of(names, call, places, skip=0).entries)
    given = expressions_of(call, places, skip=0)
    if "lr" in entries:
        entries["learning_rate"], given["learning_rate"] = entries.pop("lr"), given["lr"]
    rate = names.behind(given["learning_rate"]) if "learning_rate" in given else None
    found = _SCHEDULE.fullmatch(names.path(rate.func)) if isinstance(rate, ast.Call) else None
    if found is not None and found[1] in _PLACES:
        entries["learning_rate"] = _schedule(names, rate, found[1])  # type: ignore[arg-type]
    return Entries(entries=entries, line=call.lineno)


def _schedule(names: Names, call: ast.Call, name: str) -> Entries:
    """Return a schedule object, its defaults among its arguments."""
    own = arguments_of(names, call, _PLACES.get(name, ()), skip=0).entries
    usual = {key: Scalar(text=text) for key, text in _DEFAULTS.get(name, {}).items()}
    config = Entries(entries={**usual, **own}, line=call.lineno)
    return _object(name, config, call.lineno)


def _object(name: str, config: Entries, line: int) -> Entries:
    """Return an object as Keras saves it: its class, and what it was made of."""
    kind = Scalar(text=name, line=line)
    return Entries(entries={"class_name": kind, "config": config}, line=line)


def _penalties(names: Names, calls: Sequence[ast.Call]) -> Iterator[Entries]:
    """Yield the penalties on kernels of the layers that a script makes.

    Which of several models has them is not told.
    """
    compiled = [call for call in calls if _is_compiling(call)]
    several = Scalar(text=None, open="several models are compiled, of which some may have it")
    for call in calls:
        for word in call.keywords:
            if word.arg == _OF_KERNELS:
                number = _penalty(names, word.value)
                if number is not None:
                    l2 = several if len(compiled) > 1 else number
                    made = _object("L2", Entries(entries={"l2": l2}), call.lineno)
                    yield Entries(entries={"kernel_regularizer": made})


def _is_compiling(call: ast.Call) -> bool:
    """Return whether a call compiles a model: it is handed an optimizer or a loss."""
    words = {word.arg for word in call.keywords}
    return path_of(call.func)[-1:] == ("compile",) and bool(words & {"optimizer", "loss"})


def _penalty(names: Names, value: ast.expr) -> Node | None:
    """Return the L2 of a regularizer, an open one where it is not told; None where it has none."""
    made = names.behind(value)
    match made:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value="l2" | "L2"):
            return Scalar(text=_L2, line=made.lineno)
        case ast.Call() if _REGULARIZER.fullmatch(path := names.path(made.func)):
            is_pair = path.endswith(("l1_l2", "L1L2"))
            places = ("l1", "l2") if is_pair else ("l2",)
            found = arguments_of(names, made, (*places, "l"), skip=0).entries
            usual = Scalar(text="0" if is_pair else _L2, line=made.lineno)
            return found.get("l2", found.get("l", usual))
    return Scalar(text=None, line=value.lineno, open=f"{ast.unparse(value)[:60]} is not known")


def _fitted(names: Names, calls: Sequence[ast.Call]) -> dict[str, Node]:
    """Return the batch size and the epochs that a model is fitted with, open where they differ."""
    fits = [
        arguments_of(names, call, _FIT if path_of(call.func)[-1] == "fit" else ()).entries
        for call in calls
        if path_of(call.func)[-1:] in {("fit",), ("fit_generator",)}
    ]
    entries: dict[str, Node] = {}
    for key in ("batch_size", "epochs"):
        nodes = [each[key] for each in fits if key in each]
        if nodes:
            is_one = len({getattr(node, "text", None) for node in nodes}) == 1
            differ = Scalar(text=None, line=nodes[0].line, open="differs from fit to fit")
            entries[key] = nodes[0] if is_one else differ
    return {"fit": Entries(entries=entries)} if entries else {}
