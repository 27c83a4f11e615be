"""What the calls and the heads of a script's functions say: flags, parameters, their defaults."""

import ast
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef
PARTIAL = "functools.partial"
CHOSEN = "?"  # the name of a class that no text tells, `getattr(torch.optim, args.opt)`
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A flag that a script adds to its parser: its names without dashes, its default if any.

    `name` is where the parser puts it, `takes_many` whether it takes a list, `is_converted` whether
    a lambda makes something else of it.
    """

    name: str
    names: tuple[str, ...]
    default: ast.expr | None
    takes_many: bool
    is_converted: bool


def flag_of(call: ast.Call) -> Flag:
    """Return the flag of an `add_argument`. Source: Python 3.11, argparse."""
    texts = [each.value for each in call.args if isinstance(each, ast.Constant)]
    typed = [each for each in texts if isinstance(each, str)]
    long = next((each for each in typed if each.startswith("--")), (*typed, "")[0])
    words = {word.arg: word.value for word in call.keywords if word.arg}
    dest, action = (_text_of(words.get(name)) for name in ("dest", "action"))
    default = words.get("default")
    if default is None and action in {"store_true", "store_false"}:
        default = ast.copy_location(ast.Constant(value=action == "store_false"), call)
    if default is None and "required" not in words and long.startswith("-"):
        default = ast.copy_location(ast.Constant(value=None), call)
    names = tuple(plain_name(each) for each in typed if each.startswith("-"))
    return Flag(
        name=dest or plain_name(long),
        names=names,
        default=default,
        takes_many="nargs" in words,
        is_converted=isinstance(words.get("type"), ast.Lambda),
    )


def plain_name(flag: str) -> str:
    """Return a flag's name as Python has it."""
    return flag.lstrip("-").replace("-", "_")


def _text_of(value: ast.expr | None) -> str:
    """Return the text of a literal, empty for anything else."""
    text = value.value if isinstance(value, ast.Constant) else None
    return text if isinstance(text, str) else ""


def parameters_of(function: Function | ast.Lambda) -> list[str]:
    """Return the names of a function's parameters."""
    given = function.args
    return [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def gathered_by(function: Function) -> set[str]:
    """Return the names that take the rest of what a function is given, `*args` and `**kwargs`."""
    return {each.arg for each in (function.args.vararg, function.args.kwarg) if each is not None}


def returned_by(module: ast.Module, call: ast.expr) -> ast.expr | None:
    """Return what the function of a file that is called returns in its only `return`, else None."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    name = call.func.id
    own = [each for each in ast.walk(module) if isinstance(each, FUNCTIONS) and each.name == name]
    returns = [each for function in own for each in ast.walk(function)
               if isinstance(each, ast.Return)]  # fmt: skip
    return returns[0].value if len(returns) == len(own) == 1 else None


def default_of(function: Function, name: str) -> ast.expr | None:
    """Return the default of a parameter, None where it has none."""
    given = function.args
    places = [*given.posonlyargs, *given.args]
    pairs = dict(
        zip((each.arg for each in places[len(places) - len(given.defaults) :]), given.defaults,
            strict=True)
    )  # fmt: skip
    own = {each.arg: value for each, value in zip(given.kwonlyargs, given.kw_defaults, strict=True)}
    return pairs.get(name, own.get(name))


def argument_of(function: Function, call: ast.Call, name: str, *, skip: int) -> ast.expr | None:
    """Return what a call hands on as a parameter, None where that cannot be told."""
    if any(word.arg is None for word in call.keywords):
        return None
    if any(isinstance(each, ast.Starred) for each in call.args):
        return None
    for word in call.keywords:
        if word.arg == name:
            return word.value
    places = parameters_of(function)[skip:]
    at = places.index(name) if name in places else len(places)
    return call.args[at] if at < len(call.args) else default_of(function, name)


def entries_of(holder: ast.expr) -> dict[str, ast.expr] | None:
    """Return the entries of a mapping that is written out whole, None of anything else."""
    match holder:
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {text: value for key, value in pairs if (text := _text_of(key))}
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=words):
            named = {word.arg: word.value for word in words if word.arg is not None}
            return named if len(named) == len(words) else None
    return None


def default_of_field(value: ast.expr) -> ast.expr:
    """Return the default of a dataclass's field, any other value as it is."""
    match value:
        case ast.Call(func=ast.Name(id="field"), keywords=words):
            return next((word.value for word in words if word.arg == "default"), value)
    return value
