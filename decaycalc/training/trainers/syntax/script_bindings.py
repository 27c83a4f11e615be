"""Where the text of a plain Python script sets its names, calls its functions, adds its flags."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from decaycalc.training.trainers.syntax.python_targets import assigned_to, path_of
from decaycalc.training.trainers.syntax.script_calls import (
    FUNCTIONS,
    Flag,
    Function,
    entries_of,
    flag_of,
)

Scope = ast.Module | ast.ClassDef | Function
Setting = tuple[ast.Name, ast.expr | None]  # a name being set, and to what where one expression
_KNOWN_ARGS = "parse_known_args"


class Bindings:
    """What one script's statements bind, each to where they do.

    `nodes` are all of them, `above` is the node around each, `imported` the path behind a name,
    `starred` the modules whose names are all taken, `flags` those of each name, `calls` those of
    each function by its last name, `changed` the places that set an attribute or entry of that
    name, `settings` those that set a name of a function's, a class's own or of the module's; a
    function's that is `global` is also every scope's around it, set to what no text tells.
    """

    def __init__(self, module: ast.Module) -> None:
        self.module = module
        self.above: dict[ast.AST, ast.AST] = {}
        self.imported: dict[str, str] = {}
        self.starred: list[str] = []
        self.flags: dict[str, list[Flag]] = defaultdict(list)
        self.calls: dict[str, list[ast.Call]] = defaultdict(list)
        self.changed: dict[str, list[ast.Attribute | ast.Subscript]] = defaultdict(list)
        self.settings: dict[tuple[Scope, str], list[Setting]] = defaultdict(list)
        self._shared: set[tuple[Scope, str]] = set()
        self.nodes = list(ast.walk(module))
        for node in self.nodes:
            for inner in ast.iter_child_nodes(node):
                self.above[inner] = node
        self.classes: dict[str, ast.ClassDef] = {}
        for node in self.nodes:
            if isinstance(node, ast.ClassDef):
                self.classes.setdefault(node.name, node)
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                self._shared |= {(self.scope_of(node), name) for name in node.names}
        for node in self.nodes:
            self._note(node)

    def _note(self, node: ast.AST) -> None:
        """Take note of what a node imports, calls or sets."""
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self._note_import(node)
        elif isinstance(node, ast.Call):
            self._note_call(node)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            self._note_setting(node)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            path = _path_within(node)
            if path:
                self.changed[path].append(node)

    def _note_setting(self, name: ast.Name) -> None:
        scope = self.holder_of(name)
        self.settings[scope, name.id].append((name, self._value_of(name)))
        is_shared = (scope, name.id) in self._shared
        while is_shared and scope is not self.module:
            scope = self.scope_of(scope)
            self.settings[scope, name.id].append((name, None))

    def _note_import(self, node: ast.Import | ast.ImportFrom) -> None:
        module = getattr(node, "module", None)
        for each in node.names:
            if each.name == "*":
                self.starred.append(module or "")
            elif module:
                self.imported[each.asname or each.name] = f"{module}.{each.name}"
            elif isinstance(node, ast.Import):
                name = each.asname or each.name.partition(".")[0]
                self.imported[name] = each.name if each.asname else name

    def _note_call(self, call: ast.Call) -> None:
        path = path_of(call.func)
        if not path and not isinstance(call.func, ast.Attribute):
            return
        name = path[-1] if path else call.func.attr  # type: ignore[attr-defined]
        self.calls[name].append(call)
        if name == "add_argument":
            flag = flag_of(call)
            self.flags[flag.name].append(flag)

    def _value_of(self, target: ast.Name) -> ast.expr | None:
        """Return what a statement sets a name to, None where that is not one expression."""
        statement = self.above[target]
        if isinstance(statement, ast.NamedExpr):
            return statement.value
        for whole, value in assigned_to(statement):
            if whole is target:
                return value
        if isinstance(statement, ast.Tuple):
            for whole, value in assigned_to(self.above[statement]):
                if whole is statement:
                    return _part_of(value, statement.elts.index(target), len(statement.elts))
        return None

    def holder_of(self, node: ast.AST) -> Scope:
        """Return the function or the class that a name being set is of, or the module."""
        found = node
        while found in self.above and not isinstance(found, (ast.ClassDef, *FUNCTIONS)):
            found = self.above[found]
        return found  # type: ignore[return-value]  # what nothing is above is the module

    def scope_of(self, node: ast.AST) -> ast.Module | Function:
        """Return the function that holds a node, or the module."""
        while node in self.above:
            node = self.above[node]
            if isinstance(node, FUNCTIONS):
                return node
        return self.module

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """Return the class that holds a node, None outside of any."""
        while node in self.above:
            node = self.above[node]
            if isinstance(node, ast.ClassDef):
                return node
        return None

    def around(self, node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Yield the nodes around a node within its function, each with the one below it."""
        while node in self.above and not isinstance(self.above[node], FUNCTIONS):
            yield self.above[node], node
            node = self.above[node]

    def changes(self, holder: ast.expr, key: str) -> Iterator[ast.Call]:
        """Yield the calls that may change an entry of a mapping or an attribute of an object.

        `holder.update(...)`, `vars(holder).update(...)`, `setattr(holder, name, value)`.
        """
        text = ast.unparse(holder)
        wholes = {f"{text}.update", f"vars({text}).update", f"{text}.__dict__.update"}
        for call in self.calls.get("update", ()):
            if ast.unparse(call.func) in wholes and may_set(call, key):
                yield call
        for call in self.calls.get("setattr", ()):
            name = call.args[1] if len(call.args) > 1 else None
            is_other = isinstance(name, ast.Constant) and name.value != key
            if call.args and ast.unparse(call.args[0]) == text and not is_other:
                yield call

    def dotted(self, value: ast.expr) -> str:
        """Return the dotted path that a class or function was imported by, else empty."""
        path = path_of(value)
        if not path or path[0] not in self.imported:
            return ""
        scopes = (self.module, self.scope_of(value))
        if any(self.settings.get((scope, path[0])) for scope in scopes):
            return ""  # the name is set anew
        return ".".join((self.imported[path[0]], *path[1:]))


def _part_of(value: ast.expr, at: int, count: int) -> ast.expr | None:
    """Return what one of several names is set to: of a pair, or the flags that are known."""
    if isinstance(value, ast.Tuple) and len(value.elts) == count:
        return value.elts[at]
    is_parsed = isinstance(value, ast.Call) and path_of(value.func)[-1:] == (_KNOWN_ARGS,)
    return value if is_parsed and at == 0 else None


def may_set(update: ast.Call, key: str) -> bool:
    """Return whether an update may set an entry: by its name, or by a mapping not written out."""
    known = [entries_of(each) for each in update.args]
    words = {word.arg for word in update.keywords}
    return None in known or bool(words & {None, key}) or any(key in (each or {}) for each in known)


def _path_within(node: ast.Attribute | ast.Subscript) -> str:
    """Return the attribute or the key that a statement sets, of whatever object."""
    if isinstance(node, ast.Attribute):
        return node.attr
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    return key if isinstance(key, str) else ""
