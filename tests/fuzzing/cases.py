"""Many random cases in one test: each from a seed of its own, every kind of failure told once.

DECAYCALC_FUZZ=100000 makes each fuzzer run that many, from seeds that are new each time;
DECAYCALC_FUZZ_SEED repeats a run, DECAYCALC_FUZZ_CASE one case of one test, and
DECAYCALC_FUZZ_MINUTES ends each test after so many, with the number of cases it has come to.
"""

import inspect
import os
import random
import signal
import time
import traceback
from functools import wraps

import pytest

N_CASES = int(os.environ.get("DECAYCALC_FUZZ") or 0)
SEED = os.environ.get("DECAYCALC_FUZZ_SEED") or (f"{time.time_ns()}" if N_CASES else "plain")
MINUTES = float(os.environ.get("DECAYCALC_FUZZ_MINUTES", "inf"))
ONLY = os.environ.get("DECAYCALC_FUZZ_CASE", "")
# Seconds of the processor for one case, which only a hang exceeds: the longest run that is
# followed step by step, of 10^10 steps, takes half of them.
_LONGEST = 300
_LONGEST_WAIT = 900  # seconds of the clock, on a busy machine
_TIMERS = ((signal.SIGPROF, signal.ITIMER_PROF, _LONGEST),
           (signal.SIGALRM, signal.ITIMER_REAL, _LONGEST_WAIT))  # fmt: skip
_MOST_KINDS = 40


class HangError(BaseException):
    """A case that takes too long; no `except Exception` of the code under test may catch it."""


def fuzzed(*, plain, share):
    """Return the decorator that runs a test with `plain` random generators, one a case.

    In a long run it is `share` of DECAYCALC_FUZZ instead. All cases are run; what failed is told
    at the end, the first case of each kind: an exception at one place of the code.
    """

    def decorate(test):
        @wraps(test)
        def every_case(**fixtures):
            labels = _labels(test.__name__, plain, share)
            begun, kinds, count = time.monotonic(), {}, 0
            for count, label in enumerate(labels, 1):  # noqa: B007  (told below)
                told = _failure(test, label, fixtures)
                if told is not None:
                    kinds.setdefault(told[0], told[1])
                if len(kinds) == _MOST_KINDS or time.monotonic() - begun > MINUTES * 60:
                    break
            took = time.monotonic() - begun
            print(f"{test.__name__}: {count} of {len(labels)} cases, {took:.0f} s, seed {SEED}")
            if kinds:
                pytest.fail("\n\n".join(kinds.values()), pytrace=False)

        own = inspect.signature(test)
        fixtures = [each for name, each in own.parameters.items() if name != "rng"]
        every_case.__signature__ = own.replace(parameters=fixtures)
        return every_case

    return decorate


def _labels(name, plain, share):
    if ONLY:
        return [ONLY] if f":{name}:" in ONLY else []
    count = -int(-N_CASES * share // 1) if N_CASES else plain
    return [f"{SEED}:{name}:{at}" for at in range(count)]


def _failure(test, label, fixtures):
    """Return a failure's kind and its text, None where the case is sound."""
    for number, timer, longest in _TIMERS:
        signal.signal(number, _hang)
        signal.setitimer(timer, longest)
    try:
        test(rng=random.Random(label), **fixtures)  # noqa: S311  (no secrets)
    except (Exception, HangError, pytest.fail.Exception) as error:  # noqa: BLE001  (to tell all)
        frames = traceback.extract_tb(error.__traceback__)
        last = frames[-1]
        ours = [each for each in frames if "/decaycalc/" in each.filename] or frames
        kind = (type(error).__name__, last.filename, last.lineno, ours[-1].lineno)
        text = "".join(traceback.format_exception(error))
        return kind, f"case {label}\n{text[-3000:]}"
    finally:
        for number, timer, _ in _TIMERS:
            signal.setitimer(timer, 0)
            signal.signal(number, signal.SIG_DFL)
    return None


def _hang(*_):
    raise HangError("it takes too long")
