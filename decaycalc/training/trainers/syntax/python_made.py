"""Scripts that make their configuration by calls: OLMo-core's, as the tree that it would save.

Source: OLMo-core fa6c5014c src/scripts/train/OLMo2/OLMo2-7B.py, src/scripts/official/*.
"""

import ast
from collections.abc import Iterator

from decaycalc.errors import UnreadableFileError
from decaycalc.training.trainers.syntax.python_targets import assigned_to, path_of
from decaycalc.training.trainers.syntax.python_text import Assignments, called_by, module_of
from decaycalc.training.trainers.syntax.tree import Entries, Node, Scalar

# The sections that OLMo-core saves, by the classes that its scripts make them of.
_SECTIONS = {
    "TransformerTrainModuleConfig": "train_module",
    "NumpyDataLoaderConfig": "data_loader",
    "TrainerConfig": "trainer",
}
_BATCH = "global_batch_size"
# What must not be set anew where it has been made: the tree would not say so.
_SETTLED = frozenset(
    {"lr", "weight_decay", "betas", "optim", "scheduler", _BATCH, "max_duration", "warmup",
     "warmup_steps", "group_overrides"}
)  # fmt: skip


def parse_made(text: str, name: str) -> Entries:
    """Return the sections that a script makes, each by the class that it is made of.

    Raises:
        UnreadableFileError: not Python, a section that is made twice, or changed once it is made.
    """
    module = module_of(text, name)
    _check_settled(module, name)
    known = _Made(text, Entries())
    known.read(module.body, top=True)
    sections = {section: Entries() for section in _SECTIONS.values()}
    for scope in module.body:
        local = _Made(text, Entries())
        local.known = dict(known.known)
        local.read_names(scope)
        for section, call in _calls(scope):
            if sections[section].line is not None:
                line = f"line {call.lineno}"
                raise UnreadableFileError(name, f"{line}: it makes several of its {section}")
            sections[section] = local.call(call, 0)
    batch = sections["data_loader"].entries.get(_BATCH)
    if not isinstance(batch, Scalar) or batch.open:
        sections["data_loader"] = Entries(entries={_BATCH: _batch(module, known)})
    return Entries(entries=sections)


class _Made(Assignments):
    """What a script sets, its calls with the class that they make under `_CLASS_`."""

    def read_names(self, scope: ast.stmt) -> None:
        """Read what a function sets to names of its own."""
        for statement in ast.walk(scope):
            for target, value in assigned_to(statement):
                if isinstance(target, ast.Name):
                    self.put((target.id,), self.evaluate(value))

    def call(self, value: ast.Call, depth: int) -> Entries:
        """Return a call's arguments, and of `Duration.tokens(N)` its value and unit."""
        path = path_of(called_by(value))
        entries: dict[str, Node]
        if path[:1] == ("Duration",) and len(value.args) == 1:
            unit = Scalar(text=path[-1], line=value.lineno)
            entries = {"value": self.part(value.args[0], depth), "unit": unit}
        else:
            kind = Scalar(text=path[-1] if path else "", line=value.lineno)
            entries = {**super().call(value, depth).entries, "_CLASS_": kind}
        return Entries(entries=entries, line=value.lineno)

    def node(self, value: ast.expr, depth: int) -> Node:
        """Return an expression's value; `int(4e12)` is a number, `SchedulerUnits.steps` a word."""
        match value:
            case ast.Attribute(value=ast.Name(id="SchedulerUnits"), attr=unit):
                return Scalar(text=unit, line=value.lineno)
            case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]):
                number = int(self.number(inner, depth + 1))
                return Scalar(text=str(number), line=value.lineno)
        return super().node(value, depth)


def _calls(scope: ast.stmt) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls that make a section, each with the section's name."""
    for node in ast.walk(scope):
        if isinstance(node, ast.Call):
            section = _SECTIONS.get((*path_of(node.func), "")[-2:][0])
            if section is not None:
                yield section, node


def _batch(module: ast.Module, known: _Made) -> Node:
    """Return the batch that all calls hand on alike, an open one where they do not."""
    calls = (each for each in ast.walk(module) if isinstance(each, ast.Call))
    words = (word for call in calls for word in call.keywords if word.arg == _BATCH)
    nodes = [known.evaluate(word.value) for word in words]
    closed = [node for node in nodes if isinstance(node, Scalar) and not node.open]
    texts = {node.text for node in closed}
    return closed[0] if len(texts) == 1 else Scalar(text=None, open=f"{_BATCH} is not in the file")


def _check_settled(module: ast.Module, name: str) -> None:
    """Check that nothing which matters is set anew in what has been made."""
    for statement in ast.walk(module):
        for target, _ in assigned_to(statement):
            if isinstance(target, ast.Attribute) and target.attr in _SETTLED:
                line = f"line {target.lineno}"
                raise UnreadableFileError(name, f"{line}: it changes {target.attr} once it is made")
