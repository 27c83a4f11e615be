"""The tests that a stage of CI skips, which must not become more.

    python tests/skipped.py STAGE LOG

reads the last summary line of pytest in LOG and ends with status 1 where more than the stage's
bound were skipped, or where the log has no such line. Who makes a skip needless lowers the bound.
"""

import re
import sys
from pathlib import Path

# Stage of .ci/run: how many of its tests may be skipped.
MOST = {
    "plain": 20,
    "every-reader": 1,
    "sdist": 6,
    "oldest": 3,
    "conformance": 20,
    "conformance-trainer": 48,
}
SUMMARY = re.compile(r"^.*\b\d+ passed\b.* in [\d.]+s", re.MULTILINE)
COUNT = re.compile(r"(\d+) skipped")


def count_skipped(log: str) -> int | None:
    """Return how many tests pytest's last summary says were skipped; None without a summary."""
    summaries = [found[0] for found in SUMMARY.finditer(log)]
    if not summaries:
        return None
    found = COUNT.search(summaries[-1])
    return int(found[1]) if found else 0


def main(arguments: list[str]) -> int:
    """Say how many tests a stage skipped; return 1 where they are too many."""
    stage, log = arguments
    skipped, most = count_skipped(Path(log).read_text(encoding="utf-8")), MOST[stage]
    if skipped is None:
        print(f"{stage}: the log ends without a summary of pytest")
        return 1
    print(f"{stage}: {skipped} tests skipped, at most {most}")
    return int(skipped > most)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
