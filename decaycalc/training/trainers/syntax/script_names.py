"""What the names of a plain Python script stand for, as far as its text alone tells; never run.

A name is what it was last set to in plain sight, a parameter what the only call hands on, and
`args.lr` the default of the script's own flag. What a loop, a branch that may or may not be taken,
or another file decides is open, and says why.
"""

import ast
from contextlib import suppress
from fractions import Fraction
from itertools import chain

from decaycalc.training.reading.numbers import decimal_text, typed_number
from decaycalc.training.trainers.syntax.python_targets import (
    OpenValueError,
    assigned_to,
    computed,
    path_of,
)
from decaycalc.training.trainers.syntax.script_bindings import Bindings, Scope, Setting
from decaycalc.training.trainers.syntax.script_calls import (
    CHOSEN,
    FUNCTIONS,
    PARTIAL,
    Function,
    argument_of,
    default_of,
    default_of_field,
    entries_of,
    gathered_by,
    parameters_of,
    returned_by,
)
from decaycalc.training.trainers.syntax.script_flags import Unknown, flagged
from decaycalc.training.trainers.syntax.script_truths import compared, joined_truths, plain
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar

_DEEPEST = 25  # names that stand for names
_PARSED = ("parse_args", "parse_known_args")
_TYRO = "tyro.cli"
_NOT_PLAIN = (ast.For, ast.AsyncFor, ast.While, ast.Try, ast.comprehension, ast.match_case)
_MOST_LOOKS = 300_000  # at names and expressions of one script


