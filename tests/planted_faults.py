"""Faults planted one at a time in a copy of the package: `python -m tests.planted_faults`.

Each fault has to turn a test red. Those of `NAMED` were once overlooked; the others are small
changes of the core arithmetic, drawn by chance (`--sample N`, `--seed N`): another comparison, a
number one more or less, a factor or a condition left out, min for max. The tests of a fault's own
rooms are run first, then all of them. Printed are the survivors; the status is 1 where there are
any. Some survive because they change nothing: a memory's size, the way to the same number.
`--only TEXT` keeps the faults whose place or change holds the text, `--list` only shows them, and
`--near` leaves it at the tests of the rooms.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
_COPIED = ("decaycalc", "tests", "README.md", "CHANGELOG.md", "pyproject.toml", ".github", ".ci")
_HIDDEN = (".pre-commit-config.yaml", ".pre-commit-hooks.yaml")
_OF_THIS = "tests/test_planted_faults.py"  # it looks whether the faults' places are there
_SECONDS = 900  # a test that runs so long runs for ever: the fault is noticed

# The rooms of which faults are drawn, with the tests that should notice first: quick ones first.
ROOMS: dict[str, tuple[str, ...]] = {
    "algebra": ("tests/algebra", "decaycalc/algebra", "tests/conversion/test_plan.py"),
    "conventions/runs.py": (
        "tests/conventions/test_run.py", "tests/conversion/test_scenarios.py",
        "tests/test_public_api.py",
    ),
    "conversion": (
        "tests/conversion/test_plan.py", "tests/conversion/test_side.py",
        "tests/conversion/test_momentum.py", "tests/conversion/test_scenarios.py",
        "tests/conversion/test_rounding.py", "decaycalc/conversion", "tests/conversion",
        "tests/conventions/test_vectors.py", "tests/test_answer.py",
    ),
    "transfers": ("tests/transfers", "decaycalc/transfers"),
    "schedule": ("tests/schedule", "tests/survival/test_survival.py", "decaycalc/schedule"),
    "survival": ("tests/survival", "decaycalc/survival"),
    "bulk": ("tests/bulk/test_bulk.py", "tests/bulk"),
    "training/published": ("tests/training/test_published.py", "decaycalc/training/published"),
    "training": ("tests/training",),
    "findings": ("tests/findings",),
    "checks.py": ("tests/test_check.py",),
    "architecture": ("tests/architecture/test_groups.py", "tests/architecture/test_treatment.py"),
    "verification": ("tests/verification/test_optimizers.py", "tests/verification/test_rule.py"),
}  # fmt: skip
_DRAWN = (
    "algebra", "bulk", "conversion", "findings", "schedule", "survival", "training/reading",
    "training/trainers", "training/measure.py", "transfers",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A file of the package, what is changed in it in words, and its text with the fault."""

    path: str
    change: str
    text: str

    @property
    def tests(self) -> tuple[str, ...]:
        """The tests that should notice first: the module's own, and those of the room it is in."""
        room = max((room for room in ROOMS if self.path.startswith(room)), key=len)
        module = Path(self.path)
        own = f"tests/{module.parent.as_posix()}/test_{module.name}"
        return (*([own] if (ROOT / own).exists() else []), *ROOMS[room])


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A fault that was overlooked once: what stands in a function or constant, and what instead."""

    path: str
    place: str
    old: str
    new: str

    def planted(self) -> Fault:
        """Return the fault.

        Raises:
            LookupError: the place is gone, or the text does not stand in it just once.
        """
        source = _source(self.path)
        part = _part(source, self.place)
        if part is None or part.count(self.old) != 1 or source.count(part) != 1:
            raise LookupError(f"{self.path}: {self.place} holds not once {self.old!r}")
        text = source.replace(part, part.replace(self.old, self.new))
        return Fault(path=self.path, change=f"{self.place}: {self.old} -> {self.new}", text=text)


NAMED = tuple(
    Named(path=path, place=place, old=old, new=new)
    for path, place, old, new in (
        ("conversion/equivalence.py", "_step", "(record.proximal, ", "("),
        ("conversion/equivalence.py", "_step", "(SGD, _variant(algorithm), *fixed)",
         "(SGD, _variant(algorithm), *fixed[:2])"),
        ("conversion/equivalence.py", "notes",
         '"batch_size" in target.own and MEASURE not in {one.optimizer, other.optimizer}',
         '"batch_size" in target.own'),
        ("conversion/equivalence.py", "_awaits_momentum", "side.takes_momentum and ", ""),
        ("conversion/shrinks.py", "check_domain", "if value < 0:", "if value <= 0:"),
        ("conversion/side.py", "exact_shrink", "shrink_over(value / count, count)",
         "shrink_over(value, 1)"),
        ("conversion/side.py", "first_order_shrink", "-count * expm1(log1p(-value) / count)",
         "value"),
        ("conventions/runs.py", "_said", "if value is not None", "if value"),
        ("conversion/momentum.py", "_recursion", "past_threshold=e > low",
         "past_threshold=e >= low"),
        ("conversion/momentum.py", "step_for_shrink", "0 <= shrink < limit",
         "0 <= shrink <= limit"),
        ("conversion/decay.py", "_oscillates",
         "side.is_linear or side.convention.coupling != Coupling.COUPLED", "side.is_linear"),
        ("bulk/kinds.py", "_LOSSY", "2.0", "0.5"),
        ("checks.py", "_close", "rtol * abs(other)", "rtol * abs(one)"),
        ("training/published/nearest.py", "nearest", "abs(log(entry[2] / timescale_epochs))",
         "abs(entry[2] - timescale_epochs)"),
        ("training/trainers/timm.py", "_SQRT", '("ada", "lamb")', '("ada",)'),
        ("architecture/masks.py", "_is_hugging_face", ' or "rmsnorm" in name', ""),
        ("verification/rules/optimizers.py", "_radam", '<= settings["threshold"]',
         '< settings["threshold"]'),
    )
)  # fmt: skip


def _source(path: str) -> str:
    return (ROOT / "decaycalc" / path).read_text(encoding="utf-8")


def _part(source: str, place: str) -> str | None:
    """Return the text of a function or constant by its name, None where there is not just one."""
    found = [node for node in ast.walk(ast.parse(source)) if place in _names(node)]
    return ast.get_source_segment(source, found[0]) if len(found) == 1 else None


def _names(node: ast.AST) -> list[str]:
    """Return the names that a node defines."""
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


_OTHER: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_EXTREMES = {"min": "max", "max": "min"}


def _compared(node: ast.Compare) -> Iterator[ast.expr]:
    for place, kind in enumerate(node.ops):
        changed = copy(node)
        changed.ops = [*node.ops[:place], _OTHER[type(kind)](), *node.ops[place + 1 :]]
        yield changed


def _counted(node: ast.Constant) -> Iterator[ast.expr]:
    if type(node.value) in {int, float}:
        yield from (ast.Constant(node.value + by) for by in (1, -1))


def _without_factor(node: ast.BinOp) -> Iterator[ast.expr]:
    if isinstance(node.op, ast.Mult):
        yield from (node.left, node.right)
    elif isinstance(node.op, ast.Div):
        yield node.left
    elif isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield ast.BinOp(node.left, other, node.right)


def _without_condition(node: ast.BoolOp) -> Iterator[ast.expr]:
    for place in range(len(node.values)):
        kept = [*node.values[:place], *node.values[place + 1 :]]
        yield kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)


def _negated(node: ast.UnaryOp) -> Iterator[ast.expr]:
    if isinstance(node.op, ast.Not):
        yield node.operand


def _other_extreme(node: ast.Call) -> Iterator[ast.expr]:
    if isinstance(node.func, ast.Name) and node.func.id in _EXTREMES:
        yield ast.Call(ast.Name(_EXTREMES[node.func.id]), node.args, node.keywords)


_CHANGES: dict[type[ast.AST], Callable[..., Iterator[ast.expr]]] = {
    ast.Compare: _compared, ast.Constant: _counted, ast.BinOp: _without_factor,
    ast.BoolOp: _without_condition, ast.UnaryOp: _negated, ast.Call: _other_extreme,
}  # fmt: skip


def _without_annotations(node: ast.AST) -> Iterator[tuple[ast.AST, str, object]]:
    """Yield what may be changed below a node, as its parent, the field and what stands there."""
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list"}:
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST) and not isinstance(part, ast.Raise | ast.Assert):
                yield node, field, part
                yield from _without_annotations(part)


def drawn(path: str) -> Iterator[Fault]:
    """Yield every small change of a module's arithmetic."""
    tree = ast.parse(_source(path))
    for parent, field, part in list(_without_annotations(tree)):
        for changed in _CHANGES.get(type(part), lambda _: iter(()))(part):
            old, new = ast.unparse(part), ast.unparse(changed)
            held = getattr(parent, field)
            other = [changed if each is part else each for each in held] if isinstance(
                held, list) else changed  # fmt: skip
            setattr(parent, field, other)
            yield Fault(
                path=path, change=f"line {part.lineno}: {old} -> {new}", text=ast.unparse(tree)
            )
            setattr(parent, field, held)


