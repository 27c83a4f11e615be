"""A training program's own text, by `ast`: the flags it declares and the names it uses; never run.

Beside a script or a configuration lies the program that it is for. Where that is a fork, or a
program that only shares a trainer's flags, its text says so.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from enum import StrEnum

from decaycalc.record import Record
from decaycalc.training.trainers.syntax.script_calls import flag_of

_LARGEST = 400_000  # characters
_DECLARES = frozenset({"add_argument", "add_arg"})
# The configurator of nanoGPT takes every global of a program for a flag.
_OF_GLOBALS = "configurator.py"
_ARGUMENTS = "TrainingArguments"
_OPTIMIZER = re.compile(r"Adam|SGD|LARS|LAMB|Lamb|Lion|RMSprop|Adagrad|Adafactor")
# TRL's classes of arguments, which are TrainingArguments with other defaults.
_OF_TRL = frozenset(
    {"SFTConfig", "DPOConfig", "ORPOConfig", "CPOConfig", "KTOConfig", "GRPOConfig", "RLOOConfig",
     "RewardConfig", "PRMConfig", "BCOConfig", "GKDConfig", "OnlineDPOConfig", "XPOConfig",
     "NashMDConfig"}
)  # fmt: skip
# What a subclass of the Trainer changes its optimizer by.
OVERRIDES = frozenset({"create_optimizer", "create_scheduler", "create_optimizer_and_scheduler"})


class By(StrEnum):
    """What declares a flag: a parser, a class of its own, the Trainer's arguments, a global."""

    PARSER = "a parser of its own"
    CLASS = "a class of its own"
    ARGUMENTS = "arguments"
    GLOBAL = "a global"

    @property
    def is_own(self) -> bool:
        """Whether the program reads the flag by itself."""
        return self in {By.PARSER, By.CLASS}


class Declared(Record):
    """One flag that a program declares, its default as text; None where it has none.

    `is_open` says that the default is only known when the program runs.
    """

    by: By
    file: str
    line: int
    text: str | None = None
    is_open: bool = False


class Class(Record):
    """One class of a file: the last parts of its bases' names, its fields, and where it stands."""

    bases: tuple[str, ...]
    fields: tuple[tuple[str, Declared], ...]
    is_data: bool


class Program(Record):
    """What the text of a program, or of one of the files that it imports, tells.

    `names` are all that it uses, `imports` the modules that it takes from, each with the dots of a
    relative one. `optimizers` is the line that hands a Trainer its optimizer, `overrides` the
    lines of the methods that make one; `made` are the numbers that each optimizer it makes is given
    outright, by decaycalc's names.
    """

    file: str
    declared: tuple[tuple[str, Declared], ...] = ()
    classes: tuple[tuple[str, Class], ...] = ()
    names: frozenset[str] = frozenset()
    imports: tuple[str, ...] = ()
    optimizers: int | None = None
    overrides: tuple[tuple[str, int], ...] = ()
    made: tuple[tuple[tuple[str, str], ...], ...] = ()


