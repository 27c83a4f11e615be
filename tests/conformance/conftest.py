"""The conformance suite: real frameworks take real steps, and must do what the catalogue says.

It needs the packages of requirements.txt; `pytest` alone does not run it, `.ci/run` does.
"""

import os
import re
import sys
import warnings
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import pytest

from decaycalc.conventions.catalogue import conventions

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("DEV", "PYTHON")  # tinygrad's device that needs no compiler
os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).parent))

RESULTS = pytest.StashKey[dict[str, list[float]]]()
EXECUTED = pytest.StashKey[set[str]]()


def pytest_configure(config):
    """Keep the results; the frameworks' own warnings are none of ours."""
    config.stash[RESULTS], config.stash[EXECUTED] = {}, set()
    config.addinivalue_line("filterwarnings", "ignore")
    warnings.simplefilter("ignore")
    mend_torchvision()


def mend_torchvision():
    """Declare torchvision's operators where its build for GPUs meets torch's for CPUs.

    timm and fastai import torchvision; no test uses it.
    """
    spec = find_spec("torchvision")
    if spec is None or find_spec("torch") is None:
        return
    import torch

    folder = Path(str(spec.origin)).parent
    try:
        for library in folder.glob("_C*.so"):
            torch.ops.load_library(str(library))
    except OSError:
        text = (folder / "_meta_registrations.py").read_text()
        names = set(re.findall(r'(?:register_meta\(|torchvision::)"?(\w+)', text))
        library = torch.library.Library("torchvision", "DEF")
        for name in sorted(names):
            library.define(f"{name}(Tensor x) -> Tensor")
        mend_torchvision.library = library  # it undoes its declarations when it is deleted


@pytest.fixture
def record(request):
    """Return a function that notes a package's deviation, relative, for the summary.

    The records that it is about are the test's parameters, or named after the deviation.
    """
    results, executed = request.config.stash[RESULTS], request.config.stash[EXECUTED]
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})

    def note(package, deviation, *keys):
        results.setdefault(package, []).append(float(deviation))
        executed.update(keys or [value for value in parameters.values() if is_key(value)])

    return note


def is_key(value):
    """Return whether a test's parameter is a record's key."""
    return isinstance(value, str) and value in catalogue()


@cache
def catalogue():
    """Return how each record says that it was verified, by its key."""
    return {each.key: each.verification for each in conventions()}


def pytest_terminal_summary(terminalreporter, config):
    """Print frameworks, versions, cases and the worst deviation; and how many records that is."""
    results = config.stash[RESULTS]
    if not results:
        return
    terminalreporter.section("conformance")
    terminalreporter.write_line(f"{'framework':<22}{'version':<14}{'cases':>6}  worst deviation")
    for package in sorted(results):
        worst, cases = max(results[package]), len(results[package])
        row = f"{package:<22}{version_of(package):<14}{cases:>6}  {worst:.1e}"
        terminalreporter.write_line(row)
    total = sum(len(deviations) for deviations in results.values())
    terminalreporter.write_line(f"{'total':<36}{total:>6}")
    for line in coverage_of(config.stash[EXECUTED]):
        terminalreporter.write_line(line)


def coverage_of(executed):
    """Yield how many records were executed here, and what the others rest on."""
    rest = {key: text for key, text in catalogue().items() if key not in executed}
    yield f"records: {len(catalogue())}, of which executed here: {len(executed)}"
    kinds = {
        "executed": "executed in an environment of their own (their frameworks fit no common one)",
        "literal step": "a literal step from their sources only",
        "algebra": "algebra only (measures, and what is another record by definition)",
    }
    for word, text in kinds.items():
        found = [key for key, told in rest.items() if told.startswith(word)]
        yield f"{len(found):>7} {text}"


def version_of(package):
    """Return a package's version."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"
