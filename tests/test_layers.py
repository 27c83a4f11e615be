"""Each module imports only from those above it, so that there is one direction to read in."""

import ast
from functools import cache
from pathlib import Path

import decaycalc

ROOT = Path(decaycalc.__file__).parent

# From the bottom of the house to its top; a folder stands for all of its modules that have no
# place of their own.
ORDER = (
    "errors", "record", "files", "algebra", "conventions", "schedule", "architecture", "conversion",
    "survival", "training", "findings", "transfers", "explanation", "verification", "emit",
    "answers", "inspection", "grouped_answers", "comparison", "api", "user_conventions",
    "report.document", "report.schemas", "bulk", "checks", "guide", "report", "cli",
)  # fmt: skip
# The package's face and its entry stand above all.
TOP = ("__init__", "__main__")


def modules():
    return sorted(ROOT.rglob("*.py"))


def part_of(dotted):
    """Return the part that holds a module, `catalogue` for `decaycalc.catalogue.keras`."""
    below = dotted.partition(".")[2]
    return below if below in ORDER else below.partition(".")[0]


def imports(path):
    """Yield the parts that a module imports, within functions too, but not for types alone."""
    for name, below in imports_of(path):
        if name.startswith("decaycalc."):
            yield name
        elif name == "decaycalc" and below and not below.startswith("__"):
            yield f"decaycalc.{below}"


@cache
def imports_of(path):
    """Return what a module imports: a dotted name, and what of it, empty where it is whole."""
    found = []
    for node in statements(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.ImportFrom):
            found += ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            found += ((alias.name, "") for alias in node.names)
    return tuple(found)


def statements(block):
    """Yield every statement of a block and of the blocks within it, but what is for types alone."""
    for node in block:
        yield node
        test = getattr(node, "test", None)
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            if name != "body" or not isinstance(test, ast.Name) or test.id != "TYPE_CHECKING":
                yield from statements(getattr(node, name, ()))


def own_part(path):
    return part_of(".".join(path.relative_to(ROOT.parent).with_suffix("").parts))


def test_a_module_imports_only_from_those_above_it():
    upward = []
    for path in modules():
        part = own_part(path)
        if part in TOP:
            continue
        assert part in ORDER, f"{part} must be given its place in the order"
        for name in imports(path):
            other = part_of(name)
            assert other in ORDER, f"{name} must be given its place in the order"
            if ORDER.index(other) > ORDER.index(part):
                upward.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not upward


def test_the_order_names_each_part_once():
    assert len(set(ORDER)) == len(ORDER)


def test_no_module_imports_itself_through_others():
    names = {".".join(path.relative_to(ROOT.parent).with_suffix("").parts): path
             for path in modules()}  # fmt: skip
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    imported = {name: set(modules_of(path, names)) - {name} for name, path in names.items()}
    while imported:
        free = {name for name, others in imported.items() if not others & imported.keys()}
        assert free, f"a circle among {sorted(imported)}"
        imported = {name: imported[name] for name in imported if name not in free}


def modules_of(path, names):
    """Yield the modules that a module imports: those that a `from` names, else the folder."""
    for name, below in imports_of(path):
        whole = f"{name}.{below}"
        if whole in names or name in names:
            yield whole if whole in names else name


def test_an_upward_import_would_be_found(tmp_path):
    module = tmp_path / "quantity.py"
    module.write_text(
        "from typing import TYPE_CHECKING\n"
        "from decaycalc.errors import InvalidValueError\n"
        "from decaycalc import __version__, run\n"
        "import decaycalc.cli.main\n"
        "def late():\n    from decaycalc.conversion.plan import plan\n"
        "if TYPE_CHECKING:\n    from decaycalc.answers import Answer\n"
    )
    found = [part_of(name) for name in imports(module)]
    assert sorted(found) == ["cli", "conversion", "errors", "run"]


def packages(path):
    """Return the packages that a module imports something of."""
    return {name.partition(".")[0] for name, _ in imports_of(path)}


def test_numpy_and_rich_stay_out_of_the_core():
    core = ORDER[: ORDER.index("conventions") + 1]
    for path in modules():
        if own_part(path) in core:
            assert not packages(path) & {"numpy", "rich", "click", "dataclasses"}, path


def test_no_framework_is_imported():
    frameworks = {"torch", "keras", "jax", "optax", "tensorflow", "timm", "flax", "lightning"}
    for path in modules():
        if "frameworks" not in path.parts:  # what `verify --with` is asked to import
            assert not packages(path) & frameworks, path


def test_the_top_level_holds_no_other_file():
    top = Path(__file__).parents[1]
    files = {path.name for path in top.iterdir() if path.is_file() and path.name[0] != "."}
    assert files - {"PKG-INFO"} == {"pyproject.toml", "README.md", "CHANGELOG.md"}