def read_program(text: str, file: str) -> Program | None:
    """Return what a program's text tells, None where it is too long or not Python."""
    if len(text) > _LARGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        nodes = tuple(ast.walk(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    globals_ = _globals(tree, file) if _OF_GLOBALS in text else ()
    return Program(
        file=file,
        declared=(*globals_, *_of_parsers(calls, file)),
        classes=tuple(_classes(nodes, file)),
        names=frozenset(_names(nodes)),
        imports=tuple(dict.fromkeys(_imports(nodes))),
        optimizers=next(filter(None, map(_handed, calls)), None),
        overrides=tuple(_overrides(nodes)),
        made=tuple(_numbers(call) for call in calls if _is_optimizer(call)),
    )


def declared_in(programs: Iterable[Program]) -> dict[str, Declared]:
    """Return the flags of a program's files, the first that declares one first.

    A class counts as the Trainer's arguments where one of its bases is.
    """
    files = tuple(programs)
    classes = {name: each for program in files for name, each in reversed(program.classes)}
    found: dict[str, Declared] = {}
    for program in files:
        for name, one in program.declared:
            found.setdefault(name, one)
        for _, each in program.classes:
            by = By.ARGUMENTS if _is_arguments(each, classes) else By.CLASS
            if by is By.ARGUMENTS or each.is_data:
                for name, one in each.fields:
                    found.setdefault(name, _by(one, by))
    return found


def _by(one: Declared, by: By) -> Declared:
    return Declared(by=by, file=one.file, line=one.line, text=one.text, is_open=one.is_open)


def _is_arguments(each: Class, classes: dict[str, Class], depth: int = 5) -> bool:
    """Return whether a class is made of the Trainer's arguments, through those between."""
    if any(base.endswith(_ARGUMENTS) or base in _OF_TRL for base in each.bases):
        return True
    known = (classes[base] for base in each.bases if base in classes)
    return depth > 0 and any(_is_arguments(base, classes, depth - 1) for base in known)


def _of_parsers(calls: list[ast.Call], file: str) -> Iterator[tuple[str, Declared]]:
    """Yield the flags that parsers are given, what `set_defaults` sets before."""
    for call in calls:
        name = _last(call.func)
        if name == "set_defaults":
            for keyword in call.keywords:
                if keyword.arg is not None:
                    text, is_open = _literal(keyword.value)
                    yield keyword.arg, _declared(By.PARSER, file, call.lineno, text, is_open)
    for call in calls:
        if _last(call.func) in _DECLARES:
            yield from _of_call(call, file)


def _of_call(call: ast.Call, file: str) -> Iterator[tuple[str, Declared]]:
    flag = flag_of(call)
    text, is_open = (None, False) if flag.default is None else _literal(flag.default)
    for name in flag.names:
        yield name, _declared(By.PARSER, file, call.lineno, text, is_open)


def _globals(tree: ast.Module, file: str) -> tuple[tuple[str, Declared], ...]:
    """Return the globals that are set to a number, a truth or a text before the configurator."""
    found: dict[str, Declared] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            text, is_open = _literal(node.value)
            if isinstance(target, ast.Name) and not is_open:
                found.setdefault(target.id, _declared(By.GLOBAL, file, node.lineno, text, is_open))
    return tuple(found.items())


def _classes(nodes: tuple[ast.AST, ...], file: str) -> Iterator[tuple[str, Class]]:
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            fields = tuple(
                (part.target.id, _field(part, file))
                for part in node.body
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
            )
            bases = tuple(_last(base) for base in node.bases)
            decorators = {_last(each) for each in node.decorator_list}
            yield node.name, Class(bases=bases, fields=fields, is_data="dataclass" in decorators)


def _field(part: ast.AnnAssign, file: str) -> Declared:
    """Return a class's field: `x: float = 1e-4` or `= field(default=1e-4)`."""
    value = part.value
    if isinstance(value, ast.Call):
        given = {keyword.arg: keyword.value for keyword in value.keywords}
        value = given.get("default", None if _last(value.func).lower() == "field" else value)
    text, is_open = (None, False) if value is None else _literal(value)
    return _declared(By.CLASS, file, part.lineno, text, is_open)


def _declared(by: By, file: str, line: int, text: str | None, is_open: bool) -> Declared:  # noqa: FBT001
    return Declared(by=by, file=file, line=line, text=text, is_open=is_open)


def _literal(node: ast.expr) -> tuple[str | None, bool]:
    """Return a default as text and whether it is open; None has no text and is not.

    >>> _literal(ast.parse("(0.9, 0.95)", mode="eval").body)
    ('0.9,0.95', False)
    """
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None, True
    if value is None or isinstance(value, dict | set | bytes | complex):
        return None, value is not None
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)), False
    return (str(value).lower() if isinstance(value, bool) else str(value)), False


def _names(nodes: tuple[ast.AST, ...]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2]


def _imports(nodes: tuple[ast.AST, ...]) -> Iterator[str]:
    """Yield the modules that a file imports, and what it takes from one, which may be one too."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module
            joint = "" if module.endswith(".") else "."
            yield from (f"{module}{joint}{each.name}" for each in node.names if each.name != "*")


def _handed(call: ast.Call) -> int | None:
    """Return the line of a call `...Trainer(optimizers=(a, b))` whose first is no None."""
    if not _last(call.func).endswith("Trainer"):
        return None
    given = (keyword.value for keyword in call.keywords if keyword.arg == "optimizers")
    value = next(given, None)
    first = value.elts[:1] if isinstance(value, ast.Tuple) else ()
    is_none = any(isinstance(each, ast.Constant) and each.value is None for each in first)
    return None if value is None or is_none else call.lineno


def _overrides(nodes: tuple[ast.AST, ...]) -> Iterator[tuple[str, int]]:
    """Yield the methods of a Trainer's subclasses that make its optimizer."""
    for node in nodes:
        if isinstance(node, ast.ClassDef) and any(_last(b).endswith("Trainer") for b in node.bases):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and part.name in OVERRIDES:
                    yield part.name, part.lineno


def _is_optimizer(call: ast.Call) -> bool:
    """Return whether a call makes an optimizer: it is given an lr, by a name that one has."""
    has_lr = any(keyword.arg == "lr" for keyword in call.keywords)
    return has_lr and _OPTIMIZER.search(_last(call.func)) is not None


def _numbers(call: ast.Call) -> tuple[tuple[str, str], ...]:
    """Return what an optimizer is given as literals."""
    texts = {keyword.arg or "": _literal(keyword.value)[0] for keyword in call.keywords}
    first, comma, second = (texts.get("betas") or "").partition(",")
    found = {name: texts.get(name) for name in ("eps", "momentum", "nesterov")}
    found |= {"beta1": first, "beta2": second} if comma else {}
    return tuple((name, text) for name, text in found.items() if text)


def _last(node: ast.expr) -> str:
    """Return the last part of a dotted name, of a call's function for a call."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
