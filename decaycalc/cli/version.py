"""`decaycalc --version --json`: the versions that a bug report needs."""

import platform


def versions() -> dict[str, object]:
    """Return the document of versions: ours, Python's and the dependencies'."""
    from importlib.metadata import version

    from decaycalc.report.document import document

    packages = {name: version(name) for name in ("click", "numpy", "rich")}
    return document("version", {"python": platform.python_version(), **packages})


def print_versions() -> int:
    """Print the document and return the exit status."""
    from decaycalc.cli.output import write_to_stdout
    from decaycalc.report.document import to_json

    write_to_stdout(to_json(versions()) + "\n")
    return 0
