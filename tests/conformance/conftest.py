"""The conformance suite: real frameworks take real steps, and must do what the catalogue says.

It needs the packages of requirements.txt; `pytest` alone does not run it, `.ci/run` does.
"""

import os
import re
import sys
import warnings
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("DEV", "PYTHON")  # tinygrad's device that needs no compiler
os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).parent))

RESULTS = pytest.StashKey[dict[str, list[float]]]()


def pytest_configure(config):
    """Keep the results; the frameworks' own warnings are none of ours."""
    config.stash[RESULTS] = {}
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
    """Return a function that notes a package's deviation, relative, for the summary."""
    results = request.config.stash[RESULTS]

    def note(package, deviation):
        results.setdefault(package, []).append(float(deviation))

    return note


def pytest_terminal_summary(terminalreporter, config):
    """Print frameworks, versions, cases and the worst deviation."""
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


def version_of(package):
    """Return a package's version."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"
