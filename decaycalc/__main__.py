"""`python -m decaycalc`, and the console script's entry."""

import sys


def main() -> None:
    """Run the command line and leave with its exit status."""
    from decaycalc.cli.main import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
