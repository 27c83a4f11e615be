"""Import of nanoGPT's Python configurations: parsed as text, never run."""

import ast
from pathlib import Path

from decaycalc.algebra.quantity import exact
from decaycalc.errors import UnreadableFileError
from decaycalc.training.published.record import Recipe
from decaycalc.training.trainers.result import (
    Imported,
    compose,
    count,
    decimal,
    number,
    read_text,
    unread,
)

_LARGEST = 200_000  # characters; nanoGPT's own configurations have less than 2000
_MOST_BITS = 2000

# karpathy/nanoGPT train.py: what a configuration leaves open.
_DEFAULTS: dict[str, object] = {
    "gradient_accumulation_steps": 40,
    "batch_size": 12,
    "block_size": 1024,
    "learning_rate": "0.0006",
    "max_iters": 600000,
    "weight_decay": "0.1",
    "beta1": "0.9",
    "beta2": "0.95",
    "decay_lr": True,
    "warmup_iters": 2000,
    "lr_decay_iters": 600000,
    "min_lr": "6e-05",
}
_HARMLESS = {"eval_interval", "eval_iters", "log_interval", "wandb_log", "wandb_project",
             "wandb_run_name", "grad_clip"}  # fmt: skip


class _OpenValueError(Exception):
    """An expression that cannot be known without running the file."""


def read_nanogpt(path: Path) -> Imported:
    """Return the run of a nanoGPT configuration; B counts tokens.

    Raises:
        UnreadableFileError: not Python, or it sets nothing that nanoGPT's training reads.
    Source: karpathy/nanoGPT train.py, configurator.py.
    """
    given, open_names = _assignments(_module(path))
    if not set(_DEFAULTS) & (set(given) | open_names):
        raise UnreadableFileError(str(path), "it sets nothing that nanoGPT's train.py reads")
    settings = {**_DEFAULTS, **given}
    silent = [key for key in ("learning_rate", "weight_decay", "batch_size") if key not in given]
    notes = tuple(f"{key} is not set: train.py's own {_DEFAULTS[key]}" for key in silent)
    known = open_names & set(_DEFAULTS)
    notes += tuple(f"{key} is computed at run time and was not read" for key in sorted(known))
    betas = (number(settings, "beta1", path) or "0", number(settings, "beta2", path) or "0")
    recipe = Recipe(
        name="imported",
        title=f"nanoGPT configuration {path.name}",
        convention="nanogpt",
        value=number(settings, "weight_decay", path),
        lr=number(settings, "learning_rate", path),
        batch_size=_tokens(settings, path),
        unit="tokens",
        steps=count(settings, "max_iters", path),
        schedule=_schedule(settings, path),
        betas=betas,
        exempt="tensors of less than two dimensions",
        source=str(path),
    )
    return Imported(recipe=recipe, notes=notes + unread(given, {*_DEFAULTS, *_HARMLESS}))


def _module(path: Path) -> ast.Module:
    """Return the parsed file.

    Raises:
        UnreadableFileError: too long, or not Python.
    """
    text = read_text(path)
    if len(text) > _LARGEST:
        raise UnreadableFileError(str(path), f"it is longer than {_LARGEST} characters")
    try:
        return ast.parse(text)
    except SyntaxError as error:
        raise UnreadableFileError(str(path), f"line {error.lineno}: it is not Python") from None
    except (ValueError, RecursionError, MemoryError):
        raise UnreadableFileError(str(path), "it is not Python, or nested too deeply") from None


def _assignments(module: ast.Module) -> tuple[dict[str, object], set[str]]:
    """Return what the file sets at its top level, and the names whose value stays open."""
    known: dict[str, object] = {}
    unknown: set[str] = set()
    for statement in module.body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target = statement.targets[0]
        if not isinstance(target, ast.Name):
            continue
        try:
            known[target.id] = _evaluate(statement.value, known)
        except _OpenValueError:
            known.pop(target.id, None)
            unknown.add(target.id)
    return known, unknown


def _evaluate(node: ast.expr, known: dict[str, object]) -> object:
    """Return a constant, an earlier name's value, or arithmetic on these.

    Raises:
        _OpenValueError: anything else.
    """
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _arithmetic(ast.Sub(), 0, _evaluate(node.operand, known))
    if isinstance(node, ast.BinOp):
        return _arithmetic(node.op, _evaluate(node.left, known), _evaluate(node.right, known))
    raise _OpenValueError


def _arithmetic(operator: ast.operator, left: object, right: object) -> int | float:
    """Return `left operator right` of two numbers of bounded size."""
    for side in (left, right):
        if isinstance(side, bool) or not isinstance(side, (int, float)):
            raise _OpenValueError
        if isinstance(side, int) and side.bit_length() > _MOST_BITS:
            raise _OpenValueError
    assert isinstance(left, (int, float))  # noqa: S101  (checked above; tells the type checker)
    assert isinstance(right, (int, float))  # noqa: S101
    try:
        if isinstance(operator, ast.Add):
            return left + right
        if isinstance(operator, ast.Sub):
            return left - right
        if isinstance(operator, ast.Mult):
            return left * right
        if isinstance(operator, ast.Div):
            return left / right
        if isinstance(operator, ast.FloorDiv):
            return left // right
    except (OverflowError, ZeroDivisionError):
        raise _OpenValueError from None
    raise _OpenValueError


def _tokens(settings: dict[str, object], path: Path) -> int:
    """Return the tokens of one step: sequences, times their length, times accumulation."""
    parts = ("batch_size", "block_size", "gradient_accumulation_steps")
    product = 1
    for part in parts:
        product *= count(settings, part, path) or 1
    return product


def _schedule(settings: dict[str, object], path: Path) -> str:
    """Return nanoGPT's schedule: warm-up, cosine to min_lr over lr_decay_iters."""
    if settings["decay_lr"] is not True:
        return "constant"
    lr, floor = number(settings, "learning_rate", path), number(settings, "min_lr", path)
    length = count(settings, "lr_decay_iters", path)
    warmup = exact(number(settings, "warmup_iters", path) or "0")
    return compose(
        "cosine",
        warmup=int(warmup) or None,
        length=None if length == count(settings, "max_iters", path) else length,
        final=None if floor is None or lr is None else decimal(floor, lr),
    )
