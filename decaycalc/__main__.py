"""`python -m decaycalc`, and the console script's entry."""

import gc
import os
import sys


def main() -> None:
    """Run the command line and leave with its exit status.

    A run lasts some hundredths of a second, of which the collector's passes over freshly imported
    modules and the interpreter's teardown would take a quarter: the first are made rare, the second
    is left out once everything is written.
    """
    gc.set_threshold(200_000, 50, 50)
    # numpy's library starts a thread for each core, which nothing here uses: a third of a command.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from decaycalc.cli.main import main as run

        status = run()
    except KeyboardInterrupt:  # while it was still being imported
        sys.stderr.write("interrupted\n")
        status = 130
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        # Whoever read our output is gone, or its disk is full: there is nobody left to tell.
        status = status or 1
    os._exit(status)


if __name__ == "__main__":
    main()
