"""What a whole plain Python script tells of how it trains, beside the calls that make optimizers.

Each by the line that says so: words for several processes or passes, penalties, further optimizers.
"""

import ast
import re
from collections.abc import Iterator, Sequence

from decaycalc.training.trainers.syntax.python_targets import path_of
from decaycalc.training.trainers.syntax.script_calls import CHOSEN
from decaycalc.training.trainers.syntax.script_names import Names
from decaycalc.training.trainers.syntax.script_penalties import penalty_of
from decaycalc.training.trainers.syntax.tree import Node, Scalar

_SEVERAL_PROCESSES = re.compile(
    r"DistributedDataParallel|DistributedSampler|init_process_group|\bAccelerator\(|\bFabric\(|"
    r"FullyShardedDataParallel|fully_shard|horovod|deepspeed\.initialize|\bpmap\(|jax\.distributed"
)
_ACCUMULATES = re.compile(
    r"(?i)accum\w*step|accum_?(?:iter|grad)|grad\w*_accum|no_sync\(|MultiSteps\("
)
# What is called as optimizers are, or made from a module of them, whatever library it is of.
_CALLED_SO = re.compile(
    r"(?:\w*(?:Adam|SGD|RMSprop|AdaBelief|Novograd|Shampoo|Ranger|Sophia)\w*|Lion|Lamb|LAMB|LARS|"
    r"Adan|Momentum|Muon|SOAP|Adafactor|MADGRAD|Prodigy|Adagrad|Adadelta|SAM|ASAM|\w+Optimizer)"
)
_OF_RATE = re.compile(r"\b(?:lr|learning_rate)\b")
_GIVEN = re.compile(rf"param|{_OF_RATE.pattern}")
_OF_OPTIMIZERS = re.compile(r"(?:.*\.)?optim(?:izers?)?(?:\.(?!lr\b|lr_sched|schedules\b).*)?")


def said_by(names: Names, calls: Sequence[ast.Call]) -> dict[str, Node]:
    """Return what the whole script tells; `calls` are those that make nothing known."""
    found: dict[str, Node | None] = {"penalty": penalty_of(names)}
    words = list(_words(names.nodes))
    for key, pattern in (("processes", _SEVERAL_PROCESSES), ("accumulates", _ACCUMULATES)):
        found[key] = next((each for each in words if pattern.search(each.text or "")), None)
    other = next((call for call in calls if _makes(names, call)), None)
    if other is not None:
        found["others"] = Scalar(text=ast.unparse(other.func)[:60], line=other.lineno)
    return {key: node for key, node in found.items() if node is not None}


def _makes(names: Names, call: ast.Call) -> bool:
    """Return whether a call makes an optimizer, by its name or module and what it is given.

    What is looked up, `OPTIMIZERS[name](params, lr=0.1)`, is one if it is given an lr.
    """
    path = names.path(call.func) or ".".join(path_of(call.func))
    head, _, name = path.rpartition(".")
    is_class = name[:1].isupper() or name == CHOSEN
    first = ast.unparse(call.args[0]) if call.args else ""
    words = " ".join(word.arg or "" for word in call.keywords)
    given = " ".join((*map(ast.unparse, call.args), words))
    is_looked_up = isinstance(call.func, ast.Subscript) and _OF_RATE.search(words) is not None
    is_called_so = is_looked_up or _CALLED_SO.fullmatch(name) is not None
    if not (is_class and _OF_OPTIMIZERS.fullmatch(head)) and not is_called_so:
        return False
    return "optim" not in first and _GIVEN.search(given) is not None


def _words(nodes: Sequence[ast.AST]) -> Iterator[Scalar]:
    """Yield the names and calls that a script uses, each with its line."""
    for node in nodes:
        if isinstance(node, ast.Call):
            yield Scalar(text=f"{ast.unparse(node.func)}(", line=node.lineno)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            yield Scalar(text=ast.unparse(node), line=node.lineno)
        elif isinstance(node, ast.keyword):
            yield Scalar(text=node.arg, line=node.value.lineno)
