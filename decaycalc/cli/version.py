"""`decaycalc --version --json`: the versions that a bug report needs."""

import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decaycalc.report.document_types import VersionJson


def versions() -> dict[str, object]:
    """Return the document of versions: ours, Python's and the dependencies'."""
    from decaycalc.report.document import document

    body: VersionJson = {
        "python": platform.python_version(),
        "click": version_of("click"),
        "numpy": version_of("numpy"),
        "rich": version_of("rich"),
    }
    return document("version", body)


def version_of(package: str) -> str | None:
    """Return a package's version, None where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def print_versions() -> int:
    """Print the document and return the exit status."""
    from decaycalc.cli.output import write_to_stdout
    from decaycalc.report.document import to_json

    write_to_stdout(to_json(versions()) + "\n")
    return 0
