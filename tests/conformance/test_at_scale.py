"""The page on engines: each of its programs prints, run whole, the rows that the page shows."""

import os
import shutil
import subprocess
import sys

import pytest

from decaycalc import guide
from tests.documentation import split

# The packages that a program needs beside decaycalc.
NEEDED = {
    "with_polars.py": ("polars",),
    "with_duckdb.py": ("duckdb", "pyarrow"),
    "with_dask.py": ("dask", "pandas", "pyarrow"),
    "with_spark.py": ("pyspark", "pandas", "pyarrow"),
}


def blocks():
    """Return the blocks of the page by their files, and the rows that it shows by ''."""
    found = {}
    for info, lines in split(guide.page("at-scale")):
        kind, _, name = info.partition(" ")
        if name or kind == "text":
            found[name] = "\n".join(lines[1:-1]) + "\n"
    return found


BLOCKS = blocks()


def test_every_program_of_the_page_is_run_here():
    assert {name for name in BLOCKS if name.endswith(".py")} == set(NEEDED)


@pytest.mark.parametrize("name", NEEDED)
def test_a_program_prints_what_the_page_shows(name, tmp_path):
    for package in NEEDED[name]:
        pytest.importorskip(package)
    if name == "with_spark.py" and not shutil.which("java"):
        pytest.skip("Spark needs Java")
    for file in (name, "runs.csv"):
        (tmp_path / file).write_text(BLOCKS[file], encoding="utf-8")
    # Spark starts its workers by name and finds them by the machine's address.
    names = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, name], cwd=tmp_path, env=os.environ | names, capture_output=True,
        text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == BLOCKS[""]