class Names(Bindings):
    """The names of one script that is given the flags `told`; what it `follows` are its tests."""

    def __init__(
        self, module: ast.Module, text: str, told: Entries, *, follows: bool = True
    ) -> None:
        super().__init__(module)
        self.told, self.follows = told, follows
        self.lines = text.encode().splitlines()
        self.used: dict[str, None] = {}  # the flags whose defaults were taken
        self._truths: dict[ast.expr, bool | None] = {}
        self._paths: dict[ast.expr, str] = {}
        self._looks = 0

    def path(self, value: ast.expr) -> str:
        """Return the dotted path of a class or function, whatever name it has here, else empty.

        `getattr(optim, "SGD")` and `functools.partial(optim.SGD)` are `torch.optim.SGD`.
        """
        if value not in self._paths:
            self._paths[value] = ""  # what leads to itself has none
            self._paths[value] = self.dotted(value) or self._path_behind(value)
        return self._paths[value]

    def _path_behind(self, value: ast.expr) -> str:
        found = self.behind(value)
        match found:
            case ast.Call(func=ast.Name(id="getattr"), args=[holder, name]):
                node = self.known(name)
                text = node.text if isinstance(node, Scalar) else ""
                return f"{self.path(holder)}.{text or CHOSEN}"
            case ast.Call(args=[whole, *_]) if self.dotted(found.func) == PARTIAL:
                return self.path(whole)
        return self.dotted(found) if found is not value else ""

    def is_reached(self, node: ast.AST) -> bool:
        """Return whether no test around a node is known to rule it out."""
        for outer, inner in self.around(node):
            if isinstance(outer, ast.If) and inner is not outer.test:
                known = self.truth(outer.test)
                if known is not None and known == (inner in outer.orelse):
                    return False
        return True

    def truth(self, test: ast.expr) -> bool | None:
        """Return whether a test holds, None where the text does not tell.

        A test on what it decides itself, `if n > 1: n = 1`, is not told.
        """
        if test not in self._truths and self.follows:
            used, self._truths[test] = dict(self.used), None
            with suppress(OpenValueError):
                self._truths[test] = self._truth(test, 0)
            self.used = used
        return self._truths.get(test)

    def _truth(self, test: ast.expr, depth: int) -> bool | None:
        match test:
            case ast.Compare(left=ast.Name(id="__name__")):
                return True
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                known = self.truth(inner)
                return None if known is None else not known
            case ast.BoolOp(op=operator, values=values):
                return joined_truths([self.truth(each) for each in values], operator)
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                first, second = (self.value(side, depth + 1) for side in (left, right))
                return compared(first, operator, second)
        node = self.value(test, depth + 1)
        if not isinstance(node, Scalar):
            return bool(node.items) if isinstance(node, Items) else None
        number = None if node.text is None else typed_number(node.text)
        return bool(number) if number is not None else node.text not in {None, "", "False"}

    def known(self, value: ast.expr) -> Node:
        """Return what an expression is, an open scalar where the text does not tell."""
        try:
            return self.value(value, 0)
        except OpenValueError as error:
            said = str(error) or "is computed at run time"
            return Scalar(text=None, line=value.lineno, open=said)

    def given(self, value: ast.expr) -> Node:
        """Return what a call is given; a None that was not written there is open."""
        node = self.known(value)
        is_none = isinstance(node, Scalar) and node.text is None and not node.open
        if is_none and not isinstance(value, ast.Constant):
            return Scalar(text=None, line=value.lineno, open="is None unless the script is told")
        return node

    def value(self, value: ast.expr, depth: int) -> Node:
        """Return what an expression is.

        Raises:
            OpenValueError: the text does not tell.
        """
        match self.origin(value, depth):
            case ast.Constant() as found:
                return Scalar(text=self._typed(found), line=found.lineno)
            case ast.List() | ast.Tuple() as found:
                parts = tuple(self.value(each, depth + 1) for each in found.elts)
                return Items(items=parts, line=found.lineno)
            case ast.UnaryOp() | ast.BinOp() as found:
                return Scalar(text=decimal_text(self.number(found, depth)), line=found.lineno)
            case ast.IfExp() as found:
                known = self.truth(found.test)
                if known is None:
                    raise OpenValueError
                return self.value(found.body if known else found.orelse, depth + 1)
            case ast.Call(func=ast.Name(id="float" | "int" as kind), args=[inner]) as found:
                number = self.number(inner, depth + 1)
                whole = Fraction(int(number)) if kind == "int" else number
                return Scalar(text=decimal_text(whole), line=found.lineno)
            case ast.Call(func=ast.Attribute(value=inner, attr="lower" | "upper" as kind)) as found:
                node = self.value(inner, depth + 1)
                if not isinstance(node, Scalar) or node.text is None:
                    raise OpenValueError
                return Scalar(text=getattr(node.text, kind)(), line=found.lineno)
        raise OpenValueError

    def number(self, value: ast.expr, depth: int) -> Fraction:
        """Return arithmetic on numbers, exactly.

        Raises:
            OpenValueError: the text does not tell.
        """
        value = self.origin(value, depth)
        return computed(
            value,
            lambda part: self.number(part, depth + 1),
            lambda part: self.value(part, depth + 1),
        )

    def _typed(self, value: ast.Constant) -> str | None:
        """Return a literal as typed, None for None."""
        if value.value is None:
            return None
        if isinstance(value.value, (bool, str)):
            return str(value.value)
        if not isinstance(value.value, (int, float)):
            raise OpenValueError
        line = self.lines[value.lineno - 1]
        typed = line[value.col_offset : value.end_col_offset].decode().replace("_", "")
        return typed if typed_number(typed) is not None else str(value.value)

    def origin(self, value: ast.expr, depth: int = 0) -> ast.expr:
        """Return the expression that a name, parameter or attribute stands for in the end.

        Raises:
            OpenValueError: the text does not tell.
        """
        if self.dotted(value):  # a module's, as torch.optim.SGD
            return value
        self._looks += 1
        if depth > _DEEPEST or self._looks > _MOST_LOOKS:
            raise OpenValueError
        if isinstance(value, ast.NamedExpr):
            return self.origin(value.value, depth + 1)
        if isinstance(value, ast.Name):
            return self.origin(self._named(value, depth), depth + 1)
        if isinstance(value, ast.Attribute):
            return self.origin(self._member(value, value.value, value.attr, depth), depth + 1)
        if isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Constant):
            key = value.slice.value
            if isinstance(key, str):
                return self.origin(self._member(value, value.value, key, depth), depth + 1)
        return value

    def behind(self, value: ast.expr) -> ast.expr:
        """Return what an expression stands for, itself where the text does not tell."""
        try:
            return self.origin(value)
        except OpenValueError:
            return value

    def _named(self, name: ast.Name, depth: int) -> ast.expr:
        """Return what a name was set to where it is read."""
        self._check_own(name)
        scope: Scope | None = self.holder_of(name)
        while scope is not None:
            held = [each for each in self.settings[scope, name.id] if self.is_reached(each[0])]
            if held:
                return self._last(name, scope, held)
            if isinstance(scope, FUNCTIONS):
                if name.id in parameters_of(scope):
                    return self._handed(scope, name.id, depth)
                if name.id in gathered_by(scope):
                    raise Unknown(f"{name.id} is what {scope.name} is called with")
            scope = None if scope is self.module else self.scope_of(scope)
        raise Unknown(f"{name.id} is not set in the file")

    def _check_own(self, name: ast.Name) -> None:
        """Check that a name is no parameter of a lambda, whose calls are not followed.

        Raises:
            OpenValueError: it is one.
        """
        for outer, _ in self.around(name):
            is_lambda = isinstance(outer, ast.Lambda)
            if is_lambda and name.id in parameters_of(outer):  # type: ignore[arg-type]  # has args
                raise Unknown(f"{name.id} is a parameter of a lambda")

    def _last(self, name: ast.Name, scope: Scope, held: list[Setting]) -> ast.expr:
        """Return the last of some settings that a name has where it is read.

        Raises:
            OpenValueError: one lies in a loop or a branch, or sets it to what no text tells.
        """
        here = self.holder_of(name) is scope
        before = [each for each in held if each[0].lineno < name.lineno] if here else []
        held = sorted(before or held, key=lambda each: each[0].lineno)
        last, value = held[-1]
        if len(held) > 1 and not all(self._is_plain(each) for each, _ in held):
            lines = " and ".join(str(each.lineno) for each, _ in held[:4])
            raise Unknown(f"{name.id} is set in lines {lines}")
        if value is None:
            raise Unknown(f"{name.id} is set at run time, line {last.lineno}")
        return value

    def _is_plain(self, node: ast.AST) -> bool:
        """Return whether what a node sets is set whenever its function runs, once."""
        for outer, inner in self.around(node):
            if isinstance(outer, _NOT_PLAIN):
                return False
            is_branch = isinstance(outer, ast.If) and inner is not outer.test
            if is_branch and self.truth(outer.test) is None:  # type: ignore[attr-defined]  # an if
                return False
        return True

    def _handed(self, function: Function, name: str, depth: int) -> ast.expr:
        """Return what the only call of a function hands on as a parameter, or its default.

        Raises:
            OpenValueError: it is called from elsewhere, or several times, each with its own.
        """
        called = function.name
        owner = self.above.get(function)
        is_method = isinstance(owner, ast.ClassDef)
        if is_method and function.name == "__init__":
            called = owner.name  # type: ignore[union-attr]
        way = ast.Attribute if is_method and called == function.name else ast.Name
        every = (each for each in self.calls.get(called, ()) if isinstance(each.func, way))
        calls = [each for each in every if self.is_reached(each)]
        if not calls and self._is_command(function):
            found = default_of(function, name)
            if found is not None:
                return found
        if not calls:
            raise Unknown(f"{name} is a parameter of {called}, which the file does not call")
        handed = [argument_of(function, each, name, skip=int(is_method)) for each in calls]
        first = handed[0]
        if first is None or any(each is None for each in handed):
            raise Unknown(f"{name} is a parameter of {called}")
        if len(handed) > 1:
            texts = {plain(self.value(each, depth + 1)) for each in handed if each is not None}
            if len(texts) > 1:
                raise Unknown(f"{name} is a parameter of {called}, called in several ways")
        return first

    def _is_command(self, function: Function) -> bool:
        """Return whether a function's parameters are flags of a command line: python-fire's."""
        return any(
            path_of(call.func)[-1:] in {("Fire",), ("run",)}
            and any(isinstance(each, ast.Name) and each.id == function.name for each in call.args)
            for name in ("Fire", "run")
            for call in self.calls.get(name, ())
        )

    def _member(self, whole: ast.expr, base: ast.expr, key: str, depth: int) -> ast.expr:
        """Return what `base.key` or `base["key"]` was set to.

        Raises:
            OpenValueError: the text does not tell, or it is set anew.
        """
        if isinstance(base, ast.Name) and base.id == "self":
            return self._own(whole, key)
        if ast.unparse(base) == "self.hparams":
            return self._hyperparameter(whole, key, depth)
        for each in self.changed[key]:
            is_own = (*path_of(each), "")[0] == "self"
            if not is_own and each is not whole and self.is_reached(each):
                raise Unknown(f"{ast.unparse(whole)} is set anew in line {each.lineno}")
        for call in self.changes(base, key):
            if self.is_reached(call):
                raise Unknown(f"{ast.unparse(whole)} may be set anew in line {call.lineno}")
        made = self._class(base)
        if made is not None:
            return self._class_entry(whole, made, key)
        return self._entry(whole, self.origin(base, depth + 1), key, depth)

    def _entry(self, whole: ast.expr, holder: ast.expr, key: str, depth: int) -> ast.expr:
        """Return an entry of a mapping, a namespace, a class's instance, or the script's flags."""
        returned = returned_by(self.module, holder)
        if returned is not None:
            return self._entry(whole, self.origin(returned, depth + 1), key, depth + 1)
        entries = entries_of(holder) or {}
        if isinstance(holder, ast.Call):
            name = ("", *path_of(holder.func))[-1]
            if name in _PARSED:
                return flagged(self, whole, holder, key)
            if self.path(holder.func) == _TYRO and holder.args:
                return self._field(whole, holder.args[0], key)
            entries = {word.arg: word.value for word in holder.keywords if word.arg}
            made = self._class(holder.func)
            if key not in entries and made is not None:
                return self._class_entry(whole, made, key)
            if len(holder.args) == 1:
                entries = (entries_of(holder.args[0]) or {}) | entries
        if key not in entries:
            raise Unknown(f"{ast.unparse(whole)} is not in the file")
        return entries[key]

    def _field(self, whole: ast.expr, called: ast.expr, key: str) -> ast.expr:
        """Return the default of a flag that tyro makes of a class's field. Source: tyro 0.9."""
        made = self._class(called)
        if made is None or self.told.entries:
            raise Unknown(f"{ast.unparse(whole)} is no flag that can be told")
        self.used[f"--{key}"] = None
        return self._class_entry(whole, made, key)

    def _class(self, called: ast.expr) -> ast.ClassDef | None:
        """Return the class of the file that a call makes an instance of."""
        return self.classes.get(called.id) if isinstance(called, ast.Name) else None

    def _class_entry(self, whole: ast.expr, made: ast.ClassDef, key: str) -> ast.expr:
        """Return what a class sets at its top, or of itself when it is made."""
        settings = chain.from_iterable(assigned_to(statement) for statement in made.body)
        found = [value for target, value in settings if path_of(target) == (key,)]
        return default_of_field(found[-1]) if found else self._own_of(whole, made, key)

    def _own(self, whole: ast.expr, key: str) -> ast.expr:
        """Return what an object sets `self.key` to."""
        made = self.class_of(whole)
        if made is None:
            raise OpenValueError
        return self._class_entry(whole, made, key)

    def _own_of(self, whole: ast.expr, made: ast.ClassDef, key: str) -> ast.expr:
        found = [
            value
            for node in ast.walk(made)
            for target, value in assigned_to(node)
            if path_of(target) == ("self", key) and self.is_reached(node)
        ]
        if len(found) != 1:
            raise Unknown(f"{ast.unparse(whole)} is {'set several times' if found else 'not set'}")
        return found[0]

    def _hyperparameter(self, whole: ast.expr, key: str, depth: int) -> ast.expr:
        """Return the argument that Lightning keeps as `self.hparams.key`."""
        made = self.class_of(whole)
        for method in made.body if made is not None else ():
            is_made = isinstance(method, ast.FunctionDef) and method.name == "__init__"
            if is_made and key in parameters_of(method):  # type: ignore[arg-type]  # a function
                return self._handed(method, key, depth)  # type: ignore[arg-type]
        raise Unknown(f"{ast.unparse(whole)} is not in the file")