def _drawn_modules() -> Iterator[str]:
    """Yield the modules of which faults are drawn."""
    package = ROOT / "decaycalc"
    for room in _DRAWN:
        place = package / room
        modules = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        yield from (module.relative_to(package).as_posix() for module in modules)


def is_noticed(fault: Fault, folder: Path, *, near: bool) -> bool:
    """Return whether a test turns red with the fault in the copy; the copy is as it was then."""
    module = folder / "decaycalc" / fault.path
    sound = module.read_text(encoding="utf-8")
    _write(module, fault.text)
    try:
        return _turns_red(folder, fault.tests) or (not near and _turns_red(folder, ()))
    finally:
        _write(module, sound)


def _write(module: Path, text: str) -> None:
    """Write a module, and forget what was compiled of it: its time may be the same."""
    module.write_text(text, encoding="utf-8")
    for compiled in (module.parent / "__pycache__").glob(f"{module.stem}.*.pyc"):
        compiled.unlink()


def _turns_red(folder: Path, tests: tuple[str, ...]) -> bool:
    """Return whether one of the tests fails, or runs for ever."""
    command = [
        sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
        f"--ignore={_OF_THIS}", *tests,
    ]  # fmt: skip
    try:
        return subprocess.run(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, timeout=_SECONDS,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        ).returncode != 0  # fmt: skip
    except subprocess.TimeoutExpired:
        return True


