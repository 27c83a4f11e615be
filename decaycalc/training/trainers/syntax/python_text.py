"""Python configurations by `ast`: assignments of literals and arithmetic; nothing is ever run."""

import ast
import warnings
from fractions import Fraction

from decaycalc.errors import UnreadableFileError
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.trainers.syntax.python_targets import (
    OpenValueError,
    assigned_to,
    changed_in,
    computed,
    path_of,
    unbraced,
    with_value,
)
from decaycalc.training.trainers.syntax.tree import (
    EDITS,
    Entries,
    Items,
    Node,
    Scalar,
    find,
    joined,
)

_BASE = "_base_"
_IN_PART = "is changed in part"
_LARGEST = 400_000  # characters
_DEEPEST = 40
RETURNED = "Trainer.Config"  # what a function of torchtitan's registries returns
TAKEN = "_from_"  # the key of what a file takes from another one
_MOST_BITS = 4000


def parse_python(text: str, name: str, base: Entries | None = None) -> Entries:
    """Return what a file assigns at its top level, and to attributes within its functions.

    `base` is what its bases hold: `_base_.a` is looked up there, and `_base_.a = ...` stands under
    a key of its own, to be laid over them.

    `a = ...` is `a`, `config.lr = ...` and `config["lr"] = ...` are `config.lr`; `dict(a=1)` is a
    mapping, and so is a call of anything else, its name under `_call_`. What cannot be known
    without running the file stays open and says so.

    What a class sets when it is made, `self.a = ...`, is `self.a`; its methods are there, and open.

    Raises:
        UnreadableFileError: too long, not Python, or without an assignment.
    """
    known = _read(text, name, base).known
    if not known:
        raise UnreadableFileError(name, "it assigns nothing that can be read")
    return Entries(entries=known)


def parse_returned(text: str, name: str) -> dict[str, Entries]:
    """Return what each function of a file returns that makes a `Trainer.Config`, by its name.

    A function may take another's and change it: `config = base()`, `config.training.steps = 5`.

    Raises:
        UnreadableFileError: too long, or not Python.
    """
    return _read(text, name).returned


def _read(text: str, name: str, base: Entries | None = None) -> "Assignments":
    if len(text) > _LARGEST:
        raise UnreadableFileError(name, f"it is longer than {_LARGEST} characters")
    module = module_of(text, name)
    assignments = Assignments(text, Entries() if base is None else base)
    assignments.read(module.body, top=True)
    return assignments


