"""What every test may use: the program run in this process, and a quick hypothesis profile."""

import gc
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from decaycalc.cli.main import main

settings.register_profile(
    "quick",
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("quick")


# Garbage is searched for as rarely as in the program: with Python's own settings that is a
# twentieth of the run.
gc.set_threshold(200_000, 50, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let two processes share the whole suite, where pytest-xdist is and `-n` says nothing.

    Not if one of the two asks, nor for a debugger; coverage must know of them from the start.
    """
    said = vars(config.option)
    is_worker = hasattr(config, "workerinput")
    is_whole = config.args_source is config.ArgsSource.TESTPATHS
    needs_one = said["usepdb"] or said.get("cov_source")
    if is_whole and said.get("numprocesses", 0) is None and not (is_worker or needs_one):
        config.option.numprocesses = 2


class Ran(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def last_error(self) -> str:
        return self.err.rstrip("\n").rpartition("\n")[2]


@pytest.fixture(autouse=True, scope="session")
def _plain_terminal():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def run(capsys):
    """Return a function that runs a command line and returns status, stdout and stderr."""

    def call(*words: str) -> Ran:
        capsys.readouterr()
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ran(status, captured.out, captured.err)

    return call