def _copy(folder: Path) -> None:
    for name in (*_COPIED, *_HIDDEN):
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    for module in _drawn_modules():  # as a drawn fault writes them, so that only it differs
        (folder / "decaycalc" / module).write_text(ast.unparse(ast.parse(_source(module))))


def chosen(arguments: argparse.Namespace) -> list[Fault]:
    """Return the faults to plant."""
    named = [fault.planted() for fault in NAMED]
    modules = _drawn_modules() if arguments.sample else ()
    others = [fault for module in modules for fault in drawn(module)]
    chance = random.Random(arguments.seed)  # noqa: S311  (nothing is to be kept secret)
    picked = chance.sample(others, min(arguments.sample, len(others)))
    faults = [*named, *picked]
    return [fault for fault in faults if arguments.only in f"{fault.path} {fault.change}"]


def main(words: list[str]) -> int:
    """Plant the faults, print what survives, and return 1 where something does."""
    parser = argparse.ArgumentParser(prog="tests.planted_faults", description=__doc__)
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--near", action="store_true")
    arguments = parser.parse_args(words)
    faults, survivors = chosen(arguments), []
    if arguments.list:
        print(*(f"{fault.path} {fault.change}" for fault in faults), sep="\n")
        return 0
    with TemporaryDirectory() as text:
        folder = Path(text)
        _copy(folder)
        if _turns_red(folder, ()):
            print("the tests fail without a fault")
            return 2
        for number, fault in enumerate(faults, 1):
            start = time.monotonic()
            noticed = is_noticed(fault, folder, near=arguments.near)
            verdict = "noticed" if noticed else "SURVIVED"
            took = time.monotonic() - start
            print(f"{number}/{len(faults)} {verdict} {took:.0f} s {fault.path} {fault.change}",
                  flush=True)  # fmt: skip
            survivors += [] if noticed else [fault]
    print(f"{len(survivors)} of {len(faults)} survive")
    print(*(f"{fault.path} {fault.change}" for fault in survivors), sep="\n")
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