def module_of(text: str, name: str) -> ast.Module:
    """Return the parsed text, its writer's odd escapes passed over in silence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except SyntaxError as error:
            raise UnreadableFileError(name, f"line {error.lineno}: it is not Python") from None
        except (ValueError, RecursionError, MemoryError):
            raise UnreadableFileError(name, "it is not Python, or nested too deeply") from None


def _at(node: Node, path: tuple[str, ...]) -> Node:
    """Return the node at a path.

    Raises:
        OpenValueError: there is none.
    """
    for key in path:
        if not isinstance(node, Entries) or key not in node.entries:
            raise OpenValueError
        node = node.entries[key]
    return node


class Assignments:
    """What a module's statements set, each name as far as it is known."""

    def __init__(self, text: str, base: Entries) -> None:
        self.base = base
        self.lines = text.encode().splitlines()
        self.known: dict[str, Node] = {}
        self.returned: dict[str, Entries] = {}
        self.aliases: dict[str, str] = {}  # of names that the file does not set itself
        self.has_bases = False

    def read(self, body: list[ast.stmt], *, top: bool) -> dict[str, Node]:
        """Return the assignments of a body; within a function, only those to attributes."""
        for statement in body:
            if isinstance(statement, ast.FunctionDef) and top:
                self.read_function(statement)
            elif isinstance(statement, ast.ClassDef) and top:
                self.read_class(statement)
            for target, value in assigned_to(statement):
                path = path_of(target)
                if path:
                    self.put(path, self.assigned(value, top=top))
                elif changed := changed_in(target):
                    self.put(changed, Scalar(text=None, line=value.lineno, open=_IN_PART))
                if len(path) == 1 and isinstance(value, ast.Name):
                    self.aliases[path[0]] = value.id
            if top:
                self.read_imports(statement)
                self.read_bases(statement)
                self.read_update(statement)
        return self.known

    def assigned(self, value: ast.expr, *, top: bool) -> Node:
        """Return what is assigned; above imported bases it takes their place whole."""
        node = self.evaluate(value)
        if not top or not self.has_bases or not isinstance(node, Entries):
            return node
        mark = Scalar(text="True", line=value.lineno)
        return Entries(entries={**node.entries, "_delete_": mark}, line=node.line)

    def read_imports(self, statement: ast.stmt) -> None:
        """Remember what a file takes from those beside it: its own settings are laid over that."""
        if not isinstance(statement, ast.ImportFrom) or not statement.level or not statement.module:
            return
        for name in statement.names:
            self.put((name.asname or name.name,), _taken(_file_of(statement), name))

    def read_bases(self, statement: ast.stmt) -> None:
        """Read the modules that `with read_base():` imports, as the files that they are.

        Source: mmengine 0.10.7 config/config.py, Config._parse_lazy_import.
        """
        if not isinstance(statement, ast.With):
            return
        if not any(ast.unparse(item) == "read_base()" for item in statement.items):
            return
        files = tuple(
            Scalar(text=_file_of(each), line=each.lineno)
            for each in statement.body
            if isinstance(each, ast.ImportFrom) and each.level and each.module
        )
        self.has_bases = True
        self.put((_BASE,), Items(items=files, line=statement.lineno))

    def read_update(self, statement: ast.stmt) -> None:
        """Lay what `name.update(...)` is given over the mapping, at every depth.

        Source: mmengine 0.10.7 config/config.py, ConfigDict.update.
        """
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            return
        path = path_of(call.func.value)
        if call.func.attr != "update" or not path or len(call.args) > 1:
            return
        own = [self.evaluate(value) for value in call.args]
        named = {word.arg: self.argument(word, 0) for word in call.keywords if word.arg}
        for node in (*own, Entries(entries=named, line=call.lineno)):
            below = find(Entries(entries=self.known), ".".join(path))
            if isinstance(node, Entries) and node.entries:
                under = below if isinstance(below, Entries) else Entries()
                self.put(path, joined(under, node))

    def read_function(self, function: ast.FunctionDef) -> None:
        """Read a function's assignments and what it returns; its own names do not outlive it."""
        outer = dict(self.known)
        self.read(function.body, top=False)
        last = function.body[-1]
        made = self.evaluate(last.value) if isinstance(last, ast.Return) and last.value else None
        call = made.entries.get("_call_") if isinstance(made, Entries) else None
        if isinstance(call, Scalar) and (call.text or "").endswith(RETURNED):
            self.returned[function.name] = made  # type: ignore[assignment]  # it has entries
        kept = {
            key: node
            for key, node in self.known.items()
            if key in outer or isinstance(node, Entries)
        }
        self.known = kept

    def read_class(self, made: ast.ClassDef) -> None:
        """Read what a class sets of itself when it is made, `self.lr = ...`; methods are open."""
        for method in made.body:
            if not isinstance(method, ast.FunctionDef):
                continue
            if method.name == "__init__":
                self.read_function(method)
            else:
                own = Scalar(text=None, line=method.lineno, open="is a method of the file's own")
                self.put(("self", method.name), own)

    def put(self, path: tuple[str, ...], node: Node) -> None:
        """Set the value at a path, making the mappings on the way; a base's stands apart."""
        if path[0] == _BASE and len(path) > 1:
            path = (EDITS, *path[1:])
        self.known = with_value(self.known, path, node)

    def evaluate(self, value: ast.expr) -> Node:
        """Return the value as a node, an open one where it cannot be known."""
        try:
            return self.node(value, 0)
        except OpenValueError:
            return Scalar(text=None, line=value.lineno, open="is computed at run time")

    def node(self, value: ast.expr, depth: int) -> Node:
        """Return an expression's value.

        Raises:
            OpenValueError: anything but literals, earlier names, arithmetic and calls.
        """
        if depth > _DEEPEST:
            raise OpenValueError
        value, line = unbraced(value), value.lineno
        match value:
            case ast.Constant():
                return Scalar(text=self.constant(value), line=line)
            case ast.List() | ast.Tuple():
                parts = tuple(self.part(part, depth) for part in value.elts)
                return Items(items=parts, line=line)
            case ast.Dict():
                return Entries(entries=self.pairs(value, depth), line=line)
            case ast.Call():
                return self.call(value, depth)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self.named(value)
            case ast.UnaryOp() | ast.BinOp():
                return Scalar(text=decimal_text(self.number(value, depth)), line=line)
            case _:
                raise OpenValueError

    def part(self, value: ast.expr, depth: int) -> Node:
        """Return a part of a list or mapping; an open part leaves the rest known."""
        try:
            return self.node(value, depth + 1)
        except OpenValueError:
            return Scalar(text=None, line=value.lineno, open="is computed at run time")

    def pairs(self, value: ast.Dict, depth: int) -> dict[str, Node]:
        """Return the entries of a literal mapping whose keys are texts."""
        return {
            key.value: self.part(part, depth)
            for key, part in zip(value.keys, value.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }

    def call(self, value: ast.Call, depth: int) -> Entries:
        """Return a call's keyword arguments; `dict` is a mapping, any other call has `_call_`."""
        entries = {
            keyword.arg: self.argument(keyword, depth)
            for keyword in value.keywords
            if keyword.arg is not None
        }
        path = path_of(called_by(value))
        if path[-1:] and path[-1] in self.returned and not value.keywords:
            return self.returned[path[-1]]
        if not path or (path != ("dict",) and not entries):
            raise OpenValueError
        if path != ("dict",):
            entries["_call_"] = Scalar(text=".".join(path), line=value.lineno)
        return Entries(entries=entries, line=value.lineno)

    def argument(self, keyword: ast.keyword, depth: int) -> Node:
        """Return an argument's value; `type=SGD` of an imported class, by any name, is its name."""
        node = self.part(keyword.value, depth)
        path = path_of(keyword.value)
        path = (self.aliases.get(path[0], path[0]), *path[1:]) if path else path
        if keyword.arg == "type" and path and isinstance(node, Scalar) and node.open:
            return Scalar(text=".".join(path), line=node.line)
        return node

    def named(self, value: ast.expr) -> Node:
        """Return the value of an earlier name, or of `get_config(FILE).NAME`: detectron2's."""
        match value:
            case ast.Attribute(value=ast.Call(args=[ast.Constant(value=str(file))]) as made):
                if path_of(made.func)[-1:] == ("get_config",):
                    return _taken(file, value)
        path = path_of(value) or ("",)
        if path[0] == _BASE and len(path) > 1:
            return self.of_base(path[1:])
        if self.has_bases and path[0] not in self.known:
            return self.of_base(path)
        return _at(Entries(entries=self.known), path)

    def of_base(self, path: tuple[str, ...]) -> Node:
        """Return the value that the bases have at a path, changed as the file has done so far."""
        edits = self.known.get(EDITS)
        return _at(joined(self.base, edits) if isinstance(edits, Entries) else self.base, path)

    def constant(self, value: ast.Constant) -> str | None:
        """Return a literal as typed, None for None."""
        if value.value is None:
            return None
        if isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
            return self.typed(value)
        if isinstance(value.value, (str, bool)):
            return str(value.value)
        raise OpenValueError

    def typed(self, value: ast.Constant) -> str:
        """Return a number's own text; another base than ten is written in ten."""
        line = self.lines[value.lineno - 1]
        text = line[value.col_offset : value.end_col_offset].decode().replace("_", "")
        if text[:2].lower() not in {"0x", "0o", "0b"}:
            return text
        if value.value.bit_length() > _MOST_BITS:  # type: ignore[union-attr]  # ints alone have bases
            raise OpenValueError
        return str(value.value)

    def number(self, value: ast.expr, depth: int) -> Fraction:
        """Return arithmetic on numbers, exactly."""
        if depth > _DEEPEST:
            raise OpenValueError
        return computed(
            value,
            lambda part: self.number(part, depth + 1),
            lambda part: self.node(part, depth + 1),
        )


def called_by(call: ast.Call) -> ast.expr:
    """Return what a call makes: `LazyCall(SGD)(lr=0.1)` makes an SGD, as a plain call does."""
    maker = call.func
    is_lazy = isinstance(maker, ast.Call) and len(maker.args) == 1 and not maker.keywords
    return maker.args[0] if isinstance(maker, ast.Call) and is_lazy else maker


def _taken(file: str, name: ast.Attribute | ast.alias) -> Entries:
    """Return what stands for a setting that another file makes: its place, `optim.py:SGD`."""
    own = name.attr if isinstance(name, ast.Attribute) else name.name
    return Entries(
        entries={TAKEN: Scalar(text=f"{file}:{own}", line=name.lineno)}, line=name.lineno
    )


def _file_of(statement: ast.ImportFrom) -> str:
    """Return the file that a relative import reads."""
    module = (statement.module or "").replace(".", "/")
    return f"{'../' * (statement.level - 1)}{module}.py"
